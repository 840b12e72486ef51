"""What a run takes of GPUs, with a library that stands in for NVIDIA's."""

import os
import shutil
import subprocess
import time
from pathlib import Path

import pytest
from runner_contract import Bench
from waiting import PATIENCE_SECONDS

from studio.runners.base import Resources
from studio.runners.shim import gpus, nvml, usage

pytestmark = pytest.mark.skipif(shutil.which("gcc") is None, reason="SKIPPED LOUDLY: needs gcc")


@pytest.fixture(scope="module", name="library")
def library_fixture(tmp_path_factory: pytest.TempPathFactory) -> Path:
    library = tmp_path_factory.mktemp("nvml") / "nvml.so"
    source = Path(__file__).with_name("fake_nvml.c")
    subprocess.run(["gcc", "-shared", "-fPIC", "-o", library, source], check=True)
    return library


def watched(folder: Path) -> gpus.GpuSample:
    """The first sample of a watcher, which is ended then."""
    watcher = gpus.Watcher(folder, ["GPU-0", "GPU-1"])
    pid = watcher.pid
    deadline = time.monotonic() + PATIENCE_SECONDS
    while not (found := gpus.read(folder, 0)):
        assert time.monotonic() < deadline
        time.sleep(0.01)
    watcher.finish()
    assert watcher.pid == 0
    os.waitpid(pid, 0)
    return found[0]


@pytest.fixture(autouse=True)
def _soon(monkeypatch: pytest.MonkeyPatch, library: Path) -> None:
    monkeypatch.setattr(usage, "FIRST_PAUSE", 0.01)
    monkeypatch.setattr(nvml, "LIBRARY", str(library))


def test_of_gpus_that_others_use_nothing_counts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    with subprocess.Popen(["sleep", "60"]) as mine:
        monkeypatch.setenv("FAKE_PID", str(mine.pid))
        sample = watched(tmp_path)
        mine.kill()
    assert (sample.busy, sample.memory) == (40, 50)


def test_processes_that_cannot_be_seen_count_as_a_whole(tmp_path: Path):
    sample = watched(tmp_path)
    assert (sample.busy, sample.memory) == (130, 150)


def test_without_the_library_the_watcher_ends(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(nvml, "LIBRARY", "no-such-library.so")
    watcher = gpus.Watcher(tmp_path, ["0"])
    assert os.waitpid(watcher.pid, 0)[1] == 0
    watcher.ended(0)
    watcher.finish()
    assert gpus.read(tmp_path, 0) == []


def test_a_run_with_a_gpu_ends_as_any_other(bench: Bench):
    run = bench.start("echo trained", resources=Resources(gpus=1))
    assert bench.ended(run).phase == "succeeded"

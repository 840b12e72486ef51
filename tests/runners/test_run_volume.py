"""What the files of a run may take of the disk."""

import os
from pathlib import Path

import pytest
from runner_contract import Bench

from studio.runners.base import Output
from studio.runners.process import ProcessRunner
from studio.runners.shim import volume
from studio.runners.shim.volume import Volume
from studio.settings import Settings

MB = 2**20


def test_a_run_whose_files_take_more_than_its_volume_is_ended(tmp_path: Path):
    bench = Bench(ProcessRunner(Settings(home=tmp_path)))
    status, _ = bench.result(
        'head -c 3000000 /dev/urandom > "$ML/model/w"; trap "" TERM; sleep 1000',
        disk_mb=2,
        folders=("model",),
        outputs=(Output("model", "model.tar.gz"),),
    )
    assert (status.phase, status.reason) == ("failed", "NoSpace")
    assert status.message == "Insufficient disk space: files took 3 MB of a volume of 2 MB"
    assert status.outputs == ()


def test_what_counts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(volume, "_PAUSE_SECONDS", 0)
    ml, view, outside = tmp_path / "ml", tmp_path / "ml" / "view", tmp_path / "outside"
    view.mkdir(parents=True)
    outside.write_bytes(bytes(3 * MB))
    (ml / "link").symlink_to(outside)
    (ml / "folder").symlink_to(tmp_path)
    (view / "object").write_bytes(bytes(3 * MB))
    (ml / "file").write_bytes(bytes(MB))
    os.link(ml / "file", ml / "same")
    with (ml / "sparse").open("wb") as sparse:
        sparse.truncate(1 << 40)
    assert Volume([ml], 2 * MB, [view]).look() == ""
    assert Volume([ml], 2 * MB, []).look() != ""
    assert Volume([ml], 0, []).look(5 * MB) == ""
    beside = Volume([ml], 2 * MB, [view])
    assert beside.look(MB - 8192) == ""
    (ml / "file").unlink()
    (ml / "same").unlink()
    assert beside.look(2 * MB - 8192) == ""
    assert beside.look(3 * MB) != ""


def test_files_are_counted_when_the_disk_fills_and_a_few_at_a_time(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    counted, used = [], [100 * MB]
    monkeypatch.setattr(volume, "_used", lambda _folder: used[0])
    monkeypatch.setattr(volume, "_STEP", 2)
    monkeypatch.setattr(volume, "_PAUSE_SECONDS", 1e9)
    scan = os.scandir
    monkeypatch.setattr(os, "scandir", lambda path: counted.append(path) or scan(path))
    for number in range(5):
        (tmp_path / str(number)).write_bytes(bytes(MB))
    watched = Volume([tmp_path], 8 * MB, [])
    used[0] += 5 * MB
    assert [watched.look() for _ in range(3)] == [""] * 3
    used[0] += MB
    assert watched.look() == ""
    assert len(counted) == 1  # 5 of 8 MB are taken: 1 more is no reason to count again
    used[0] += 2 * MB
    (tmp_path / "more").write_bytes(bytes(4 * MB))
    said = [watched.look() for _ in range(4)]
    assert len(counted) == 2
    assert "files took 9 MB of a volume of 8 MB" in said[-1]

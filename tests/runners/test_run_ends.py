"""How runs are ended: in time, whatever the clock says, and without a trace."""

import shutil
import subprocess
import sys
import time
from pathlib import Path

import pytest
from left_behind import mounts_below
from left_over import assert_gone
from runner_contract import Bench, contents

from studio.runners.base import Output, Resources
from studio.runners.process import ProcessRunner
from studio.settings import Settings


def test_the_stop_comes_at_once_and_the_kill_when_the_time_is_up(bench: Bench):
    run = bench.start(
        "trap 'date +%s.%N > \"$ML/model/heard\"' TERM; echo ready; while :; do sleep 0.05; done",
        folders=("model",),
        outputs=(Output("model", "model.tar.gz"),),
        stop_seconds=2.0,
    )
    bench.said(run, "ready")
    asked = time.time()
    bench.stop(run)
    time.sleep(0.5)
    bench.stop(run)
    status = bench.ended(run)
    killed = dict(status.stages)["Uploading"] / 1000
    assert (status.phase, status.exit_code) == ("stopped", 137)
    heard = float(contents(status.outputs[0].path)["heard"])
    assert asked <= heard < killed
    assert 1.99 <= killed - asked < 20.0


def test_what_is_written_during_a_stop_is_kept(bench: Bench):
    run = bench.start(
        'trap \'for i in 1 2 3 4 5; do echo $i >> "$ML/model/checkpoint"; sleep 0.3; done; '
        "exit 0' TERM; echo ready; while :; do sleep 0.05; done",
        folders=("model",),
        outputs=(Output("model", "model.tar.gz"),),
        stop_seconds=60.0,
    )
    bench.said(run, "ready")
    bench.stop(run)
    status = bench.ended(run)
    assert contents(status.outputs[0].path) == {"checkpoint": b"1\n2\n3\n4\n5\n"}


# A clock of the machine that the test may set: what libfaketime does, in ten lines.
CLOCK = """
#define _GNU_SOURCE
#include <dlfcn.h>
#include <stdio.h>
#include <time.h>
int clock_gettime(clockid_t id, struct timespec *at) {
    static int (*real)(clockid_t, struct timespec *);
    if (!real) real = dlsym(RTLD_NEXT, "clock_gettime");
    int result = real(id, at);
    FILE *file = id == CLOCK_REALTIME ? fopen("%s", "r") : NULL;
    long jump = 0;
    if (file) { if (fscanf(file, "%%ld", &jump) == 1) at->tv_sec += jump; fclose(file); }
    return result;
}
"""


@pytest.mark.skipif(shutil.which("gcc") is None, reason="SKIPPED LOUDLY: needs gcc")
@pytest.mark.parametrize("jump", [-3600, 3600])
def test_a_clock_that_jumps_changes_no_time_limit(
    home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, jump: int
):
    clock, library = tmp_path / "clock", tmp_path / "clock.so"
    clock.write_text("0")
    (tmp_path / "clock.c").write_text(CLOCK % clock)
    subprocess.run(
        ["gcc", "-shared", "-fPIC", "-o", library, tmp_path / "clock.c", "-ldl"], check=True
    )
    python = tmp_path / "python"
    python.write_text(f'#!/bin/sh\nLD_PRELOAD={library} exec {sys.executable} "$@"\n')
    python.chmod(0o755)
    bench = Bench(ProcessRunner(Settings(home=home, sandbox="never")))
    with monkeypatch.context() as patch:
        patch.setattr(sys, "executable", str(python))
        begun = time.monotonic()
        run = bench.start("echo ready; sleep 1000", timeout_seconds=4.0)
    bench.said(run, "ready")
    clock.write_text(str(jump))
    status = bench.ended(run)
    took = time.monotonic() - begun
    assert status.reason == "MaxRuntimeExceeded"
    assert 3.9 <= took < 120
    # The shim really lived by that clock.
    assert abs(status.ended_at - status.started_at - 1000 * jump) < 120_000


def test_memory_of_a_child_is_named_although_its_parent_says_seven(bench: Bench):
    hog = "import time; x = bytearray(400 * 2**20); x[::4096] = x[::4096]; time.sleep(60)"
    script = f'python3 -c \\"{hog}\\" & wait $!; exit 7'
    status, _ = bench.result(f'setsid sh -c "{script}"; exit 7', resources=Resources(1, 200))
    assert (status.phase, status.reason) == ("failed", "OutOfMemory")
    assert "limit is 200 MB" in status.message


def test_many_runs_leave_no_process_port_or_mount(bench: Bench, home: Path):
    scripts = [
        "(setsid sleep 1000 &) ; true",
        "python3 -c \"import os, socket, time; s = socket.create_server(('127.0.0.1', 0)); "
        'os.fork() or (os.setsid(), os.fork() or time.sleep(1000))"',
        "mkfifo $ML/model/f; cat $ML/model/f & exit 3",
        "nohup sleep 1000 > /dev/null 2>&1 & exec true",
    ]
    runs = [bench.start(scripts[n % 4], folders=("model",)) for n in range(16)]
    for run in runs:
        bench.ended(run)
    assert_gone(home)
    assert mounts_below(home) == []

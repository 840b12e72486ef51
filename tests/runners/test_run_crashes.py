"""Shims and their starters are killed at the worst moments; nothing is lost, nothing stays."""

import json
import multiprocessing
import os
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

import pytest
from left_over import assert_gone
from runner_contract import Bench
from waiting import eventually

from studio import processes
from studio.errors import StudioError
from studio.runners.process import ProcessRunner
from studio.settings import Settings


def shim_of(home: Path, run: str) -> int:
    return int(json.loads((home / "runs" / run / "pid.json").read_text())["pid"])


TREES = {
    "ignores TERM": "trap '' TERM; sleep 1000 & while :; do sleep 0.1; done",
    "sessions of their own": "for i in 1 2 3; do setsid sh -c \"trap '' TERM; "
    'while :; do sleep 0.1; done" & done; sleep 1000',
    "daemons": "(setsid sh -c 'sleep 1000 & sleep 1000' &) ; sleep 1000",
    "daemons without a name": "env -i setsid sh -c 'sleep 1000' >/dev/null 2>&1 & sleep 1000",
    "asleep": "sleep 1000 & kill -STOP $!; kill -STOP $$; sleep 1000",
}


@pytest.mark.parametrize("tree", TREES)
def test_the_whole_tree_is_stopped(bench: Bench, home: Path, tree: str):
    seconds = str(100_000_000 + time.time_ns() % 10**8)  # nobody else sleeps for so long
    run = bench.start(f"echo ready; {TREES[tree]}".replace("1000", seconds))
    bench.said(run, "ready")
    bench.stop(run)
    assert bench.ended(run).phase == "stopped"
    assert_gone(home)
    assert subprocess.run(["pgrep", "-f", f"sleep {seconds}"], check=False).returncode == 1


def test_a_sleeping_process_hears_that_it_is_to_stop(bench: Bench):
    run = bench.start("trap 'echo bye; exit 0' TERM; echo ready; kill -STOP $$", stop_seconds=300.0)
    bench.said(run, "ready")
    bench.stop(run)
    status = bench.ended(run)
    assert (status.phase, status.exit_code) == ("stopped", 0)
    assert bench.lines(run) == ["ready", "bye"]


def test_nobody_cuts_the_log_off(bench: Bench):
    _, lines = bench.result(
        "echo one; echo two > /dev/stderr; echo three > /dev/stdout; : > /proc/self/fd/1; echo four"
    )
    assert lines == ["one", "two", "three", "four"]


def test_a_killed_scribe_loses_no_line_and_doubles_none(bench: Bench, home: Path):
    hold = 'until [ -e "$ML/go" ]; do sleep 0.05; done'
    run = bench.start(f"seq 1 200000; echo waiting; {hold}; seq 200001 400000; echo end")
    shim = shim_of(home, run)
    log = home / "runs" / run / "log"
    # Before that, the command itself is for a moment a child that runs the shim's program.
    bench.until(run, lambda _: bench.lines(run))
    killed = set()
    while not bench.poll(run).ended:
        for pid in scribes_of(shim):
            os.kill(pid, signal.SIGKILL)
            killed.add(pid)
        if len(killed) > 2:
            (home / "runs" / run / "ml" / "go").touch()
        time.sleep(0.002)
    first, second = map(str, range(1, 200001)), map(str, range(200001, 400001))
    assert log.read_text().split() == [*first, "waiting", *second, "end"]


def scribes_of(shim: int) -> list[int]:
    """The shim's own children that run its program: nobody else's."""
    try:
        children = Path(f"/proc/{shim}/task/{shim}/children").read_text().split()
        program = Path(f"/proc/{shim}/exe").readlink()
        return [int(it) for it in children if Path(f"/proc/{it}/exe").readlink() == program]
    except (FileNotFoundError, ProcessLookupError):
        return []


def test_what_a_finished_command_leaves_behind_is_ended(bench: Bench, home: Path):
    run = bench.start("(setsid sleep 1000 &); sleep 1000 & setsid sleep 1000 & echo done")
    assert bench.ended(run).phase == "succeeded"
    assert bench.lines(run) == ["done"]
    assert_gone(home)


def test_a_shim_that_is_killed_takes_its_tree_with_it(bench: Bench, home: Path):
    run = bench.start("(setsid sleep 1000 &); printf 'one\\ntwo\\nhalf'; sleep 1000")
    bench.said(run, "two")
    os.kill(shim_of(home, run), signal.SIGKILL)
    status = bench.ended(run)
    assert (status.phase, status.reason) == ("lost", "RunnerLost")
    assert status.message
    assert_gone(home)
    assert bench.lines(run) == ["one", "two", "half"]
    assert bench.poll(run) == status
    assert bench.runner.start(bench.spec("true", id=run))
    assert bench.poll(run) == status


def test_lines_that_a_killed_shim_never_noted_are_read(bench: Bench, home: Path):
    run = bench.start('mkfifo "$ML/go"; echo first; read line < "$ML/go"; echo last; sleep 1000')
    bench.said(run, "first")
    os.kill(shim_of(home, run), signal.SIGSTOP)
    with (home / "runs" / run / "ml" / "go").open("w") as go:
        go.write("go\n")
    eventually(lambda: b"last" in (home / "runs" / run / "log").read_bytes())
    assert bench.lines(run) == ["first"]
    os.kill(shim_of(home, run), signal.SIGKILL)
    assert bench.ended(run).reason == "RunnerLost"
    assert bench.lines(run) == ["first", "last"]


def test_the_starter_dies_and_another_finds_the_run(bench: Bench, home: Path):
    settings = bench.runner._settings  # type: ignore[attr-defined]

    def start() -> None:
        ProcessRunner(settings).start(bench.spec("sleep 0.5; echo done", id="orphan"))
        os.kill(os.getpid(), signal.SIGKILL)

    starter = multiprocessing.get_context("fork").Process(target=start)
    starter.start()
    starter.join(30)
    assert starter.exitcode == -signal.SIGKILL
    bench.handles["orphan"] = bench.runner.start(bench.spec("echo again", id="orphan"))
    assert bench.ended("orphan").phase == "succeeded"
    assert bench.lines("orphan") == ["done"]


def test_a_starter_that_dies_at_any_moment_starts_once_or_not_at_all(home: Path, bench: Bench):
    settings = bench.runner._settings  # type: ignore[attr-defined]
    for number in range(8):
        spec = bench.spec('echo x >> "$ML/count"; cat "$ML/count"', id=f"moment-{number}")
        starter = multiprocessing.get_context("fork").Process(
            target=lambda spec=spec: ProcessRunner(settings).start(spec)
        )
        starter.start()
        time.sleep(number * 0.008)
        starter.kill()
        starter.join()
        bench.handles[spec.id] = bench.runner.start(spec)
        assert bench.ended(spec.id).phase == "succeeded"
        assert bench.lines(spec.id) == ["x"]


def test_a_shim_that_is_killed_before_its_claim_never_starts_the_run(
    home: Path, monkeypatch: pytest.MonkeyPatch
):
    bench = Bench(ProcessRunner(Settings(home=home)))
    spec = bench.spec("echo ran")
    slow = home / "python"
    # The shim that was spawned goes on in the background after its starter gave up.
    slow.write_text(f'#!/bin/sh\n(sleep 0.6; exec {sys.executable} "$@") &\nexit 9\n')
    slow.chmod(0o755)
    with monkeypatch.context() as patched:
        patched.setattr(sys, "executable", str(slow))
        with pytest.raises(StudioError, match=r"could not be started; see .*shim\.log"):
            bench.runner.start(spec)
    time.sleep(1.2)
    bench.handles[spec.id] = bench.runner.start(spec)
    assert bench.ended(spec.id).reason == "RunnerLost"
    assert bench.lines(spec.id) == []


def test_a_late_shim_is_as_good_as_any_when_it_came_first(
    home: Path, monkeypatch: pytest.MonkeyPatch
):
    """The starter hears of a failure although the run was claimed: it goes by the claim."""
    bench = Bench(ProcessRunner(Settings(home=home)))
    liar = home / "python"
    liar.write_text(f'#!/bin/sh\n{sys.executable} "$@"\nexit 9\n')
    liar.chmod(0o755)
    with monkeypatch.context() as patched:
        patched.setattr(sys, "executable", str(liar))
        run = bench.start("echo ran")
    assert bench.ended(run).phase == "succeeded"
    assert bench.lines(run) == ["ran"]


def test_a_stop_before_the_claim_is_heeded(bench: Bench, home: Path):
    spec = bench.spec("echo ran")
    folder = home / "runs" / spec.id
    folder.mkdir()
    bench.runner.stop(spec.id, {})
    bench.handles[spec.id] = bench.runner.start(spec)
    status = bench.ended(spec.id)
    assert (status.phase, status.reason) == ("stopped", "Stopped")
    assert status.exit_code is None
    assert bench.lines(spec.id) == []


def test_stopping_what_is_not_there_is_harmless(bench: Bench):
    bench.runner.stop("never-started", {})
    assert bench.runner.poll("never-started", {}).ended


def test_a_stopped_shim_does_not_stop_a_stranger_with_its_pid(bench: Bench, home: Path):
    """After a restart of the machine the pid may belong to anybody."""
    stranger = subprocess.Popen(["sleep", "1000"])
    try:
        for changed in ({"boot_id": "another boot"}, {"starttime": 1}):
            run = f"old-{len(changed)}-{next(iter(changed))}"
            folder = home / "runs" / run
            folder.mkdir()
            known = {**processes.identity(stranger.pid), **changed}
            (folder / "pid.json").write_text(json.dumps(known))
            (folder / "log").write_text("before\n")
            handle = {"boot_id": known["boot_id"]}
            bench.runner.stop(run, handle)
            status = bench.runner.poll(run, handle)
            reason = "HostRestarted" if "boot_id" in changed else "RunnerLost"
            assert (status.phase, status.reason) == ("lost", reason)
            assert bench.lines(run) == ["before"]
        assert stranger.poll() is None
    finally:
        stranger.kill()
        stranger.wait()


def test_a_shim_that_dies_before_its_last_word_is_named(bench: Bench, home: Path):
    run = bench.start("echo done; sleep 1000")
    bench.said(run, "done")
    os.kill(shim_of(home, run), signal.SIGKILL)
    (home / "runs" / run / ".exit.json.1.abcd").write_text('{"phase": "succ')
    assert bench.ended(run).reason == "RunnerLost"


def test_no_zombies_stay_with_the_starter(bench: Bench):
    for _ in range(3):
        bench.ended(bench.start("true"))
    # The process that forks shims is there, and nobody who has died.
    assert os.waitpid(-1, os.WNOHANG) == (0, 0)


def test_hints_are_sent_and_not_needed(bench: Bench, home: Path):
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as hints:
        hints.bind(str(home / "hints.sock"))
        hints.settimeout(20)
        run = bench.start("true")
        assert {hints.recv(100).decode() for _ in range(3)} == {run}
        bench.ended(run)
    run = bench.start("true")  # the socket is there, nobody listens
    assert bench.ended(run).phase == "succeeded"


def test_ids_that_would_lead_elsewhere(bench: Bench):
    for name in ("", ".", "..", "../x", "a/b", "/etc"):
        with pytest.raises(ValueError, match="no id of a run"):
            bench.runner.poll(name, {})


def test_a_strange_umask_changes_nothing(bench: Bench, home: Path):
    before = os.umask(0o077)
    try:
        status, lines = bench.result('umask; touch "$ML/x"; stat -c %a "$ML/x"')
    finally:
        os.umask(before)
    assert status.phase == "succeeded"
    assert lines == ["0022", "644"]
    for secret in ("spec.json", "log", "exit.json"):
        for path in (home / "runs").glob(f"*/{secret}"):
            assert path.stat().st_mode & 0o077 == 0

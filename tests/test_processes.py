"""Identities tell a process from a later one with the same pid."""

import os
import subprocess
import sys
from pathlib import Path

import left_behind
import pytest

from studio import processes


def test_this_process_is_alive():
    known = processes.identity()
    assert known["pid"] == os.getpid()
    assert processes.alive(known)


def test_a_stranger_with_the_same_pid_is_not_it():
    known = processes.identity()
    assert not processes.alive({**known, "starttime": known["starttime"] - 1})
    assert not processes.alive({**known, "boot_id": "another boot"})
    assert not processes.alive(None)
    assert not processes.alive({})


def test_a_zombie_and_a_dead_process_are_not_alive():
    process = subprocess.Popen([sys.executable, "-S", "-c", "input()"], stdin=subprocess.PIPE)
    known = processes.identity(process.pid)
    assert processes.alive(known)
    process.stdin.close()
    os.waitid(os.P_PID, process.pid, os.WEXITED | os.WNOWAIT)
    assert not processes.alive(known)
    process.wait()
    assert not processes.alive(known)
    with pytest.raises(ProcessLookupError):
        processes.identity(process.pid)


def test_what_is_left_behind_is_of_one_folder_alone(tmp_path):
    """Not of another whose name begins alike, and not who waits for this process."""
    folder = tmp_path / "run-7"
    code = "import left_behind, sys; sys.exit(bool(left_behind.processes_of(sys.argv[1])))"
    waits = ["sh", "-c", '"$0" -c "$1" "$2"; exit $?', sys.executable, code, folder]
    env = {**os.environ, "PYTHONPATH": str(Path(left_behind.__file__).parent)}
    assert subprocess.run(waits, env=env, check=False).returncode == 0
    sleeper = [sys.executable, "-S", "-c", "input()"]
    with (
        subprocess.Popen([*sleeper, folder], stdin=subprocess.PIPE) as left,
        subprocess.Popen([*sleeper, tmp_path / "run-77"], stdin=subprocess.PIPE) as other,
    ):
        assert left_behind.processes_of(folder).keys() == {left.pid}
        for process in (left, other):
            process.communicate(b"\n")

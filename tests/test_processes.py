"""Identities tell a process from a later one with the same pid."""

import os
import subprocess
import sys

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

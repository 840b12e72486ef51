"""Starts the command of a run, in its sandbox if it has one, and finds it a port."""

import os
import random
import socket
import subprocess
from pathlib import Path
from typing import Any

Doc = dict[str, Any]

_OOM_SCORE = 500
_OOM_FILE = Path("/proc/self/oom_score_adj")
_FIRST_PORT, _PORTS = 10_000, 20_000


def spawn(
    spec: Doc,
    env: dict[str, str],
    ml: Path,
    log: int,
    read_only: list[str],
    stdin: int = subprocess.DEVNULL,
) -> "subprocess.Popen[bytes]":
    """The command as a session of its own; `log` is the descriptor that it writes to.

    Raises OSError, ValueError.
    """
    sandbox = spec["sandbox"]
    before = _oom_score()
    _set_oom_score(max(before, _OOM_SCORE))
    try:
        if not sandbox:
            return _popen(spec["command"], env, ml, (stdin, log))
        options = _memory_file(_options(sandbox[1:], env, ml, read_only))
        try:
            outside = {"PATH": os.defpath, "STUDIO_RUN_ID": spec["id"]}
            command = [sandbox[0], "--args", str(options), "--", *spec["command"]]
            return _popen(command, outside, ml, (stdin, log), options)
        finally:
            os.close(options)
    finally:
        _set_oom_score(before)


class Port:
    """A port of this machine that no other run takes while this object lives."""

    def __init__(self) -> None:
        # Not one that the kernel gives to outgoing connections: it could be taken by the time
        # that the server binds it.
        for number in random.sample(range(_FIRST_PORT, _FIRST_PORT + _PORTS), _PORTS):
            self._claim = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
            try:
                self._claim.bind(f"\0studio-port-{number}")
                with socket.socket() as probe:
                    probe.bind(("127.0.0.1", number))
            except OSError:
                self._claim.close()
                continue
            self.number = number
            return
        raise OSError("no port is free")

    def close(self) -> None:
        """Others may have it."""
        self._claim.close()


def _popen(
    command: list[str], env: dict[str, str], ml: Path, standard: tuple[int, int], *passed: int
) -> "subprocess.Popen[bytes]":
    return subprocess.Popen(
        command,
        env=env,
        stdin=standard[0],
        stdout=standard[1],
        stderr=standard[1],
        start_new_session=True,
        cwd=ml,
        umask=0o022,
        pass_fds=passed,
    )


def _options(sandbox: list[str], env: dict[str, str], ml: Path, read_only: list[str]) -> list[str]:
    """bwrap's options. The variables of a run are for its command alone: bwrap itself runs
    outside, where an LD_PRELOAD of theirs would be at large, and argv can be read by anybody."""
    made = list(sandbox)
    for name in read_only:
        made += ["--ro-bind", str(ml / name), f"/opt/ml/{name}"]
    made.append("--clearenv")
    for name, value in env.items():
        made += ["--setenv", name, value]
    return made


def _memory_file(words: list[str]) -> int:
    if any("\0" in word for word in words):
        raise ValueError("a variable or path of the run has a null byte")
    fd = os.memfd_create("options")
    data = b"".join(os.fsencode(word) + b"\0" for word in words)
    with os.fdopen(os.dup(fd), "wb") as file:
        file.write(data)
    os.lseek(fd, 0, os.SEEK_SET)
    return fd


def _oom_score() -> int:
    return int(_OOM_FILE.read_text())


def _set_oom_score(value: int) -> None:
    """Where memory runs out, the kernel ends jobs before it ends us."""
    try:
        _OOM_FILE.write_text(str(value))
    except OSError:
        pass

"""A host of an MPI job runs one command, of somebody who knows the job's key."""

import socket
import threading
from pathlib import Path

import pytest

from studio.container.script import remote
from studio.container.script.failure import ScriptError

HOST, PORT = "127.31.20.1", 30_123


@pytest.fixture
def base(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("SAGEMAKER_BASE_DIR", str(tmp_path))
    (tmp_path / remote.KEY).parent.mkdir(parents=True)
    (tmp_path / remote.KEY).write_text("secret")
    return tmp_path


def test_only_who_knows_the_key_has_a_command_run(base: Path) -> None:
    statuses: list[int] = []
    host = threading.Thread(
        target=lambda: statuses.append(remote.serve(HOST, PORT, base, {"PATH": "/usr/bin:/bin"}))
    )
    host.start()
    with remote._connected(HOST, PORT) as stranger:
        nonce = stranger.recv(32)
        stranger.sendall(remote._proof(b"guess", nonce, b"touch wrong") + b"\0\0\0\x0btouch wrong")
        assert stranger.recv(1) == b""
    with remote._connected(HOST, PORT) as replayed:
        other = replayed.recv(32)
        assert other != nonce
        replayed.sendall(remote._proof(b"secret", nonce, b"touch wrong") + b"\0\0\0\x0btouch wrong")
        assert replayed.recv(1) == b""
    with remote._connected(HOST, PORT) as short:
        short.shutdown(socket.SHUT_WR)
    assert remote.ask(HOST, PORT, "touch right; exit 7") == 7
    host.join(10)
    assert statuses == [7]
    assert {it.name for it in base.iterdir()} == {"input", "right"}


def test_without_a_key_nobody_is_listened_to(base: Path) -> None:
    (base / remote.KEY).unlink()
    with pytest.raises(ScriptError, match="no key in common"):
        remote.serve(HOST, PORT, base, {})

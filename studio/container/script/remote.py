"""How mpirun on the first host starts its daemons on the others: what ssh is for on AWS.

A host waits for one command on a port of its own address, and runs it. Other programs of the
machine may reach that port: who asks shows that it knows the key of the job, which the platform
puts into `input/config`. The key itself never travels, and a proof is good for one connection.
"""

import hmac
import secrets
import socket
import subprocess
import sys
import time
from pathlib import Path

from studio.algorithms.base import base_folder
from studio.container.script.failure import ScriptError

KEY = "input/config/hosts.key"
_NONCE, _PROOF, _MOST = 32, 32, 1 << 20
_PATIENCE_SECONDS = 300.0
_ATTEMPT_SECONDS = 5.0


def serve(host: str, port: int, code: Path, environment: dict[str, str]) -> int:
    """Wait for the command of this host, run it, and return its exit status."""
    key = _key()
    with socket.create_server((socket.gethostbyname(host), port)) as server:
        server.settimeout(_PATIENCE_SECONDS)
        while True:
            try:
                connection, _ = server.accept()
            except TimeoutError:
                raise ScriptError(f"mpirun did not come to {host} within 5 minutes.") from None
            with connection:
                command = _asked(connection, key)
                if command:
                    done = subprocess.run(
                        ["/bin/sh", "-c", command], cwd=code, env=environment, check=False
                    )
                    connection.sendall(bytes([done.returncode & 0xFF]))
                    return done.returncode


def ask(host: str, port: int, command: str) -> int:
    """Have a host run a command; its exit status. Raises OSError."""
    with _connected(host, port) as connection:
        connection.settimeout(None)
        nonce = _exactly(connection, _NONCE)
        data = command.encode()
        connection.sendall(_proof(_key(), nonce, data) + len(data).to_bytes(4, "big") + data)
        return _exactly(connection, 1)[0]


def _asked(connection: socket.socket, key: bytes) -> str:
    """The command of somebody who knows the key; "" of anybody else."""
    connection.settimeout(_ATTEMPT_SECONDS)
    nonce = secrets.token_bytes(_NONCE)
    try:
        connection.sendall(nonce)
        proof = _exactly(connection, _PROOF)
        size = int.from_bytes(_exactly(connection, 4), "big")
        data = _exactly(connection, size) if size <= _MOST else b""
    except OSError:
        return ""
    connection.settimeout(None)
    return data.decode() if hmac.compare_digest(proof, _proof(key, nonce, data)) else ""


def _connected(host: str, port: int) -> socket.socket:
    deadline = time.monotonic() + _PATIENCE_SECONDS
    while True:
        try:
            return socket.create_connection((host, port), _ATTEMPT_SECONDS)
        except OSError:
            # It may still install its packages.
            if time.monotonic() > deadline:
                raise
            time.sleep(0.05)


def _proof(key: bytes, nonce: bytes, data: bytes) -> bytes:
    return hmac.digest(key, nonce + data, "sha256")


def _key() -> bytes:
    try:
        return (base_folder() / KEY).read_bytes()
    except OSError as error:
        raise ScriptError(f"The hosts of this job have no key in common: {error}") from error


def _exactly(connection: socket.socket, size: int) -> bytes:
    data = b""
    while len(data) < size:
        more = connection.recv(size - len(data))
        if not more:
            raise ConnectionError("the other end is gone")
        data += more
    return data


if __name__ == "__main__":
    # `PORT HOST WORD...`, as mpirun calls what it takes for ssh.
    sys.exit(ask(sys.argv[2], int(sys.argv[1]), " ".join(sys.argv[3:])))

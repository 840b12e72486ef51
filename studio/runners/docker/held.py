"""A container that waits for its run: kept ready for a time, for the next run of the same pool.

Its program is the shell of the image, which waits at a FIFO for what it has to become. It has seen
nothing of any job, becomes one, and ends with whoever keeps it.
"""

import errno
import json
import os
import re
import shlex
import socket
import time
from contextlib import suppress
from pathlib import Path
from typing import Any

from studio import processes
from studio.runners.docker import document, networks
from studio.runners.docker.engine import Engine, EngineError, EngineGone

Doc = dict[str, Any]

SHIM = "studio.shim"
"""Label: who keeps the container, as in studio.processes."""

LET_GO = "studio-let-go"
"""File in /tmp of a container that was let go without a program."""

_FIFO = "studio-begin"
_WAIT = f". /tmp/{_FIFO}; : > /tmp/{LET_GO}"
_START_SECONDS = 20.0
_PAUSE_SECONDS = 0.005
_MESSAGE_BYTES = 64 * 1024
_VARIABLE = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_SAME = ("image", "resources", "server")


class Held:
    """The container; `gate` is who keeps it."""

    def __init__(self, folder: Path, gate: socket.socket) -> None:
        """Start it. Raises EngineError, EngineGone, ValueError, OSError when it cannot be kept."""
        self._spec: Doc = json.loads((folder / "warm.json").read_bytes())
        self._engine = Engine(self._spec["engine"]["socket"])
        self._gate = gate
        self._network = networks.Network(self._engine, self._spec)
        self._fifo = folder / "tmp" / _FIFO
        self._begin, self._id, self._image = -1, "", self._known_image()
        self._run: Doc = {}
        self._create(folder)
        try:
            self._engine.call("POST", f"/containers/{self._id}/start")
            self._begin = self._opened()
        except BaseException:
            self.end()
            raise

    def await_run(self) -> tuple[Doc, int]:
        """Until there is a run for it: what its shim says, and the descriptor of its log.

        Raises EOFError when there will be none.
        """
        self._gate.sendall(b"1")
        head, descriptors, _, _ = socket.recv_fds(self._gate, _MESSAGE_BYTES, 1)
        if not head:
            raise EOFError
        return json.loads(head), descriptors[0]

    def take(self, spec: Doc, image: Doc, read_only: list[str]) -> bool:
        """Give it the name of the run, if it can be that run's; else it is ended."""
        self._run = spec
        with suppress(EngineError):
            known = self._engine.inspect(self._id)
            fits = not read_only and self._fits(spec, image)
            if fits and known and known["State"]["Running"]:
                query = {"name": document.name(spec["id"])}
                self._engine.call("POST", f"/containers/{self._id}/rename", query)
                return True
        self.end()
        return False

    def become(self) -> None:
        """Let it run the program of the run that has taken it."""
        variables = document.variables(self._run, self._image)
        exports = (f"export {key}={shlex.quote(value)}" for key, value in variables.items())
        command = shlex.join(document.program(self._run, self._image))
        # In braces, because of half a text nothing may be run.
        text = "\n".join(["{", *exports, f"exec {command}", "}", ""])
        os.set_blocking(self._begin, True)
        with os.fdopen(self._begin, "wb") as file:
            file.write(text.encode())

    def end(self) -> None:
        """Remove it."""
        try:
            query = {"force": "true", "v": "true"}
            self._engine.call("DELETE", f"/containers/{self._id}", query)
        except (EngineError, EngineGone):
            pass  # those who sweep try again
        self._network.leave()

    def _known_image(self) -> Doc:
        image = self._engine.image(self._spec["image"])
        if image is None:
            raise ValueError(f"{self._spec['image']} has gone")
        return image

    def _create(self, folder: Path) -> None:
        self._fifo.parent.chmod(0o1777)
        os.mkfifo(self._fifo)
        self._fifo.chmod(0o644)
        self._network.join()
        info = self._spec["engine"]["info"] or self._engine.call("GET", "/info")
        body = document.container(self._spec, folder, self._image, info, [])
        keeper = json.dumps(processes.identity(os.getppid()))
        body |= {"Entrypoint": ["sh", "-c", _WAIT], "Cmd": []}
        body["Labels"] = {**body["Labels"], SHIM: keeper}
        query = {"name": document.name(self._spec["id"])}
        self._id = self._engine.call("POST", "/containers/create", query, body)["Id"]

    def _opened(self) -> int:
        """The FIFO, as soon as somebody waits at its other end."""
        deadline = time.monotonic() + _START_SECONDS
        while True:
            try:
                opened = os.open(self._fifo, os.O_WRONLY | os.O_NONBLOCK)
                break
            except OSError as error:
                if error.errno != errno.ENXIO or time.monotonic() > deadline:
                    raise
            time.sleep(_PAUSE_SECONDS)
        self._fifo.unlink()
        return opened

    def _fits(self, spec: Doc, image: Doc) -> bool:
        """Whether a container that is made for the run would be this one."""
        mine, theirs = self._spec, spec
        return (
            all(mine[each] == theirs[each] for each in _SAME)
            and {**mine["engine"], "info": None} == {**theirs["engine"], "info": None}
            and mine["network"]["host"] == theirs["network"]["host"]
            and document.network(mine) == document.network(theirs)
            and document.writable(mine, image) == document.writable(theirs, image)
            and self._image["Id"] == image["Id"]
            and all(map(_VARIABLE.fullmatch, document.variables(theirs, image)))
        )

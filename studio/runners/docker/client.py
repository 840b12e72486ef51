"""The process that stands for a container among the processes of a run's shim.

It pulls, creates, starts, copies what is said, waits, tells the end, removes. Whoever kills it does
not end the container: the shim starts another, which finds the container by its name and goes on.

SIGTERM is handed on to the container, SIGQUIT ends it at once. What is known of the container is in
`container.json`; the shim is woken when that changes.
"""

import json
import os
import re
import signal
import socket
import sys
import threading
import time
from pathlib import Path
from typing import Any

from studio import durable, processes
from studio.runners.docker import (
    document,
    door,
    held,
    networks,
    ownership,
    pull,
    speech,
    written,
)
from studio.runners.docker.engine import Engine, EngineError, EngineGone
from studio.runners.shim import helpers, tree

Doc = dict[str, Any]

NAME = b"studio-client"
"""Of the process."""

SAYS = "container.json"
"""Members: `detail` while there is something to wait for; `id`, `pid`, `address`, `image` (digest)
and `started_at` once it runs; `written`, the bytes in its root, if it may write there; `end`
(`code`, `reason`, `message`) when it is over."""

_INIT_FAILED = re.compile(rb"(?:\[FATAL tini \(\d+\)\] (?=exec )|sh: .*?exec: )(.*)\s*\Z")
_INIT_SECONDS = 2.0
_GONE_SECONDS = 20.0
_PAUSE_SECONDS = 0.25
_NEVER = "0001-01-01T00:00:00Z"
_NOT_FOUND, _NOT_MODIFIED, _CONFLICT = 404, 304, 409
_CANNOT_START = (
    "CannotStartContainerError. Please make sure the container can be run with "
    "'docker run <image> {}'. {}"
)
_REMOVED = "The container was removed by somebody else."


class End(Exception):
    """The run is over: `reason` as in RunStatus, or "" when `code` says all; that is None for a
    container that has not run."""

    def __init__(self, code: int | None, reason: str = "", message: str = "") -> None:
        super().__init__(message)
        self.code, self.reason, self.message = code, reason, message


def main(folder: Path, read_only: list[str], kept: held.Held | None = None) -> None:
    """See the container of the run in `folder` through; `kept` may become it. Ends this process."""
    helpers.prctl(helpers.PR_SET_NAME, NAME)
    client = Client(folder, read_only, kept)
    try:
        client.run()
    except End as end:
        client.tell_end(end)
    except Exception as error:
        client.tell_end(End(None, "StartFailed", f"{type(error).__name__}: {error}"))
    sys.stdout.flush()
    os._exit(0)


def hold(folder: Path) -> None:
    """Keep a container ready because of `warm.json` in `folder`, and go on with its run if it gets
    one. Standard input is who keeps it."""
    helpers.prctl(helpers.PR_SET_NAME, NAME)
    gate = socket.socket(fileno=os.dup(0))
    kept = held.Held(folder, gate)
    try:
        message, log = kept.await_run()
    except EOFError:
        kept.end()
        return
    os.dup2(log, 1)
    os.close(log)
    gate.close()
    main(Path.cwd(), message["read_only"], kept)  # the folder lies among those of runs now


class Client:
    """One look after one container."""

    def __init__(self, folder: Path, read_only: list[str], kept: held.Held | None = None) -> None:
        self._folder, self._read_only, self._kept = folder, read_only, kept
        self._spec: Doc = json.loads((folder / "spec.json").read_bytes())
        self._engine = Engine(self._spec["engine"]["socket"], slow=self._say_slow)
        self._name = document.name(self._spec["id"])
        self._speech = speech.Speech(self._engine, self._name, folder / "log")
        self._init = False
        isolated = self._spec["network"]["isolated"]
        self._doors = [] if isolated else door.ports(self._spec["env"])
        self._says: Doc = durable.read_json(folder / SAYS) or {}
        self._saying = threading.Lock()
        self._stop = threading.Event()
        self._running = self._pulling = self._away = False
        self._network = networks.Network(self._engine, self._spec)
        for number in (signal.SIGTERM, signal.SIGQUIT):
            signal.signal(number, self._told)
        signal.pthread_sigmask(signal.SIG_UNBLOCK, helpers.ASKED)

    def run(self) -> None:
        """Raises End."""
        if "end" in self._says:
            raise End(**self._says["end"])
        try:
            self._begin()
        except EngineGone as error:
            raise End(
                None, "StartFailed", f"The Docker engine does not answer: {error}."
            ) from error
        self._follow()

    def tell_end(self, end: End) -> None:
        """Note how it ended, then leave nothing of it with the engine."""
        self._say(end={"code": end.code, "reason": end.reason, "message": end.message})
        if self._kept:
            self._kept.end()
        try:
            remove(self._engine, self._name)
        except (EngineError, EngineGone) as error:
            print(f"{self._name} not removed: {error}", file=sys.stderr)  # noqa: T201
        self._network.leave()

    def _told(self, number: int, _frame: Any) -> None:
        self._stop.set()
        if self._pulling:
            self._check_stopped()  # whatever is waited for
        if self._running:
            # Both at once: an engine may take its time for each.
            names = ("SIGCONT", "SIGTERM") if number == signal.SIGTERM else ("SIGKILL",)
            for name in names:
                threading.Thread(target=self._send, args=(name,), daemon=True).start()

    def _send(self, name: str) -> None:
        try:
            if name == "SIGTERM":
                self._await_init()
            self._engine.call("POST", f"/containers/{self._name}/kill", {"signal": name})
        except (EngineError, EngineGone):
            pass  # it has ended, or the shim asks again

    def _await_init(self) -> None:
        """Until the container's init has its program: before that it drops signals."""
        deadline = time.monotonic() + _INIT_SECONDS
        root = int(self._says.get("pid", 0))
        while self._init and time.monotonic() < deadline and not tree.below(root):
            time.sleep(0.005)

    def _begin(self) -> None:
        """Until the container has been started: by this process, or by one before it."""
        known = self._engine.inspect(self._name)
        if known is None and self._kept:
            known = self._from(self._kept)
        if known is None or known["State"]["StartedAt"] == _NEVER:
            self._check_stopped()
            if known is None:
                self._create()
            self._network.join()
            self._start()
            known = self._engine.inspect(self._name)
        if known is None:
            raise End(137, "RunnerLost", _REMOVED)
        self._network.join()
        self._init = bool(known["HostConfig"].get("Init"))
        door.open_to(known["State"]["Pid"], self._doors)
        self._say_running(known)
        self._measure(known)
        self._running = True
        if self._kept:
            self._kept.become()
        if self._stop.is_set():
            self._send("SIGTERM")  # asked for between the last look and the start

    def _measure(self, known: Doc) -> None:
        limit = self._spec["disk_mb"] * 2**20
        if limit and not known["HostConfig"]["ReadonlyRootfs"]:
            told = (self._engine, self._name, limit // 100, self._say_written)
            threading.Thread(target=written.watch, args=told, daemon=True).start()

    def _from(self, kept: held.Held) -> Doc | None:
        """What was kept ready, as the run's; None when it cannot be."""
        self._check_stopped()
        image = self._image()
        if not kept.take(self._spec, image, self._read_only):
            self._kept = None
            return None
        known = self._engine.inspect(self._name)
        if known is not None:
            self._open_up(known["Config"]["User"])
        return known

    def _open_up(self, user: str) -> None:
        if os.getuid() == 0 and not document.is_root(user):
            ownership.open_up(self._folder / "ml")

    def _create(self) -> None:
        image = self._image()
        self._network.join()
        info = self._spec["engine"]["info"] or self._engine.call("GET", "/info")
        try:
            body = document.container(self._spec, self._folder, image, info, self._read_only)
            self._open_up(body["User"])
        except ValueError as error:
            raise End(None, "StartFailed", str(error)) from error
        try:
            self._engine.call("POST", "/containers/create", {"name": self._name}, body)
        except EngineError as error:
            if error.status != _CONFLICT:
                raise self._cannot_start(error) from error

    def _image(self) -> Doc:
        self._pulling = True
        try:
            image = pull.image(self._engine, self._spec, self._say_detail, self._check_stopped)
        except pull.ImageUnavailable as error:
            raise End(None, "ImageUnavailable", str(error)) from error
        finally:
            self._pulling = False
        digests = image.get("RepoDigests") or []
        self._says["image"] = digests[0] if digests else image["Id"]
        return image

    def _start(self) -> None:
        try:
            self._engine.call("POST", f"/containers/{self._name}/start")
        except EngineError as error:
            if error.status != _NOT_MODIFIED:
                raise self._cannot_start(error) from error

    def _cannot_start(self, error: EngineError) -> End:
        argument = " ".join(self._spec["command"])[:100]
        return End(None, "CannotStart", _CANNOT_START.format(argument, error))

    def _check_stopped(self) -> None:
        if self._stop.is_set():
            raise End(None, "Stopped", "The run was stopped before its container had started.")

    def _follow(self) -> None:
        """Copy what it says and wait for its end, also over a restart of the engine."""
        while True:
            self._speech.follow()
            try:
                self._engine.call("POST", f"/containers/{self._name}/wait", seconds=0)
                known = self._engine.inspect(self._name)
                self._speech.finish()
                raise self._ended(known)
            except EngineGone:
                self._await_engine()
            except EngineError as error:
                if error.status != _NOT_FOUND:
                    raise
                raise End(137, "RunnerLost", _REMOVED) from None

    def _ended(self, known: Doc | None) -> End:
        if known is None or known["State"].get("Status") == "removing":
            return End(137, "RunnerLost", _REMOVED)
        state = known["State"]
        code = int(state["ExitCode"])
        if (self._folder / "tmp" / held.LET_GO).exists():
            return End(code, "RunnerLost", "What looked after the container was killed too early.")
        if self._away:
            # Its end says nothing of the program: the engine ends what runs when it is restarted.
            return End(code, "RunnerLost", "The Docker engine was restarted while the run went on.")
        if state.get("OOMKilled") and code:
            limit = self._spec["resources"]["memory_mb"]
            text = f"the container reached its memory limit of {limit} MB"
            return End(code, "OutOfMemory", text)
        if code in (126, 127) and (found := _INIT_FAILED.search(self._speech.said)):
            return self._cannot_start(EngineError(400, found[1].decode(errors="replace")))
        return End(code)

    def _await_engine(self) -> None:
        """Until the engine is back. Raises End when it is not soon, and the container neither."""
        self._away = True
        deadline = time.monotonic() + _GONE_SECONDS
        while True:
            try:
                known = self._engine.inspect(self._name)
            except (EngineGone, EngineError):
                if processes.alive(self._says.get("process")):
                    deadline = time.monotonic() + _GONE_SECONDS  # it runs without an engine
                if time.monotonic() > deadline:
                    text = "The Docker engine has gone, and the container with it."
                    raise End(137, "RunnerLost", text) from None
                time.sleep(_PAUSE_SECONDS)
                continue
            if known is None:
                raise End(137, "RunnerLost", _REMOVED)
            if known["State"]["Running"]:
                self._away = False
                self._say_running(known)
            return

    def _say_running(self, known: Doc) -> None:
        pid = int(known["State"]["Pid"])
        try:
            process = processes.identity(pid) if pid else None
        except ProcessLookupError:
            process = None  # it was short
        found = known["NetworkSettings"]
        ports = (found.get("Ports") or {}).get(f"{document.SERVER_PORT}/tcp")
        if ports:
            address = f"127.0.0.1:{ports[0]['HostPort']}"
        else:
            joined = (found.get("Networks") or {}).get(document.network(self._spec)) or {}
            own = joined.get("IPAddress")
            address = f"{own}:{document.SERVER_PORT}" if own else ""
        started = self._says.get("started_at") or time.time_ns() // 1_000_000
        self._say(
            detail="", id=known["Id"], pid=pid, process=process, address=address, started_at=started
        )

    def _say_detail(self, text: str) -> None:
        self._say(detail=text)

    def _say_slow(self) -> None:
        if not self._running:
            self._say(detail="The Docker engine takes long to answer.")

    def _say_written(self, count: int) -> None:
        self._say(written=count)

    def _say(self, **news: Any) -> None:
        with self._saying:
            self._store(news)
        try:
            os.kill(os.getppid(), signal.SIGTERM)
        except ProcessLookupError:
            pass

    def _store(self, news: Doc) -> None:
        self._says |= news
        while True:
            try:
                durable.write_json(self._folder / SAYS, self._says)
                return
            except OSError:
                if "end" not in news or self._said_in_place():
                    return
                time.sleep(_PAUSE_SECONDS)

    def _said_in_place(self) -> bool:
        """On a full disk what has ended is said over what was said before: that takes no room."""
        try:
            with (self._folder / SAYS).open("r+b") as file:
                file.write(json.dumps(self._says).encode())
                file.truncate()
        except OSError:
            return False
        return True


def remove(engine: Engine, name: str) -> None:
    """End and remove a container, also one that is not there."""
    try:
        engine.call("DELETE", f"/containers/{name}", {"force": "true", "v": "true"})
    except EngineError as error:
        if error.status not in (_NOT_FOUND, _CONFLICT):  # conflict: its removal is under way
            raise

"""One run from its data to its exit file: stage, start, watch, stop, archive, report."""

import errno
import fcntl
import json
import os
import select
import signal
import subprocess
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from studio.container import archive, files
from studio.runners import metric_files
from studio.runners.shim import (
    command,
    company,
    contained,
    farewell,
    health,
    inputs,
    notes,
    outputs,
    pipes,
    report,
    scribe,
    state,
    tree,
    usage,
    volume,
    warm,
)

_TICK, _LONGEST_TICK = 0.1, 0.5
_MEMORY_SECONDS = 0.5
_LEFTOVER_SECONDS = 5.0
_FULL = (errno.ENOSPC, errno.EDQUOT)
_FATAL = ("OutOfMemory", "NoSpace", "HealthCheckFailed", "DownloadFailed", "RunnerLost")
"""Reasons for which a command is killed without a word."""


class Stopped(Exception):
    """Somebody asked for the end before the command started."""


class Shim:
    """The life of one run. Single-threaded: a signal or a tick wakes it."""

    def __init__(self, folder: Path, kept: warm.Kept | None = None) -> None:
        """`kept` was ready for a run like this one."""
        self._folder = folder
        self._kept = kept
        self._ml = folder / "ml"
        self._spec: dict[str, Any] = json.loads((folder / "spec.json").read_bytes())
        self._port: command.Port | None = None
        self._reason = ""
        self._detail = ""
        self._code: int | None = None
        self._over = False
        self._peak = 0
        self._state = state.State(folder, self._spec["home"], not self._spec["server"])
        self._begun = time.monotonic()
        self._metrics: dict[str, int] = {}
        self._oom_kills = report.oom_kills()
        self._log = os.open(folder / "log", os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
        # Held by this process and its scribe: who has it knows that the log is complete.
        fcntl.flock(self._log, fcntl.LOCK_EX)
        self._notes = notes.Notes(folder / "log.idx", self._log)
        self._scribe: scribe.Scribe | None = None
        self._process: subprocess.Popen[bytes] | None = None
        self._contained: contained.Contained | None = None
        self._probe: health.Probe | None = None
        self._company = company.Company(folder, self._spec, self._state)
        self._voice = -1
        self._wake, waker = os.pipe2(os.O_NONBLOCK | os.O_CLOEXEC)
        signal.signal(signal.SIGCHLD, lambda *_: None)
        signal.signal(signal.SIGTERM, lambda *_: None)
        signal.set_wakeup_fd(waker, warn_on_full_buffer=False)

    def run(self) -> None:
        """Never raises: whatever goes wrong ends up in exit.json."""
        try:
            self._state.enter("Downloading")
            read_only = self._prepare()
            self._execute(read_only)
        except Stopped:
            self._reason = "Stopped"
        except inputs.DownloadFailed as error:
            self._fail("DownloadFailed", str(error))
        except archive.UnsafeArchive as error:
            self._fail("UnsafeArchive", str(error))
        except OSError as error:
            self._fail("NoSpace" if error.errno in _FULL else "StartFailed", str(error))
        except Exception as error:
            self._fail("StartFailed", f"{type(error).__name__}: {error}")
        if self._kept:
            self._kept.end()  # the run has not come so far
        self._finish()

    def _prepare(self) -> list[str]:
        linked = bool(self._spec["sandbox"] or self._spec["image"])
        self._ml.mkdir(exist_ok=True)
        (self._folder / "tmp").mkdir(mode=0o777, exist_ok=True)
        (self._folder / "tmp").chmod(0o1777)
        scratch, check = self._folder / "scratch", self._patience()
        check()
        read_only = inputs.lay_out(self._spec, self._ml, scratch, linked, check)
        files.remove_tree(scratch)
        pipes.prepare(self._spec["streams"], self._ml, self._folder / "feed", check)
        check()
        return read_only

    def _patience(self) -> Callable[[], None]:
        """What ends the preparation: a wish to stop, or what it may take."""
        seconds = (self._spec["server"] or {}).get("download_seconds")
        if not seconds:
            return self._refuse_if_stopped
        deadline = time.monotonic() + seconds

        def check() -> None:
            self._refuse_if_stopped()
            if time.monotonic() > deadline:
                raise inputs.DownloadFailed(
                    f"The model was not downloaded and unpacked within {seconds:g} s: "
                    "ModelDataDownloadTimeoutInSeconds of the variant gives it more."
                )

        return check

    def _execute(self, read_only: list[str]) -> None:
        isolated = self._spec["network"]["isolated"]
        memory_mb = self._spec["resources"]["memory_mb"]
        self._meter = usage.Meter(self._folder, memory_mb, isolated)
        self._volume = volume.of_run(self._folder, self._spec["disk_mb"], read_only)
        self._company.begin()
        self._scribe = scribe.Scribe(self._log)
        if self._spec.get("transform"):
            self._voice = os.dup(self._scribe.pipe)  # what feeds the server speaks as well
        try:
            if self._spec["image"]:
                # It has the pipe for as long as it may begin another client.
                held, self._kept = self._kept, None
                assert not isinstance(held, warm.Worker)  # its pool is of containers
                log = self._scribe.pipe
                self._contained = contained.Contained(self._folder, log, read_only, held)
            else:
                self._spawn(self._scribe, read_only)
            self._watch()
        finally:
            self._company.dismiss_driver(self._reap)
            if self._voice >= 0:
                os.close(self._voice)
            self._scribe.handed()
            self._clear()
            self._meter.close()
            self._company.dismiss(self._reap)

    def _spawn(self, scribe: scribe.Scribe, read_only: list[str]) -> None:
        """The command is a process of this machine."""
        env = dict(self._spec["env"])
        if self._spec["server"]:
            env["SAGEMAKER_BIND_TO_PORT"] = str(self._open_port())
        self._began(state.now())
        kept, self._kept = self._kept, None
        self._process = warm.released(
            kept, self._spec, env, scribe.pipe, read_only
        ) or command.spawn(self._spec, env, self._ml, scribe.pipe, read_only)
        scribe.handed()
        self._bridge(self._process.pid)

    def _open_port(self) -> int:
        """The port of this machine at which the server is found."""
        self._port = command.Port()
        self._state.address = f"127.0.0.1:{self._port.number}"
        return self._port.number

    def _bridge(self, root: int, inner: int = 0) -> None:
        """Let the port lead to a server that has a network for itself."""
        if self._port and self._spec["network"]["isolated"]:
            port = self._port.number
            self._company.bridge(port, inner or port, root)

    def _look_at_container(self) -> None:
        """What its client has said since the last look."""
        if self._contained is None or not self._contained.look():
            return
        self._state.waits_for, self._state.image = self._contained.detail, self._contained.image
        started = self._contained.started_at
        if started is None or self._state.started_at is not None:
            self._state.tell()
            return
        self._state.address = self._contained.address
        if self._spec["server"] and not self._state.address:
            self._open_port()
        self._bridge(self._contained.root, contained.SERVER_PORT)
        self._began(started)

    def _began(self, at: int) -> None:
        self._state.started_at = at
        self._state.enter("Starting" if self._spec["server"] else "Training")
        self._begun = time.monotonic()
        if self._spec["server"]:
            self._probe = health.Probe(self._state.address)
        if self._spec.get("front"):
            self._state.address = self._company.put_front(self._state.address)

    def _watch(self) -> None:
        """Until the command has ended, by itself or by us."""
        limit = self._spec["timeout_seconds"] or float("inf")
        memory_due = tick = 0.0
        killed_at = float("inf")
        heard = 0
        while not self._reap():
            now = time.monotonic()
            self._look_at_container()
            if now >= memory_due:
                memory_due = now + _MEMORY_SECONDS
                self._check_memory()
                self._check_disk()
            seconds = now - self._begun if self._state.started_at is not None else 0.0
            if killed_at == float("inf") and self._should_stop(seconds, limit):
                killed_at = now + self._spec["stop_seconds"]
            if now < killed_at < float("inf") and heard < self._fewest:
                heard = self._signal(signal.SIGTERM)
            if now >= killed_at or self._reason in _FATAL:
                self._signal(signal.SIGKILL)
            if killed_at == float("inf"):
                self._check_health(seconds)
            # Ever longer while the log stays as it is: an idle run costs next to nothing.
            grown = self._notes.look() | self._written()
            tick = _TICK if grown else min(max(tick, _TICK) * 1.2, _LONGEST_TICK)
            self._state.tell_again(grown, now)
            self._sleep(min(tick, killed_at - now if killed_at > now else _TICK))

    @property
    def _fewest(self) -> int:
        """Processes that must hear SIGTERM: the command, and in a sandbox the init beside it.

        With fewer of them bwrap has not started the command yet: it is told in a moment.
        """
        return 2 if self._spec["sandbox"] else 1

    def _should_stop(self, seconds: float, limit: float) -> bool:
        if self._reason in _FATAL:
            return False
        if self._company.fed:
            return True
        if (self._folder / "stop").exists():
            self._reason = "Stopped"
        elif seconds >= limit:
            self._reason = "MaxRuntimeExceeded"
        return self._reason in ("Stopped", "MaxRuntimeExceeded")

    def _check_health(self, seconds: float) -> None:
        if self._probe is None:
            return
        if self._probe.healthy():
            self._probe = None
            self._state.enter("Serving")
            if self._spec.get("transform"):
                self._company.drive(self._state.address, self._voice)
        elif seconds > self._spec["server"]["health_seconds"]:
            self._fail(
                "HealthCheckFailed",
                f"GET /ping did not answer 200 within {self._spec['server']['health_seconds']:g} s"
                ": ContainerStartupHealthCheckTimeoutInSeconds of the variant gives it more.",
            )

    def _check_memory(self) -> None:
        contained = self._contained
        pids = contained.pids() if contained else self._of_the_run(tree.below(os.getpid()))
        # The engine sees to the limit of a container.
        limit = 0 if contained else self._spec["resources"]["memory_mb"]
        used = tree.memory_mb(pids, limit)
        if limit and used > limit and not self._reason:
            text = f"the processes of the run used {used} MB, the limit is {limit} MB"
            self._fail("OutOfMemory", text)
        self._peak = max(self._peak, used)
        self._meter.look(pids, used)

    def _check_disk(self) -> None:
        said = self._volume.look(self._contained.written if self._contained else 0)
        if said and not self._reason:
            self._fail("NoSpace", said)

    def _signal(self, number: signal.Signals) -> int:
        """To the whole tree; how many that are. bwrap itself must live until its command has
        ended in peace."""
        if self._contained:
            return self._contained.signal(number)
        root = self._root
        pids = {root, *self._of_the_run(tree.descendants(os.getpid()))}
        if number == signal.SIGTERM and self._spec["sandbox"]:
            pids.discard(root)
        tree.send(number, list(pids))
        if number == signal.SIGTERM:
            tree.send(signal.SIGCONT, list(pids))  # a stopped process takes no other signal
        return len(pids)

    @property
    def _root(self) -> int:
        """The process whose end is that of the command."""
        known = self._contained or self._process
        return known.pid if known else 0

    def _clear(self) -> None:
        """Nothing of the run outlives its command."""
        deadline = time.monotonic() + _LEFTOVER_SECONDS
        while left := set(tree.descendants(os.getpid())) - self._company.pids:
            tree.send(signal.SIGKILL, self._of_the_run(list(left)))
            self._reap()
            if time.monotonic() > deadline:
                break
            time.sleep(0.005)

    def _of_the_run(self, pids: list[int]) -> list[int]:
        own = self._company.pids | ({self._scribe.pid} if self._scribe else set())
        return [pid for pid in pids if pid not in own]

    def _reap(self) -> bool:
        """Collect the dead; True once the command is among them."""
        for pid, status in tree.reaped():
            if self._scribe is not None and pid == self._scribe.pid:
                self._scribe.ended(status)
            for reason, detail in self._company.ended(pid, status):
                if not self._reason:
                    self._fail(reason, detail)
            if pid == self._root:
                self._command_ended(status)
        return self._over

    def _command_ended(self, status: int) -> None:
        if self._contained is None:
            code = os.waitstatus_to_exitcode(status)
            self._code = code if code >= 0 else 128 - code
            self._over = True
            return
        self._look_at_container()
        end = self._contained.ended(status)
        if end is not None:
            self._over = True
            self._code, reason, message = end
            if reason == "OutOfMemory":
                self._peak = max(self._peak, self._spec["resources"]["memory_mb"])
            if reason and not self._reason:
                self._fail(reason, message)

    def _sleep(self, seconds: float) -> None:
        watched, probe = [self._wake], self._probe
        if probe is not None:
            seconds = min(seconds, probe.pause)
            watched += [probe.fileno()] if probe.fileno() >= 0 else []
        if self._wake in select.select(watched, [], [], max(seconds, 0.0))[0]:
            os.read(self._wake, 4096)

    def _finish(self) -> None:
        ended = state.now()
        tail = report.tail(self._folder / "log")
        if self._company.fed:
            self._code = 0  # the server did what it was there for, however it ended then
        elif self._spec.get("transform") and self._code == 0 and not self._reason:
            self._fail("Error", "The model server ended before all files were transformed.")
        if not self._reason:
            self._reason = report.cause(self._code, tail, self._oom_kills, self._peak)
        made = []
        if not self._spec["server"] and self._state.started_at is not None:
            made = self._archive()
        message = self._detail or report.message(self._ml, self._code, self._reason, tail)
        document = {
            "phase": report.phase(self._code, self._reason),
            **self._state.known(),
            "exit_code": self._code,
            "reason": self._reason,
            "message": message[:1024],
            "traceback": "" if self._code == 0 else report.traceback(tail),
            "outputs": made,
            "ended_at": ended,
            "peak_memory_mb": self._peak,
            "note": report.note(self._ml),
        }
        files.remove_tree(self._folder / "scratch")
        farewell.say_last(self._folder, self._notes, document)
        self._state.hint()

    def _archive(self) -> list[dict[str, Any]]:
        """What the command left, as archives; of a failed run only its output data."""
        done = self._code == 0 and not self._reason
        good = done or self._reason in ("Stopped", "MaxRuntimeExceeded")
        wanted = [each for each in self._spec["outputs"] if good or each["skip_empty"]]
        if good:
            self._state.enter("Uploading")
        made, reason, detail = outputs.packed(wanted, self._ml, self._folder / "outputs")
        if reason and self._reason in ("", "Stopped", "MaxRuntimeExceeded"):
            self._fail(reason, detail)
        return made

    def _written(self) -> bool:
        """The run wrote metrics since the last look."""
        before, self._metrics = self._metrics, metric_files.sizes(self._ml)
        return before != self._metrics

    def _fail(self, reason: str, detail: str) -> None:
        self._reason, self._detail = reason, detail

    def _refuse_if_stopped(self) -> None:
        if (self._folder / "stop").exists():
            raise Stopped

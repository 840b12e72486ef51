"""One run from its data to its exit file: stage, start, watch, stop, archive, report."""

import errno
import fcntl
import json
import os
import select
import signal
import subprocess
import time
from pathlib import Path
from typing import Any

from studio import durable
from studio.container import archive, files
from studio.runners.shim import (
    bridge,
    checkpoints,
    command,
    gpus,
    health,
    helpers,
    hint,
    inputs,
    notes,
    outputs,
    pipes,
    report,
    scribe,
    tree,
    usage,
)

_TICK, _LONGEST_TICK = 0.1, 0.5
_MEMORY_SECONDS = 0.5
_WORD_SECONDS = 1.0
_LEFTOVER_SECONDS = 5.0
_FULL = (errno.ENOSPC, errno.EDQUOT)
_FATAL = ("OutOfMemory", "HealthCheckFailed", "DownloadFailed", "RunnerLost")
"""Reasons for which a command is killed without a word."""


class Stopped(Exception):
    """Somebody asked for the end before the command started."""


class Shim:
    """The life of one run. Single-threaded: a signal or a tick wakes it."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._ml = folder / "ml"
        self._spec: dict[str, Any] = json.loads((folder / "spec.json").read_bytes())
        self._stages: list[tuple[str, int]] = []
        self._port: command.Port | None = None
        self._reason = ""
        self._detail = ""
        self._code: int | None = None
        self._peak = 0
        self._started: int | None = None
        self._begun = time.monotonic()
        self._untold = False
        self._unread, self._told_at = False, 0.0
        self._oom_kills = report.oom_kills()
        self._log = os.open(folder / "log", os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
        # Held by this process and its scribe: who has it knows that the log is complete.
        fcntl.flock(self._log, fcntl.LOCK_EX)
        self._notes = notes.Notes(folder / "log.idx", self._log)
        self._scribe: scribe.Scribe | None = None
        self._helpers: list[helpers.Helper] = []
        self._wake, waker = os.pipe2(os.O_NONBLOCK | os.O_CLOEXEC)
        signal.signal(signal.SIGCHLD, lambda *_: None)
        signal.signal(signal.SIGTERM, lambda *_: None)
        signal.set_wakeup_fd(waker, warn_on_full_buffer=False)

    def run(self) -> None:
        """Never raises: whatever goes wrong ends up in exit.json."""
        try:
            self._stage("Downloading")
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
        self._finish()

    def _prepare(self) -> list[str]:
        linked = bool(self._spec["sandbox"])
        self._ml.mkdir(exist_ok=True)
        (self._folder / "tmp").mkdir(mode=0o777, exist_ok=True)
        (self._folder / "tmp").chmod(0o1777)
        scratch, check = self._folder / "scratch", self._refuse_if_stopped
        check()
        read_only = inputs.lay_out(self._spec, self._ml, scratch, linked, check)
        files.remove_tree(scratch)
        pipes.prepare(self._spec["streams"], self._ml, self._folder / "feed", check)
        check()
        return read_only

    def _execute(self, read_only: list[str]) -> None:
        server = self._spec["server"]
        env = dict(self._spec["env"])
        if server:
            self._port = command.Port()
            env["SAGEMAKER_BIND_TO_PORT"] = str(self._port.number)
        self._started = _now()
        self._stage("Starting" if server else "Training")
        self._begun = time.monotonic()
        self._meter = usage.Meter(self._folder, self._spec["resources"]["memory_mb"])
        self._begin_helpers()
        self._scribe = scribe.Scribe(self._log)
        try:
            process = command.spawn(self._spec, env, self._ml, self._scribe.pipe, read_only)
        finally:
            self._scribe.handed()
        if self._port and self._spec["network"]["isolated"]:
            self._helpers.append(bridge.Bridge(self._port.number, process.pid, self._folder))
        try:
            self._watch(process)
        finally:
            self._clear(process)
            self._meter.close()
            helpers.dismiss(self._helpers, lambda: self._reap(process.pid))

    def _begin_helpers(self) -> None:
        for stream in self._spec["streams"]:
            self._helpers.append(pipes.Feeder(stream, self._ml, self._folder / "feed"))
        if self._spec["checkpoints"]:
            source = self._ml / self._spec["checkpoints"]
            keeper = checkpoints.Keeper(source, self._folder / "checkpoints", self._hint)
            self._helpers.append(keeper)
        if self._spec["resources"]["gpus"]:
            self._helpers.append(gpus.Watcher(self._folder))

    def _watch(self, process: "subprocess.Popen[bytes]") -> None:
        """Until the command has ended, by itself or by us."""
        limit = self._spec["timeout_seconds"] or float("inf")
        probe = health.Probe(self._address) if self._port else None
        memory_due = tick = 0.0
        killed_at = float("inf")
        heard = 0
        while not self._reap(process.pid):
            now = time.monotonic()
            if now >= memory_due:
                memory_due = now + _MEMORY_SECONDS
                self._check_memory()
            if killed_at == float("inf") and self._should_stop(now - self._begun, limit):
                killed_at = now + self._spec["stop_seconds"]
            if now < killed_at < float("inf") and heard < self._fewest:
                heard = self._signal(process.pid, signal.SIGTERM)
            if now >= killed_at or self._reason in _FATAL:
                self._signal(process.pid, signal.SIGKILL)
            if probe is not None and killed_at == float("inf"):
                probe = self._probe(probe, now - self._begun)
            # Ever longer while the log stays as it is: an idle run costs next to nothing.
            grown = self._notes.look()
            tick = _TICK if grown else min(max(tick, _TICK) * 1.2, _LONGEST_TICK)
            if self._untold:
                self._tell()
            self._tell_of_lines(grown, now)
            self._sleep(min(tick, killed_at - now if killed_at > now else _TICK), probe)

    @property
    def _address(self) -> str:
        return f"127.0.0.1:{self._port.number}" if self._port else ""

    @property
    def _fewest(self) -> int:
        """Processes that must hear SIGTERM: the command, and in a sandbox the init beside it.

        With fewer of them bwrap has not started the command yet: it is told in a moment.
        """
        return 2 if self._spec["sandbox"] else 1

    def _should_stop(self, seconds: float, limit: float) -> bool:
        if self._reason in _FATAL:
            return False
        if (self._folder / "stop").exists():
            self._reason = "Stopped"
        elif seconds >= limit:
            self._reason = "MaxRuntimeExceeded"
        return self._reason in ("Stopped", "MaxRuntimeExceeded")

    def _probe(self, probe: health.Probe, seconds: float) -> health.Probe | None:
        if probe.healthy():
            self._stage("Serving")
            return None
        if seconds > self._spec["server"]["health_seconds"]:
            self._fail(
                "HealthCheckFailed",
                f"GET /ping did not answer 200 within {self._spec['server']['health_seconds']:g} s",
            )
        return probe

    def _check_memory(self) -> None:
        pids = self._of_the_run(tree.below(os.getpid()))
        used = tree.memory_mb(pids)
        limit = self._spec["resources"]["memory_mb"]
        if limit and used > limit:
            used = tree.proportional_mb(pids) or used
            if used > limit and not self._reason:
                text = f"the processes of the run used {used} MB, the limit is {limit} MB"
                self._fail("OutOfMemory", text)
        self._peak = max(self._peak, used)
        self._meter.look(pids, used)

    def _signal(self, root: int, number: signal.Signals) -> int:
        """To the whole tree; how many that are. bwrap itself must live until its command has
        ended in peace."""
        pids = {root, *self._of_the_run(tree.descendants(os.getpid()))}
        if number == signal.SIGTERM and self._spec["sandbox"]:
            pids.discard(root)
        tree.send(number, list(pids))
        if number == signal.SIGTERM:
            tree.send(signal.SIGCONT, list(pids))  # a stopped process takes no other signal
        return len(pids)

    def _clear(self, process: "subprocess.Popen[bytes]") -> None:
        """Nothing of the run outlives its command."""
        deadline = time.monotonic() + _LEFTOVER_SECONDS
        while left := [pid for pid in tree.descendants(os.getpid()) if pid not in self._helping]:
            tree.send(signal.SIGKILL, self._of_the_run(left))
            self._reap(process.pid)
            if time.monotonic() > deadline:
                break
            time.sleep(0.005)

    @property
    def _helping(self) -> set[int]:
        return {helper.pid for helper in self._helpers if helper.pid}

    def _of_the_run(self, pids: list[int]) -> list[int]:
        own = self._helping | ({self._scribe.pid} if self._scribe else set())
        return [pid for pid in pids if pid not in own]

    def _reap(self, main: int) -> bool:
        """Collect the dead; True once the command is among them."""
        while True:
            try:
                pid, status = os.waitpid(-1, os.WNOHANG)
            except ChildProcessError:
                break
            if pid == 0:
                break
            if self._scribe is not None and pid == self._scribe.pid:
                self._scribe.ended(status)
            for helper in self._helpers:
                if pid == helper.pid:
                    self._told_end_of(helper, status)
            if pid == main:
                code = os.waitstatus_to_exitcode(status)
                self._code = code if code >= 0 else 128 - code
        return self._code is not None

    def _told_end_of(self, helper: helpers.Helper, status: int) -> None:
        helper.ended(status)
        if helper.reason and not self._reason:
            self._fail(helper.reason, helper.detail)

    def _sleep(self, seconds: float, probe: health.Probe | None) -> None:
        watched = [self._wake]
        if probe is not None:
            seconds = min(seconds, probe.pause)
            watched += [probe.fileno()] if probe.fileno() >= 0 else []
        if self._wake in select.select(watched, [], [], max(seconds, 0.0))[0]:
            os.read(self._wake, 4096)

    def _finish(self) -> None:
        ended = _now()
        tail = report.tail(self._folder / "log")
        if not self._reason:
            self._reason = report.cause(self._code, tail, self._oom_kills, self._peak)
        made = []
        if not self._spec["server"] and self._started is not None:
            made = self._archive()
        message = self._detail or report.message(self._ml, self._code, self._reason, tail)
        document = {
            "phase": report.phase(self._code, self._reason),
            "stages": self._stages,
            "exit_code": self._code,
            "reason": self._reason,
            "message": message[:1024],
            "outputs": made,
            "started_at": self._started,
            "ended_at": ended,
            "peak_memory_mb": self._peak,
        }
        files.remove_tree(self._folder / "scratch")
        self._say_last(document)
        self._hint()

    def _say_last(self, document: dict[str, Any]) -> None:
        """Note the end of the log and write exit.json.

        On a full disk the run gives back what nobody needs, then waits for more.
        """
        while self._folder.is_dir():
            try:
                self._notes.end()
                durable.write_json(self._folder / "exit.json", document)
                return
            except OSError as error:
                if error.errno not in _FULL:
                    raise
            files.remove_tree(self._folder / "tmp")
            if document["outputs"] or document["phase"] == "failed":
                files.remove_tree(self._ml)
            time.sleep(_TICK)

    def _archive(self) -> list[dict[str, Any]]:
        """What the command left, as archives; of a failed run only its output data."""
        done = self._code == 0 and not self._reason
        good = done or self._reason in ("Stopped", "MaxRuntimeExceeded")
        wanted = [each for each in self._spec["outputs"] if good or each["skip_empty"]]
        if good:
            self._stage("Uploading")
        made: list[dict[str, Any]] = []
        try:
            outputs.pack(wanted, self._ml, self._folder / "outputs", made)
        except Exception as error:
            full = isinstance(error, OSError) and error.errno in _FULL
            if self._reason in ("", "Stopped", "MaxRuntimeExceeded"):
                said = f"what the run left could not be packed: {error}"
                self._fail("NoSpace" if full else "StartFailed", said)
        return made

    def _stage(self, name: str) -> None:
        self._stages.append((name, _now()))
        self._tell()

    def _tell(self) -> None:
        """Write status.json; on a full disk `_untold` asks to try again."""
        document = {
            "stages": self._stages,
            "address": self._address,
            "started_at": self._started,
        }
        temporary = self._folder / ".status.json"
        try:
            temporary.write_text(json.dumps(document))
            temporary.replace(self._folder / "status.json")
            self._untold = False
        except OSError:
            self._untold = True
        self._hint()

    def _tell_of_lines(self, grown: bool, now: float) -> None:
        """That there are new lines, once a second at the most. A server's nobody follows."""
        self._unread = self._unread or (grown and not self._spec["server"])
        if self._unread and now - self._told_at >= _WORD_SECONDS:
            self._hint()
            self._unread, self._told_at = False, now

    def _hint(self) -> None:
        hint.tell(self._spec["home"], self._folder.name)

    def _fail(self, reason: str, detail: str) -> None:
        self._reason, self._detail = reason, detail

    def _refuse_if_stopped(self) -> None:
        if (self._folder / "stop").exists():
            raise Stopped


def _now() -> int:
    return time.time_ns() // 1_000_000

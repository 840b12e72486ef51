"""One run from its claim to its exit file: stage, start, watch, stop, archive, report."""

import errno
import json
import os
import select
import signal
import subprocess
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

from studio.runners.shim import detach, inputs, report, tree
from studio.runners.shim.record import Record, now_ms

if TYPE_CHECKING:
    from studio.runners.shim.health import Probe

_TICK = 0.1
_MEMORY_SECONDS, _NEAR_LIMIT_SECONDS = 1.0, 0.2
_LEFTOVER_SECONDS = 5.0
_OOM_SCORE = 500
_NEVER = float("inf")
_ASKED = ("Stopped", "MaxRuntimeExceeded")
_KILLED = ("OutOfMemory", "HealthCheckFailed")


class Stopped(Exception):
    """Somebody asked for the end before the command started."""


def main(folder: str) -> None:
    """Detach, claim the run in `folder` and see it through; at once when it is claimed."""
    detach.leave_parent()
    if detach.claim(Path(folder)):
        detach.adopt_orphans()
        Shim(Path(folder)).run()
    os._exit(0)


class Shim:
    """The life of one run. Single-threaded: a signal or a tick wakes it."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._ml = folder / "ml"
        self._spec: dict[str, Any] = json.loads((folder / "spec.json").read_bytes())
        self._record = Record(folder, self._spec["home"])
        self._address = ""
        self._reason = ""
        self._detail = ""
        self._code: int | None = None
        self._started: int | None = None
        self._peak = 0
        self._memory_due = 0.0
        self._kill_at = _NEVER
        self._told = False
        self._oom_kills = report.oom_kills()
        self._wake, waker = os.pipe2(os.O_NONBLOCK | os.O_CLOEXEC)
        signal.signal(signal.SIGCHLD, lambda *_: None)
        signal.signal(signal.SIGTERM, lambda *_: None)
        signal.set_wakeup_fd(waker, warn_on_full_buffer=False)

    def run(self) -> None:
        """Whatever goes wrong ends up in exit.json."""
        try:
            self._stage("Downloading")
            self._record.reserve()
            self._execute(self._prepare())
        except Stopped:
            self._reason = "Stopped"
        except inputs.Refused as error:
            self._fail(error.reason, str(error))
        except OSError as error:
            self._fail(_reason_of(error), str(error))
        except Exception as error:
            self._fail("StartFailed", f"{type(error).__name__}: {error}")
        self._finish()

    def _prepare(self) -> list[str]:
        """Lay out /opt/ml; the folders of it that the command must not change."""
        linked = bool(self._spec["sandbox"])
        (self._folder / "tmp").mkdir(exist_ok=True)
        (self._folder / "tmp").chmod(0o1777)
        return inputs.lay_out(
            self._spec, self._ml, self._folder / "scratch", linked, self._refuse_if_stopped
        )

    def _execute(self, read_only: list[str]) -> None:
        self._refuse_if_stopped()
        server = self._spec["server"]
        env = dict(self._spec["env"])
        if server:
            port = detach.hold_port()
            number = port.getsockname()[1]
            env["SAGEMAKER_BIND_TO_PORT"] = str(number)
            self._address = f"127.0.0.1:{number}"
        self._started = now_ms()
        self._stage("Starting" if server else "Training")
        process = self._spawn(env, read_only)
        try:
            self._watch(process.pid)
        finally:
            self._clear(process.pid)
            self._record.index()

    def _spawn(self, env: dict[str, str], read_only: list[str]) -> "subprocess.Popen[bytes]":
        binds = [
            word
            for name in read_only
            for word in ("--ro-bind", str(self._ml / name), f"/opt/ml/{name}")
        ]
        sandbox = self._spec["sandbox"]
        command = [*sandbox, *(binds if sandbox else []), *self._spec["command"]]
        detach.set_oom_score(_OOM_SCORE)
        try:
            return subprocess.Popen(
                command,
                env=env,
                stdin=subprocess.DEVNULL,
                stdout=self._record.log,
                stderr=self._record.log,
                start_new_session=True,
                cwd=self._ml,
            )
        finally:
            detach.set_oom_score(0)

    def _watch(self, root: int) -> None:
        """Until the command has ended, by itself or by us."""
        begun = time.monotonic()
        probe = _probe_of(self._address)
        while not self._reap(root):
            now = time.monotonic()
            self._check_memory(now)
            self._check_end(now, now - begun)
            self._press(root, now)
            if probe is not None and not self._reason:
                probe = self._ask(probe, now - begun)
            self._record.index()
            self._sleep(probe.pause if probe else _TICK)

    def _check_memory(self, now: float) -> None:
        if now < self._memory_due:
            return
        pids = tree.descendants(os.getpid())
        used = tree.memory_mb(pids)
        limit = self._spec["resources"]["memory_mb"]
        if limit and used > limit:
            # Shared pages were counted once a process: look again, exactly.
            used = tree.proportional_mb(pids) or used
            if used > limit and not self._reason:
                text = f"the processes of the run used {used} MB, the limit is {limit} MB"
                self._fail("OutOfMemory", text)
        self._peak = max(self._peak, used)
        near = limit and used > limit / 2
        self._memory_due = now + (_NEAR_LIMIT_SECONDS if near else _MEMORY_SECONDS)

    def _check_end(self, now: float, seconds: float) -> None:
        """Whether the run was asked to end, or has to because of its time."""
        if self._reason:
            return
        if (self._folder / "stop").exists():
            self._reason = "Stopped"
        elif seconds >= (self._spec["timeout_seconds"] or _NEVER):
            self._reason = "MaxRuntimeExceeded"
        if self._reason:
            self._kill_at = now + self._spec["stop_seconds"]

    def _press(self, root: int, now: float) -> None:
        """SIGTERM once, SIGKILL when the time is over or there is none to give."""
        if now >= self._kill_at or self._reason in _KILLED:
            tree.send(signal.SIGKILL, tree.descendants(os.getpid()))
        elif self._reason in _ASKED and not self._told:
            self._told = self._terminate(root)

    def _terminate(self, root: int) -> bool:
        """SIGTERM to the whole tree; False when a sandbox has no command in it yet."""
        pids = tree.descendants(os.getpid())
        told = pids
        if self._spec["sandbox"]:
            # bwrap and its init come first and must live until their command has ended.
            told = [pid for pid in pids if pid != root][1:]
        tree.send(signal.SIGTERM, told)
        # A stopped process takes no signal but this one.
        tree.send(signal.SIGCONT, pids)
        return bool(told)

    def _ask(self, probe: "Probe", seconds: float) -> "Probe | None":
        if probe.healthy():
            self._stage("Serving")
            return None
        limit = self._spec["server"]["health_seconds"]
        if seconds > limit:
            self._fail("HealthCheckFailed", f"GET /ping did not answer 200 within {limit:g} s")
        return probe

    def _clear(self, root: int) -> None:
        """Nothing of the run outlives its command."""
        deadline = time.monotonic() + _LEFTOVER_SECONDS
        while left := tree.descendants(os.getpid()):
            tree.send(signal.SIGKILL, left)
            self._reap(root)
            if time.monotonic() > deadline:
                break
            time.sleep(0.005)

    def _reap(self, root: int) -> bool:
        """Collect the dead; True once the command is among them."""
        while True:
            try:
                pid, status = os.waitpid(-1, os.WNOHANG)
            except ChildProcessError:
                break
            if pid == 0:
                break
            if pid == root:
                code = os.waitstatus_to_exitcode(status)
                self._code = code if code >= 0 else 128 - code
        return self._code is not None

    def _sleep(self, seconds: float) -> None:
        if select.select([self._wake], [], [], seconds)[0]:
            os.read(self._wake, 4096)

    def _finish(self) -> None:
        tail = report.tail(self._folder / "log")
        self._reason = self._reason or report.cause(self._code, tail, self._oom_kills)
        outputs = []
        if not self._spec["server"] and self._started is not None:
            outputs = self._archive()
        message = self._detail or report.message(self._ml, self._code, self._reason, tail)
        self._record.finish(
            {
                "phase": report.phase(self._code, self._reason),
                "stages": self._record.stages,
                "exit_code": self._code,
                "reason": self._reason,
                "message": message[:1024],
                "outputs": outputs,
                "started_at": self._started,
                "ended_at": now_ms(),
                "peak_memory_mb": self._peak,
            }
        )

    def _archive(self) -> list[dict[str, Any]]:
        """What the command left, as archives; of a failed run only its output data."""
        from studio.container import archive  # not before the command runs: it takes 10 ms

        good = (self._code == 0 and not self._reason) or self._reason in _ASKED
        wanted = [each for each in self._spec["outputs"] if good or each["skip_empty"]]
        if good:
            self._stage("Uploading")
        made = []
        try:
            for output in wanted:
                path = self._folder / "outputs" / output["archive"]
                present = archive.pack(self._ml / output["folder"], path, output["compress"])
                if not present and output["skip_empty"]:
                    continue
                if not present:
                    archive.pack_nothing(path, output["compress"])
                size = path.stat().st_size
                made.append({"archive": output["archive"], "path": str(path), "size": size})
        except OSError as error:
            if not self._reason:
                self._fail(_reason_of(error), str(error))
        return made

    def _stage(self, name: str) -> None:
        self._record.stage(name, self._address, self._started)

    def _fail(self, reason: str, detail: str) -> None:
        self._reason, self._detail = reason, detail

    def _refuse_if_stopped(self) -> None:
        if (self._folder / "stop").exists():
            raise Stopped


def _probe_of(address: str) -> "Probe | None":
    if not address:
        return None
    from studio.runners.shim.health import Probe  # only servers need it: it takes 20 ms

    return Probe(address)


def _reason_of(error: OSError) -> str:
    return "NoSpace" if error.errno in (errno.ENOSPC, errno.EDQUOT) else "StartFailed"

"""One run from its claim to its exit file: stage, start, watch, stop, archive, report."""

import ctypes
import json
import os
import select
import shutil
import signal
import socket
import struct
import subprocess
import time
from pathlib import Path
from typing import Any

from studio import durable, processes
from studio.container import archive
from studio.runners.shim import health, inputs, report, tree

_TICK = 0.1
_MEMORY_SECONDS = 1.0
_LEFTOVER_SECONDS = 5.0
_OOM_SCORE = 500


class Stopped(Exception):
    """Somebody asked for the end before the command started."""


def main(folder: str) -> None:
    """Detach, claim the run in `folder` and see it through; at once when it is claimed."""
    os.umask(0o077)
    if os.fork():
        os._exit(0)
    os.setsid()
    run = Path(folder)
    if not _claim(run):
        os._exit(0)
    _become_subreaper()
    Shim(run).run()
    os._exit(0)


class Shim:
    """The life of one run. Single-threaded: a signal or a tick wakes it."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._ml = folder / "ml"
        self._spec: dict[str, Any] = json.loads((folder / "spec.json").read_bytes())
        self._stages: list[tuple[str, int]] = []
        self._address = ""
        self._reason = ""
        self._detail = ""
        self._code: int | None = None
        self._peak = 0
        self._started: int | None = None
        self._indexed = -1
        self._oom_kills = report.oom_kills()
        self._log = os.open(folder / "log", os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
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
            self._fail("NoSpace" if error.errno == 28 else "StartFailed", str(error))
        except Exception as error:
            self._fail("StartFailed", f"{type(error).__name__}: {error}")
        self._finish()

    def _prepare(self) -> list[str]:
        linked = bool(self._spec["sandbox"])
        (self._folder / "tmp").mkdir(mode=0o777, exist_ok=True)
        (self._folder / "tmp").chmod(0o1777)
        self._refuse_if_stopped()
        read_only = inputs.lay_out(self._spec, self._ml, self._folder / "scratch", linked)
        self._refuse_if_stopped()
        return read_only

    def _execute(self, read_only: list[str]) -> None:
        server = self._spec["server"]
        env = dict(self._spec["env"])
        if server:
            port = _free_port()
            env["SAGEMAKER_BIND_TO_PORT"] = str(port)
            self._address = f"127.0.0.1:{port}"
        self._stage("Starting" if server else "Training")
        self._started = _now()
        process = self._spawn(env, read_only)
        try:
            self._watch(process)
        finally:
            self._clear(process)
            self._index(True)

    def _spawn(self, env: dict[str, str], read_only: list[str]) -> "subprocess.Popen[bytes]":
        binds = [
            word
            for name in read_only
            for word in ("--ro-bind", str(self._ml / name), f"/opt/ml/{name}")
        ]
        sandbox = self._spec["sandbox"]
        command = [*sandbox, *(binds if sandbox else []), *self._spec["command"]]
        _score(_OOM_SCORE)
        try:
            return subprocess.Popen(
                command,
                env=env,
                stdin=subprocess.DEVNULL,
                stdout=self._log,
                stderr=self._log,
                start_new_session=True,
                cwd=self._ml,
            )
        finally:
            _score(0)

    def _watch(self, process: "subprocess.Popen[bytes]") -> None:
        """Until the command has ended, by itself or by us."""
        begun = time.monotonic()
        limit = self._spec["timeout_seconds"] or float("inf")
        probe = health.Probe(self._address) if self._address else None
        memory_due = begun
        killed_at = float("inf")
        while not self._reap(process.pid):
            now = time.monotonic()
            if now >= memory_due:
                memory_due = now + _MEMORY_SECONDS
                self._check_memory(process.pid)
            if killed_at == float("inf") and self._should_stop(now - begun, limit):
                killed_at = now + self._spec["stop_seconds"]
                self._signal(process.pid, signal.SIGTERM)
            if now >= killed_at or self._reason in ("OutOfMemory", "HealthCheckFailed"):
                self._signal(process.pid, signal.SIGKILL)
            if probe is not None and killed_at == float("inf"):
                probe = self._probe(probe, now - begun)
            self._index(False)
            self._sleep(probe.pause if probe else _TICK)

    def _should_stop(self, seconds: float, limit: float) -> bool:
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

    def _check_memory(self, root: int) -> None:
        pids = [root, *tree.descendants(root)]
        used = tree.memory_mb(pids)
        limit = self._spec["resources"]["memory_mb"]
        if limit and used > limit:
            used = tree.proportional_mb(pids) or used
            if used > limit:
                text = f"the processes of the run used {used} MB, the limit is {limit} MB"
                self._fail("OutOfMemory", text)
        self._peak = max(self._peak, used)

    def _signal(self, root: int, number: signal.Signals) -> None:
        """To the whole tree. bwrap itself must live until its command has ended in peace."""
        pids = [root, *tree.descendants(os.getpid())]
        if number == signal.SIGTERM:
            if self._spec["sandbox"]:
                pids = [pid for pid in pids if pid != root]
            tree.send(number, pids)
            number = signal.SIGCONT  # a stopped process takes no other signal
        tree.send(number, pids)

    def _clear(self, process: "subprocess.Popen[bytes]") -> None:
        """Nothing of the run outlives its command."""
        deadline = time.monotonic() + _LEFTOVER_SECONDS
        while left := tree.descendants(os.getpid()):
            tree.send(signal.SIGKILL, left)
            self._reap(process.pid)
            if time.monotonic() > deadline:
                break
            time.sleep(0.005)

    def _reap(self, main: int) -> bool:
        """Collect the dead; True once the command is among them."""
        while True:
            try:
                pid, status = os.waitpid(-1, os.WNOHANG)
            except ChildProcessError:
                break
            if pid == 0:
                break
            if pid == main:
                code = os.waitstatus_to_exitcode(status)
                self._code = code if code >= 0 else 128 - code
        return self._code is not None

    def _sleep(self, seconds: float) -> None:
        if select.select([self._wake], [], [], seconds)[0]:
            os.read(self._wake, 4096)

    def _index(self, last: bool) -> None:
        """Note when the log had which size: that dates its lines for good."""
        size = os.fstat(self._log).st_size
        if size > self._indexed or last:
            self._indexed = size
            with (self._folder / "log.idx").open("ab") as file:
                file.write(struct.pack("<QQ", _now(), size))

    def _finish(self) -> None:
        tail = report.tail(self._folder / "log")
        self._reason = self._reason or report.cause(self._code, tail, self._oom_kills)
        outputs = []
        if not self._spec["server"] and self._started is not None:
            outputs = self._archive()
        message = self._detail or report.message(self._ml, self._code, self._reason, tail)
        document = {
            "phase": report.phase(self._code, self._reason),
            "stages": self._stages,
            "exit_code": self._code,
            "reason": self._reason,
            "message": message[:1024],
            "outputs": outputs,
            "started_at": self._started,
            "ended_at": _now(),
            "peak_memory_mb": self._peak,
        }
        shutil.rmtree(self._folder / "scratch", ignore_errors=True)
        durable.write_json(self._folder / "exit.json", document)
        self._hint()

    def _archive(self) -> list[dict[str, Any]]:
        """What the command left, as archives; of a failed run only its output data."""
        good = self._code == 0 or self._reason in ("Stopped", "MaxRuntimeExceeded")
        wanted = [each for each in self._spec["outputs"] if good or each["skip_empty"]]
        if good:
            self._stage("Uploading")
        made = []
        try:
            for output in wanted:
                path = self._folder / "outputs" / output["archive"]
                present = archive.pack(self._ml / output["folder"], path, output["compress"])
                if present or not output["skip_empty"]:
                    made.append(_produced(output["archive"], path, present))
        except OSError as error:
            if not self._reason:
                self._fail("NoSpace" if error.errno == 28 else "StartFailed", str(error))
        return made

    def _stage(self, name: str) -> None:
        self._stages.append((name, _now()))
        document = {
            "stages": self._stages,
            "address": self._address,
            "started_at": self._started,
        }
        temporary = self._folder / ".status.json"
        temporary.write_text(json.dumps(document))
        temporary.replace(self._folder / "status.json")
        self._hint()

    def _hint(self) -> None:
        """Tell the control plane, if it listens, that there is something to see."""
        message = self._folder.name.encode()
        fd = os.open(self._spec["home"], os.O_RDONLY | os.O_DIRECTORY)
        try:
            with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as channel:
                channel.setblocking(False)
                channel.sendto(message, f"/proc/self/fd/{fd}/hints.sock")
        except OSError:
            pass
        finally:
            os.close(fd)

    def _fail(self, reason: str, detail: str) -> None:
        self._reason, self._detail = reason, detail

    def _refuse_if_stopped(self) -> None:
        if (self._folder / "stop").exists():
            raise Stopped


def _claim(folder: Path) -> bool:
    """pid.json, made whole and only once: whoever has it may start the run."""
    temporary = folder / f".pid.{os.getpid()}"
    temporary.write_text(json.dumps(processes.identity()))
    with temporary.open("rb") as file:
        os.fsync(file.fileno())
    try:
        os.link(temporary, folder / "pid.json")
    except FileExistsError:
        return False
    finally:
        temporary.unlink()
    durable.sync_dir(folder)
    return True


def _become_subreaper() -> None:
    pr_set_child_subreaper = 36
    ctypes.CDLL(None, use_errno=True).prctl(pr_set_child_subreaper, 1, 0, 0, 0)


def _produced(name: str, path: Path, present: bool) -> dict[str, Any]:
    if not present:
        archive.pack_nothing(path)
    durable.sync_dir(path.parent)
    return {"archive": name, "path": str(path), "size": path.stat().st_size}


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _score(value: int) -> None:
    """Where memory runs out, the kernel ends jobs before it ends us."""
    try:
        Path("/proc/self/oom_score_adj").write_text(str(value))
    except OSError:
        pass


def _now() -> int:
    return time.time_ns() // 1_000_000

"""Feeds the model server of a batch transform: a process beside it, begun anew when it is killed.

What it has finished lies on disk (studio.container.transform.ledger), so that nothing is done
twice; the batches wait in `handed/0` for whoever stores them.
"""

import errno
import json
import os
import signal
import time
from collections.abc import Callable, Iterator
from dataclasses import asdict
from pathlib import Path
from typing import IO, Any

from studio import durable
from studio.runners.shim import helpers

PROGRESS = "progress.json"
_FOLDER, _VERDICT = "transform", "verdict.json"
_TELL_SECONDS = 1.0
_ATTEMPTS = 20
_FULL = (errno.ENOSPC, errno.EDQUOT)
Doc = dict[str, Any]


class Driver:
    """The process; `pid` is 0 after its end, and `done` says that there is nothing left to do."""

    def __init__(self, folder: Path, spec: Doc, address: str, log: int) -> None:
        """`spec` is the run's; lines of the log go to `log`, open as long as it may begin anew."""
        self._folder, self._spec, self._address, self._log = folder, spec, address, log
        self._attempts = 0
        self._finishing = self.done = False
        self.reason = self.detail = ""
        self.pid = self._begin()

    def finish(self) -> None:
        if self.pid and not self._finishing:
            self._finishing = True
            os.kill(self.pid, signal.SIGTERM)

    def ended(self, status: int) -> None:
        self.pid = 0
        verdict = durable.read_json(self._folder / _FOLDER / _VERDICT)
        if verdict is not None:
            self.done = True
            self.reason, self.detail = verdict["reason"], verdict["detail"]
        elif not self._finishing:
            self._attempts += 1
            if self._attempts < _ATTEMPTS:
                self.pid = self._begin()
            else:
                self.done, self.reason = True, "StartFailed"
                self.detail = f"What feeds the model server ended {_ATTEMPTS} times: {status}."

    def _begin(self) -> int:
        work = _Work(self._folder, self._spec, self._address)
        return helpers.begin(work.run, self._folder, output=self._log)


class _Work:
    """What the process does."""

    def __init__(self, folder: Path, spec: Doc, address: str) -> None:
        self._folder, self._address = folder, address
        self._home, self._task = spec["home"], spec["transform"]
        self._told_at = 0.0

    def run(self) -> None:
        # No other run needs them.
        from studio.container.transform import server
        from studio.runners.shim.inputs import DownloadFailed

        reason = detail = ""
        try:
            detail = self._driven()
        except server.Stopped:
            return
        except OSError as error:
            reason, detail = "NoSpace" if error.errno in _FULL else "StartFailed", str(error)
        except DownloadFailed as error:
            reason, detail = "DownloadFailed", str(error)
        except Exception as error:
            reason, detail = "StartFailed", f"{type(error).__name__}: {error}"
        else:
            reason = "RecordsFailed" if detail else ""
        verdict = {"reason": reason, "detail": detail}
        durable.write_json(self._folder / _FOLDER / _VERDICT, verdict)

    def _driven(self) -> str:
        """Why records failed, if some did."""
        from studio.container.transform import ledger, server, work

        kept = ledger.Ledger(self._folder / _FOLDER, self._folder / "handed" / "0", self._hint)
        asked = server.Server(
            self._address, _headers(self._task), self._task["seconds"], self._task["retries"], _told
        )
        made = work.Work(self._task, kept, asked, _say, self._tell, _told)
        try:
            made.run(self._opened(kept.lines))
        finally:
            kept.close(now=True)
            self._told_at = 0.0
            self._tell(made.progress)
        return work.verdict(self._task, kept.lines)

    def _opened(self, known: dict[int, Doc]) -> Iterator[tuple[int, Callable[[], IO[bytes]]]]:
        from studio.runners.shim import download

        left = [it for it in enumerate(self._task["files"]) if it[0] not in known]
        opened = download.ahead([document for _, document in left], _local)
        for (number, _), (_, opener) in zip(left, opened, strict=True):
            yield number, opener

    def _tell(self, progress: Any) -> None:
        """From time to time; what is lost is told again."""
        if time.monotonic() - self._told_at >= _TELL_SECONDS:
            self._told_at = time.monotonic()
            fresh = self._folder / f".{PROGRESS}"
            fresh.write_text(json.dumps(asdict(progress)))
            fresh.replace(self._folder / PROGRESS)

    def _hint(self) -> None:
        from studio import hint

        hint.tell(self._home, self._folder.name)


def _headers(task: Doc) -> dict[str, str]:
    given = {"Content-Type": task["content_type"], "Accept": task["accept"]}
    return {name: value for name, value in given.items() if value}


def _local(document: Doc) -> IO[bytes]:
    from studio.runners.shim.inputs import DownloadFailed

    try:
        return Path(document["link"]).open("rb")
    except FileNotFoundError as error:
        raise DownloadFailed(f"{document['name']}: the object was deleted meanwhile") from error


def _told() -> bool:
    """Somebody asked for the end: the signal is blocked, and kept."""
    return signal.SIGTERM in signal.sigpending()


def _say(line: str) -> None:
    from studio.container.transform import work

    text = " ".join(line.split())
    os.write(1, f"{work.stamp()}:[sagemaker logs]: {text}\n".encode())

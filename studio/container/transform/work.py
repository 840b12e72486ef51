"""One transform from its first file to its last: payloads side by side, outputs in order.

A file of which a record fails has no output, the others have theirs. Of a payload that the model
refuses the halves are asked, and theirs, until the records that it refuses are known.
"""

import gzip
import time
import zlib
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor, wait
from dataclasses import dataclass, field
from typing import IO, Any, NamedTuple

from studio.container.transform import joining
from studio.container.transform.ledger import Ledger
from studio.container.transform.records import MEGABYTE, MULTI, Damaged, Payload, payloads
from studio.container.transform.server import Refused, Server, Stopped

Doc = dict[str, Any]
Opener = Callable[[], IO[bytes]]
MOST_FAULTS = 100
"""Records that fail are looked for until so many are known; then the file is given up."""
_SPLIT_MB, _MOST_AT_ONCE = 100, 100
_DEFAULTS = {"MaxConcurrentTransforms": 1, "MaxPayloadInMB": 6, "BatchStrategy": MULTI}
_SAID = 300
_LOOK_SECONDS = 0.25
_UNREADABLE = (Damaged, EOFError, gzip.BadGzipFile, zlib.error)


class Fault(NamedTuple):
    """A record that has no answer. `number` is 0 for the file as a whole."""

    number: int
    status: int
    said: str


class Outcome(NamedTuple):
    """What became of a payload: the part of the output, or why there is none."""

    output: bytes
    records: int
    faults: tuple[Fault, ...] = ()


@dataclass
class File:
    """A file that is being transformed."""

    number: int
    document: Doc
    output: IO[bytes]
    records: int = 0
    faults: list[Fault] = field(default_factory=list)

    @property
    def hopeless(self) -> bool:
        return len(self.faults) >= MOST_FAULTS


@dataclass
class Progress:
    """Counts so far; `read` of `size` bytes, as the files are stored, belong to files that are
    done with."""

    files: int = 0
    done: int = 0
    failed: int = 0
    records: int = 0
    failed_records: int = 0
    size: int = 0
    read: int = 0


def settings(task: Doc, told: Doc) -> Doc:
    """MaxConcurrentTransforms, MaxPayloadInMB and BatchStrategy: as the job says, else as the
    container says (`told`), else AWS's defaults; never so much that it is a danger here."""
    given = {name: task[name] for name in _DEFAULTS if task.get(name) is not None}
    if not given.get("MaxConcurrentTransforms"):
        given.pop("MaxConcurrentTransforms", None)
    made = {**_DEFAULTS, **told, **given}
    side_by_side = min(max(made["MaxConcurrentTransforms"], 1), _MOST_AT_ONCE)
    megabytes = min(made["MaxPayloadInMB"], _SPLIT_MB)
    return {**made, "MaxConcurrentTransforms": side_by_side, "MaxPayloadInMB": megabytes}


class Work:
    """The files of `task` that `ledger` does not know yet; `say` takes lines for the log, `tell`
    hears of progress, `stopped` says that somebody asked for the end."""

    def __init__(
        self,
        task: Doc,
        ledger: Ledger,
        server: Server,
        say: Callable[[str], None],
        tell: Callable[[Progress], None],
        stopped: Callable[[], bool],
    ) -> None:
        self._task, self._ledger, self._server = task, ledger, server
        self._say, self._tell, self._stopped = say, tell, stopped
        self._processing = joining.of(task)
        self._settings = settings(task, server.parameters())
        most = self._settings["MaxPayloadInMB"]
        self._streams = most == 0 and task["split"] == "None"
        self._most = (most or _SPLIT_MB) * MEGABYTE
        self.progress = Progress(len(task["files"]), size=sum(it["size"] for it in task["files"]))
        for number, line in ledger.lines.items():
            self._count(task["files"][number], line)

    def run(self, opened: Iterable[tuple[int, Opener]]) -> None:
        """Transform the files `opened`, of those that are not done, in this order. Raises Stopped,
        OSError."""
        strategy = "MULTI_RECORD" if self._settings["BatchStrategy"] == MULTI else "SINGLE_RECORD"
        said = {**self._settings, "BatchStrategy": strategy}
        self._say(", ".join(f"{name}={value}" for name, value in said.items()))
        width = self._settings["MaxConcurrentTransforms"]
        pending: deque[tuple[File, Future[Outcome] | None]] = deque()
        with ThreadPoolExecutor(width, thread_name_prefix="transform") as pool:
            try:
                for number, opener in opened:
                    for file, payload in self._payloads(number, opener):
                        job = pool.submit(self._transformed, file, payload) if payload else None
                        pending.append((file, job))
                        self._settle(pending, width + 1)
                self._settle(pending, 0)
            finally:
                pool.shutdown(wait=False, cancel_futures=True)

    def _settle(self, pending: deque[tuple[File, Future[Outcome] | None]], most: int) -> None:
        """Take the results that are there, and wait until no more than `most` are not."""
        while pending:
            file, job = pending[0]
            if self._stopped():
                raise Stopped
            if job is not None and not job.done():
                if len(pending) <= most:
                    return
                wait([job], _LOOK_SECONDS)
                self._ledger.close()  # what is finished does not wait for what takes long
                continue
            pending.popleft()
            if job is None:
                self._finish(file)
            else:
                self._take(file, job.result())
            self._tell(self.progress)

    def _payloads(self, number: int, opener: Opener) -> Iterator[tuple[File, Payload | None]]:
        """The payloads of a file, then None: whatever goes wrong, the file ends."""
        document = self._task["files"][number]
        file = File(number, document, self._ledger.part(number).open("wb"))
        try:
            with opener() as raw:
                if self._streams and document["size"]:
                    self._stream(file, raw)
                else:
                    content = self._content(raw)
                    split, strategy = self._task["split"], self._settings["BatchStrategy"]
                    for payload in payloads(content, split, strategy, self._most):
                        yield file, payload
                        if file.hopeless:
                            break
        except _UNREADABLE as error:
            file.faults.append(Fault(0, 400, f"the file cannot be read: {error}"))
        yield file, None

    def _stream(self, file: File, raw: IO[bytes]) -> None:
        """A file of any size as one request; it has to be read whole where it is filtered."""
        content = self._content(raw)
        payload = Payload(b"", 1, 1, whole=True)
        if not self._processing.idle:
            payload = Payload(content.read(), 1, 1, whole=True)
            self._take(file, self._transformed(file, payload))
            return
        try:
            answer = self._server.invoke(content)
        except Refused as error:
            self._take(file, Outcome(b"", 1, (Fault(0, error.status, error.said),)))
        else:
            self._take(file, Outcome(self._assembled(answer.body), 1))

    def _content(self, raw: IO[bytes]) -> Any:
        return gzip.GzipFile(fileobj=raw) if self._task["gzip"] else raw

    def _transformed(self, file: File, payload: Payload, again: bool = True) -> Outcome:
        number = 0 if payload.whole else payload.first
        if payload.oversized:
            megabytes = self._settings["MaxPayloadInMB"]
            said = f"the record is larger than MaxPayloadInMB, {megabytes}, allows"
            return Outcome(b"", 1, (Fault(number, 413, said),))
        try:
            request = self._processing.request(payload)
            answer = self._server.invoke(request, again)
            result = self._processing.result(payload, answer.body, answer.media)
        except joining.Unfit as error:
            fault = Fault(number, 400, str(error))
        except Refused as error:
            fault = Fault(number, error.status, error.said)
        else:
            return Outcome(self._assembled(result), payload.count)
        if payload.count == 1 or file.hopeless or fault.status == 0:
            return Outcome(b"", payload.count, (fault,))
        first, second = payload.halves()
        one = self._transformed(file, first, again=False)
        # Enough faults are known: nobody needs all of them.
        if len(one.faults) >= MOST_FAULTS:
            return Outcome(b"", payload.count, one.faults)
        other = self._transformed(file, second, again=False)
        return Outcome(one.output + other.output, payload.count, one.faults + other.faults)

    def _assembled(self, result: bytes) -> bytes:
        if self._task["assemble"] == "Line" and not result.endswith(b"\n"):
            return result + b"\n"
        return result

    def _take(self, file: File, outcome: Outcome) -> None:
        file.records += outcome.records
        self.progress.records += outcome.records
        room = MOST_FAULTS - len(file.faults)
        for fault in outcome.faults[:room]:
            file.faults.append(fault)
            self.progress.failed_records += 1
            place = f"{file.document['name'].removeprefix('s3://')}"
            where = f"{place}: {_record(self._task['split'], fault.number)}".rstrip(": ")
            self._say(f"{where}: Bad HTTP status received from algorithm: {fault.status}")
            self._say(f"{where}: {fault.said[:_SAID]}")
        if not file.faults:
            file.output.write(outcome.output)

    def _finish(self, file: File) -> None:
        file.output.close()
        line: Doc = {"records": file.records, "faults": len(file.faults)}
        if file.faults:
            line["first"] = [*file.faults[0][:2], file.faults[0].said[:_SAID]]
            self._ledger.give_up(file.number, line)
        else:
            self._ledger.finish(file.number, file.document["output"], line)
        self.progress.records -= file.records
        self.progress.failed_records -= len(file.faults)
        self._count(file.document, line)

    def _count(self, document: Doc, line: Doc) -> None:
        self.progress.done += not line["faults"]
        self.progress.failed += bool(line["faults"])
        self.progress.records += line["records"]
        self.progress.failed_records += line["faults"]
        self.progress.read += document["size"]


def verdict(task: Doc, lines: dict[int, Doc]) -> str:
    """Why the transform failed, for people; "" when it did not. Begins with whose fault it is."""
    failed = [(task["files"][number], it) for number, it in sorted(lines.items()) if it["faults"]]
    if not failed:
        return ""
    faults = sum(line["faults"] for _, line in failed)
    many = any(line["faults"] >= MOST_FAULTS for _, line in failed)
    whose = "Algorithm" if all(_of_model(line["first"][1]) for _, line in failed) else "Client"
    named = "; ".join(
        f"{document['name']}{_behind(task, line)}: {_status(line)}" for document, line in failed[:3]
    )
    return (
        f"{whose}Error: {faults}{' or more' if many else ''} "
        f"record{'s' * (faults != 1)} of {len(failed)} file{'s' * (len(failed) != 1)} could not be "
        f"transformed: {named}"
    )


def _behind(task: Doc, line: Doc) -> str:
    said = _record(task["split"], line["first"][0])
    return f" {said}" if said else ""


def _record(split: str, number: int) -> str:
    return f"{'line' if split == 'Line' else 'record'} {number}" if number else ""


def _of_model(status: int) -> bool:
    return status == 0 or status >= 500


def _status(line: Doc) -> str:
    _, status, said = line["first"]
    return f"{status} {said}" if status else str(said)


def stamp() -> str:
    """The time as AWS's data log has it."""
    now = time.time()
    return time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(now)) + f".{int(now % 1 * 1000):03d}"

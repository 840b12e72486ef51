"""Sends the requests of the backlog to model servers, and what they answer to S3.

A request leaves the backlog only when its answer is in S3. The answer is on disk before that, under
the request's own name: whenever this process ends, the next one goes on, and stores one answer.
"""

import random
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import structlog

from studio import durable
from studio.db import resources
from studio.db.session import Database
from studio.errors import ApiError
from studio.identity.principals import Principal, service_session
from studio.reconcile import async_notices
from studio.reconcile import async_requests as requests
from studio.reconcile.async_metrics import AsyncMetrics
from studio.reconcile.grants import Grants
from studio.reconcile.routes import Routes
from studio.reconcile.steps import Call
from studio.s3.client import Storage, parse_uri
from studio.serving import backlog, errors
from studio.serving.backlog import Load, Request
from studio.serving.table import Variant

log = structlog.get_logger()

Perform = Callable[[Principal, Call], dict[str, Any]]
"""Has an operation done for a principal; raises ApiError."""

_MOST = 256
"""Requests with servers at once, of all endpoints."""
_ATTEMPTS = 3
_LOOK_SECONDS, _IDLE_SECONDS = 0.2, 1.0
_GAUGE_SECONDS, _FLUSH_SECONDS = 10.0, 2.0
_DOWN_SECONDS = 1.0
_REFUSED_MS = 5_000
_EXPIRED = "The request expired: no instance took it within RequestTTLSeconds."
_DELETED = "The endpoint {} was deleted before an instance took the request."


@dataclass(frozen=True)
class _Target:
    variant: str
    address: str


class AsyncWorker:
    """Works from construction until `close`; what it is at then, the next one begins again."""

    def __init__(
        self, db: Database, routes: Routes, grants: Grants, storage: Storage, perform: Perform
    ) -> None:
        self._settings, self._db, self._routes = grants.settings, db, routes
        self._perform = perform
        self._grants, self._storage = grants, storage
        self._home = self._settings.home
        self._backlog: backlog.Backlog | None = None
        self._metrics = AsyncMetrics(self._home)
        self._lock = threading.Lock()
        self._at: dict[str, _Target | None] = {}
        self._down: dict[str, float] = {}
        self._seen: object = None
        self._turn_due = self._gauge_due = self._flush_due = 0.0
        self._ending = False
        self._wake = threading.Event()
        routes.answering = self._answering
        self._thread = threading.Thread(target=self._run, name="asynchronous", daemon=True)
        self._thread.start()

    def close(self) -> None:
        """Nobody waits for servers: whoever comes next asks them again."""
        self._ending = True
        self._wake.set()
        self._thread.join()
        if self._backlog is not None:
            self._backlog.close()
        self._metrics.close()

    def _answering(self) -> Iterable[str]:
        with self._lock:
            return {target.address for target in self._at.values() if target is not None}

    def _run(self) -> None:
        while not self._ending:
            try:
                pause = self._look()
            except Exception:
                log.exception("asynchronous requests not looked at")
                pause = _IDLE_SECONDS
            self._wake.wait(pause)
            self._wake.clear()

    def _look(self) -> float:
        """Do what is to be done; seconds until the next look."""
        queues = _queues(self._routes.endpoints())
        if self._backlog is None:
            if not queues and not backlog.path(self._home).exists():
                return _IDLE_SECONDS
            self._backlog = self._opened()
        now = time.monotonic()
        # Nearly always nothing has come, and one look at a file says so.
        mark = self._mark()
        if mark != self._seen or now >= self._turn_due:
            self._seen = mark
            self._turn_due = now + (_IDLE_SECONDS if self._turn(self._backlog, queues) else 60.0)
        if now >= self._flush_due:
            self._flush_due = now + _FLUSH_SECONDS
            self._metrics.flush()
        return _LOOK_SECONDS

    def _mark(self) -> object:
        try:
            status = backlog.path(self._home).with_name("backlog.db-wal").stat()
        except OSError:
            return None
        return status.st_mtime_ns, status.st_size

    def _opened(self) -> backlog.Backlog:
        found = backlog.Backlog(self._home)
        found.recover()
        kept = {request.id for request in found.storing(2**62)}
        for path in (backlog.folder(self._home) / "answers").iterdir():
            if path.name not in kept:
                path.unlink()
        return found

    def _turn(self, known: backlog.Backlog, queues: Mapping[str, list[Variant]]) -> bool:
        """Take what can be taken; whether anything is left to be done."""
        now = backlog.now_ms()
        for request in known.overdue(now):
            self._metrics.count(request.endpoint, "", ExpiredRequests=1)
            self._fail(request, _EXPIRED)
        for request in known.storing(now):
            self._begin(request, None, self._store)
        loads = known.loads()
        for queue, load in loads.items():
            if load.waiting and queue in queues:
                self._send(known, queue, queues[queue], now)
            elif load.waiting:
                self._abandon(known, queue)
        if time.monotonic() >= self._gauge_due:
            self._gauge_due = time.monotonic() + _GAUGE_SECONDS
            self._gauge(loads, now)
        return bool(loads or queues)

    def _gauge(self, loads: Mapping[str, Load], now: int) -> None:
        for endpoint, variants in self._routes.endpoints().items():
            queue = next((it.queue.name for it in variants if it.queue), None)
            if queue is not None:
                servers = {address for it in variants for address in it.servers}
                self._metrics.gauge(endpoint, loads.get(queue, Load()), len(servers), now)

    def _send(self, known: backlog.Backlog, queue: str, variants: list[Variant], now: int) -> None:
        """As many as the servers of a queue have room for."""
        with self._lock:
            taken = Counter(target.address for target in self._at.values() if target)
            room = _MOST - len(self._at)
        free = _free(variants, taken, self._up)
        total = sum(sum(each.values()) for _, each in free)
        if not total or room <= 0:
            return
        for request in known.claim(queue, min(total, room), now):
            target = _drawn(free)
            assert target is not None
            waited = now - request.accepted_at
            self._metrics.count(request.endpoint, target.variant, TimeInBacklog=max(waited, 0))
            self._begin(request, target, self._ask)

    def _up(self, address: str) -> bool:
        return time.monotonic() >= self._down.get(address, 0.0)

    def _abandon(self, known: backlog.Backlog, queue: str) -> None:
        """Of an endpoint that is no more nobody will take anything. One without servers has its
        requests wait."""
        with self._db.read() as connection:
            endpoint = resources.get(connection, queue)
        if endpoint is None or endpoint.deleted_at is not None:
            for request in known.waiting(queue):
                self._fail(request, _DELETED.format(request.endpoint))

    def _begin(
        self, request: Request, target: _Target | None, work: Callable[[Request], None]
    ) -> None:
        with self._lock:
            if request.id in self._at or self._ending:
                return
            self._at[request.id] = target
        # No pool of threads: its end would wait for them, and a model may take an hour.
        threading.Thread(target=self._done, args=(request, work), daemon=True).start()

    def _done(self, request: Request, work: Callable[[Request], None]) -> None:
        try:
            work(request)
        except Exception:
            if not self._ending:
                log.exception("asynchronous request not answered", request=request.id)
                self._later(request)
        finally:
            with self._lock:
                del self._at[request.id]
            self._turn_due = 0.0
            self._wake.set()

    def _later(self, request: Request, failed: bool = False, pause_ms: int = _REFUSED_MS) -> None:
        assert self._backlog is not None
        due = backlog.now_ms() + pause_ms
        if request.status == "Storing":
            self._backlog.later(request, due)
        else:
            self._backlog.again(request, due, failed)

    def _ask(self, request: Request) -> None:
        """Have a server answer."""
        target = self._at[request.id]
        assert target is not None
        storage = self._storage_of(request)
        path = backlog.answer_path(self._home, request.id)
        cafile = str(self._settings.ca_bundle or "") or None
        try:
            answered = requests.invoke(request, target.address, storage, path, cafile)
        except requests.NoInput as error:
            self._metrics.count(request.endpoint, target.variant, RequestDownloadFailures=1)
            self._fail(request, str(error), target.variant)
        except requests.Refused as error:
            kind = "Invocation4XXErrors" if 400 <= error.status < 500 else "Invocation5XXErrors"
            self._metrics.count(request.endpoint, target.variant, **{kind: 1})
            self._fail(request, self._said(request, error.status, error.text), target.variant)
        except requests.Unreachable:
            self._down[target.address] = time.monotonic() + _DOWN_SECONDS
            self._later(request, pause_ms=0)
        except requests.Broken as error:
            self._down[target.address] = time.monotonic() + _DOWN_SECONDS
            if request.attempts + 1 < _ATTEMPTS:
                self._later(request, failed=True, pause_ms=0)
            else:
                self._fail(request, self._said(request, 0, str(error)), target.variant)
        else:
            self._completed(request, answered, target.variant)

    def _completed(self, request: Request, answered: requests.Answered, variant: str) -> None:
        assert self._backlog is not None
        self._metrics.count(
            request.endpoint,
            variant,
            ModelLatency=answered.model_us,
            RequestDownloadLatency=answered.download_us,
        )
        outcome = {
            "Status": "Completed",
            "ContentType": answered.content_type,
            "Size": answered.size,
            "Variant": variant,
        }
        self._backlog.settle(request, outcome)

    def _said(self, request: Request, status: int, text: str) -> str:
        settings = self._settings
        group = f"arn:aws:logs:{settings.region}:{settings.account}:log-group:"
        return errors.model_error(status, text, request.endpoint, group).message

    def _fail(self, request: Request, reason: str, variant: str = "") -> None:
        """Its answer is why there is none."""
        assert self._backlog is not None
        durable.write_bytes(backlog.answer_path(self._home, request.id), reason.encode())
        outcome = {"Status": "Failed", "ContentType": "text/plain", "Reason": reason}
        self._backlog.settle(request, outcome | ({"Variant": variant} if variant else {}))

    def _store(self, request: Request) -> None:
        """Bring the answer to S3, and be done with the request."""
        assert self._backlog is not None
        path, outcome = backlog.answer_path(self._home, request.id), request.outcome
        good = outcome["Status"] == "Completed"
        if not path.exists():
            # A backup may be younger than the answer's way to S3.
            self._backlog.again(request, 0, failed=False)
            return
        uri = request.spec["output"] if good else request.spec["failure"]
        begun = time.monotonic()
        try:
            if uri:
                bucket, key = parse_uri(uri)
                self._storage_of(request).put_file(bucket, key, path, outcome["ContentType"])
        except ApiError as error:
            text = f"The answer could not be stored at {uri}: {error.message}"
            variant = outcome.get("Variant", "")
            self._metrics.count(request.endpoint, variant, ResponseUploadFailures=1)
            if good:
                self._fail(request, text, variant)
                return
            outcome = {**outcome, "Problem": text}
        upload_us = int((time.monotonic() - begun) * 1e6)
        problem = self._untold(request, outcome, path)
        if problem:
            outcome = {"Problem": problem, **outcome}
        self._ended(request, outcome, upload_us)
        path.unlink()

    def _untold(self, request: Request, outcome: dict[str, Any], answer: Path) -> str:
        """Tell the topic that is to be told of the end; why it can't be, or ""."""
        now, settings = backlog.now_ms(), self._settings
        call = async_notices.call(request, outcome, answer, settings.region, now)
        if call is None:
            return ""
        account, default = settings.account, settings.role_name
        owner, role = request.spec["owner"], request.spec["role"]
        try:
            self._perform(service_session(account, default, role, owner), call)
        except ApiError as error:
            if error.status >= 500:
                raise  # it is told another time
            return f"Its topic could not be told: {error.message}"
        return ""

    def _ended(self, request: Request, outcome: dict[str, Any], upload_us: int) -> None:
        assert self._backlog is not None
        now = backlog.now_ms()
        good = outcome["Status"] == "Completed"
        self._backlog.end(request, outcome["Status"], outcome, now)
        variant = outcome.get("Variant", "")
        self._metrics.count(
            request.endpoint,
            variant,
            InvocationsProcessed=1,
            InvocationFailures=int(not good),
            TotalProcessingTime=max(now - request.accepted_at, 0),
            **({"ResponseUploadLatency": upload_us} if good else {}),
        )

    def _storage_of(self, request: Request) -> Storage:
        spec = request.spec
        return self._grants.storage_of(spec["role"], spec["owner"], self._storage)


def _queues(endpoints: Mapping[str, tuple[Variant, ...]]) -> dict[str, list[Variant]]:
    """The variants that answer what lies in each queue."""
    found: dict[str, list[Variant]] = {}
    for variants in endpoints.values():
        for variant in variants:
            if variant.queue is not None:
                found.setdefault(variant.queue.name, []).append(variant)
    return found


def _free(
    variants: list[Variant], taken: Mapping[str, int], up: Callable[[str], bool]
) -> list[tuple[Variant, Counter[str]]]:
    """How many requests each server could take, by variant."""
    found = []
    for variant in variants:
        assert variant.queue is not None
        most = variant.queue.concurrency
        room = Counter({it: most - taken.get(it, 0) for it in variant.servers if up(it)})
        if +room:
            found.append((variant, +room))
    # One without a share is for what no other can take.
    return [it for it in found if it[0].share] or found


def _drawn(free: list[tuple[Variant, Counter[str]]]) -> _Target | None:
    """Take the place of one request: of a variant by weight, at its server with the most room."""
    open_ = [(variant, room) for variant, room in free if +room]
    if not open_:
        return None
    weights = [variant.share * variant.weight for variant, _ in open_]
    [(variant, room)] = random.choices(open_, weights if any(weights) else None)
    address = room.most_common(1)[0][0]
    room[address] -= 1
    return _Target(variant.name, address)

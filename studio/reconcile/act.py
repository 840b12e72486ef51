"""Observes runs and carries out the steps of a plan, then stores what came of it."""

import threading
import time
from collections.abc import Iterable
from dataclasses import asdict, replace
from pathlib import Path

import structlog
from sqlalchemy import Connection

from studio.container import merge
from studio.db import resources
from studio.db.resources import Resource, Run
from studio.db.session import Database
from studio.errors import ApiError, StudioError
from studio.metrics import store
from studio.metrics.store import Batch, Reading
from studio.reconcile import deliver, meters, scheduler
from studio.reconcile.grants import Grants
from studio.reconcile.routes import Routes
from studio.reconcile.scheduler import Obstacle, Queue, Waiting
from studio.reconcile.steps import (
    LOG_LINES,
    Deliver,
    Gang,
    Kind,
    Observed,
    Plan,
    Put,
    Rejected,
    Remove,
    Route,
    Start,
    Stop,
)
from studio.runners.base import Resources, Runner, RunSpec, RunStatus, Usage
from studio.s3.client import Storage, parse_uri

log = structlog.get_logger()


class Actor:
    """Holds what the steps act on, and the queue of runs that wait for CPUs or GPUs."""

    def __init__(
        self,
        db: Database,
        runner: Runner,
        storage: Storage,
        routes: Routes,
        limit: Resources,
        grants: Grants,
    ) -> None:
        self._db = db
        self._grants = grants
        self._runner = runner
        self._storage = storage
        self._routes = routes
        self._limit = limit
        self._lock = threading.Lock()
        with db.read() as connection:
            held = {run.id: _slots(run) for run in resources.open_runs(connection)}
        self._queue = Queue(limit, held)
        self._freed: set[str] = set()
        self._sampled: dict[str, int] = {}

    def observe(self, kind: Kind, resource: Resource, run: Run) -> Observed:
        """What the runner says of `run`; of an ended run, what it said last."""
        final = run.handle.get("final")
        status = RunStatus.of(final) if final else RunStatus("pending")
        if not final and "runner" in run.handle:
            status = self._runner.poll(run.id, run.handle["runner"])
        position = kind.follow(resource, run.role)
        page = None
        if position is not None and "runner" in run.handle:
            page = self._runner.logs(run.id, position, LOG_LINES)
        metered = kind.meter and not final and "runner" in run.handle
        return Observed(run, status, page, self._usage(run.id) if metered else ())

    def carry_out(
        self, kind: Kind, resource: Resource, observed: list[Observed], plan: Plan
    ) -> int | None:
        """Act, then store; milliseconds until the next look, None for no more looks."""
        target, look = plan.resource, plan.look_ms
        known = {each.run.id: each.run for each in observed}
        ended = [_ended(each) for each in observed if _just_ended(each)]
        said = plan.metrics
        for step in plan.steps:
            if isinstance(step, Start | Gang):
                starts = step.starts if isinstance(step, Gang) else (step,)
                obstacle = self._start(kind, resource, starts, known)
                look = 0
                if obstacle is not None:
                    target = kind.blocked(target, obstacle.reason, _now())
                    look = obstacle.look_ms
            elif isinstance(step, Put | Deliver):
                refused = self._keep(resource, step, known)
                if refused is not None:
                    target, ended, look, said = resource, [refused], 0, ()
                    break
            else:
                self._simple(step, known)
        if not any(isinstance(step, Start | Gang) for step in plan.steps):
            self._leave_queue(resource.id)
        used = [meters.reading(kind, resource, it.run, it.usage) for it in observed if it.usage]
        self._take(used, ended)
        if not self._store(resource, target, ended, said):
            return 0
        return None if target.due_at is None else look

    def _usage(self, run_id: str) -> tuple[Usage, ...]:
        """The samples that are not stored yet."""
        after = self._sampled.get(run_id)
        if after is None:
            with self._db.read() as connection:
                after = store.position(connection, meters.source(run_id))
            self._sampled[run_id] = after
        return self._runner.usage(run_id, after)

    def _take(self, used: list[Reading], ended: list[Run]) -> None:
        """Store samples, before the ends of their runs: nobody asks an ended run for more."""
        if used:
            self._db.write(lambda connection: [store.take(connection, each) for each in used])
        for reading in used:
            self._sampled[meters.run_id(reading)] = reading.position
        for run in ended:
            self._sampled.pop(run.id, None)

    def freed(self) -> Iterable[str]:
        """Resources whose turn has come, once."""
        with self._lock:
            freed, self._freed = self._freed, set()
        return freed

    def _start(
        self, kind: Kind, resource: Resource, starts: tuple[Start, ...], known: dict[str, Run]
    ) -> Obstacle | None:
        """Start all, or say why they have to wait."""
        rows = self._reserve(resource, starts, known)
        if isinstance(rows, Obstacle):
            return rows
        try:
            specs = [
                replace(
                    kind.prepare(resource, start, self._storage_of(resource, row)),
                    resources=_reserved(row),
                )
                for start, row in zip(starts, rows, strict=True)
            ]
        except (Rejected, StudioError) as error:
            log.info("run rejected", run=starts[0].run_id, reason=str(error))
            reason = "Rejected" if isinstance(error, Rejected) else "StartFailed"
            begun = [self._given_up(row, reason, str(error)) for row in rows]
        else:
            begun = self._begin(resource, rows, specs)
        self._db.write(lambda connection: resources.put_runs(connection, begun))
        self._release([each for each in begun if each.phase == "failed"])
        return None

    def _storage_of(self, resource: Resource, run: Run) -> Storage:
        """S3 with the rights of the run's role, and no others."""
        return self._grants.storage(resource, run.role, self._storage)

    def _begin(self, resource: Resource, rows: list[Run], specs: list[RunSpec]) -> list[Run]:
        begun: list[Run] = []
        for row, spec in zip(rows, specs, strict=True):
            try:
                # The token is the runner's alone: the table keeps the spec without it.
                env = {**self._credentials(resource, row, spec), **spec.env}
                handle = {"runner": self._runner.start(replace(spec, env=env))}
            except StudioError as error:
                left = rows[len(begun) :]
                return begun + [self._given_up(it, "StartFailed", str(error)) for it in left]
            kept = _run_spec(row.spec["queued"], spec.resources, spec)
            begun.append(replace(row, phase="running", handle=handle, spec=kept))
        return begun

    def _credentials(self, resource: Resource, row: Run, spec: RunSpec) -> dict[str, str]:
        """None for an isolated run: it reaches nobody who would take them."""
        isolated = spec.network.isolated
        return {} if isolated else self._grants.environment(resource, row.role, row.id)

    def _given_up(self, row: Run, reason: str, message: str) -> Run:
        """As failed; should it have been started after all, also before a crash, it is stopped."""
        self._runner.stop(row.id, {})
        return _failed(row, reason, message)

    def _reserve(
        self, resource: Resource, starts: tuple[Start, ...], known: dict[str, Run]
    ) -> list[Run] | Obstacle:
        """The rows of the runs, which hold their slots from now on, or why they have to wait."""
        found = [known[start.run_id] for start in starts if start.run_id in known]
        if len(found) == len(starts):
            return found
        parts = [scheduler.fitted(it.resources, self._limit, len(starts)) for it in starts]
        wanted = scheduler.together(parts, self._limit)
        turn = Waiting(resource.created_at, resource.id, wanted, len(starts))
        rows = [
            Run(it.run_id, resource.id, it.role, "process", _now(), _run_spec(it.queued, part))
            for it, part in zip(starts, parts, strict=True)
        ]
        with self._lock:
            if starts[0].queued:
                obstacle = self._queue.ask(turn)
                if obstacle is not None:
                    return obstacle
            self._queue.hold({row.id: _slots(row) for row in rows})
            self._freed |= self._queue.ready()
        # Without the lock: those that start or end meanwhile share one sync of the disk.
        try:
            self._db.write(lambda connection: resources.put_runs(connection, rows))
        except BaseException:
            self._release(rows)
            raise
        return rows

    def _leave_queue(self, resource_id: str) -> None:
        with self._lock:
            if self._queue.leave(resource_id):
                self._freed |= self._queue.ready()

    def _release(self, ended: list[Run]) -> None:
        """To be called once the ends are stored."""
        if not ended:
            return
        with self._lock:
            self._queue.release(run.id for run in ended)
            self._freed |= self._queue.ready()

    def _keep(self, resource: Resource, step: Put | Deliver, known: dict[str, Run]) -> Run | None:
        if isinstance(step, Put):
            return self._put(resource, step, known)
        return self._deliver(resource, step, known)

    def _put(self, resource: Resource, step: Put, known: dict[str, Run]) -> Run | None:
        """The run as failed when the store refuses the object, e.g. for want of the bucket."""
        bucket, key = parse_uri(step.uri)
        path = merge.merged([Path(each) for each in step.paths])
        try:
            self._storage_of(resource, known[step.run_id]).put_file(bucket, key, path)
        except ApiError as error:
            message = f"{step.uri} could not be stored: {error.message}"
            return _failed(known[step.run_id], "UploadFailed", message)
        return None

    def _deliver(self, resource: Resource, step: Deliver, known: dict[str, Run]) -> Run | None:
        """As `_put`, when it must; else whatever goes wrong, the command goes on."""
        run = known[step.run_id]
        try:
            deliver.deliver(Path(step.folder), step.uri, self._storage_of(resource, run))
        except ApiError as error:
            if step.must:
                message = f"{step.uri} could not be stored: {error.message}"
                return _failed(run, "UploadFailed", message)
            log.warning("checkpoints not stored", run=run.id, error=error.message)
        except Exception:
            if step.must:
                raise
            log.exception("checkpoints not stored", run=run.id)
        return None

    def _simple(self, step: Stop | Remove | Route, known: dict[str, Run]) -> None:
        if isinstance(step, Stop):
            self._runner.stop(step.run_id, known[step.run_id].handle.get("runner", {}))
        elif isinstance(step, Remove):
            self._remove(step, known)
        else:
            self._routes.set(step.endpoint, step.variants)

    def _remove(self, step: Remove, known: dict[str, Run]) -> None:
        """A folder that cannot be removed must not keep a job from ending."""
        try:
            self._runner.remove(step.run_id, known[step.run_id].handle.get("runner", {}))
        except Exception:
            log.exception("run not removed", run=step.run_id)

    def _store(
        self, before: Resource, after: Resource, ended: list[Run], said: tuple[Batch, ...]
    ) -> bool:
        """False when an operation changed the resource meanwhile: then the plan is made anew."""
        if after == before and not ended:
            return True
        stored = self._db.write(lambda it: _save(it, before, after, ended, said))
        self._release(ended)
        self._grants.ended(ended)
        return stored


def _save(
    connection: Connection,
    before: Resource,
    after: Resource,
    ended: list[Run],
    said: tuple[Batch, ...],
) -> bool:
    resources.put_runs(connection, ended)
    if after != before and resources.update(connection, after) is None:
        return False
    store.append(connection, said)
    return True


def _run_spec(queued: bool, part: Resources, spec: RunSpec | None = None) -> resources.Doc:
    return {
        "queued": queued,
        "resources": asdict(part),
        # Not what it reads: that may be long, and holds addresses that open without a key.
        "run": replace(spec, inputs=(), archives=(), streams=()).document() if spec else None,
    }


def _reserved(run: Run) -> Resources:
    return Resources(**run.spec["resources"])


def _slots(run: Run) -> Resources:
    return _reserved(run) if run.spec["queued"] else Resources(0, 0, 0)


def _just_ended(observed: Observed) -> bool:
    return observed.status.ended and "final" not in observed.run.handle


def _ended(observed: Observed) -> Run:
    status = observed.status
    return replace(
        observed.run,
        phase=status.phase,
        exit_code=status.exit_code,
        message=status.message,
        started_at=status.started_at,
        ended_at=status.ended_at,
        handle={**observed.run.handle, "final": asdict(status)},
    )


def _failed(run: Run, reason: str, message: str) -> Run:
    status = RunStatus("failed", reason=reason, message=message, ended_at=_now())
    return _ended(Observed(run, status))


def _now() -> int:
    return time.time_ns() // 1_000_000

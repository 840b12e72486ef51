"""Observes runs and carries out the steps of a plan, then stores what came of it."""

import threading
import time
from collections.abc import Iterable
from dataclasses import asdict, replace
from pathlib import Path

import structlog
from sqlalchemy import Connection

from studio.db import resources
from studio.db.resources import Resource, Run
from studio.db.session import Database
from studio.errors import ApiError, StudioError
from studio.reconcile import scheduler
from studio.reconcile.routes import Routes
from studio.reconcile.scheduler import Waiting
from studio.reconcile.steps import Kind, Observed, Plan, Put, Rejected, Remove, Route, Start, Stop
from studio.runners.base import Produced, Resources, Runner, RunSpec, RunStatus
from studio.s3.client import Storage, parse_uri

log = structlog.get_logger()

LOG_LINES = 2_000
"""Lines of a run's log that one look reads."""


class Actor:
    """Holds what the steps act on, and the queue of runs that wait for CPUs or GPUs."""

    def __init__(
        self, db: Database, runner: Runner, storage: Storage, routes: Routes, limit: Resources
    ) -> None:
        self._db = db
        self._runner = runner
        self._storage = storage
        self._routes = routes
        self._limit = limit
        self._lock = threading.Lock()
        self._waiting: dict[str, Waiting] = {}
        self._freed: set[str] = set()

    def observe(self, kind: Kind, resource: Resource, run: Run) -> Observed:
        """What the runner says of `run`; of an ended run, what it said last."""
        final = run.handle.get("final")
        status = _status(final) if final else RunStatus("pending")
        if not final and "runner" in run.handle:
            status = self._runner.poll(run.id, run.handle["runner"])
        position = kind.follow(resource)
        page = None
        if position is not None and "runner" in run.handle:
            page = self._runner.logs(run.id, position, LOG_LINES)
        return Observed(run, status, page)

    def carry_out(
        self, kind: Kind, resource: Resource, observed: list[Observed], plan: Plan
    ) -> int | None:
        """Act, then store; milliseconds until the next look, None for no more looks."""
        target, look = plan.resource, plan.look_ms
        known = {each.run.id: each.run for each in observed}
        ended = [_ended(each) for each in observed if _just_ended(each)]
        for step in plan.steps:
            if isinstance(step, Start):
                reason = self._start(kind, resource, step, known)
                if reason is not None:
                    target, look = kind.blocked(target, reason, _now()), 5_000
                else:
                    look = 0
            elif isinstance(step, Put):
                refused = self._put(step, known)
                if refused is not None:
                    target, ended, look = resource, [refused], 0
                    break
            else:
                self._simple(step, known)
        if not any(isinstance(step, Start) for step in plan.steps):
            self._leave_queue(resource.id)
        if not self._store(resource, target, ended):
            return 0
        return None if target.due_at is None else look

    def freed(self) -> Iterable[str]:
        """Resources that wait for slots, once after slots became free."""
        with self._lock:
            freed, self._freed = self._freed, set()
        return freed

    def _start(
        self, kind: Kind, resource: Resource, step: Start, known: dict[str, Run]
    ) -> str | None:
        run = known.get(step.run_id) or self._reserve(resource, step)
        if isinstance(run, str):
            return run
        try:
            spec = kind.prepare(resource, step, self._storage)
            spec = replace(spec, resources=scheduler.fitted(step.resources, self._limit))
            handle = {"runner": self._runner.start(spec)}
            run = replace(
                run,
                phase="running",
                handle=handle,
                spec=_run_spec(step.queued, spec.resources, spec),
            )
        except (Rejected, StudioError) as error:
            log.info("run rejected", run=step.run_id, reason=str(error))
            reason = "Rejected" if isinstance(error, Rejected) else "StartFailed"
            run = _failed(run, reason, str(error))
        self._db.write(lambda connection: resources.put_runs(connection, [run]))
        return None

    def _reserve(self, resource: Resource, step: Start) -> Run | str:
        """The row of the run, which holds its slots from now on, or why it has to wait."""
        wanted = scheduler.fitted(step.resources, self._limit)
        turn = Waiting(resource.created_at, resource.id, wanted)
        row = _run_spec(step.queued, wanted, None)
        run = Run(step.run_id, resource.id, step.role, "process", _now(), row)
        with self._lock:
            if step.queued:
                with self._db.read() as connection:
                    used = [_slots(each) for each in resources.open_runs(connection)]
                queue = list(self._waiting.values())
                reason = scheduler.obstacle(turn, queue, used, self._limit)
                if reason is not None:
                    self._waiting[resource.id] = turn
                    return reason
                self._waiting.pop(resource.id, None)
            self._db.write(lambda connection: resources.put_runs(connection, [run]))
        return run

    def _leave_queue(self, resource_id: str) -> None:
        with self._lock:
            if self._waiting.pop(resource_id, None):
                self._freed = set(self._waiting)

    def _put(self, step: Put, known: dict[str, Run]) -> Run | None:
        """The run as failed when the store refuses the object, e.g. for want of the bucket."""
        bucket, key = parse_uri(step.uri)
        try:
            self._storage.put_file(bucket, key, Path(step.path))
        except ApiError as error:
            message = f"{step.uri} could not be stored: {error.message}"
            return _failed(known[step.run_id], "UploadFailed", message)
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

    def _store(self, before: Resource, after: Resource, ended: list[Run]) -> bool:
        """False when an operation changed the resource meanwhile: then the plan is made anew."""
        if after == before and not ended:
            return True
        with self._lock:
            stored = self._db.write(lambda connection: _save(connection, before, after, ended))
            if ended:
                self._freed = set(self._waiting)
        return stored


def _save(connection: Connection, before: Resource, after: Resource, ended: list[Run]) -> bool:
    resources.put_runs(connection, ended)
    return after == before or resources.update(connection, after) is not None


def _run_spec(queued: bool, reserved: Resources, spec: RunSpec | None) -> resources.Doc:
    return {
        "queued": queued,
        "resources": asdict(reserved),
        # Not what it reads: that may be long, and holds addresses that open without a key.
        "run": replace(spec, inputs=(), archives=(), streams=()).document() if spec else None,
    }


def _slots(run: Run) -> Resources:
    return Resources(**run.spec["resources"]) if run.spec["queued"] else Resources(0, 0, 0)


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


def _status(document: resources.Doc) -> RunStatus:
    return RunStatus(
        **{
            **document,
            "stages": tuple((name, at) for name, at in document["stages"]),
            "outputs": tuple(Produced(**each) for each in document["outputs"]),
            "checkpoints": tuple(document.get("checkpoints", ())),
        }
    )


def _now() -> int:
    return time.time_ns() // 1_000_000

"""Observes runs and carries out the steps of a plan, then stores what came of it."""

import time
from dataclasses import asdict, replace
from pathlib import Path

import structlog
from sqlalchemy import Connection

from studio.container import merge
from studio.db import positions, resources
from studio.db.resources import Resource, Run
from studio.db.session import Database
from studio.errors import ApiError, StudioError
from studio.metrics import store
from studio.metrics.store import Reading
from studio.reconcile import deliver, interruptions, meters, scheduler
from studio.reconcile.broker import Broker, reserved
from studio.reconcile.grants import Grants
from studio.reconcile.routes import Routes
from studio.reconcile.scheduler import Obstacle
from studio.reconcile.steps import (
    LOG_LINES,
    QUIET_LOOK_MS,
    Call,
    Deliver,
    Gang,
    Keep,
    Kind,
    Observed,
    Plan,
    Put,
    Rejected,
    Release,
    Remove,
    Route,
    Start,
    Stop,
    Used,
)
from studio.runners.base import METERS, Resources, Runner, RunSpec, RunStatus
from studio.s3.client import Storage, parse_uri

log = structlog.get_logger()

_SAMPLES_MS, _LONGEST_SAMPLES_MS = 600, 60_000
_QUIET_MS, _LONGEST_QUIET_MS = 200, 20_000


class Actor:
    """Holds what the steps act on. `broker` says whose turn it is."""

    def __init__(
        self,
        db: Database,
        runner: Runner,
        storage: Storage,
        routes: Routes,
        broker: Broker,
        grants: Grants,
    ) -> None:
        self._db = db
        self._grants = grants
        self._runner = runner
        self._storage = storage
        self._routes = routes
        self._broker = broker
        self._sampled: dict[str, int] = {}

    def observe(self, kind: Kind, resource: Resource, run: Run) -> Observed:
        """What the runner says of `run`; of an ended run, what it said last."""
        final = run.handle.get("final")
        status = RunStatus.of(final) if final else RunStatus(run.phase)
        if not final and "runner" in run.handle:
            status = self._runner.poll(run.id, run.handle["runner"])
        if "runner" not in run.handle:
            return Observed(run, status)
        wanted = kind.follow(resource, run.role)
        page = lines = None
        if wanted.log is not None:
            page = self._runner.logs(run.id, wanted.log, LOG_LINES)
        if wanted.metrics is not None:
            lines = self._runner.metric_lines(run.id, wanted.metrics)
        metered = kind.meter and not final
        used = self._used(run.id, status.ended) if metered else ()
        known = self._routes.health() if status.address else {}
        busy, hung = (status.address in known.get(it, ()) for it in ("Leaving", "Hung"))
        return Observed(run, status, page, lines, used, busy, hung)

    def carry_out(
        self, kind: Kind, resource: Resource, observed: list[Observed], plan: Plan
    ) -> int | None:
        """Act, then store; milliseconds until the next look, None for no more looks."""
        target, look, said = plan.resource, plan.look_ms, True
        known = {each.run.id: each.run for each in observed}
        ended = [_ended(each) for each in observed if _just_ended(each)]
        for step in plan.steps:
            if isinstance(step, Start | Gang):
                starts = step.starts if isinstance(step, Gang) else (step,)
                obstacle = self._start(kind, resource, starts, known)
                look = 0
                if obstacle is not None:
                    target = kind.blocked(target, obstacle.reason, _now())
                    look = obstacle.look_ms
            elif isinstance(step, Release):
                ended.append(_released(known[step.run_id]))
            elif isinstance(step, Put | Deliver):
                refused = self._keep(resource, step, known)
                if refused is not None:
                    target, ended, look, said = resource, [refused], 0, False
                    break
            elif isinstance(step, Call):
                target = kind.call(target, step)
            else:
                self._simple(step, known)
        if not any(isinstance(step, Start | Gang) for step in plan.steps):
            self._broker.leave(resource.id)
        self._take(kind, resource, observed, ended)
        told = plan if said else Plan(target)
        if not self._store(kind, resource, replace(told, resource=target), ended):
            return 0
        return None if target.due_at is None else self._paced(look)

    def _paced(self, look: int | None) -> int | None:
        """A look at which nothing is expected is the later the more there are to look at."""
        if look != QUIET_LOOK_MS:
            return look
        return max(look, min(self._broker.runs * _QUIET_MS, _LONGEST_QUIET_MS))

    def _used(self, run_id: str, ended: bool) -> tuple[Used, ...]:
        """The samples that are not stored yet, from time to time: the more runs there are, the
        rarer, lest storing them cost more with each. Charts of a run read the runner's own."""
        due = _now() - min(self._broker.runs * _SAMPLES_MS, _LONGEST_SAMPLES_MS)
        found = []
        for meter in METERS:
            taken = self._taken(meters.source(run_id, meter))
            if ended or taken < due:
                found.append(Used(meter, self._runner.usage(run_id, meter, taken)))
        return tuple(used for used in found if used.samples)

    def _taken(self, source: str) -> int:
        if source not in self._sampled:
            with self._db.read() as connection:
                self._sampled[source] = positions.position(connection, source)
        return self._sampled[source]

    def _take(
        self, kind: Kind, resource: Resource, observed: list[Observed], ended: list[Run]
    ) -> None:
        """Store samples, before the ends of their runs: nobody asks an ended run for more."""
        found = [(it.run, used) for it in observed for used in it.used]
        read = [(*it, meters.reading(kind, resource, *it)) for it in found]
        installed = self._runner.installed(ended[0].id) if ended else []
        if read or installed:
            self._db.write(lambda it: _take(it, kind, resource, read, installed))
        for _, _, reading in read:
            self._sampled[reading.source] = reading.position
        for run in ended:
            for source in meters.sources(run.id):
                self._sampled.pop(source, None)

    def _start(
        self, kind: Kind, resource: Resource, starts: tuple[Start, ...], known: dict[str, Run]
    ) -> Obstacle | None:
        """Start all, or say why they have to wait."""
        rows = self._reserve(resource, starts, known)
        if isinstance(rows, Obstacle):
            return rows
        prepare = kind.prepare
        if prepare is None:
            held = [replace(row, phase="running", started_at=_now()) for row in rows]
            self._db.write(lambda connection: resources.put_runs(connection, held))
            return None
        try:
            specs = [
                replace(
                    prepare(resource, start, self._storage_of(resource, row)),
                    resources=reserved(row),
                )
                for start, row in zip(starts, rows, strict=True)
            ]
        except (Rejected, StudioError) as error:
            log.info("run rejected", run=starts[0].run_id, reason=str(error))
            reason = "Rejected" if isinstance(error, Rejected) else "StartFailed"
            specs, begun = [], [self._given_up(row, reason, str(error)) for row in rows]
        else:
            begun = self._begin(resource, rows, specs)
        self._db.write(lambda connection: _put_begun(connection, kind, resource, begun, specs))
        self._broker.release([each for each in begun if each.phase == "failed"])
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
                handle = {"runner": self._runner.start(replace(spec, env=env, facts={}))}
            except StudioError as error:
                left = rows[len(begun) :]
                return begun + [self._given_up(it, "StartFailed", str(error)) for it in left]
            kept = _run_spec(row.spec["queued"], spec.resources, spec)
            runner = "docker" if spec.image else "process"
            begun.append(replace(row, runner=runner, phase="running", handle=handle, spec=kept))
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
        limit = self._broker.limit
        parts = [scheduler.fitted(it.resources, limit, len(starts)) for it in starts]
        turn = self._broker.turn(parts, resource) if starts[0].queued else None
        given = self._broker.reserve(turn, [it.run_id for it in starts], parts)
        if isinstance(given, Obstacle):
            assert turn is not None
            return interruptions.for_turn(self._db, self._broker, turn, given)
        rows = [
            Run(it.run_id, resource.id, it.role, "process", _now(), _run_spec(it.queued, part))
            for it, part in zip(starts, given, strict=True)
        ]
        # Without the broker's lock: those that start or end meanwhile share one sync of the disk.
        try:
            self._db.write(lambda connection: resources.put_runs(connection, rows))
        except BaseException:
            self._broker.release(rows)
            raise
        return rows

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

    def _simple(self, step: Stop | Remove | Keep | Route, known: dict[str, Run]) -> None:
        if isinstance(step, Stop):
            self._runner.stop(step.run_id, known[step.run_id].handle.get("runner", {}))
        elif isinstance(step, Remove):
            self._remove(step, known)
        elif isinstance(step, Keep):
            self._keep_ready(step, known)
        else:
            self._routes.set(step.endpoint, step.variants)

    def _keep_ready(self, step: Keep, known: dict[str, Run]) -> None:
        """What cannot be kept ready is started anew: that fails nobody."""
        try:
            self._runner.keep(RunSpec.of(known[step.run_id].spec["run"]), step.until)
        except Exception:
            log.exception("not kept ready", run=step.run_id)

    def _remove(self, step: Remove, known: dict[str, Run]) -> None:
        """A folder that cannot be removed must not keep a job from ending."""
        try:
            self._runner.remove(step.run_id, known[step.run_id].handle.get("runner", {}))
        except Exception:
            log.exception("run not removed", run=step.run_id)

    def _store(self, kind: Kind, before: Resource, plan: Plan, ended: list[Run]) -> bool:
        """False when an operation changed the resource meanwhile: then the plan is made anew."""
        if plan.resource == before and not ended:
            return True
        stored = self._db.write(lambda it: _save(it, kind, before, plan, ended))
        self._broker.release(ended)
        self._grants.ended(ended)
        return stored


def _put_begun(
    connection: Connection, kind: Kind, resource: Resource, begun: list[Run], specs: list[RunSpec]
) -> None:
    resources.put_runs(connection, begun)
    for spec in specs[:1]:  # all hosts run with the same
        kind.started(connection, resource, spec)


def _take(
    connection: Connection,
    kind: Kind,
    resource: Resource,
    read: list[tuple[Run, Used, Reading]],
    installed: list[resources.Doc],
) -> None:
    if installed:
        kind.installed(connection, resource, installed)
    for run, used, reading in read:
        if store.take(connection, reading):
            kind.used(connection, resource, run, used)


def _save(
    connection: Connection, kind: Kind, before: Resource, plan: Plan, ended: list[Run]
) -> bool:
    resources.put_runs(connection, ended)
    if plan.resource != before and resources.update(connection, plan.resource) is None:
        return False
    store.append(connection, plan.metrics)
    kind.said(connection, plan.resource, plan.points)
    return True


def _run_spec(queued: bool, part: Resources, spec: RunSpec | None = None) -> resources.Doc:
    return {
        "queued": queued,
        "resources": asdict(part),
        # Not what it reads: that may be long, and holds addresses that open without a key.
        "run": replace(
            spec, inputs=(), archives=(), streams=(), transform=None, facts={}
        ).document()
        if spec
        else None,
    }


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


def _released(run: Run) -> Run:
    return _ended(Observed(run, RunStatus("stopped", started_at=run.started_at, ended_at=_now())))


def _failed(run: Run, reason: str, message: str) -> Run:
    status = RunStatus("failed", reason=reason, message=message, ended_at=_now())
    return _ended(Observed(run, status))


def _now() -> int:
    return time.time_ns() // 1_000_000

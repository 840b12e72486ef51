"""What happens to a training job: a pure plan, and the specs of its runs, one a host.

Starting (Pending while it waits for its turn), Downloading, Training, Uploading, and one of
Completed, Failed, Stopped, MaxRuntimeExceeded. All hosts start together and all have to end; the
first that fails ends the others. The archives that they leave are stored before the job says that
it is done.
"""

from dataclasses import replace

from sqlalchemy import Connection

from studio.api import (
    channels,
    checkpoints,
    images,
    instances,
    job_components,
    job_facts,
    job_outputs,
    job_runs,
    job_time,
    metrics,
    notebook_jobs,
    scripts,
    training_metrics,
    warm_pools,
)
from studio.api.job_ends import FINAL
from studio.container import layout
from studio.db.resources import Doc, Resource, Run
from studio.reconcile.interruptions import WANTED
from studio.reconcile.steps import (
    Deliver,
    Dimensions,
    Kind,
    Observed,
    Plan,
    Point,
    Put,
    Remove,
    Start,
    Step,
    Stop,
)
from studio.runners.base import Handed, Output, RunSpec, RunStatus
from studio.s3.client import Storage
from studio.settings import Settings

_ROLE = "train"
_STAGES = ("Downloading", "Training", "Uploading")
_MODEL = "model.tar.gz"
_OURS = ("RunnerLost", "HostRestarted")
"""The platform's failures, which RetryStrategy is for."""
_MESSAGES = {
    "Starting": "Preparing the instances for training",
    "Downloading": "Downloading input data",
    "Training": "Training image download completed. Training in progress.",
    "Uploading": "Uploading generated training model",
    "Completed": "Training job completed",
    "Stopping": "Stopping the training job",
    "Stopped": "Training job stopped",
    "MaxWaitTimeExceeded": "Training job exceeded the MaxWaitTimeInSeconds provided",
    "MaxRuntimeExceeded": "Training job runtime exceeded MaxRuntimeInSeconds provided",
    "Failed": "Training job failed",
}


def kind(settings: Settings) -> Kind:
    """The behaviour of training jobs, for the reconciler."""
    return Kind(
        name="training-job",
        role_arn=lambda job, _run_role: str(job.spec["RoleArn"]),
        plan=plan,
        prepare=lambda job, start, storage: _prepare(settings, job, start, storage),
        blocked=job_runs.blocked,
        follow=training_metrics.follow,
        meter=_meter,
        said=job_components.said,
        started=_started,
        installed=job_components.installed,
        used=job_components.used,
    )


def _started(connection: Connection, job: Resource, run: RunSpec) -> None:
    job_components.started(connection, job, run)
    warm_pools.reused(connection, job, run.pool)


def _meter(job: Resource, run: Run) -> tuple[str, Dimensions]:
    return metrics.NAMESPACE, (("Host", f"{job.name}/{run.role.split('/')[1]}"),)


def plan(job: Resource, observed: list[Observed], now: int) -> Plan:
    """What to do next for a job that is not done."""
    if job.status in FINAL:
        return warm_pools.upkeep(job, job_runs.latest(job, _ROLE, observed), now)
    left = job_time.left_to_wait(job, now)
    if left is not None and left <= 0 and job.desired != "stopped":
        state = {**job.state, "WaitExceeded": True}
        job = replace(job, desired="stopped", status="Stopping", state=state)
    made = _planned(job, observed, now)
    if left is None or left <= 0 or made.look_ms is None:
        return made
    return replace(made, look_ms=min(made.look_ms, left))


def _planned(job: Resource, observed: list[Observed], now: int) -> Plan:
    runs = job_runs.latest(job, _ROLE, observed)
    if not runs:
        return _begin(job, now)
    job, printed, written = _noted(job, runs, now)
    said, points = metrics.batches(job, printed), (*printed, *written)
    return replace(_next(job, runs, now), metrics=said, points=points)


def _next(job: Resource, runs: list[Observed], now: int) -> Plan:
    if all(each.status.ended for each in runs):
        return _end(job, runs, now)
    steps: list[Step] = []
    if any(map(job_runs.unstarted, runs)):
        steps.append(job_runs.gang(job, _ROLE))
    elif job.desired in ("stopped", WANTED) or any(job_runs.fatal(each.status) for each in runs):
        steps += [Stop(each.run.id) for each in runs if not each.status.ended]
    steps += _deliveries(job, runs, must=False)
    return Plan(job, tuple(steps), job_runs.look_ms(runs, bool(steps)))


def _begin(job: Resource, now: int) -> Plan:
    if job.desired == "stopped":
        return Plan(_stopped(job, now))
    # What does not run yet need not be interrupted.
    waiting = replace(job, desired="present") if job.desired == WANTED else job
    return Plan(waiting, (job_runs.gang(job, _ROLE),), job_runs.LOOK_MS)


def _end(job: Resource, runs: list[Observed], now: int) -> Plan:
    """Read the rest of the logs, store what the runs left, then say how they ended."""
    if any(map(training_metrics.unread, runs)):
        return Plan(job, (), 0)
    status = job_runs.verdict([each.status for each in runs], job.desired == "stopped")
    if job.desired == WANTED and status.phase == "stopped":
        return _interrupted(job, runs, now)
    if status.reason in _OURS and _attempts_left(job):
        text = f"{job_runs.failure_reason(status, job.spec)} Trying again."
        return _again(job, _entered(job.state, "Restarting", now, text), runs, now)
    left = _left(status, runs)
    if (left or any(each.status.batches for each in runs)) and not job.state.get("Stored"):
        prefix = job_outputs.prefix(job)
        puts = [Put(runs[0].run.id, paths, prefix + name) for name, paths in left.items()]
        kept = (*puts, *_deliveries(job, runs, must=True))
        return Plan(replace(job, state={**job.state, "Stored": True}), kept, 0)
    removals = tuple(Remove(each.run.id) for each in runs if "runner" in each.run.handle)
    done = warm_pools.ended(_outcome(job, status, now), _pool(runs), now)
    kept = () if done.due_at is None else warm_pools.upkeep(done, runs, now).steps
    return Plan(done, (*kept, *removals), 0)


def _pool(runs: list[Observed]) -> str:
    """What the runs said of what may be kept ready for others."""
    return str((runs[0].run.spec.get("run") or {}).get("pool", ""))


def _deliveries(job: Resource, runs: list[Observed], must: bool) -> list[Step]:
    """What stores the checkpoints that wait."""
    return [
        Deliver(each.run.id, batch.path, checkpoints.prefix(job.spec), must)
        for each in runs
        for batch in each.status.batches
    ]


def _attempts_left(job: Resource) -> bool:
    retries = job.spec.get("RetryStrategy", {}).get("MaximumRetryAttempts", 0)
    failed = job.state.get("Attempt", 1) - job.state.get("Interruptions", 0)
    return job.desired != "stopped" and failed <= retries


def _interrupted(job: Resource, runs: list[Observed], now: int) -> Plan:
    """It waits for its turn, which it keeps, and goes on from its checkpoints."""
    state = job_runs.interrupted(job.state, now)
    again = replace(job, desired="present")
    return _again(again, _entered(state, "Starting", now), runs, now)


def _again(job: Resource, state: Doc, runs: list[Observed], now: int) -> Plan:
    """Another attempt, in runs of its own: the one before cannot have run to its end."""
    state["Attempt"] = job.state.get("Attempt", 1) + 1
    removals = (Remove(each.run.id) for each in runs if "runner" in each.run.handle)
    steps = (*_deliveries(job, runs, must=True), *removals)
    return Plan(replace(job, state=state, modified_at=now), steps, 0)


def _left(verdict: RunStatus, runs: list[Observed]) -> dict[str, tuple[str, ...]]:
    """Archive -> the files of it that hosts left; of a job that failed no model."""
    left: dict[str, tuple[str, ...]] = {}
    for run in runs:
        for made in run.status.outputs:
            if made.archive != _MODEL or verdict.phase in ("succeeded", "stopped"):
                left[made.archive] = (*left.get(made.archive, ()), made.path)
    return left


def _outcome(job: Resource, status: RunStatus, now: int) -> Resource:
    if status.phase == "succeeded":
        return _finished(job, "Completed", "Completed", "", now)
    if status.reason == "MaxRuntimeExceeded":
        return _finished(job, "Stopped", "MaxRuntimeExceeded", "", now)
    if status.phase == "stopped" or job.desired == "stopped":
        return _stopped(job, now)
    return _finished(job, "Failed", "Failed", job_runs.failure_reason(status, job.spec), now)


def _stopped(job: Resource, now: int) -> Resource:
    secondary = "MaxWaitTimeExceeded" if job.state.get("WaitExceeded") else "Stopped"
    return _finished(job, "Stopped", secondary, "", now)


def _finished(job: Resource, status: str, secondary: str, reason: str, now: int) -> Resource:
    state = _entered(job.state, secondary, now)
    now = state["Transitions"][-1]["StartTime"]  # never before the last, whatever the clock says
    state["Transitions"][-1]["EndTime"] = now
    if reason:
        state |= {"FailureReason": reason}
        state["Transitions"][-1]["StatusMessage"] = reason
    return replace(
        job, status=status, state={**state, "TrainingEndTime": now}, modified_at=now, due_at=None
    )


def _noted(
    job: Resource, runs: list[Observed], now: int
) -> tuple[Resource, list[Point], list[Point]]:
    """The job with the stages that its runs went through, and the metrics that they printed and
    those that they wrote."""
    state = _staged_state(job, runs, now)
    state, printed = training_metrics.printed(state, runs)
    state, written = training_metrics.written(state, runs)
    if state is job.state:
        return job, [], []
    moved = len(state["Transitions"]) != len(job.state["Transitions"])
    changed = replace(job, state=state, modified_at=now if moved else job.modified_at)
    return changed, printed, written


def _staged_state(job: Resource, runs: list[Observed], now: int) -> Doc:
    state = job.state
    for stage, since in job_runs.reached(runs, _STAGES):
        # Who is told to stop while it downloads may hear that too late, and train for a moment.
        passed = job_runs.passed(state)
        if stage == "Uploading" and _is_cut_short(job, runs):
            continue
        if stage not in passed and not (stage != "Uploading" and "Stopping" in passed):
            state = _entered(state, stage, since)
        if stage == "Training" and "TrainingStartTime" not in state:
            state = {**state, "TrainingStartTime": since}
    if job.status == "Stopping" and "Stopping" not in job_runs.passed(state):
        state = _entered(state, "Stopping", now)
    return _contained(state, runs)


def _contained(state: Doc, runs: list[Observed]) -> Doc:
    """With what containers tell: how far the pull of their image is, and which one it was."""
    waits_for = next((each.status.waits_for for each in runs if each.status.waits_for), "")
    last = state["Transitions"][-1]
    if waits_for and last["Status"] == "Downloading" and last["StatusMessage"] != waits_for:
        changed = [*state["Transitions"][:-1], {**last, "StatusMessage": waits_for}]
        state = {**state, "Transitions": changed}
    digest = next((each.status.image for each in runs if each.status.image), "")
    if digest and state.get("ImageDigest") != digest:
        state = {**state, "ImageDigest": digest}
    return state


def _is_cut_short(job: Resource, runs: list[Observed]) -> bool:
    """What an interrupted attempt leaves is packed, and stored only if it came to its end."""
    return job.desired == WANTED and any(it.status.phase != "succeeded" for it in runs)


def _entered(state: Doc, status: str, at: int, message: str = "") -> Doc:
    return job_runs.entered(state, status, at, message or _MESSAGES[status])


def _prepare(settings: Settings, job: Resource, start: Start, storage: Storage) -> RunSpec:
    spec = job.spec
    name = start.role.split("/")[1]
    hosts = layout.hosts(spec["ResourceConfig"])
    staged = _staged(spec, name, storage)
    kept = checkpoints.folder(spec)
    program = images.trained(settings, spec)
    python = images.interpreter(settings, program, spec.get("Environment", {}))
    compress = spec["OutputDataConfig"].get("CompressionType", "GZIP") == "GZIP"
    pool = warm_pools.name(job, program)
    given = layout.training_env(spec, job.arn, settings.region, name)
    return RunSpec(
        id=start.run_id,
        command=_command(program, spec["AlgorithmSpecification"]),
        env={**given, **warm_pools.environment(spec, program, pool)},
        files={
            **layout.training_files(spec, job.arn, name, "eth0" if program.container else "lo"),
            **scripts.files(settings, job),
        },
        folders=(*layout.TRAINING_FOLDERS, *staged.folders, *([kept] if kept else [])),
        inputs=(*staged.inputs, *checkpoints.restored(spec, storage)),
        archives=scripts.of_training(program, spec, storage),
        linked=staged.linked,
        streams=staged.streams,
        handed=(Handed(kept),) if kept else (),
        outputs=(
            Output("model", _MODEL, compress),
            Output("output/data", "output.tar.gz", compress, skip_empty=True),
        ),
        timeout_seconds=job_time.left_to_run(job),
        stop_seconds=settings.job_stop_seconds,
        disk_mb=instances.disk_mb(spec["ResourceConfig"]),
        network=job_runs.network(job, hosts, name, spec.get("EnableNetworkIsolation", False)),
        python=python,
        pool=pool,
        image=program.container,
        image_program=not (
            program.entrypoint or spec["AlgorithmSpecification"].get("ContainerEntrypoint")
        ),
        facts=job_facts.facts(spec, program, python, staged.contents),
    )


def _staged(spec: Doc, name: str, storage: Storage) -> channels.Staged:
    """What the host `name` gets of the channels: a channel may be for some groups only."""
    every = layout.hosts(spec["ResourceConfig"])
    mode = spec["AlgorithmSpecification"]["TrainingInputMode"]
    staged = []
    for channel in spec.get("InputDataConfig", []):
        groups = channel["DataSource"]["S3DataSource"].get("InstanceGroupNames")
        mine = [host.name for host in every if not groups or host.group in groups]
        if name in mine:
            share = channels.Share(mine.index(name), len(mine))
            staged.append(channels.stage(channel, mode, spec["RoleArn"], storage, share))
    return channels.joined(staged)


def _command(program: images.Program, algorithm: Doc) -> tuple[str, ...]:
    """As `docker run`: ContainerEntrypoint replaces the image's, arguments replace `train`."""
    entrypoint = algorithm.get("ContainerEntrypoint")
    arguments = algorithm.get("ContainerArguments")
    if entrypoint:
        own = entrypoint if program.container else notebook_jobs.command(entrypoint)
        return (*own, *(arguments or ()))
    return (*program.entrypoint, *(arguments or ("train",)))

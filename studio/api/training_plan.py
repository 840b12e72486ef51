"""What happens to a training job: a pure plan, and the spec of its run.

Starting (Pending while it waits for its turn), Downloading, Training, Uploading, and one of
Completed, Failed, Stopped, MaxRuntimeExceeded. The archives that the run leaves are stored before
the job says that it is done.
"""

from dataclasses import replace

from studio.api import channels, images, instances
from studio.api.metrics import scrape
from studio.api.training_jobs import FINAL, output_prefix
from studio.container import layout
from studio.db.resources import Doc, Resource
from studio.reconcile.steps import Kind, Observed, Plan, Put, Remove, Start, Step, Stop
from studio.runners.base import Output, RunSpec, RunStatus
from studio.s3.client import Storage
from studio.settings import Settings

ROLE = "train/algo-1"

_LOOK_MS = 1_000
_MESSAGES = {
    "Downloading": "Downloading input data",
    "Training": "Training image download completed. Training in progress.",
    "Uploading": "Uploading generated training model",
    "Completed": "Training job completed",
    "Stopping": "Stopping the training job",
    "Stopped": "Training job stopped",
    "MaxRuntimeExceeded": "Training job runtime exceeded MaxRuntimeInSeconds provided",
    "Failed": "Training job failed",
}


def kind(settings: Settings) -> Kind:
    """The behaviour of training jobs, for the reconciler."""
    return Kind(
        name="training-job",
        plan=plan,
        prepare=lambda job, start, storage: _prepare(settings, job, start, storage),
        blocked=_blocked,
        follow=lambda job: job.state.get("LogPosition", 0),
    )


def plan(job: Resource, observed: list[Observed], now: int) -> Plan:
    """What to do next for a job that is not done."""
    if job.status in FINAL:
        return Plan(replace(job, due_at=None))
    run = next((each for each in observed if each.run.role == ROLE), None)
    if run is None:
        return _begin(job, now)
    job = _noted(job, run, now)
    if run.status.ended:
        return _end(job, run, now)
    steps: list[Step] = []
    if "runner" not in run.run.handle:
        steps.append(_start(job))
    elif job.desired == "stopped":
        steps.append(Stop(run.run.id))
    full = run.log is not None and run.log.end > run.log.start
    return Plan(job, tuple(steps), 200 if full else _LOOK_MS)


def _begin(job: Resource, now: int) -> Plan:
    if job.desired == "stopped":
        return Plan(_finished(job, "Stopped", "Stopped", "", now))
    return Plan(job, (_start(job),), _LOOK_MS)


def _start(job: Resource) -> Start:
    wanted = instances.resources_of(job.spec["ResourceConfig"]["InstanceType"])
    return Start(f"{job.id}-train-algo-1", ROLE, wanted)


def _end(job: Resource, run: Observed, now: int) -> Plan:
    """Read the rest of the log, store what the run left, then say how it ended."""
    if run.log is not None and run.log.end > run.log.start:
        return Plan(job, (), 0)
    if run.status.outputs and not job.state.get("Stored"):
        prefix = output_prefix(job)
        puts = tuple(Put(run.run.id, it.path, prefix + it.archive) for it in run.status.outputs)
        return Plan(replace(job, state={**job.state, "Stored": True}), puts, 0)
    steps = (Remove(run.run.id),) if "runner" in run.run.handle else ()
    return Plan(_outcome(job, run.status, now), steps)


def _outcome(job: Resource, status: RunStatus, now: int) -> Resource:
    if status.phase == "succeeded":
        return _finished(job, "Completed", "Completed", "", now)
    if status.reason == "MaxRuntimeExceeded":
        return _finished(job, "Stopped", "MaxRuntimeExceeded", "", now)
    if status.phase == "stopped" or job.desired == "stopped":
        return _finished(job, "Stopped", "Stopped", "", now)
    return _finished(job, "Failed", "Failed", failure_reason(status), now)


def failure_reason(status: RunStatus) -> str:
    """FailureReason in AWS's form: whose fault, what, exit code; at most 1,024 characters."""
    code = f", exit code: {status.exit_code}" if status.exit_code is not None else ""
    if status.reason == "Rejected":
        return status.message[:1024]
    if status.reason in ("RunnerLost", "HostRestarted", "StartFailed"):
        return f"InternalServerError: {status.message}"[:1024]
    customer = ("OutOfMemory", "NoSpace", "DownloadFailed", "UnsafeArchive", "UploadFailed")
    if status.reason in customer or status.exit_code == 2:
        named = f"{status.reason}: " if status.reason and status.reason != "Error" else ""
        message = status.message.removeprefix(named)
        return f"ClientError: {named}{message}"[: 1024 - len(code)] + code
    return f"AlgorithmError: {status.message}"[: 1024 - len(code)] + code


def _finished(job: Resource, status: str, secondary: str, reason: str, now: int) -> Resource:
    state = _entered(job.state, secondary, now)
    state["Transitions"][-1]["EndTime"] = now
    if reason:
        state |= {"FailureReason": reason}
        state["Transitions"][-1]["StatusMessage"] = reason
    return replace(
        job, status=status, state={**state, "TrainingEndTime": now}, modified_at=now, due_at=None
    )


def _noted(job: Resource, run: Observed, now: int) -> Resource:
    """The job with the stages that its run went through, and the metrics of its log."""
    state = job.state
    for stage, since in run.status.stages:
        if not any(each["Status"] == stage for each in state["Transitions"]):
            state = _entered(state, stage, since)
        if stage == "Training" and "TrainingStartTime" not in state:
            state = {**state, "TrainingStartTime": since}
    if job.status == "Stopping" and not _entered_stopping(state):
        state = _entered(state, "Stopping", now)
    if run.log is not None and run.log.end > run.log.start:
        state = {**state, "LogPosition": run.log.end, **scrape(state, run.log)}
    if state is job.state:
        return job
    moved = len(state["Transitions"]) != len(job.state["Transitions"])
    return replace(job, state=state, modified_at=now if moved else job.modified_at)


def _entered_stopping(state: Doc) -> bool:
    return any(each["Status"] == "Stopping" for each in state["Transitions"])


def _entered(state: Doc, status: str, at: int, message: str = "") -> Doc:
    before = [dict(each) for each in state["Transitions"]]
    at = max(at, before[-1]["StartTime"])
    before[-1].setdefault("EndTime", at)
    entry = {"Status": status, "StartTime": at, "StatusMessage": message or _MESSAGES[status]}
    return {**state, "Transitions": [*before, entry]}


def _blocked(job: Resource, reason: str, now: int) -> Resource:
    last = job.state["Transitions"][-1]
    if last["Status"] == "Pending":
        if last["StatusMessage"] == reason:
            return job
        changed = {**last, "StatusMessage": reason}
        return replace(
            job, state={**job.state, "Transitions": [*job.state["Transitions"][:-1], changed]}
        )
    return replace(job, state=_entered(job.state, "Pending", now, reason), modified_at=now)


def _prepare(settings: Settings, job: Resource, start: Start, storage: Storage) -> RunSpec:
    spec = job.spec
    inputs = [
        transfer
        for channel in spec.get("InputDataConfig", [])
        for transfer in channels.transfers(channel, spec["RoleArn"], storage)
    ]
    limits = spec.get("StoppingCondition", {})
    compress = spec["OutputDataConfig"].get("CompressionType", "GZIP") == "GZIP"
    return RunSpec(
        id=start.run_id,
        command=_command(spec["AlgorithmSpecification"]),
        env=layout.training_env(spec, job.arn, settings.region),
        files=layout.training_files(spec, job.arn),
        folders=layout.TRAINING_FOLDERS,
        inputs=tuple(inputs),
        outputs=(
            Output("model", "model.tar.gz", compress),
            Output("output/data", "output.tar.gz", compress, skip_empty=True),
        ),
        timeout_seconds=limits.get("MaxRuntimeInSeconds", 86_400),
        stop_seconds=settings.job_stop_seconds,
    )


def _command(algorithm: Doc) -> tuple[str, ...]:
    """As `docker run`: ContainerEntrypoint replaces the image's, arguments replace `train`."""
    entrypoint = algorithm.get("ContainerEntrypoint")
    arguments = algorithm.get("ContainerArguments")
    if entrypoint:
        return (*entrypoint, *(arguments or ()))
    return (*images.find(algorithm["TrainingImage"]).entrypoint, *(arguments or ("train",)))

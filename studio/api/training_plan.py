"""What happens to a training job: a pure plan, and the specs of its runs, one a host.

Starting (Pending while it waits for its turn), Downloading, Training, Uploading, and one of
Completed, Failed, Stopped, MaxRuntimeExceeded. All hosts start together and all have to end; the
first that fails ends the others. The archives that they leave are stored before the job says that
it is done.
"""

from collections.abc import Iterator
from dataclasses import replace
from ipaddress import IPv4Address
from itertools import chain

from studio.api import channels, checkpoints, images, instances, metrics
from studio.api.training_jobs import FINAL, output_prefix
from studio.container import layout
from studio.db.resources import Doc, Resource, Run
from studio.metrics.store import Batch
from studio.reconcile.steps import (
    LOG_LINES,
    Deliver,
    Dimensions,
    Gang,
    Kind,
    Observed,
    Plan,
    Put,
    Remove,
    Start,
    Step,
    Stop,
)
from studio.runners.base import Network, Output, RunSpec, RunStatus
from studio.s3.client import Storage
from studio.settings import Settings

_ROLE = "train/"
_STAGES = ("Downloading", "Training", "Uploading")
_MODEL = "model.tar.gz"
_OURS = ("RunnerLost", "HostRestarted")
"""The platform's failures, which RetryStrategy is for."""
_FIRST_ADDRESS, _ADDRESSES = int(IPv4Address("127.1.0.0")), 2**24 - 2**17
_LOOK_MS, _HASTY_LOOK_MS = 1_000, 200
# Shims say when a run ends or has new lines: this is for words that were lost, and for shims.
_QUIET_LOOK_MS = 5_000
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
        role_arn=lambda job, _run_role: str(job.spec["RoleArn"]),
        plan=plan,
        prepare=lambda job, start, storage: _prepare(settings, job, start, storage),
        blocked=_blocked,
        follow=_follow,
        meter=_meter,
    )


def _follow(job: Resource, role: str) -> int | None:
    """Nobody reads the log of a job without metrics."""
    if not job.state["MetricDefinitions"]:
        return None
    position: int = job.state.get("LogPositions", {}).get(role, 0)
    return position


def _meter(job: Resource, run: Run) -> tuple[str, Dimensions]:
    return metrics.NAMESPACE, (("Host", f"{job.name}/{run.role.split('/')[1]}"),)


def plan(job: Resource, observed: list[Observed], now: int) -> Plan:
    """What to do next for a job that is not done."""
    if job.status in FINAL:
        return Plan(replace(job, due_at=None))
    roles = [_role(job, host.name) for host in layout.hosts(job.spec["ResourceConfig"])]
    known = {each.run.role: each for each in observed}
    runs = [known[role] for role in roles if role in known]
    if not runs:
        return _begin(job, now)
    job, said = _noted(job, runs, now)
    return replace(_next(job, runs, now), metrics=said)


def _next(job: Resource, runs: list[Observed], now: int) -> Plan:
    if all(each.status.ended for each in runs):
        return _end(job, runs, now)
    steps: list[Step] = []
    if any("runner" not in each.run.handle and not each.status.ended for each in runs):
        steps.append(_start(job))
    elif job.desired == "stopped" or any(_fatal(each.status) for each in runs):
        steps += [Stop(each.run.id) for each in runs if not each.status.ended]
    steps += _deliveries(job, runs, must=False)
    return Plan(job, tuple(steps), _look_ms(runs, bool(steps)))


def _look_ms(runs: list[Observed], acts: bool) -> int:
    if any(each.log is not None and len(each.log.events) == LOG_LINES for each in runs):
        return _HASTY_LOOK_MS
    return _LOOK_MS if acts or any(map(_unread, runs)) else _QUIET_LOOK_MS


def _begin(job: Resource, now: int) -> Plan:
    if job.desired == "stopped":
        return Plan(_finished(job, "Stopped", "Stopped", "", now))
    return Plan(job, (_start(job),), _LOOK_MS)


def _start(job: Resource) -> Gang:
    return Gang(
        tuple(
            Start(
                f"{job.id}-{_role(job, host.name).replace('/', '-')}",
                _role(job, host.name),
                instances.resources_of(host.instance_type),
            )
            for host in layout.hosts(job.spec["ResourceConfig"])
        )
    )


def _role(job: Resource, host: str) -> str:
    """`train/algo-1`, and `train/algo-1/2` in the second attempt."""
    attempt = job.state.get("Attempt", 1)
    return f"{_ROLE}{host}" + (f"/{attempt}" if attempt > 1 else "")


def _fatal(status: RunStatus) -> bool:
    """One host ended in a way that ends the job."""
    return status.ended and status.phase != "succeeded"


def _unread(run: Observed) -> bool:
    return run.log is not None and run.log.end > run.log.start


def _end(job: Resource, runs: list[Observed], now: int) -> Plan:
    """Read the rest of the logs, store what the runs left, then say how they ended."""
    if any(map(_unread, runs)):
        return Plan(job, (), 0)
    status = _verdict(job, [each.status for each in runs])
    if status.reason in _OURS and _attempts_left(job):
        return _again(job, status, runs, now)
    left = _left(status, runs)
    if (left or any(each.status.checkpoints for each in runs)) and not job.state.get("Stored"):
        prefix = output_prefix(job)
        puts = [Put(runs[0].run.id, paths, prefix + name) for name, paths in left.items()]
        kept = (*puts, *_deliveries(job, runs, must=True))
        return Plan(replace(job, state={**job.state, "Stored": True}), kept, 0)
    steps = tuple(Remove(each.run.id) for each in runs if "runner" in each.run.handle)
    return Plan(_outcome(job, status, now), steps)


def _deliveries(job: Resource, runs: list[Observed], must: bool) -> list[Step]:
    """What stores the checkpoints that wait."""
    return [
        Deliver(each.run.id, folder, checkpoints.prefix(job.spec), must)
        for each in runs
        for folder in each.status.checkpoints
    ]


def _attempts_left(job: Resource) -> bool:
    retries = job.spec.get("RetryStrategy", {}).get("MaximumRetryAttempts", 0)
    return job.desired != "stopped" and job.state.get("Attempt", 1) <= retries


def _again(job: Resource, status: RunStatus, runs: list[Observed], now: int) -> Plan:
    """Another attempt, in runs of its own: the one before cannot have run to its end."""
    text = f"{failure_reason(status)} Trying again."
    state = _entered(job.state, "Restarting", now, text)
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


def _verdict(job: Resource, statuses: list[RunStatus]) -> RunStatus:
    """How the hosts ended together. What fails after the time was up, or after another host had
    failed, failed because of that."""
    for status in statuses:
        if status.reason == "MaxRuntimeExceeded":
            return status
    failed = [n for n, status in enumerate(statuses) if status.phase in ("failed", "lost")]
    if failed and job.desired != "stopped":
        first = min(failed, key=lambda n: statuses[n].ended_at or 0)
        return _named(statuses[first], f"algo-{first + 1}" if len(statuses) > 1 else "")
    return next((status for status in statuses if status.phase != "succeeded"), statuses[0])


def _named(status: RunStatus, host: str) -> RunStatus:
    """With the host in the message, where the failure was one host's."""
    if not host or status.reason in ("Rejected", "UploadFailed"):
        return status
    return replace(status, message=f"{host}: {status.message}")


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
    now = state["Transitions"][-1]["StartTime"]  # never before the last, whatever the clock says
    state["Transitions"][-1]["EndTime"] = now
    if reason:
        state |= {"FailureReason": reason}
        state["Transitions"][-1]["StatusMessage"] = reason
    return replace(
        job, status=status, state={**state, "TrainingEndTime": now}, modified_at=now, due_at=None
    )


def _noted(job: Resource, runs: list[Observed], now: int) -> tuple[Resource, tuple[Batch, ...]]:
    """The job with the stages that its runs went through, and the metrics that they printed."""
    state = job.state
    for stage, since in _reached(runs):
        # Who is told to stop while it downloads may hear that too late, and train for a moment.
        passed = _statuses(state)
        if stage not in passed and not (stage != "Uploading" and "Stopping" in passed):
            state = _entered(state, stage, since)
        if stage == "Training" and "TrainingStartTime" not in state:
            state = {**state, "TrainingStartTime": since}
    if job.status == "Stopping" and "Stopping" not in _statuses(state):
        state = _entered(state, "Stopping", now)
    said: tuple[Batch, ...] = ()
    pages = {each.run.role: each.log for each in runs if each.log is not None and _unread(each)}
    if pages:
        ends = {role: page.end for role, page in pages.items()}
        state = {**state, "LogPositions": {**state.get("LogPositions", {}), **ends}}
        # Of several hosts the last value is the one with the latest time.
        events = sorted(chain(*(page.events for page in pages.values())), key=_time)
        found = metrics.scrape(state["MetricDefinitions"], events)
        state |= metrics.final(state, found)
        said = metrics.batches(job, found)
    if state is job.state:
        return job, ()
    moved = len(state["Transitions"]) != len(job.state["Transitions"])
    return replace(job, state=state, modified_at=now if moved else job.modified_at), said


def _time(event: tuple[int, str]) -> int:
    return event[0]


def _reached(runs: list[Observed]) -> Iterator[tuple[str, int]]:
    """(stage, when the last host came to it) of the stages that no host has before it."""
    stages = [dict(each.status.stages) for each in runs]
    for name in _STAGES:
        times = [each[name] for each in stages if name in each]
        later = all(
            name in each or run.status.ended for each, run in zip(stages, runs, strict=True)
        )
        if times and later:
            yield name, max(times)


def _statuses(state: Doc) -> list[str]:
    """What this attempt went through."""
    every = [each["Status"] for each in reversed(state["Transitions"])]
    return every[: every.index("Restarting")] if "Restarting" in every else every


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
    name = start.role.split("/")[1]
    limits = spec.get("StoppingCondition", {})
    staged = _staged(spec, name, storage)
    kept = checkpoints.folder(spec)
    compress = spec["OutputDataConfig"].get("CompressionType", "GZIP") == "GZIP"
    return RunSpec(
        id=start.run_id,
        command=_command(spec["AlgorithmSpecification"]),
        env=layout.training_env(spec, job.arn, settings.region, name),
        files=layout.training_files(spec, job.arn, name),
        folders=(*layout.TRAINING_FOLDERS, *staged.folders, *([kept] if kept else [])),
        inputs=(*staged.inputs, *checkpoints.restored(spec, storage)),
        linked=staged.linked,
        streams=staged.streams,
        checkpoints=kept,
        outputs=(
            Output("model", _MODEL, compress),
            Output("output/data", "output.tar.gz", compress, skip_empty=True),
        ),
        timeout_seconds=limits.get("MaxRuntimeInSeconds", 86_400),
        stop_seconds=settings.job_stop_seconds,
        network=_network(job, name),
        python=images.interpreter(
            settings,
            spec["AlgorithmSpecification"]["TrainingImage"],
            spec.get("Environment", {}),
        ),
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


def _network(job: Resource, name: str) -> Network:
    """The names of all hosts, each with a loopback address that hardly any other job has."""
    first = _FIRST_ADDRESS + int(job.id[:12], 16) % _ADDRESSES
    names = tuple(
        (host.name, str(IPv4Address(first + number)))
        for number, host in enumerate(layout.hosts(job.spec["ResourceConfig"]))
    )
    return Network(name, names, job.spec.get("EnableNetworkIsolation", False))


def _command(algorithm: Doc) -> tuple[str, ...]:
    """As `docker run`: ContainerEntrypoint replaces the image's, arguments replace `train`."""
    entrypoint = algorithm.get("ContainerEntrypoint")
    arguments = algorithm.get("ContainerArguments")
    if entrypoint:
        return (*entrypoint, *(arguments or ()))
    return (*images.find(algorithm["TrainingImage"]).entrypoint, *(arguments or ("train",)))

"""What happens to a transform job: a pure plan, and the specs of its runs, one a host.

Each host serves the model and feeds it its share of the files; each file that is finished becomes
an object at once. A host that is lost loses no finished file: once the others are done, the files
without an output are shared anew.
"""

from collections.abc import Iterable
from dataclasses import replace

from studio.api import (
    channels,
    images,
    job_documents,
    job_facts,
    job_runs,
    metrics,
    model_servers,
    models,
    sources,
)
from studio.api.job_stages import Stages, noted
from studio.api.sources import Found
from studio.container import layout
from studio.db.resources import Doc, Resource
from studio.errors import ApiError
from studio.reconcile.interruptions import WANTED
from studio.reconcile.steps import (
    Deliver,
    Kind,
    Observed,
    Plan,
    Rejected,
    Remove,
    Start,
    Step,
    Stop,
)
from studio.runners.base import RunSpec, RunStatus, Source, Transform
from studio.s3.client import Storage, parse_uri
from studio.settings import Settings

_STAGES = Stages(
    kind=job_documents.TRANSFORM,
    role="transform",
    namespace=metrics.TRANSFORM,
    verb="Transform",
    names={"Downloading": "Downloading", "Starting": "Loading", "Serving": "Transforming"},
    begins="Starting",
    messages={
        "Starting": "Preparing the job",
        "Downloading": "Downloading the model",
        "Loading": "Starting the model server",
        "Transforming": "Transforming in progress",
        "Restarting": "The files without an output are transformed again",
        "Completed": "Transform job completed",
        "Stopping": "Stopping the transform job",
        "Stopped": "Transform job stopped",
        "Failed": "Transform job failed",
    },
)
_LOST = ("RunnerLost", "HostRestarted")
_MOST_ATTEMPTS = 10
_LOOK_MS = 2_000
_NAME_BYTES = 255
_MORE = " See job logs for more information."


def kind(settings: Settings) -> Kind:
    """The behaviour of transform jobs, for the reconciler."""
    return _STAGES.behaviour(
        plan,
        lambda job, start, storage: _prepare(settings, job, start, storage),
        lambda job: str(job.spec[job_documents.MODEL].get("ExecutionRoleArn", "")),
    )


def plan(job: Resource, observed: list[Observed], now: int) -> Plan:
    """What to do next for a job that is not done."""
    runs = job_runs.latest(job, _STAGES.role, observed)
    still = _STAGES.still(job, runs, now)
    if still is not None:
        return still
    job = noted(job, _progressed(_STAGES.reached(job, runs, now), runs), now)
    if all(each.status.ended for each in runs):
        return _end(job, runs, now)
    steps: list[Step] = []
    if any(map(job_runs.unstarted, runs)):
        steps.append(job_runs.gang(job, _STAGES.role))
    elif job.desired in ("stopped", WANTED) or any(_hopeless(each.status) for each in runs):
        steps += [Stop(each.run.id) for each in runs if not each.status.ended]
    steps += _deliveries(job, runs, must=False)
    return Plan(job, tuple(steps), job_runs.LOOK_MS if steps else _LOOK_MS)


def _hopeless(status: RunStatus) -> bool:
    """One host ended in a way that ends the job: not by records that failed, for other files may
    do well, and not by what can be done again."""
    return job_runs.fatal(status) and status.reason not in (*_LOST, "RecordsFailed")


def _end(job: Resource, runs: list[Observed], now: int) -> Plan:
    """Store what was finished, then go on with the rest or say how it ended."""
    kept = _deliveries(job, runs, must=True)
    if kept and not job.state.get("Stored"):
        return Plan(replace(job, state={**job.state, "Stored": True}), tuple(kept), 0)
    steps = tuple(Remove(each.run.id) for each in runs if "runner" in each.run.handle)
    statuses = [each.status for each in runs]
    if job.desired != "stopped" and _again(job, statuses):
        return Plan(_restarted(job, now), steps, 0)
    return Plan(_outcome(job, statuses, now), steps)


def _again(job: Resource, statuses: list[RunStatus]) -> bool:
    if any(map(_hopeless, statuses)) and job.desired != WANTED:
        return False
    lost = any(it.reason in _LOST for it in statuses)
    interrupted = job.desired == WANTED and any(it.phase == "stopped" for it in statuses)
    return interrupted or (lost and job.state.get("Attempt", 1) < _MOST_ATTEMPTS)


def _restarted(job: Resource, now: int) -> Resource:
    """The job, whose hosts start again; one that was interrupted waits for its turn, and keeps
    it."""
    if job.desired == WANTED:
        state = _STAGES.entered(job_runs.interrupted(job.state, now), "Starting", now)
    else:
        state = _STAGES.entered(job.state, "Restarting", now)
    state = {**state, "Stored": False, "Attempt": state.get("Attempt", 1) + 1}
    return replace(job, desired="present", state=state, modified_at=now)


def _deliveries(job: Resource, runs: list[Observed], must: bool) -> list[Deliver]:
    prefix = job.spec["TransformOutput"]["S3OutputPath"].rstrip("/") + "/"
    return [
        Deliver(each.run.id, batch.path, prefix, must)
        for each in runs
        for batch in each.status.batches
    ]


def _outcome(job: Resource, statuses: list[RunStatus], now: int) -> Resource:
    failed = [it for it in statuses if it.reason == "RecordsFailed"]
    status = job_runs.verdict(statuses, job.desired == "stopped")
    if status.phase == "succeeded":
        return _STAGES.finished(job, "Completed", {}, now)
    if status.phase == "stopped" or job.desired == "stopped":
        return _STAGES.finished(job, "Stopped", {}, now)
    if status.reason == "RecordsFailed":
        said = "; ".join(it.message for it in failed)
        why = said[: 1024 - len(_MORE) - 1].rstrip(".") + "." + _MORE
    else:
        why = job_runs.failure_reason(status, job.spec)
    return _STAGES.finished(job, "Failed", {"FailureReason": why}, now)


def _progressed(state: Doc, runs: list[Observed]) -> Doc:
    """The state with how far the runs are."""
    progress = {it.run.role: it.status.progress for it in runs if it.status.progress}
    known = state.get("Progress", {})
    if all(known.get(role) == of_run for role, of_run in progress.items()):
        return state
    return {**state, "Progress": {**known, **progress}}


def _prepare(settings: Settings, job: Resource, start: Start, storage: Storage) -> RunSpec:
    spec, name = job.spec, start.role.split("/")[1]
    model = spec[job_documents.MODEL]
    container = models.containers(model)[0]
    hosts = job_documents.hosts(spec)
    found = _found(job, storage)
    left = found if job.state.get("Attempt", 1) == 1 else _unfinished(job, found, storage)
    place = [host.name for host in hosts].index(name)
    environment = {**container.get("Environment", {}), **spec.get("Environment", {})}
    container = {**container, "Environment": environment}
    made = model_servers.spec(
        settings, start.run_id, model, container, storage, model_servers.HEALTH_SECONDS
    )
    program = images.served(settings, container)
    content = channels.content("input", _uri(spec), [(it,) for it in found])
    return replace(
        made,
        env={**layout.transform_env(spec), **made.env},
        transform=_transform(spec, left[place :: len(hosts)], storage),
        facts=job_facts.facts(spec, program, made.python, [content]),
    )


def _found(job: Resource, storage: Storage) -> list[Found]:
    """The files of the job. Raises Rejected."""
    source = job.spec["TransformInput"]["DataSource"]["S3DataSource"]
    role = job.spec[job_documents.MODEL].get("ExecutionRoleArn", "")
    try:
        records = sources.records(source, storage)
    except ApiError as error:
        raise sources.nothing(source, role, error) from error
    found = [part for record in records for part in record if isinstance(part, Found)]
    if not found:
        raise sources.nothing(source, role)
    for each in found:
        if any(map(_unnameable, _output(each).split("/"))):
            raise Rejected(f"ClientError: the object {each.uri} cannot be a file's name.")
    return found


def _unnameable(part: str) -> bool:
    return part in ("", ".", "..") or "\0" in part or len(part.encode()) > _NAME_BYTES


def _unfinished(job: Resource, found: list[Found], storage: Storage) -> list[Found]:
    """Those of which the job has stored no output yet, in an earlier attempt."""
    bucket, prefix = parse_uri(job.spec["TransformOutput"]["S3OutputPath"].rstrip("/") + "/")
    listed = storage.list(bucket, prefix)
    done = {it.key for it in listed if it.modified >= job.created_at}
    return [it for it in found if prefix + _output(it) not in done]


def _output(found: Found) -> str:
    return f"{found.name}.out"


def _uri(spec: Doc) -> str:
    return str(spec["TransformInput"]["DataSource"]["S3DataSource"]["S3Uri"])


def _transform(spec: Doc, found: Iterable[Found], storage: Storage) -> Transform:
    given, wanted = spec["TransformInput"], spec["TransformOutput"]
    processing, client = spec.get("DataProcessing", {}), spec.get("ModelClientConfig", {})
    return Transform(
        files=tuple(
            Source(_output(it), it.uri, it.item.size, *storage.source(it.item)) for it in found
        ),
        split=given.get("SplitType", "None"),
        gzip=given.get("CompressionType") == "Gzip",
        content_type=given.get("ContentType", ""),
        accept=wanted.get("Accept", ""),
        assemble=wanted.get("AssembleWith", "None"),
        input_filter=processing.get("InputFilter") or "$",
        join=processing.get("JoinSource") == "Input",
        output_filter=processing.get("OutputFilter") or "$",
        seconds=client.get("InvocationsTimeoutInSeconds", 600),
        retries=client.get("InvocationsMaxRetries", 3),
        MaxConcurrentTransforms=spec.get("MaxConcurrentTransforms"),
        MaxPayloadInMB=spec.get("MaxPayloadInMB"),
        BatchStrategy=spec.get("BatchStrategy"),
    )

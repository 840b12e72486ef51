"""What happens to a processing job: a pure plan, and the specs of its runs, one a host.

Inputs are brought, the command runs, and the files that it leaves in the folders of the outputs
become objects: while it runs (`Continuous`) or once it has ended (`EndOfJob`). Of a job that
failed the latter are not stored. All hosts start together and all have to end.
"""

from dataclasses import replace

from studio.api import (
    channels,
    images,
    instances,
    job_documents,
    job_facts,
    job_runs,
    metrics,
    processing_checks,
    training_metrics,
)
from studio.api.job_stages import Stages, noted
from studio.container import layout
from studio.db.resources import Doc, Resource
from studio.reconcile.interruptions import WANTED
from studio.reconcile.steps import (
    Deliver,
    Kind,
    Observed,
    Plan,
    Remove,
    Start,
    Step,
    Stop,
)
from studio.runners.base import Handed, RunSpec, RunStatus
from studio.s3.client import Storage
from studio.settings import Settings

_NOTE_BYTES = 1_024
_STAGES = Stages(
    kind=job_documents.PROCESSING,
    role="process",
    namespace=metrics.PROCESSING,
    verb="Processing",
    names={"Downloading": "Downloading", "Training": "Processing", "Uploading": "Uploading"},
    begins="Training",
    messages={
        "Starting": "Preparing the job",
        "Downloading": "Downloading input data",
        "Processing": "Processing in progress",
        "Uploading": "Uploading outputs",
        "Completed": "Processing job completed",
        "Stopping": "Stopping the processing job",
        "Stopped": "Processing job stopped",
        "Failed": "Processing job failed",
    },
)


def kind(settings: Settings) -> Kind:
    """The behaviour of processing jobs, for the reconciler."""
    made = _STAGES.behaviour(
        plan,
        lambda job, start, storage: _prepare(settings, job, start, storage),
        lambda job: str(job.spec["RoleArn"]),
    )
    return replace(made, follow=training_metrics.follow)


def plan(job: Resource, observed: list[Observed], now: int) -> Plan:
    """What to do next for a job that is not done."""
    runs = job_runs.latest(job, _STAGES.role, observed)
    still = _STAGES.still(job, runs, now)
    if still is not None:
        return still
    state, written = training_metrics.written(_STAGES.reached(job, runs, now), runs)
    job = noted(job, state, now)
    return replace(_next(job, runs, now), points=tuple(written))


def _next(job: Resource, runs: list[Observed], now: int) -> Plan:
    if all(each.status.ended for each in runs):
        return _end(job, runs, now)
    steps: list[Step] = []
    if any(map(job_runs.unstarted, runs)):
        steps.append(job_runs.gang(job, _STAGES.role))
    elif job.desired in ("stopped", WANTED) or any(job_runs.fatal(each.status) for each in runs):
        steps += [Stop(each.run.id) for each in runs if not each.status.ended]
    steps += _deliveries(job, runs, must=False)
    return Plan(job, tuple(steps), job_runs.look_ms(runs, bool(steps)))


def _end(job: Resource, runs: list[Observed], now: int) -> Plan:
    """Read the rest of what they said, store what they left, then say how they ended."""
    if any(map(training_metrics.unread, runs)):
        return Plan(job, (), 0)
    statuses = [each.status for each in runs]
    status = job_runs.verdict(statuses, job.desired == "stopped")
    if job.desired == WANTED and status.phase == "stopped":
        return _interrupted(job, runs, now)
    failed = status.phase in ("failed", "lost") and job.desired != "stopped"
    kept = _deliveries(job, runs, must=True, at_end=not failed)
    if kept and not job.state.get("Stored"):
        return Plan(replace(job, state={**job.state, "Stored": True}), tuple(kept), 0)
    steps = tuple(Remove(each.run.id) for each in runs if "runner" in each.run.handle)
    return Plan(_outcome(job, status, statuses, now), steps)


def _interrupted(job: Resource, runs: list[Observed], now: int) -> Plan:
    """It waits for its turn, which it keeps, and begins from its beginning: of what it has left,
    what is to be stored while it runs is."""
    state = _STAGES.entered(job_runs.interrupted(job.state, now), "Starting", now)
    state["Attempt"] = state.get("Attempt", 1) + 1
    removals = (Remove(each.run.id) for each in runs if "runner" in each.run.handle)
    steps: tuple[Step, ...] = (*_deliveries(job, runs, must=True), *removals)
    return Plan(replace(job, desired="present", state=state, modified_at=now), steps, 0)


def _deliveries(
    job: Resource, runs: list[Observed], must: bool, at_end: bool = False
) -> list[Deliver]:
    """What stores the files that wait, those for the end as well if it is `at_end`."""
    outputs = processing_checks.stored_outputs(job.spec)
    return [
        Deliver(each.run.id, batch.path, _prefix(outputs[batch.number]), must)
        for each in runs
        for batch in each.status.batches
        if at_end or not _for_the_end(outputs[batch.number])
    ]


def _prefix(output: Doc) -> str:
    return str(output["S3Output"]["S3Uri"]).rstrip("/") + "/"


def _for_the_end(output: Doc) -> bool:
    return bool(output["S3Output"]["S3UploadMode"] == "EndOfJob")


def _outcome(job: Resource, status: RunStatus, statuses: list[RunStatus], now: int) -> Resource:
    """How the job ended; `status` is that of its hosts together."""
    notes = [each.note for each in statuses]
    note = "".join(filter(None, notes)).encode()[:_NOTE_BYTES].decode(errors="ignore")
    said: Doc = {"ExitMessage": note} if note else {}
    if status.phase == "succeeded" and None in notes:
        why = "ClientError: /opt/ml/output/message is not encoded in UTF-8."
        return _STAGES.finished(job, "Failed", {**said, "FailureReason": why}, now)
    if status.phase == "succeeded":
        return _STAGES.finished(job, "Completed", said, now)
    if status.reason == "MaxRuntimeExceeded":
        why = "The job ran longer than its StoppingCondition.MaxRuntimeInSeconds allows."
        return _STAGES.finished(job, "Stopped", {**said, "FailureReason": why}, now)
    if status.phase == "stopped" or job.desired == "stopped":
        return _STAGES.finished(job, "Stopped", said, now)
    why = job_runs.failure_reason(status, job.spec)
    return _STAGES.finished(job, "Failed", {**said, "FailureReason": why}, now)


def _prepare(settings: Settings, job: Resource, start: Start, storage: Storage) -> RunSpec:
    spec, name = job.spec, start.role.split("/")[1]
    hosts = job_documents.hosts(spec)
    share = channels.Share([host.name for host in hosts].index(name), len(hosts))
    staged = _staged(spec, storage, share)
    outputs = processing_checks.stored_outputs(spec)
    handed = tuple(Handed(_folder(it["S3Output"]), _for_the_end(it)) for it in outputs)
    program = images.processed(settings, spec)
    python = images.interpreter(settings, program, spec.get("Environment", {}))
    limit = spec.get("StoppingCondition", {}).get(
        "MaxRuntimeInSeconds", processing_checks.DEFAULT_RUNTIME
    )
    isolated = spec.get("NetworkConfig", {}).get("EnableNetworkIsolation", False)
    return RunSpec(
        id=start.run_id,
        command=_command(program, spec["AppSpecification"]),
        env=layout.processing_env(spec, settings.region, name),
        files=layout.processing_files(spec, job.arn, name, "eth0" if program.container else "lo"),
        folders=(*layout.PROCESSING_FOLDERS, *staged.folders, *(it.folder for it in handed)),
        inputs=staged.inputs,
        streams=staged.streams,
        handed=handed,
        timeout_seconds=limit,
        stop_seconds=settings.job_stop_seconds,
        disk_mb=instances.disk_mb(spec["ProcessingResources"]["ClusterConfig"]),
        network=job_runs.network(job, hosts, name, isolated),
        python=python,
        image=program.container,
        image_program=not (program.entrypoint or "ContainerEntrypoint" in spec["AppSpecification"]),
        facts=job_facts.facts(spec, program, python, staged.contents),
    )


def _staged(spec: Doc, storage: Storage, share: channels.Share) -> channels.Staged:
    return channels.joined(
        channels.stage(
            processing_checks.channel(each),
            "File",
            spec["RoleArn"],
            storage,
            share,
            _folder(each["S3Input"]),
        )
        for each in processing_checks.staged_inputs(spec)
    )


def _folder(place: Doc) -> str:
    return processing_checks.folder(place["LocalPath"])


def _command(program: images.Program, given: Doc) -> tuple[str, ...]:
    """As `docker run`: ContainerEntrypoint replaces the image's."""
    entrypoint = given.get("ContainerEntrypoint", program.entrypoint)
    return (*entrypoint, *given.get("ContainerArguments", ()))

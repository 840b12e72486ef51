"""The trial component of each job: made with the job, and true to it as long as it runs.

What is told here of a job is stored in the transaction that stores the job. Whatever programs add
to the component stays, and so does the component when its job is deleted.
"""

import math
import re
import time
import uuid
from collections.abc import Iterable, Iterator
from dataclasses import replace

from sqlalchemy import Connection, select

from studio.api import experiments, job_documents, job_facts, store, trials
from studio.api.registry import Context
from studio.db import executions, provenance, resources
from studio.db.experiment_tables import COMPONENT, TRIAL
from studio.db.resources import Doc, Resource, Run
from studio.db.session import Database
from studio.db.tables import RESOURCE
from studio.errors import ValidationException
from studio.experiments import components, series, system
from studio.reconcile.steps import Point, Used
from studio.runners.base import RunSpec

SOURCES = {
    job_documents.TRAINING: "SageMakerTrainingJob",
    job_documents.PROCESSING: "SageMakerProcessingJob",
    job_documents.TRANSFORM: "SageMakerTransformJob",
}
"""Kind of job -> SourceType of its component."""
_LONGEST_NAME = 120
_LONGEST_MESSAGE = 1_024
_NUMBER = re.compile(r"[-+]?(\d+\.?\d*|\.\d+)([eE][-+]?\d+)?")


def new_id() -> Doc:
    """The part of the state of a new job that says which component is its own."""
    return {"Component": uuid.uuid4().hex}


def joining(ctx: Context, request: Doc) -> store.Also:
    """What makes the component of a job part of the trial that its `ExperimentConfig` says, with
    the job. A trial is made where only an experiment is named. Raises ApiError."""
    config = request.get("ExperimentConfig", {})
    experiment = trial = None
    if "ExperimentName" in config:
        experiment = store.require(ctx, experiments.NOUN, config["ExperimentName"])
    if "TrialName" in config:
        trial = store.require(ctx, trials.NOUN, config["TrialName"])
        if experiment and trial.spec["ExperimentName"] != experiment.name:
            said = f"Trial '{trial.arn}' does not belong to experiment '{experiment.arn}'."
            raise ValidationException(said)

    def join(connection: Connection, job: Resource) -> None:
        component = resources.get(connection, job.state["Component"])
        assert component is not None
        if trial:
            experiments.still_there(connection, trials.NOUN, trial)
            components.associate(connection, component, trial, job.created_at)
        elif experiment:
            experiments.still_there(connection, experiments.NOUN, experiment)
            made = _new_trial(connection, experiment, job)
            components.associate(connection, component, made, job.created_at)

    return join


def _new_trial(connection: Connection, experiment: Resource, job: Resource) -> Resource:
    name = _free_name(connection, job, components.TRIAL_KIND, "-aws-trial")
    trial = _beside(
        job, components.TRIAL_KIND, name, {"TrialName": name, "ExperimentName": experiment.name}
    )
    resources.insert(connection, trial)
    row = {"resource_id": trial.id, "experiment_id": experiment.id}
    connection.execute(TRIAL.insert().values(row))
    return trial


def adopt(db: Database) -> None:
    """Give their components to the jobs of a home that had none: once, before anybody is there."""
    db.write(_adopt)


def _adopt(connection: Connection) -> None:
    every = select(RESOURCE.c.id).where(RESOURCE.c.kind == components.KIND).limit(1)
    if connection.execute(every).first() is None:
        for job in resources.of_kind(connection, job_documents.TRAINING):
            if "Component" not in job.state:
                whole = replace(job, state={**job.state, **new_id()})
                resources.update(connection, whole)  # which makes what it lacks
                known = job.state.get("FinalMetricDataList", [])
                last = (Point(it["MetricName"], None, it["Timestamp"], it["Value"]) for it in known)
                said(connection, whole, last)


def said(connection: Connection, job: Resource, points: Iterable[Point]) -> None:
    """Keep values of metrics in the series of the job's component, unless somebody deleted it."""
    rows: dict[str, list[tuple[int | None, int, float]]] = {}
    for metric, step, at, value in points:
        rows.setdefault(metric, []).append((step, at, value))
    own = COMPONENT.c.resource_id == job.state.get("Component", "")
    number = connection.execute(select(COMPONENT.c.number).where(own)).scalar_one_or_none()
    if rows and number is not None:
        batches = [series.Batch(name, series.points(of_metric)) for name, of_metric in rows.items()]
        series.arrive(connection, number, batches)


def started(connection: Connection, job: Resource, run: RunSpec) -> None:
    """Keep what a job runs with."""
    component = resources.get(connection, job.state.get("Component", ""))
    if component is not None and component.deleted_at is None:
        facts = {**run.facts, "Allotted": job_facts.allotted(run.resources)}
        environment, now = facts.pop("Environment"), time.time_ns() // 1_000_000
        executions.put(connection, component.id, facts, environment, now)


def installed(connection: Connection, job: Resource, packages: list[Doc]) -> None:
    """Keep what a job installed beside what it found."""
    executions.add(connection, job.state.get("Component", ""), {"Installed": packages})


def used(connection: Connection, job: Resource, run: Run, used: Used) -> None:
    """Keep what a host took of the machine."""
    several = len(job_documents.hosts(job.spec)) > 1
    host = run.role.split("/")[1] if several else ""
    points = (
        Point(system.name(meter, host), None, sample.at, value)
        for sample in used.samples
        for meter, value in sample.values.items()
    )
    said(connection, job, points)


def _follow(connection: Connection, before: Resource | None, job: Resource) -> None:
    """Keep the component of a job; see `resources.follow`."""
    if "Component" not in job.state:
        return
    if job.deleted_at is not None:
        _keep_provenance(connection, job)
        return
    digest = job.state.get("ImageDigest")
    if digest and before and before.state.get("ImageDigest") != digest:
        uri = job.spec["AlgorithmSpecification"]["TrainingImage"]
        image = {"Uri": uri, "Digest": digest.rpartition("@")[2]}
        executions.add(connection, job.state["Component"], {"Image": image})
    if before and "Component" in before.state and _told(before) == _told(job):
        return
    component = resources.get(connection, job.state["Component"])
    if component is None:
        resources.insert(connection, _made(connection, job))
    elif component.deleted_at is None:
        resources.update(connection, _current(component, job))


def _keep_provenance(connection: Connection, job: Resource) -> None:
    """What is known of a job that is being deleted stays with its component."""
    component = resources.get(connection, job.state["Component"])
    if component is not None and component.deleted_at is None:
        provenance.move(connection, job.id, component.id)


def _made(connection: Connection, job: Resource) -> Resource:
    name = _free_name(connection, job, components.KIND, f"-aws-{job.kind}")
    config, told = job.spec.get("ExperimentConfig", {}), _told(job)
    spec = {
        "TrialComponentName": name,
        "DisplayName": config.get("TrialComponentDisplayName", name),
        "Source": {"SourceArn": job.arn, "SourceType": SOURCES[job.kind]},
        "Parameters": _parameters(job.spec),
        "InputArtifacts": dict(map(_artifact, job_documents.inputs(job.spec))),
        **told,
    }
    made = _beside(job, components.KIND, name, spec)
    status = told["Status"]["PrimaryStatus"]
    return replace(made, id=job.state["Component"], status=status, tags=job.tags)


def _beside(job: Resource, kind: str, name: str, spec: Doc) -> Resource:
    """A resource that is made with a job."""
    return Resource(
        account=job.account,
        region=job.region,
        kind=kind,
        name=name,
        arn=job.arn.replace(f":{job.kind}/{job.name}", f":{kind}/{name}"),
        status="",
        spec=spec,
        created_at=job.created_at,
        modified_at=job.modified_at,
        owner=job.owner,
    )


def _free_name(connection: Connection, job: Resource, kind: str, suffix: str) -> str:
    """AWS's; with a number where an earlier job of that name has left its own."""
    name = plain = (job.name + suffix)[:_LONGEST_NAME]
    number = 1
    while resources.find(connection, job.account, job.region, kind, name):
        number += 1
        name = f"{plain[: _LONGEST_NAME - 8]}-{number}"
    return name


def _current(component: Resource, job: Resource) -> Resource:
    told = _told(job)
    made = {**component.spec.get("OutputArtifacts", {}), **told["OutputArtifacts"]}
    return replace(
        component,
        spec={**component.spec, **told, "OutputArtifacts": made},
        status=told["Status"]["PrimaryStatus"],
        modified_at=job.modified_at,
    )


def _told(job: Resource) -> Doc:
    """What changes of a job, as its component tells it."""
    secondary = job.state["Transitions"][-1]["Status"]
    reason = job.state.get("FailureReason", "")
    message = f"Status: {job.status}, secondary status: {secondary}, failure reason: {reason}."
    start, end = job_documents.times(job)
    times = {"StartTime": start, "EndTime": end}
    return {
        "Status": {"PrimaryStatus": job.status, "Message": message[:_LONGEST_MESSAGE]},
        **{name: at for name, at in times.items() if at is not None},
        "OutputArtifacts": dict(map(_artifact, job_documents.outputs(job))),
    }


def _parameters(spec: Doc) -> Doc:
    given = {name: _typed(text) for name, text in spec.get("HyperParameters", {}).items()}
    return {**given, **{f"SageMaker.{name}": value for name, value in _of_platform(spec)}}


def _of_platform(spec: Doc) -> Iterator[tuple[str, Doc]]:
    config, hosts = job_documents.cluster(spec), job_documents.hosts(spec)
    yield "ImageUri", {"StringValue": job_documents.image(spec)}
    yield "InstanceCount", {"NumberValue": float(len(hosts))}
    kinds = dict.fromkeys(host.instance_type for host in hosts)
    yield "InstanceType", {"StringValue": ", ".join(kinds)}
    if "VolumeSizeInGB" in config:
        yield "VolumeSizeInGB", {"NumberValue": float(config["VolumeSizeInGB"])}


def _typed(text: str) -> Doc:
    number = float(text) if _NUMBER.fullmatch(text) else math.nan
    return {"NumberValue": number} if math.isfinite(number) else {"StringValue": text}


def _artifact(data: job_documents.Data) -> tuple[str, Doc]:
    kind = {"MediaType": data.media_type} if data.media_type else {}
    return data.name, {**kind, "Value": data.uri}


for _kind in SOURCES:
    resources.follow(_kind, _follow)

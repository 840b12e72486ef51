"""What jobs, models and endpoints leave in lineage, in the transactions that store them.

    data, image -> the job's component -> model.tar.gz -> model -> deployment -> endpoint
                                          model.tar.gz -> model package -> approval -> model

Everything has the name that its source gives it, and is stored once however often it is told.
"""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import NamedTuple

from sqlalchemy import Connection

from studio.api import (
    endpoints,
    job_components,
    job_documents,
    lineage_entities,
    model_package_names,
    models,
)
from studio.api.lineage_entities import ACTION, ARTIFACT, CONTEXT
from studio.db import resources
from studio.db.resources import Doc, Resource
from studio.db.session import Database
from studio.experiments import components, lineage
from studio.experiments.lineage import Edge

_OUTCOMES = {"Completed": "Completed", "Failed": "Failed", "RolledBack": "Failed"}
"""How a change of an endpoint ended -> status of the action."""


class _Owned(NamedTuple):
    """Whose everything is that a resource leaves, and since when it is there."""

    account: str
    region: str
    owner: str
    at: int


class _Made(NamedTuple):
    """An artifact, an action or a context."""

    kind: str
    name: str
    type: str
    source: Doc


def adopt(db: Database) -> None:
    """Let the models and endpoints of a home that had no lineage leave theirs: once, before
    anybody is there, and before its jobs get their components and leave theirs with them."""
    db.write(_adopt)


def of_job(connection: Connection, job: Resource) -> None:
    """Its data and its image before its component, and its results, once they are there, behind."""
    known = resources.get(connection, job.state.get("Component", ""))
    if known is None or known.deleted_at is not None:
        return
    whose, component = _owned(job), known.arn
    image = job_documents.image(job.spec)
    before = dict.fromkeys((it.type, it.uri) for it in job_documents.inputs(job.spec))
    for type_, uri in [*before, *([("Image", image)] if image else [])]:
        _edge(connection, whose, _artifact(connection, whose, type_, uri), component)
    checkpoints = job.spec.get("CheckpointConfig", {}).get("S3Uri")
    made = [(it.type, it.uri) for it in job_documents.outputs(job)]
    for type_, uri in [*made, *([("Checkpoint", checkpoints)] if checkpoints else [])]:
        artifact = _artifact(connection, whose, type_, uri)
        _edge(connection, whose, component, artifact, "Produced")


def of_model(connection: Connection, model: Resource) -> None:
    """Images and data of its containers before it."""
    whose = _owned(model)
    arn = _model(connection, whose, model)
    definition = models.definition(model)
    for source in _parts(connection, whose, definition):
        _edge(connection, whose, source, arn)
    packages = {it["ModelPackageName"]: None for it in _packaged(definition)}
    for package in packages:
        found = resources.find_arn(connection, package)
        if found is not None and found.status:
            _edge(connection, whose, _approval(connection, found), arn)


def of_package(connection: Connection, package: Resource) -> None:
    """Behind what it is made of, before its group, and before the word on whether it may serve."""
    whose = _owned(package)
    arn = _artifact(connection, whose, "Model", package.arn, ArtifactName=package.name)
    for part in _parts(connection, whose, package.spec.get("InferenceSpecification", {})):
        _edge(connection, whose, part, arn)
    group = model_package_names.group_of(package)
    if group:
        source = {"SourceUri": _arn(whose, model_package_names.GROUP.kind, group)}
        context = _Made(CONTEXT, f"{group}-aws-model-group", "ModelGroup", source)
        _edge(connection, whose, arn, _entity(connection, whose, context), "AssociatedWith")
        _edge(connection, whose, arn, _approval(connection, package))


def of_endpoint(connection: Connection, endpoint: Resource) -> None:
    """A deployment for each of its configurations, behind what it deployed, before its context."""
    whose = _owned(endpoint)
    # A later endpoint of the same name is another one.
    stem = f"{endpoint.name}-{endpoint.created_at}"
    source = {"SourceUri": endpoint.arn, "SourceType": "ARN"}
    named = _Made(CONTEXT, f"{stem}-aws-endpoint", "Endpoint", source)
    context = _entity(connection, whose, named)
    for generation, status in _statuses(endpoint).items():
        name = f"{stem}-{generation}-aws-model-deployment"
        made = _Made(ACTION, name, "ModelDeployment", source)
        action = _entity(connection, whose, made, Status=status)
        _edge(connection, whose, action, context, "AssociatedWith")
        for part in _deployed(connection, whose, endpoint, generation):
            _edge(connection, whose, part, action)


def _adopt(connection: Connection) -> None:
    if resources.any_of(connection, ARTIFACT):
        return
    for model in resources.of_kind(connection, models.NOUN.kind):
        of_model(connection, model)
    for endpoint in resources.of_kind(connection, endpoints.NOUN.kind):
        of_endpoint(connection, endpoint)


def _follow_job(connection: Connection, before: Resource | None, after: Resource) -> None:
    if before is None or _traced(before) != _traced(after):
        of_job(connection, after)


def _follow_model(connection: Connection, before: Resource | None, after: Resource) -> None:
    if before is None:
        of_model(connection, after)


def _follow_endpoint(connection: Connection, before: Resource | None, after: Resource) -> None:
    if before is None or _statuses(before) != _statuses(after):
        of_endpoint(connection, after)


def _follow_package(connection: Connection, before: Resource | None, after: Resource) -> None:
    if before is None or _decision(before) != _decision(after):
        of_package(connection, after)


def _drop_components(connection: Connection, gone: Sequence[Resource]) -> None:
    lineage.forget(connection, [it.arn for it in gone])


def _traced(job: Resource) -> tuple[bool, bool]:
    return "Component" in job.state, any(job_documents.outputs(job))


def _statuses(endpoint: Resource) -> dict[int, str]:
    """Status of each deployment by its generation, those that were given up included."""
    past = endpoint.state.get("Past", ())
    ended = {it["Generation"]: it["Outcome"] for it in past if not it["Rescaled"]}
    known = {it["Generation"] for it in endpoint.state.get("Deployments", ())} | ended.keys()
    return {
        generation: _OUTCOMES[ended[generation]] if generation in ended else "InProgress"
        for generation in sorted(known)
    }


def _deployed(
    connection: Connection, whose: _Owned, endpoint: Resource, generation: int
) -> Iterator[str]:
    """ARNs of the artifacts that a deployment is of: the models, their data and their images."""
    for deployment in endpoint.state["Deployments"]:
        if deployment["Generation"] != generation:
            continue
        for name, definition in deployment["Models"].items():
            kind = models.NOUN.kind
            found = resources.find(connection, whose.account, whose.region, kind, name)
            if found is not None and models.definition(found) == definition:
                yield _model(connection, whose, found)
            yield from _parts(connection, whose, definition)


def _packaged(definition: Doc) -> Iterator[Doc]:
    return (it for it in models.containers(definition) if "ModelPackageName" in it)


def _decision(package: Resource) -> tuple[str, str]:
    return package.status, package.spec.get("ApprovalDescription", "")


def _approval(connection: Connection, package: Resource) -> str:
    """The ARN of the action that says whether a version may serve: one a version, kept current."""
    status, words = _decision(package)
    name = f"{package.name.replace('/', '-')}-{package.created_at}-aws-approval"
    source = {"SourceUri": package.arn, "SourceType": "ARN"}
    made = _Made(ACTION, name, "Approval", source)
    said = {"ModelApprovalStatus": status, "ApprovalDescription": words}
    outcome = "InProgress" if status == "PendingManualApproval" else "Completed"
    properties = {key: it for key, it in said.items() if it}
    return _entity(connection, _owned(package), made, Status=outcome, Properties=properties)


def _model(connection: Connection, whose: _Owned, model: Resource) -> str:
    # A later model of the same name is another one.
    known = {"SourceIdType": "Custom", "Value": str(model.created_at)}
    source = {"SourceUri": model.arn, "SourceTypes": [known]}
    return _artifact(connection, whose, "Model", source, ArtifactName=model.name)


def _parts(connection: Connection, whose: _Owned, definition: Doc) -> Iterator[str]:
    """ARNs of the artifacts that a model is made of."""
    for container in models.containers(definition):
        location = models.artifact(container)
        if location is not None:
            yield _artifact(connection, whose, "Model", "s3://{}/{}".format(*location))
        if "Image" in container:
            yield _artifact(connection, whose, "Image", container["Image"])
        if "ModelPackageName" in container:
            yield _artifact(connection, whose, "Model", container["ModelPackageName"])


def _artifact(
    connection: Connection, whose: _Owned, type_: str, source: str | Doc, **more: str
) -> str:
    """The ARN of the artifact of a source, which is stored if it is not yet."""
    known = {"SourceUri": source} if isinstance(source, str) else source
    name = lineage_entities.artifact_name(whose.owner, known)
    return _entity(connection, whose, _Made(ARTIFACT, name, type_, known), **more)


def _entity(connection: Connection, whose: _Owned, made: _Made, **more: object) -> str:
    """The ARN of an entity, which is stored, or stored anew with `more`, if it is not so yet."""
    found = resources.find(connection, whose.account, whose.region, made.kind, made.name)
    if found is None:
        resources.insert(connection, _resource(whose, made, more))
    elif not more.items() <= found.spec.items():
        changed = replace(found, spec={**found.spec, **more}, modified_at=whose.at)
        resources.update(connection, changed)
    return _arn(whose, made.kind, made.name)


def _resource(whose: _Owned, made: _Made, more: Doc) -> Resource:
    what = lineage_entities.LINEAGE_TYPES[made.kind]
    named = {} if made.kind == ARTIFACT else {f"{what}Name": made.name}
    return Resource(
        account=whose.account,
        region=whose.region,
        kind=made.kind,
        name=made.name,
        arn=_arn(whose, made.kind, made.name),
        status="",
        spec={**named, "Source": made.source, f"{what}Type": made.type, **more},
        created_at=whose.at,
        modified_at=whose.at,
        state=lineage_entities.state_of(made.kind, made.type, made.source, None),
        owner=whose.owner,
    )


def _edge(
    connection: Connection,
    whose: _Owned,
    source: str,
    destination: str,
    type_: str = "ContributedTo",
) -> None:
    scope = {"account": whose.account, "region": whose.region, "owner": whose.owner}
    lineage.add(connection, scope, Edge(source, destination, type_, whose.at))


def _arn(whose: _Owned, kind: str, name: str) -> str:
    return f"arn:aws:sagemaker:{whose.region}:{whose.account}:{kind}/{name}"


def _owned(it: Resource) -> _Owned:
    return _Owned(it.account, it.region, it.owner, it.modified_at)


# Behind what makes the component of a job.
for _kind in job_components.SOURCES:
    resources.follow(_kind, _follow_job)
resources.follow(models.NOUN.kind, _follow_model)
resources.follow(model_package_names.PACKAGE.kind, _follow_package)
resources.follow(endpoints.NOUN.kind, _follow_endpoint)
resources.drop_with(components.KIND, _drop_components)

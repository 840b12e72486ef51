"""What artifacts, actions and contexts have in common, and what lineage says of any entity.

Type and source URI, which lists look for, are in the state of the resource, where nothing of the
user's can be taken for them.
"""

import hashlib
import json
from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import NamedTuple

from sqlalchemy import ColumnElement, Connection, Text, cast, select

from studio.api import access, experiments, store
from studio.api.registry import Context
from studio.db import resources
from studio.db.resources import Doc, Resource
from studio.db.tables import RESOURCE
from studio.errors import ResourceNotFound, ValidationException
from studio.experiments import components, lineage

ARTIFACT, ACTION, CONTEXT = "artifact", "action", "context"
LINEAGE_TYPES = {
    components.KIND: "TrialComponent",
    ARTIFACT: "Artifact",
    ACTION: "Action",
    CONTEXT: "Context",
}
"""Kind of resource -> what QueryLineage calls it."""
_MOST_PROPERTIES = 30
_PAGE = 500


class Entity(NamedTuple):
    """An end of an edge. `kind` is that of its ARN; `type` is its own word for itself."""

    resource: Resource
    kind: str
    type: str
    name: str
    source: str


def noun(kind: str, what: str) -> store.Noun:
    """A kind of entity, with AWS's errors."""
    return store.Noun(kind, experiments.missing(what), experiments.taken(what))


def artifact_name(owner: str, source: Doc) -> str:
    """What the ARN of an artifact ends with: the same for the same source, and for no other.

    The first 20 characters are those of all artifacts with this URI.
    """
    types = sorted((it["SourceIdType"], it["Value"]) for it in source.get("SourceTypes", []))
    return _digest(source["SourceUri"])[:20] + _digest([owner, types])[:12]


def state_of(kind: str, type_: str, source: Doc, created_by: Doc | None) -> Doc:
    """The state of a new artifact, action or context."""
    found = {} if kind == ARTIFACT else {"SourceUri": source["SourceUri"]}
    return {"CreatedBy": created_by, "Type": type_, **found}


def created(ctx: Context, noun: store.Noun, name: str, type_: str, request: Doc) -> Resource:
    """Store a new artifact, action or context."""
    state = state_of(noun.kind, type_, request["Source"], experiments.by(ctx))
    return store.create(ctx, noun, name, request, state=state)


def updated(ctx: Context, noun: store.Noun, name: str, request: Doc) -> Resource:
    """Store members of the request over those of the entity; of Properties each by itself."""
    gone = set(request.get("PropertiesToRemove", ()))
    kept = ("ArtifactName", "Description", "Status")

    def change(it: Resource) -> Resource:
        properties = {**it.spec.get("Properties", {}), **request.get("Properties", {})}
        properties = {key: value for key, value in properties.items() if key not in gone}
        if len(properties) > _MOST_PROPERTIES:
            raise ValidationException(
                f"'{it.arn}' would have {len(properties)} Properties; "
                f"{_MOST_PROPERTIES} is the maximum."
            )
        members = {name: request[name] for name in kept if name in request}
        spec = {**it.spec, **members, "Properties": properties}
        return replace(it, spec=spec, state={**it.state, "LastModifiedBy": experiments.by(ctx)})

    return store.change(ctx, noun, name, change)


def deleted(ctx: Context, noun: store.Noun, name: str) -> Resource:
    """Delete an entity that nothing is associated with."""

    def alone(connection: Connection, it: Resource) -> None:
        if lineage.touched(connection, it.arn):
            raise ValidationException(
                f"'{it.arn}' has 1 or more associations and cannot be deleted. "
                "Delete its associations first."
            )

    return store.delete(ctx, noun, name, alone)


def narrowed(kind: str, type_: str | None, uri: str | None) -> dict[str, ColumnElement[bool]]:
    """Conditions of a list of the artifacts, actions or contexts of a type, from a source."""
    state = cast(RESOURCE.c.state, Text)
    found: dict[str, ColumnElement[bool]] = {}
    if type_ is not None:
        found[f"type {type_}"] = state.contains(f'"Type": {json.dumps(type_)}', autoescape=True)
    if uri is not None and kind == ARTIFACT:
        found[f"source {uri}"] = RESOURCE.c.name.startswith(_digest(uri)[:20])
    elif uri is not None:
        written = f'"SourceUri": {json.dumps(uri)}'
        found[f"source {uri}"] = state.contains(written, autoescape=True)
    return found


def entities(connection: Connection, ctx: Context, arns: Iterable[str]) -> dict[str, Entity]:
    """What stands behind the ARNs, of those that exist and that the caller may see."""
    wanted = list(arns)
    found: dict[str, Entity] = {}
    for first in range(0, len(wanted), _PAGE):
        page = RESOURCE.c.arn.in_(wanted[first : first + _PAGE])
        query = resources.RESOURCES.where(page, RESOURCE.c.deleted_at.is_(None))
        for it in map(resources.resource, connection.execute(query)):
            if access.reaches(ctx, it):
                found[it.arn] = _entity(it)
    return found


def visible(connection: Connection, ctx: Context, arns: Iterable[str]) -> set[str]:
    """Those of the ARNs that exist and that the caller may see, without what they stand for."""
    wanted = list(arns)
    found: set[str] = set()
    for first in range(0, len(wanted), _PAGE):
        page = RESOURCE.c.arn.in_(wanted[first : first + _PAGE])
        query = select(RESOURCE.c.arn, RESOURCE.c.owner, RESOURCE.c.tags)
        for row in connection.execute(query.where(page, RESOURCE.c.deleted_at.is_(None))):
            light = Resource("", "", "", "", row.arn, "", {}, 0, 0, tags=row.tags, owner=row.owner)
            if access.reaches(ctx, light):
                found.add(row.arn)
    return found


def required(connection: Connection, ctx: Context, arns: Sequence[str]) -> dict[str, Entity]:
    """What stands behind all of the ARNs. Raises ResourceNotFound."""
    found = entities(connection, ctx, arns)
    for arn in arns:
        if arn not in found:
            raise ResourceNotFound(f"'{arn}' does not exist.")
    return found


def scope(ctx: Context) -> dict[str, str]:
    """Which edges the caller sees."""
    columns = store.scope(ctx, "")
    del columns["kind"]
    return columns


def group_arn(ctx: Context) -> str:
    """The one lineage group of an account, which everything belongs to."""
    return store.arn(ctx, "lineage-group", "sagemaker-default-lineage-group")


def _entity(it: Resource) -> Entity:
    source = it.spec.get("Source", {})
    if it.kind == components.KIND:
        type_ = source.get("SourceType") or "SageMakerExperimentTrialComponent"
        return Entity(it, it.kind, type_, it.name, source.get("SourceArn", ""))
    name = it.spec.get("ArtifactName", "") if it.kind == ARTIFACT else it.name
    return Entity(it, it.kind, it.state.get("Type", ""), name, source.get("SourceUri", ""))


def _digest(value: object) -> str:
    return hashlib.sha256(json.dumps(value).encode()).hexdigest()

"""Walks along lineage: what something came from, and what came of it."""

from collections.abc import Iterator
from functools import partial
from typing import Any

from sqlalchemy import Connection

from studio.api import lineage_entities
from studio.api.lineage_entities import LINEAGE_TYPES, Entity
from studio.api.registry import Context, operation
from studio.db import query
from studio.db.resources import Doc
from studio.errors import ResourceNotFound, ValidationException
from studio.experiments import lineage
from studio.experiments.lineage import Edge, Walk

_DEPTH = 10
_MOST = 10_000
"""Things that one walk reaches: beyond that nobody looks at all of them."""
_VERTICES = 1_000
_SIGNS: dict[lineage.Direction, int] = {"Ascendants": -1, "Descendants": 1}
_GROUP = "sagemaker-default-lineage-group"


@operation("sagemaker", "QueryLineage")
def query_lineage(ctx: Context, request: Doc) -> Doc:
    """Vertices nearest first. Clients of AWS do not page: without MaxResults, a page is long."""
    if not request.get("StartArns"):
        raise ValidationException("StartArns must name what the query starts from.")
    limit = request.get("MaxResults", _VERTICES)
    filters = request.get("Filters", {})
    asked = {name: it for name, it in request.items() if name not in ("NextToken", "MaxResults")}
    mark = query.checksum([sorted(lineage_entities.scope(ctx).items()), asked])
    token = request.get("NextToken")
    first = query.opened(token, mark, (int,))[0] if token else 0
    with ctx.db.read() as connection:
        lineage_entities.required(connection, ctx, request["StartArns"])
        direction = request.get("Direction", "Both")
        walk = _walked(connection, ctx, request["StartArns"], direction, request.get("MaxDepth"))
        known = lineage_entities.entities(connection, ctx, walk.depths)
    places = {
        arn: place
        for place, arn in enumerate(it for it in walk.depths if _passes(known.get(it), filters))
    }
    page = list(places)[first : first + limit]
    more = len(places) > first + limit
    answer: Doc = {
        "Vertices": [_vertex(known[arn]) for arn in page],
        "Edges": [],
        "NextToken": query.sealed([first + limit], mark) if more else None,
    }
    if request.get("IncludeEdges", True):
        shown = partial(_belongs, places=places, first=first, limit=limit)
        answer["Edges"] = [_edge(edge) for edge in walk.edges if shown(edge)]
    return answer


@operation("studio", "DescribeLineage")
def describe_lineage(ctx: Context, request: Doc) -> Doc:
    """What came before the things and after them, not what else came of what was before."""
    limit = request.get("Limit", _VERTICES)
    wanted = request.get("Direction", "Both")
    directions = (*_SIGNS,) if wanted == "Both" else (wanted,)
    with ctx.db.read() as connection:
        given = lineage_entities.visible(connection, ctx, request["Arns"])
        starts = [arn for arn in request["Arns"] if arn in given]
        walks = {
            direction: _walked(connection, ctx, starts, direction, request.get("MaxDepth"))
            for direction in directions
        }
        depths = dict(sorted(_together(walks), key=lambda it: abs(it[1])))
        there = lineage_entities.visible(connection, ctx, depths)
        shown = [arn for arn in depths if arn in there][:limit]
        known = lineage_entities.entities(connection, ctx, shown)
    edges = {edge[:2]: edge for walk in walks.values() for edge in walk.edges}
    kept = set(shown)
    return {
        "Total": len(there),
        "Vertices": [_described(known[arn], depths[arn]) for arn in shown],
        "Edges": [_edge(it) for it in edges.values() if {it.source, it.destination} <= kept],
    }


@operation("sagemaker", "DescribeLineageGroup")
def describe_lineage_group(ctx: Context, request: Doc) -> Doc:
    """An account has the one group, which is there from the beginning."""
    _require_group(request["LineageGroupName"])
    return {"LineageGroupName": _GROUP, **_group(ctx)}


@operation("sagemaker", "ListLineageGroups")
def list_lineage_groups(ctx: Context, _request: Doc) -> Doc:
    return {"LineageGroupSummaries": [{"LineageGroupName": _GROUP, **_group(ctx)}]}


@operation("sagemaker", "GetLineageGroupPolicy")
def get_lineage_group_policy(ctx: Context, request: Doc) -> Doc:
    """There is none: a home shares its lineage with no other account."""
    _require_group(request["LineageGroupName"].rpartition("/")[2])
    raise ResourceNotFound(f"The lineage group {_GROUP} has no resource policy.")


def _walked(
    connection: Connection,
    ctx: Context,
    starts: list[str],
    direction: lineage.Direction,
    depth: int | None,
) -> Walk:
    scope = lineage_entities.scope(ctx)
    far = _DEPTH if depth is None else max(0, depth)
    return lineage.walk(connection, scope, starts, direction, far, _MOST)


def _together(walks: dict[lineage.Direction, Walk]) -> Iterator[tuple[str, int]]:
    """ARNs with their distances; negative: before the start."""
    for direction, walk in walks.items():
        yield from ((arn, _SIGNS[direction] * depth) for arn, depth in walk.depths.items())


def _passes(entity: Entity | None, filters: Doc) -> bool:
    """Whether QueryLineage shows it."""
    if entity is None or entity.kind not in LINEAGE_TYPES:
        return False
    it = entity.resource
    properties = it.spec.get("Properties", {})
    tests: dict[str, Any] = {
        "Types": lambda types: _type(entity) in types,
        "LineageTypes": lambda types: LINEAGE_TYPES[entity.kind] in types,
        "CreatedBefore": lambda at: it.created_at <= at,
        "CreatedAfter": lambda at: it.created_at >= at,
        "ModifiedBefore": lambda at: it.modified_at <= at,
        "ModifiedAfter": lambda at: it.modified_at >= at,
        "Properties": lambda wanted: wanted.items() <= properties.items(),
    }
    return all(test(filters[name]) for name, test in tests.items() if filters.get(name))


def _belongs(edge: Edge, places: dict[str, int], first: int, limit: int) -> bool:
    """Whether the page from `first` tells of the edge: that which has the later of its ends."""
    ends = [places[arn] for arn in edge[:2] if arn in places]
    return len(ends) == 2 and first <= max(ends) < first + limit


def _type(entity: Entity) -> str:
    """`TrainingJob`, where associations say `SageMakerTrainingJob`."""
    return entity.type.removeprefix("SageMaker")


def _vertex(entity: Entity) -> Doc:
    return {
        "Arn": entity.resource.arn,
        "Type": _type(entity),
        "LineageType": LINEAGE_TYPES[entity.kind],
    }


def _described(entity: Entity, depth: int) -> Doc:
    it = entity.resource
    return {
        "Arn": it.arn,
        "Kind": entity.kind,
        "Type": _type(entity),
        "Name": it.spec.get("DisplayName") or entity.name or None,
        "SourceUri": entity.source or None,
        "Status": it.status or it.spec.get("Status") or None,
        "CreationTime": it.created_at,
        "Depth": depth,
    }


def _edge(edge: Edge) -> Doc:
    return {
        "SourceArn": edge.source,
        "DestinationArn": edge.destination,
        "AssociationType": edge.type or None,
    }


def _group(ctx: Context) -> Doc:
    return {"LineageGroupArn": lineage_entities.group_arn(ctx), "DisplayName": _GROUP}


def _require_group(name: str) -> None:
    if name != _GROUP:
        raise ResourceNotFound(f"Lineage group '{name}' does not exist; there is one: {_GROUP}.")

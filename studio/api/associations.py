"""Associations: the edges of lineage, from what was there before to what came of it."""

from collections.abc import Callable, Iterator
from functools import partial
from itertools import islice
from typing import Any

from sqlalchemy import ColumnElement, Connection, tuple_

from studio.api import lineage_entities, store
from studio.api.lineage_entities import Entity
from studio.api.registry import Context, operation
from studio.db import query
from studio.db.experiment_tables import EDGE
from studio.db.resources import Doc
from studio.errors import ResourceNotFound, ValidationException
from studio.experiments import lineage
from studio.experiments.lineage import Edge

_ENDS = {"SourceArn": EDGE.c.source, "DestinationArn": EDGE.c.destination}
_COLUMNS = {
    "CreationTime": ("created_at", "source", "destination"),
    "SourceArn": ("source", "destination"),
    "DestinationArn": ("destination", "source"),
}
_TOGETHER = 200
"""Edges whose ends are looked up at once."""

Row = tuple[Edge, Entity, Entity]


@operation("sagemaker", "AddAssociation")
def add_association(ctx: Context, request: Doc) -> Doc:
    ends = [request["SourceArn"], request["DestinationArn"]]
    if ends[0] == ends[1]:
        raise ValidationException(f"'{ends[0]}' cannot be associated with itself.")
    ctx.db.write(partial(_add, ctx=ctx, request=request))
    return {"SourceArn": ends[0], "DestinationArn": ends[1]}


def _add(connection: Connection, ctx: Context, request: Doc) -> None:
    ends = [request["SourceArn"], request["DestinationArn"]]
    source = lineage_entities.required(connection, ctx, ends)[ends[0]].resource
    scope = {**lineage_entities.scope(ctx), "owner": ctx.caller.principal.owner}
    edge = Edge(ends[0], ends[1], request.get("AssociationType", ""), ctx.now())

    def add() -> None:
        if not lineage.add(connection, scope, edge):
            raise ValidationException(
                f"An association from '{ends[0]}' to '{ends[1]}' already exists."
            )

    store.once(ctx, connection, source, f"associate {ends[1]}", add)


@operation("sagemaker", "DeleteAssociation")
def delete_association(ctx: Context, request: Doc) -> Doc:
    ends = request["SourceArn"], request["DestinationArn"]
    ctx.db.write(partial(_delete, ctx=ctx, ends=ends))
    return {"SourceArn": ends[0], "DestinationArn": ends[1]}


def _delete(connection: Connection, ctx: Context, ends: tuple[str, str]) -> None:
    source = lineage_entities.required(connection, ctx, ends)[ends[0]].resource

    def remove() -> None:
        if not lineage.remove(connection, lineage_entities.scope(ctx), *ends):
            raise ResourceNotFound(
                f"The association from '{ends[0]}' to '{ends[1]}' does not exist."
            )

    store.once(ctx, connection, source, f"disassociate {ends[1]}", remove)


@operation("sagemaker", "ListAssociations")
def list_associations(ctx: Context, request: Doc) -> Doc:
    limit = request.get("MaxResults", 10)
    sort, order = request.get("SortBy", "CreationTime"), request.get("SortOrder", "Descending")
    asked = {
        name: value for name, value in request.items() if name not in ("NextToken", "MaxResults")
    }
    scope = lineage_entities.scope(ctx)
    mark = query.checksum([sorted(scope.items()), sort, order, asked])
    with ctx.db.read() as connection:
        lineage_entities.required(
            connection, ctx, [request[name] for name in _ENDS if name in request]
        )
        rows = _by_type if sort in ("SourceType", "DestinationType") else _by_column
        found = list(islice(rows(connection, ctx, request, mark), limit + 1))
    token = None
    if len(found) > limit:
        token = query.sealed(_position(found[limit - 1], sort), mark)
    return {"AssociationSummaries": [_summary(row) for row in found[:limit]], "NextToken": token}


def _by_column(connection: Connection, ctx: Context, request: Doc, mark: int) -> Iterator[Row]:
    """The associations that are asked for, behind the place of the token, in a column's order."""
    sort = request.get("SortBy", "CreationTime")
    columns = [EDGE.c[name] for name in _COLUMNS[sort]]
    wanted = _wanted(request)
    down = request.get("SortOrder", "Descending") == "Descending"
    if token := request.get("NextToken"):
        types = tuple(column.type.python_type for column in columns)
        place = tuple(query.opened(token, mark, types))
        wanted.append(tuple_(*columns) < place if down else tuple_(*columns) > place)
    order = [column.desc() if down else column for column in columns]
    scope = lineage_entities.scope(ctx)
    return _told(connection, ctx, request, lineage.edges(connection, scope, *wanted, order=order))


def _by_type(connection: Connection, ctx: Context, request: Doc, mark: int) -> Iterator[Row]:
    """As `_by_column`, in the order of the types: they are in no column, so all are looked at."""
    sort = request["SortBy"]
    edges = lineage.edges(connection, lineage_entities.scope(ctx), *_wanted(request))
    rows = list(_told(connection, ctx, request, edges))
    down = request.get("SortOrder", "Descending") == "Descending"
    rows.sort(key=lambda row: _position(row, sort), reverse=down)
    token = request.get("NextToken")
    place = query.opened(token, mark, (str, str, str)) if token else None
    for row in rows:
        here = _position(row, sort)
        if place is None or (here < place if down else here > place):
            yield row


def _told(
    connection: Connection, ctx: Context, request: Doc, edges: Iterator[Edge]
) -> Iterator[Row]:
    """The edges with what stands at their ends, of those types that are asked for."""
    while some := list(islice(edges, _TOGETHER)):
        arns = {arn for edge in some for arn in edge[:2]}
        known = lineage_entities.entities(connection, ctx, arns)
        for edge in some:
            ends = known.get(edge.source), known.get(edge.destination)
            if ends[0] is None or ends[1] is None:
                continue
            row = (edge, ends[0], ends[1])
            if _fits(ends[0], request.get("SourceType")) and _fits(
                ends[1], request.get("DestinationType")
            ):
                yield row


def _fits(entity: Entity, type_: str | None) -> bool:
    """Both are taken for a type: `ModelDeployment`, and `Action`, as SDKs ask."""
    lineage_type = lineage_entities.LINEAGE_TYPES.get(entity.kind)
    return type_ is None or type_ in (entity.type, lineage_type)


def _wanted(request: Doc) -> list[ColumnElement[bool]]:
    conditions: dict[str, Callable[[Any], ColumnElement[bool]]] = {
        **{name: column.__eq__ for name, column in _ENDS.items()},
        "AssociationType": EDGE.c.type.__eq__,
        "CreatedAfter": EDGE.c.created_at.__ge__,
        "CreatedBefore": EDGE.c.created_at.__le__,
    }
    return [make(request[name]) for name, make in conditions.items() if name in request]


def _position(row: Row, sort: str) -> list[Any]:
    edge, source, destination = row
    if sort in _COLUMNS:
        return [getattr(edge, name) for name in _COLUMNS[sort]]
    type_ = source.type if sort == "SourceType" else destination.type
    return [type_, edge.source, edge.destination]


def _summary(row: Row) -> Doc:
    edge, source, destination = row
    return {
        "SourceArn": edge.source,
        "DestinationArn": edge.destination,
        "SourceType": source.type,
        "DestinationType": destination.type,
        "AssociationType": edge.type or None,
        "SourceName": source.name or None,
        "DestinationName": destination.name or None,
        "CreationTime": edge.created_at,
    }

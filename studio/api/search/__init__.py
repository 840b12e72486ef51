"""Search and GetSearchSuggestions, over every kind that is stored here and that AWS can search."""

from typing import Any

from botocore.model import Shape, StructureShape
from sqlalchemy import ColumnElement

from studio.api import store
from studio.api.registry import Context, operation
from studio.api.search import comparisons, expressions, pages
from studio.api.search.entities import ENTITIES, Entity
from studio.api.search.expressions import Names
from studio.api.search.pages import Found, Question
from studio.api.search.properties import Pick, Property
from studio.db import query
from studio.db.resources import Doc
from studio.errors import ValidationException
from studio.wire import models

_DEFAULT_RESULTS = 10
_LOOKED_THROUGH = 1_000
_MOST_SUGGESTIONS = 100
_NEWEST = ("CreationTime", "Descending")
_MAPS = ("HyperParameters", "Parameters", "InputArtifacts", "OutputArtifacts")
_COLUMN_ORDERS = {
    "name": "Name",
    "status": "Status",
    "created_at": "CreationTime",
    "modified_at": "LastModifiedTime",
}


@operation("sagemaker", "Search")
def search(ctx: Context, request: Doc) -> Doc:
    if request.get("CrossAccountFilterOption") == "CrossAccount":
        raise ValidationException("CrossAccountFilterOption: there are no other accounts here.")
    if "VisibilityConditions" in request:
        raise ValidationException("VisibilityConditions are not supported by Studio.")
    expression = request.get("SearchExpression")
    if expression is not None:
        expressions.check(expression)
    entity = ENTITIES.get(request["Resource"])
    if entity is None:
        return {"Results": [], "TotalHits": {"Value": 0, "Relation": "EqualTo"}}
    found = _found(ctx, entity, request)
    relation = "EqualTo" if found.exact else "GreaterThanOrEqualTo"
    return {
        "Results": [{entity.member: document} for document in found.documents],
        "NextToken": found.next_token,
        "TotalHits": {"Value": found.total, "Relation": relation},
    }


@operation("sagemaker", "GetSearchSuggestions")
def get_search_suggestions(ctx: Context, request: Doc) -> Doc:
    """Of the newest resources: the hyperparameters, metrics and tags whose names begin so."""
    hint = request.get("SuggestionQuery", {}).get("PropertyNameQuery", {})
    start = hint.get("PropertyNameHint", "").lower()
    entity = ENTITIES.get(request["Resource"])
    names: set[str] = set()
    if entity is not None:
        scope = store.scope(ctx, entity.kind)
        with ctx.db.read() as connection:
            newest = query.scan(connection, scope, (), _NEWEST, None, _LOOKED_THROUGH)
            for document in entity.documents(connection, None)(list(newest)):
                names.update(_suggested(document, start))
    chosen = sorted(names)[:_MOST_SUGGESTIONS]
    return {"PropertyNameSuggestions": [{"PropertyName": name} for name in chosen]}


def _found(ctx: Context, entity: Entity, request: Doc) -> Found:
    named = expressions.names(_shape(entity), entity.prefix)
    expression = request.get("SearchExpression")
    test = expressions.compiled(expression, named) if expression else lambda _document: True
    sort, order = request.get("SortBy"), request.get("SortOrder", "Descending")
    by = _column(entity, named, sort)
    scope = store.scope(ctx, entity.kind)
    entity.prepare(ctx.db)
    with ctx.db.read() as connection:
        question = Question(
            scope=scope,
            wanted=_wanted(entity, named, expression) if expression else [],
            test=test,
            looked_at=entity.documents(connection, _looked_at(named, expression, by)),
            documents=entity.documents(connection, None),
            order=order,
            limit=request.get("MaxResults", _DEFAULT_RESULTS),
            token=request.get("NextToken") or None,
            mark=query.checksum([sorted(scope.items()), expression, sort, order]),
        )
        if isinstance(by, str):
            return pages.by_column(connection, question, by)
        return pages.by_property(connection, question, by)


def _shape(entity: Entity) -> Shape:
    record = models.service_model("sagemaker").shape_for("SearchRecord")
    assert isinstance(record, StructureShape)
    return record.members[entity.member]


def _column(entity: Entity, named: Names, sort: str | None) -> str | Property:
    """The database's order for SortBy, or the property for which it has none."""
    if sort is None or sort == "LastModifiedTime":
        return "LastModifiedTime"
    found = named(sort)
    if found.type == "object":
        raise ValidationException(f"Results cannot be sorted by {found.name}: it has no value.")
    return _COLUMN_ORDERS.get(entity.columns.get(found.name, ""), found)


def _wanted(entity: Entity, named: Names, expression: Doc) -> list[ColumnElement[bool]]:
    """What the database can tell of the rows that may match: fewer have to be looked at."""
    if expression.get("Operator") == "Or":
        return []
    wanted: list[ColumnElement[bool] | None] = []
    for each in expression.get("Filters", ()):
        found, operator = named(each["Name"]), each.get("Operator", "Equals")
        column, value = entity.columns.get(found.name), each.get("Value", "")
        if column is not None:
            value = comparisons.milliseconds(value) if found.type == "timestamp" else value
            wanted.append(query.comparison(column, operator, value))
        last = found.path[-1]
        if operator == "Equals" and found.name in entity.equal:
            wanted.append(entity.equal[found.name](value))
        if isinstance(last, Pick) and last.member == "Key" and operator != "NotExists":
            wanted.append(query.tagged(last.key))
    for part in expression.get("SubExpressions", ()):
        wanted += _wanted(entity, named, part)
    return [each for each in wanted if each is not None]


def _looked_at(named: Names, expression: Doc | None, by: str | Property) -> list[Property]:
    """The properties that decide whether something is found, and where it stands."""
    sorted_by = [by] if isinstance(by, Property) else []
    return sorted_by + ([named(it) for it in expressions.asked(expression)] if expression else [])


def _suggested(document: Doc, start: str) -> list[str]:
    keys: list[tuple[str, Any]] = [
        *((group, key) for group in _MAPS for key in document.get(group) or ()),
        *(("Metrics", it["MetricName"]) for it in document.get("FinalMetricDataList") or ()),
        *(("Metrics", it["MetricName"]) for it in document.get("Metrics") or ()),
        *(("Tags", tag["Key"]) for tag in document.get("Tags") or ()),
    ]
    names = ((key, f"{group}.{key}") for group, key in keys)
    return [
        name
        for key, name in names
        if key.lower().startswith(start) or name.lower().startswith(start)
    ]

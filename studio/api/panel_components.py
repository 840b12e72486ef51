"""Many trial components at once: all that is known of some, and changes of up to ten thousand."""

import math
from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import partial
from typing import NamedTuple

from sqlalchemy import Connection

from studio.api import access, component_graphs, panel_queries, store, trial_components, trials
from studio.api.registry import Context, operation
from studio.db import executions, provenance, resources
from studio.db.resources import Doc, Resource
from studio.errors import ApiError, ValidationException
from studio.experiments import components, series
from studio.experiments.components import Parent
from studio.experiments.query import parser, windows
from studio.experiments.query.warnings import warnings
from studio.experiments.series import Summary
from studio.experiments.series.summaries import of_components

_BATCH = 200
"""How many are changed in one transaction: others write in between."""
_MOST_ERRORS = 100
_EVERYTHING = 2**31

_Change = Callable[[Connection, Resource], None]
"""What is done with a component, inside a write; raises ApiError before it changes anything."""
_Work = Callable[[Connection, Sequence[Resource]], list[Doc]]
"""What is done with some components, inside a write; answers the errors of those that it leaves."""


class _Outcome(NamedTuple):
    done: int
    errors: list[Doc]


@operation("studio", "DescribeTrialComponents")
def describe_trial_components(ctx: Context, request: Doc) -> Doc:
    with ctx.db.read() as connection:
        found = _reached(connection, ctx, request["Names"])
        numbers = components.numbers(connection, [it.id for it in found.values()])
    series.settled(ctx.db, list(numbers.values()))
    with ctx.db.read() as connection:
        parents = components.parents(connection, list(numbers))
        metrics = of_components(connection, numbers.values())
        logged = component_graphs.graphs(connection, ctx, [it.arn for it in found.values()])
        details = [
            _with_graphs(
                _detail(connection, it, metrics.get(numbers[it.id], {}), parents.get(it.id, [])),
                logged[it.arn],
            )
            for it in found.values()
        ]
    missing = [name for name in request["Names"] if name not in found]
    return {"TrialComponents": details, "Missing": missing}


@operation("studio", "UpdateTrialComponents")
def update_trial_components(ctx: Context, request: Doc) -> Doc:
    store.refuse_reserved(request.get("RemoveTags", []))
    store.merged([], request.get("AddTags", []))
    joined, left = (
        store.require(ctx, trials.NOUN, request[member]) if request.get(member) else None
        for member in ("AddToTrial", "RemoveFromTrial")
    )

    def change(connection: Connection, component: Resource) -> None:
        _save(connection, component, _marked(component, request))
        if left is not None:
            components.disassociate(connection, component, left)
        if joined is not None:
            components.associate(connection, component, joined, ctx.now())

    outcome = _each(ctx, _chosen(ctx, request), partial(_one_by_one, change=change))
    return {"Changed": outcome.done, **_failed(outcome.errors)}


@operation("studio", "DeleteTrialComponents")
def delete_trial_components(ctx: Context, request: Doc) -> Doc:
    def delete(connection: Connection, found: Sequence[Resource]) -> list[Doc]:
        components.leave_all(connection, [it.id for it in found])
        resources.delete(connection, found, ctx.now())
        return []

    outcome = _each(ctx, _chosen(ctx, request), delete)
    return {"Deleted": outcome.done, **_failed(outcome.errors)}


def _chosen(ctx: Context, request: Doc) -> list[str]:
    """The names of the components that a request is about, each once."""
    if ("Names" in request) == ("Query" in request):
        raise ValidationException("Exactly one of Names and Query is needed.")
    if "Names" in request:
        return list(dict.fromkeys(request["Names"]))
    whose = panel_queries.scope(ctx)
    with panel_queries.told(), ctx.db.read() as connection:
        asked = parser.condition(request["Query"])
        # What only makes a table empty would make a change of everything, behind a `not`.
        for problem in warnings(connection, whose, [asked]):
            raise ValidationException(problem.message)
        found = windows.window(connection, whose, asked, (), (0, _EVERYTHING)).found
    return [it.name for it in found]


def _each(ctx: Context, names: Sequence[str], work: _Work) -> _Outcome:
    done, errors = 0, list[Doc]()
    for first in range(0, len(names), _BATCH):
        some = names[first : first + _BATCH]
        with ctx.db.read() as connection:
            found = _reached(connection, ctx, some)
        errors += [
            _error(name, store.missing(ctx, trial_components.NOUN, name))
            for name in some
            if name not in found
        ]
        outcome = ctx.db.write(partial(_changed, found=list(found.values()), work=work))
        done, errors = done + outcome.done, errors + outcome.errors
    return _Outcome(done, errors)


def _changed(connection: Connection, found: Sequence[Resource], work: _Work) -> _Outcome:
    # As they are now: since they were found somebody may have changed or deleted some.
    now = resources.several(connection, [it.id for it in found])
    there = {it.id: it for it in now if it.deleted_at is None}
    missing = trial_components.NOUN.missing
    errors = [_error(it.name, missing(it)) for it in found if it.id not in there]
    errors += work(connection, list(there.values())) if there else []
    return _Outcome(len(found) - len(errors), errors)


def _one_by_one(connection: Connection, found: Sequence[Resource], change: _Change) -> list[Doc]:
    errors: list[Doc] = []
    for each in found:
        try:
            change(connection, each)
        except ApiError as error:
            errors.append(_error(each.name, error))
    return errors


def _save(connection: Connection, before: Resource, after: Resource) -> None:
    if after != before:
        resources.update(connection, after)


def _marked(component: Resource, request: Doc) -> Resource:
    marks: Doc = {it: request[it] for it in ("Starred", "Color", "Note") if it in request}
    gone = request.get("RemoveTags", [])
    tags = [tag for tag in component.tags if tag["Key"] not in gone]
    tags = store.merged(tags, request.get("AddTags", []))
    named: Doc = {it: request[it] for it in ("DisplayName",) if it in request}
    return replace(
        component,
        tags=tags,
        spec={**component.spec, **named},
        state={**component.state, **marks},
    )


def _reached(connection: Connection, ctx: Context, names: Sequence[str]) -> dict[str, Resource]:
    """Those of the components of these names that the caller's action may touch."""
    settings = ctx.settings
    place = (settings.account, settings.region, trial_components.NOUN.kind)
    found = resources.named(connection, *place, names)
    return {
        name: found[name] for name in names if name in found and access.reaches(ctx, found[name])
    }


def _error(name: str, error: ApiError) -> Doc:
    return {"Name": name, "Code": error.code, "Message": error.message}


def _failed(errors: list[Doc]) -> Doc:
    return {"Failed": len(errors), "Errors": errors[:_MOST_ERRORS]}


def _detail(
    connection: Connection, it: Resource, metrics: dict[str, Summary], parents: list[Parent]
) -> Doc:
    described = trial_components.described(it)
    status, source = described.get("Status", {}), described.get("Source", {})
    return {
        **{name: described[name] for name in _AS_THEY_ARE},
        **described.get("MetadataProperties", {}),
        "Name": it.name,
        "Arn": it.arn,
        "Status": it.status,
        "StatusMessage": status.get("Message"),
        "Owner": it.owner,
        "StartTime": described.get("StartTime"),
        "EndTime": described.get("EndTime"),
        "SourceArn": source.get("SourceArn"),
        "SourceType": source.get("SourceType"),
        "Metrics": [_metric(name, summary) for name, summary in metrics.items()],
        "Tags": it.tags,
        "Trials": [{"TrialName": p.trial, "ExperimentName": p.experiment} for p in parents],
        "Note": it.state.get("Note", ""),
        "Starred": it.state.get("Starred", False),
        "Color": it.state.get("Color", ""),
        "Provenance": provenance.get(connection, it.id),
        "Execution": executions.get(connection, it.id),
    }


def _with_graphs(detail: Doc, logged: Doc) -> Doc:
    both = {member: {**graphs, **detail[member]} for member, graphs in logged.items()}
    return {**detail, **both}


_AS_THEY_ARE = (
    "DisplayName",
    "CreationTime",
    "LastModifiedTime",
    "Parameters",
    "InputArtifacts",
    "OutputArtifacts",
)


def _metric(name: str, summary: Summary) -> Doc:
    spread = summary.spread
    finite = (
        {"Finite": 0}
        if spread is None
        else {
            "Finite": spread.finite,
            "Minimum": spread.low,
            "MinimumStep": spread.low_step,
            "Maximum": spread.high,
            "MaximumStep": spread.high_step,
            "Mean": spread.mean,
            "StdDev": spread.deviation,
        }
    )
    return {
        "MetricName": name,
        "Count": summary.count,
        "Last": summary.last if math.isfinite(summary.last) else None,
        "LastStep": summary.last_step,
        "LastTime": summary.last_at,
        **finite,
    }

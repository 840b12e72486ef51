"""Experiments: what trials, and with them their components, are grouped under."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

from sqlalchemy import ColumnElement, Connection, select

from studio.api import store
from studio.api.registry import Context, operation
from studio.db import query, resources
from studio.db.experiment_tables import TRIAL
from studio.db.resources import Doc, Resource
from studio.errors import ApiError, ResourceNotFound, ValidationException
from studio.experiments import components


def missing(what: str) -> Callable[[Resource], ApiError]:
    """AWS's answer for experiments, trials and trial components."""
    return lambda it: ResourceNotFound(f"{what} '{it.arn}' does not exist.")


def taken(what: str) -> Callable[[Resource], ApiError]:
    """AWS's answer for experiments, trials and trial components."""
    return lambda it: ValidationException(
        f"{what} names must be unique within an AWS account and region. "
        f"{what} with name ({it.name}) already exists."
    )


NOUN = store.Noun(components.EXPERIMENT_KIND, missing("Experiment"), taken("Experiment"))


@operation("sagemaker", "CreateExperiment")
def create_experiment(ctx: Context, request: Doc) -> Doc:
    state = {"CreatedBy": by(ctx)}
    made = store.create(ctx, NOUN, request["ExperimentName"], request, state=state)
    return {"ExperimentArn": made.arn}


@operation("sagemaker", "DescribeExperiment")
def describe_experiment(ctx: Context, request: Doc) -> Doc:
    return described(store.require(ctx, NOUN, request["ExperimentName"]))


@operation("sagemaker", "ListExperiments")
def list_experiments(ctx: Context, request: Doc) -> Doc:
    return listing(ctx, NOUN, request, {}, _summary, "ExperimentSummaries")


@operation("sagemaker", "UpdateExperiment")
def update_experiment(ctx: Context, request: Doc) -> Doc:
    changes: Doc = {it: request[it] for it in ("DisplayName", "Description") if it in request}
    changed = updated(ctx, NOUN, request["ExperimentName"], changes)
    return {"ExperimentArn": changed.arn}


@operation("sagemaker", "DeleteExperiment")
def delete_experiment(ctx: Context, request: Doc) -> Doc:
    def alone(connection: Connection, experiment: Resource) -> None:
        of = select(TRIAL.c.resource_id).where(TRIAL.c.experiment_id == experiment.id)
        if connection.execute(of.limit(1)).first():
            raise ValidationException(
                f"Experiment '{experiment.arn}' is linked to 1 or more trials and cannot be "
                "deleted. Delete its trials first."
            )

    return {"ExperimentArn": store.delete(ctx, NOUN, request["ExperimentName"], alone).arn}


def described(experiment: Resource) -> Doc:
    """The experiment as Describe and Search tell it."""
    return {
        "DisplayName": experiment.name,
        **experiment.spec,
        "ExperimentArn": experiment.arn,
        **times(experiment),
    }


def still_there(connection: Connection, noun: store.Noun, it: Resource) -> None:
    """Raises `noun.missing` when it was deleted since it was found."""
    now = resources.get(connection, it.id)
    if now is None or now.deleted_at is not None:
        raise noun.missing(it)


def by(ctx: Context) -> Doc:
    """Who asks, as AWS tells it of what somebody made or changed."""
    principal = ctx.caller.principal
    identity = {"Arn": principal.source_arn, "PrincipalId": principal.user_id}
    return {"UserProfileName": principal.owner or None, "IamIdentity": identity}


def times(it: Resource) -> Doc:
    """When and by whom it was made and last changed."""
    created = it.state.get("CreatedBy")
    return {
        "CreationTime": it.created_at,
        "CreatedBy": created,
        "LastModifiedTime": it.modified_at,
        "LastModifiedBy": it.state.get("LastModifiedBy", created),
    }


def updated(ctx: Context, noun: store.Noun, name: str, changes: Doc) -> Resource:
    """Store members of the definition of an experiment or a trial anew."""

    def change(it: Resource) -> Resource:
        state = {**it.state, "LastModifiedBy": by(ctx)}
        return replace(it, spec={**it.spec, **changes}, state=state)

    return store.change(ctx, noun, name, change)


def listing(
    ctx: Context,
    noun: store.Noun,
    request: Doc,
    narrowed: Mapping[str, ColumnElement[bool]],
    summary: Callable[[Resource], Any],
    member: str,
) -> Doc:
    """The answer of a List operation of the family: its summaries hold what was defined."""
    scope = store.scope(ctx, noun.kind)
    with ctx.db.read() as connection:
        page = query.list_resources(connection, scope, request, narrowed=narrowed)
        found = resources.several(connection, [row.id for row in page.rows])
    return {member: [summary(it) for it in found], "NextToken": page.next_token}


def _summary(experiment: Resource) -> Doc:
    return {**described(experiment), "ExperimentSource": experiment.spec.get("Source")}

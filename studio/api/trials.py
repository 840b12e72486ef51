"""Trials: the groups of components of an experiment."""

from sqlalchemy import ColumnElement, Connection, select

from studio.api import experiments, store
from studio.api.registry import Context, operation
from studio.db.experiment_tables import COMPONENT, MEMBERSHIP, TRIAL
from studio.db.resources import Doc, Resource
from studio.db.tables import RESOURCE
from studio.errors import ValidationException
from studio.experiments import components

NOUN = store.Noun(components.TRIAL_KIND, experiments.missing("Trial"), experiments.taken("Trial"))


@operation("sagemaker", "CreateTrial")
def create_trial(ctx: Context, request: Doc) -> Doc:
    name = request["TrialName"]
    made = store.made(ctx, NOUN, name)
    if made is None:
        experiment = store.require(ctx, experiments.NOUN, request["ExperimentName"])

        def join(connection: Connection, trial: Resource) -> None:
            experiments.still_there(connection, experiments.NOUN, experiment)
            row = {"resource_id": trial.id, "experiment_id": experiment.id}
            connection.execute(TRIAL.insert().values(row))

        state = {"CreatedBy": experiments.by(ctx)}
        made = store.create(ctx, NOUN, name, request, join, state=state)
    return {"TrialArn": made.arn}


@operation("sagemaker", "DescribeTrial")
def describe_trial(ctx: Context, request: Doc) -> Doc:
    return described(store.require(ctx, NOUN, request["TrialName"]))


@operation("sagemaker", "ListTrials")
def list_trials(ctx: Context, request: Doc) -> Doc:
    narrowed: dict[str, ColumnElement[bool]] = {}
    if "ExperimentName" in request:
        experiment = store.require(ctx, experiments.NOUN, request["ExperimentName"])
        of = select(TRIAL.c.resource_id).where(TRIAL.c.experiment_id == experiment.id)
        narrowed[f"experiment {experiment.id}"] = RESOURCE.c.id.in_(of)
    if "TrialComponentName" in request:
        noun = store.Noun(components.KIND, experiments.missing("TrialComponent"), NOUN.taken)
        component = store.require(ctx, noun, request["TrialComponentName"])
        member = COMPONENT.c.number == MEMBERSHIP.c.component
        holding = select(MEMBERSHIP.c.trial_id).join(COMPONENT, member)
        holding = holding.where(COMPONENT.c.resource_id == component.id)
        narrowed[f"component {component.id}"] = RESOURCE.c.id.in_(holding)
    return experiments.listing(ctx, NOUN, request, narrowed, _summary, "TrialSummaries")


@operation("sagemaker", "UpdateTrial")
def update_trial(ctx: Context, request: Doc) -> Doc:
    changes: Doc = {it: request[it] for it in ("DisplayName",) if it in request}
    return {"TrialArn": experiments.updated(ctx, NOUN, request["TrialName"], changes).arn}


@operation("sagemaker", "DeleteTrial")
def delete_trial(ctx: Context, request: Doc) -> Doc:
    def leave(connection: Connection, trial: Resource) -> None:
        held = select(MEMBERSHIP.c.component).where(MEMBERSHIP.c.trial_id == trial.id)
        if connection.execute(held.limit(1)).first():
            raise ValidationException(
                f"Trial '{trial.arn}' is linked to 1 or more trial components and cannot be "
                "deleted. Disassociate or delete them first."
            )
        connection.execute(TRIAL.delete().where(TRIAL.c.resource_id == trial.id))

    return {"TrialArn": store.delete(ctx, NOUN, request["TrialName"], leave).arn}


def described(trial: Resource) -> Doc:
    """The trial as Describe and Search tell it."""
    return {
        "DisplayName": trial.name,
        **trial.spec,
        "TrialArn": trial.arn,
        **experiments.times(trial),
    }


def _summary(trial: Resource) -> Doc:
    return {**described(trial), "TrialSource": trial.spec.get("Source")}

"""Trial components: what was run, with its parameters, metrics and artifacts."""

from dataclasses import replace
from functools import partial

from sqlalchemy import ColumnElement, Connection, select

from studio.api import component_metrics, experiments, store, trials
from studio.api.registry import Context, operation
from studio.db.experiment_tables import COMPONENT, MEMBERSHIP
from studio.db.resources import Doc, Resource
from studio.db.tables import RESOURCE
from studio.errors import ValidationException
from studio.experiments import components, series

NOUN = store.Noun(
    components.KIND,
    experiments.missing("TrialComponent"),
    experiments.taken("TrialComponent"),
)

_MERGED = ("Parameters", "InputArtifacts", "OutputArtifacts")
"""Maps whose entries are updated one by one."""
_MOST = 2_000
"""Entries of each of them; of one request AWS's 300 and 60, which there are all. Configurations
have more, and images of every epoch."""
_REPLACED = ("DisplayName", "Status", "StartTime", "EndTime")


@operation("sagemaker", "CreateTrialComponent")
def create_trial_component(ctx: Context, request: Doc) -> Doc:
    made = store.create(
        ctx,
        NOUN,
        request["TrialComponentName"],
        request,
        status=components.primary_status(request),
        state={"CreatedBy": experiments.by(ctx)},
    )
    return {"TrialComponentArn": made.arn}


@operation("sagemaker", "DescribeTrialComponent")
def describe_trial_component(ctx: Context, request: Doc) -> Doc:
    component = store.require(ctx, NOUN, plain_name(request["TrialComponentName"]))
    with ctx.db.read() as connection:
        number = components.number(connection, component.id)
    series.settled(ctx.db, [number])
    with ctx.db.read() as connection:
        metrics = component_metrics.of(connection, [component]).get(component.id, [])
    return {**described(component), "Metrics": metrics}


@operation("sagemaker", "ListTrialComponents")
def list_trial_components(ctx: Context, request: Doc) -> Doc:
    narrowed = _narrowed(ctx, request)
    return experiments.listing(ctx, NOUN, request, narrowed, _summary, "TrialComponentSummaries")


@operation("sagemaker", "UpdateTrialComponent")
def update_trial_component(ctx: Context, request: Doc) -> Doc:
    change = partial(_updated, ctx=ctx, request=request)
    return {"TrialComponentArn": store.change(ctx, NOUN, request["TrialComponentName"], change).arn}


@operation("sagemaker", "DeleteTrialComponent")
def delete_trial_component(ctx: Context, request: Doc) -> Doc:
    deleted = store.delete(ctx, NOUN, request["TrialComponentName"])
    return {"TrialComponentArn": deleted.arn}


@operation("sagemaker", "AssociateTrialComponent")
def associate_trial_component(ctx: Context, request: Doc) -> Doc:
    component, trial = _both(ctx, request)

    def join(connection: Connection) -> None:
        experiments.still_there(connection, NOUN, component)
        experiments.still_there(connection, trials.NOUN, trial)
        components.associate(connection, component, trial, ctx.now())

    ctx.db.write(join)
    return {"TrialComponentArn": component.arn, "TrialArn": trial.arn}


@operation("sagemaker", "DisassociateTrialComponent")
def disassociate_trial_component(ctx: Context, request: Doc) -> Doc:
    component, trial = _both(ctx, request)

    def leave(connection: Connection) -> None:
        experiments.still_there(connection, NOUN, component)
        components.disassociate(connection, component, trial)

    ctx.db.write(leave)
    return {"TrialComponentArn": component.arn, "TrialArn": trial.arn}


def described(component: Resource) -> Doc:
    """The component as Describe and Search tell it; clients fail on the absence of the maps."""
    return {
        "DisplayName": component.name,
        "Parameters": {},
        "InputArtifacts": {},
        "OutputArtifacts": {},
        **component.spec,
        "TrialComponentArn": component.arn,
        **experiments.times(component),
    }


def plain_name(name_or_arn: str) -> str:
    """The name that is meant: some operations take an ARN instead."""
    return name_or_arn.rpartition("/")[2]


def _updated(component: Resource, ctx: Context, request: Doc) -> Resource:
    spec = {**component.spec, **{name: request[name] for name in _REPLACED if name in request}}
    for name in _MERGED:
        gone = request.get(f"{name}ToRemove", [])
        kept = {key: it for key, it in spec.get(name, {}).items() if key not in gone}
        spec[name] = {**kept, **request.get(name, {})}
        if len(spec[name]) > _MOST:
            raise ValidationException(
                f"TrialComponent '{component.arn}' would have {len(spec[name])} {name}; "
                f"{_MOST} is the maximum."
            )
    state = {**component.state, "LastModifiedBy": experiments.by(ctx)}
    return replace(component, spec=spec, state=state, status=components.primary_status(spec))


def _narrowed(ctx: Context, request: Doc) -> dict[str, ColumnElement[bool]]:
    """AWS's filters; only one of them may be given there, here all of them count."""
    narrowed: dict[str, ColumnElement[bool]] = {}
    if "SourceArn" in request:
        # SDKs ask for it in lower case.
        source = request["SourceArn"].lower()
        of = select(COMPONENT.c.resource_id).where(COMPONENT.c.source == source)
        narrowed[f"source {source}"] = RESOURCE.c.id.in_(of)
    member = COMPONENT.c.number == MEMBERSHIP.c.component
    held = select(COMPONENT.c.resource_id).join(MEMBERSHIP, member)
    if "TrialName" in request:
        trial = store.require(ctx, trials.NOUN, request["TrialName"])
        narrowed[f"trial {trial.id}"] = RESOURCE.c.id.in_(
            held.where(MEMBERSHIP.c.trial_id == trial.id)
        )
    if "ExperimentName" in request:
        experiment = store.require(ctx, experiments.NOUN, request["ExperimentName"])
        narrowed[f"experiment {experiment.id}"] = RESOURCE.c.id.in_(
            held.where(MEMBERSHIP.c.experiment_id == experiment.id)
        )
    return narrowed


def _both(ctx: Context, request: Doc) -> tuple[Resource, Resource]:
    component = store.require(ctx, NOUN, request["TrialComponentName"])
    return component, store.require(ctx, trials.NOUN, request["TrialName"])


def _summary(component: Resource) -> Doc:
    return {**described(component), "TrialComponentSource": component.spec.get("Source")}

"""Trials and trial components as Search shows them: with what belongs to them."""

from collections.abc import Callable, Collection, Sequence

from sqlalchemy import ColumnElement, Connection, Select, select

from studio.api import (
    component_metrics,
    experiments,
    processing_jobs,
    training_jobs,
    transform_jobs,
    trial_components,
    trials,
)
from studio.api.search.properties import Pick, Property
from studio.db import resources
from studio.db.experiment_tables import ARRIVAL, COMPONENT, MEMBERSHIP, TRIAL
from studio.db.resources import Doc, Resource
from studio.db.session import Database
from studio.db.tables import RESOURCE
from studio.experiments import components, series

_JOBS = {
    training_jobs.NOUN.kind: ("TrainingJob", training_jobs.described),
    processing_jobs.NOUN.kind: ("ProcessingJob", processing_jobs.described),
    transform_jobs.NOUN.kind: ("TransformJob", transform_jobs.described),
}
"""Kind of job -> its member in TrialComponentSourceDetail, and what describes it."""

_Documents = Callable[[Sequence[Resource]], list[Doc]]
_Looked = Collection[Property] | None


def settle(db: Database) -> None:
    """Metrics that came moments ago are found as well, but for those of a flood of them."""
    with db.read() as connection:
        waiting = connection.execute(select(ARRIVAL.c.id).limit(1)).first()
    if waiting:
        db.write(series.settle)


def trials_with_components(connection: Connection, of: _Looked) -> _Documents:
    """Trials with short summaries of their components."""
    wanted = _asked(of, "TrialComponentSummaries")

    def documents(rows: Sequence[Resource]) -> list[Doc]:
        held = _components_of(connection, rows) if wanted else {}
        return [
            {
                **trials.described(trial),
                "Tags": trial.tags,
                "TrialComponentSummaries": held.get(trial.id, []),
            }
            for trial in rows
        ]

    return documents


def components_with_all(connection: Connection, of: _Looked) -> _Documents:
    """Components with the trials that they are in, their metrics and the jobs they are of."""
    parents, details = _asked(of, "Parents"), _asked(of, "SourceDetail")
    metrics = _asked(of, "Metrics")
    names = None if of is None else _metric_names(of)

    def documents(rows: Sequence[Resource]) -> list[Doc]:
        ids = [it.id for it in rows]
        held = components.parents(connection, ids) if parents else {}
        measured = component_metrics.of(connection, rows, names) if metrics else {}
        return [
            {
                **trial_components.described(it),
                "Tags": it.tags,
                "Metrics": measured.get(it.id, []),
                "Parents": [
                    {"TrialName": each.trial, "ExperimentName": each.experiment}
                    for each in held.get(it.id, ())
                ],
                "SourceDetail": _source(connection, it) if details else None,
            }
            for it in rows
        ]

    return documents


def trial_of_experiment(name: str) -> ColumnElement[bool]:
    """Whether a trial is of the experiment of that name."""
    experiment = TRIAL.c.experiment_id.in_(_named(components.EXPERIMENT_KIND, name))
    return RESOURCE.c.id.in_(select(TRIAL.c.resource_id).where(experiment))


def component_of_trial(name: str) -> ColumnElement[bool]:
    """Whether a component belongs to the trial of that name."""
    return _member(MEMBERSHIP.c.trial_id.in_(_named(components.TRIAL_KIND, name)))


def component_of_experiment(name: str) -> ColumnElement[bool]:
    """Whether a component belongs to a trial of the experiment of that name."""
    return _member(MEMBERSHIP.c.experiment_id.in_(_named(components.EXPERIMENT_KIND, name)))


def component_of_source(arn: str) -> ColumnElement[bool]:
    """Whether a component is of that job; SDKs ask for its ARN in lower case."""
    of = select(COMPONENT.c.resource_id).where(COMPONENT.c.source == arn.lower())
    return RESOURCE.c.id.in_(of)


def _named(kind: str, name: str) -> Select[tuple[str]]:
    # Of several accounts and regions: what is found is tested once more.
    live = RESOURCE.alias()
    return select(live.c.id).where(
        live.c.kind == kind, live.c.name == name, live.c.deleted_at.is_(None)
    )


def _member(of: ColumnElement[bool]) -> ColumnElement[bool]:
    joined = COMPONENT.c.number == MEMBERSHIP.c.component
    held = select(COMPONENT.c.resource_id).join(MEMBERSHIP, joined).where(of)
    return RESOURCE.c.id.in_(held)


def _asked(of: _Looked, member: str) -> bool:
    return of is None or any(it.path[0] == member for it in of)


def _metric_names(of: Collection[Property]) -> set[str] | None:
    """Of the metrics that are looked at; None when it may be any."""
    steps = [it.path[1:2] for it in of if it.path[0] == "Metrics"]
    keys = [step[0].key for step in steps if step and isinstance(step[0], Pick)]
    return set(keys) if len(keys) == len(steps) else None


def _components_of(connection: Connection, rows: Sequence[Resource]) -> dict[str, list[Doc]]:
    query = (
        select(MEMBERSHIP.c.trial_id, COMPONENT.c.resource_id)
        .join(COMPONENT, COMPONENT.c.number == MEMBERSHIP.c.component)
        .where(MEMBERSHIP.c.trial_id.in_([it.id for it in rows]))
        .order_by(MEMBERSHIP.c.created_at, COMPONENT.c.number)
    )
    pairs = connection.execute(query).all()
    found: dict[str, list[Doc]] = {}
    by_id = {it.id: it for it in resources.several(connection, [it[1] for it in pairs])}
    for trial, component in pairs:
        found.setdefault(trial, []).append(_simple(by_id[component]))
    return found


def _simple(component: Resource) -> Doc:
    return {
        "TrialComponentName": component.name,
        "TrialComponentArn": component.arn,
        "TrialComponentSource": component.spec.get("Source"),
        **experiments.times(component),
    }


def _source(connection: Connection, component: Resource) -> Doc | None:
    """The job that the component is of, as far as it is still there."""
    arn = component.spec.get("Source", {}).get("SourceArn")
    job = resources.find_arn(connection, arn) if arn else None
    if job is None or job.kind not in _JOBS:
        return {"SourceArn": arn} if arn else None
    member, described = _JOBS[job.kind]
    return {"SourceArn": arn, member: {**described(job), "Tags": job.tags}}

"""What can be searched: kinds of resources, and their documents as Search shows them."""

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field

from sqlalchemy import ColumnElement, Connection

from studio.api import (
    endpoints,
    experiments,
    model_package_groups,
    model_packages,
    models,
    training_jobs,
    trials,
)
from studio.api.model_package_names import GROUP, PACKAGE
from studio.api.search import tracked
from studio.api.search.properties import Property
from studio.db import resources
from studio.db.resources import Doc, Resource
from studio.db.session import Database
from studio.experiments import components

Documents = Callable[[Sequence[Resource]], list[Doc]]
Narrow = Callable[[str], ColumnElement[bool]]


@dataclass(frozen=True)
class Entity:
    """`member` of a SearchRecord holds the documents of the resources of `kind`.

    `documents` are made for a connection; given properties, no more has to be told than those.
    `columns` says which properties are columns, and so can be asked of the database; `equal` which
    of the others the database can compare with a text. Names of properties below `prefix` may go
    without it. `prepare` is called before anything is read.
    """

    kind: str
    member: str
    documents: Callable[[Connection, Collection[Property] | None], Documents]
    columns: Mapping[str, str] = field(default_factory=dict)
    equal: Mapping[str, Narrow] = field(default_factory=dict)
    prefix: str = ""
    prepare: Callable[[Database], None] = lambda _db: None


def _each(
    described: Callable[[Resource], Doc],
) -> Callable[[Connection, Collection[Property] | None], Documents]:
    """Documents that need nothing but the resource."""
    return lambda _connection, _of: lambda rows: [{**described(it), "Tags": it.tags} for it in rows]


def _models(connection: Connection, _of: Collection[Property] | None) -> Documents:
    """Models with the endpoints that serve them."""
    serving: dict[str, list[Doc]] = {}
    for endpoint in resources.of_kind(connection, endpoints.NOUN.kind):
        for name in {name for each in endpoint.state["Deployments"] for name in each["Models"]}:
            serving.setdefault(name, []).append(endpoints.summary(endpoint))
    return lambda rows: [
        {
            "Model": {**models.described(model), "Tags": model.tags},
            "Endpoints": serving.get(model.name, []),
        }
        for model in rows
    ]


def _columns(noun: str, **others: str) -> dict[str, str]:
    return {
        f"{noun}Name": "name",
        f"{noun}Arn": "arn",
        "CreationTime": "created_at",
        "LastModifiedTime": "modified_at",
        **others,
    }


ENTITIES = {
    "TrainingJob": Entity(
        kind=training_jobs.NOUN.kind,
        member="TrainingJob",
        documents=_each(training_jobs.described),
        columns=_columns("TrainingJob", TrainingJobStatus="status"),
    ),
    "Endpoint": Entity(
        kind=endpoints.NOUN.kind,
        member="Endpoint",
        documents=_each(endpoints.described),
        columns=_columns("Endpoint", EndpointStatus="status"),
    ),
    "Model": Entity(
        kind=models.NOUN.kind,
        member="Model",
        documents=_models,
        columns={
            "Model.ModelName": "name",
            "Model.ModelArn": "arn",
            "Model.CreationTime": "created_at",
        },
        prefix="Model",
    ),
    "ModelPackageGroup": Entity(
        kind=GROUP.kind,
        member="ModelPackageGroup",
        documents=_each(model_package_groups.described),
        columns=_columns("ModelPackageGroup", ModelPackageGroupStatus="status"),
    ),
    "ModelPackage": Entity(
        kind=PACKAGE.kind,
        member="ModelPackage",
        documents=_each(model_packages.described),
        columns={
            "ModelPackageArn": "arn",
            "CreationTime": "created_at",
            "LastModifiedTime": "modified_at",
            "ModelApprovalStatus": "status",
        },
        equal={"ModelPackageGroupName": model_packages.versions_of},
    ),
    "Experiment": Entity(
        kind=experiments.NOUN.kind,
        member="Experiment",
        documents=_each(experiments.described),
        columns=_columns("Experiment"),
    ),
    "ExperimentTrial": Entity(
        kind=trials.NOUN.kind,
        member="Trial",
        documents=tracked.trials_with_components,
        columns=_columns("Trial"),
        equal={"ExperimentName": tracked.trial_of_experiment},
    ),
    "ExperimentTrialComponent": Entity(
        kind=components.KIND,
        member="TrialComponent",
        documents=tracked.components_with_all,
        prepare=tracked.settle,
        columns={**_columns("TrialComponent"), "Status.PrimaryStatus": "status"},
        equal={
            "Parents.TrialName": tracked.component_of_trial,
            "Parents.ExperimentName": tracked.component_of_experiment,
            "Source.SourceArn": tracked.component_of_source,
        },
    ),
}

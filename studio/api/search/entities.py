"""What can be searched: kinds of resources, and their documents as Search shows them."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from sqlalchemy import Connection

from studio.api import endpoints, models, training_jobs
from studio.db import resources
from studio.db.resources import Doc, Resource

Documents = Callable[[Resource], Doc]


@dataclass(frozen=True)
class Entity:
    """`member` of a SearchRecord holds the documents of the resources of `kind`.

    `columns` says which properties are columns, and so can be asked of the database; names of
    properties below `prefix` may go without it.
    """

    kind: str
    member: str
    documents: Callable[[Connection], Documents]
    columns: Mapping[str, str] = field(default_factory=dict)
    prefix: str = ""


def _training_jobs(_connection: Connection) -> Documents:
    return lambda job: {**training_jobs.described(job), "Tags": job.tags}


def _endpoints(_connection: Connection) -> Documents:
    return lambda endpoint: {**endpoints.described(endpoint), "Tags": endpoint.tags}


def _models(connection: Connection) -> Documents:
    """Models with the endpoints that serve them."""
    serving: dict[str, list[Doc]] = {}
    for endpoint in resources.of_kind(connection, endpoints.NOUN.kind):
        for name in {name for each in endpoint.state["Deployments"] for name in each["Models"]}:
            serving.setdefault(name, []).append(endpoints.summary(endpoint))
    return lambda model: {
        "Model": {**models.described(model), "Tags": model.tags},
        "Endpoints": serving.get(model.name, []),
    }


ENTITIES = {
    "TrainingJob": Entity(
        kind=training_jobs.NOUN.kind,
        member="TrainingJob",
        documents=_training_jobs,
        columns={
            "TrainingJobName": "name",
            "TrainingJobArn": "arn",
            "TrainingJobStatus": "status",
            "CreationTime": "created_at",
            "LastModifiedTime": "modified_at",
        },
    ),
    "Endpoint": Entity(
        kind=endpoints.NOUN.kind,
        member="Endpoint",
        documents=_endpoints,
        columns={
            "EndpointName": "name",
            "EndpointArn": "arn",
            "EndpointStatus": "status",
            "CreationTime": "created_at",
            "LastModifiedTime": "modified_at",
        },
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
}

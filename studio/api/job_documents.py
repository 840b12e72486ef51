"""What jobs of every kind say in words of their own: their cluster, image, data, results, times."""

from collections.abc import Iterator
from typing import NamedTuple

from studio.api import job_outputs, models
from studio.container import layout
from studio.db.resources import Doc, Resource

TRAINING, PROCESSING, TRANSFORM = "training-job", "processing-job", "transform-job"
MODEL = "Model"
"""Member of the spec of a transform job, beside those of its request: the model as it was."""


_VERBS = {TRAINING: "Training", PROCESSING: "Processing", TRANSFORM: "Transform"}


class Data(NamedTuple):
    """Something that a job reads or leaves in S3."""

    name: str
    type: str
    """As artifacts of lineage call it."""
    uri: str
    media_type: str = ""


def cluster(spec: Doc) -> Doc:
    """How many instances of which type the request of a job asks for."""
    if "ProcessingResources" in spec:
        return dict(spec["ProcessingResources"]["ClusterConfig"])
    return dict(spec.get("ResourceConfig") or spec.get("TransformResources", {}))


def hosts(spec: Doc) -> tuple[layout.Host, ...]:
    """The hosts that the request of a job asks for."""
    return layout.hosts(cluster(spec))


def image(spec: Doc) -> str:
    """The URI of the image that a job runs; "" for none."""
    if "AppSpecification" in spec:
        return str(spec["AppSpecification"]["ImageUri"])
    if MODEL in spec:
        first = spec[MODEL].get("PrimaryContainer") or spec[MODEL]["Containers"][0]
        return str(first.get("Image", ""))
    return str(spec["AlgorithmSpecification"].get("TrainingImage", ""))


def inputs(spec: Doc) -> Iterator[Data]:
    """What a job reads."""
    for channel in spec.get("InputDataConfig", ()):
        uri = channel.get("DataSource", {}).get("S3DataSource", {}).get("S3Uri")
        if uri:
            yield Data(channel["ChannelName"], "DataSet", uri, channel.get("ContentType", ""))
    for each in spec.get("ProcessingInputs", ()):
        if "S3Input" in each:
            yield Data(each["InputName"], "DataSet", each["S3Input"]["S3Uri"])
    if "TransformInput" in spec:
        given = spec["TransformInput"]
        uri = given["DataSource"]["S3DataSource"]["S3Uri"]
        yield Data("SageMaker.TransformInput", "DataSet", uri, given.get("ContentType", ""))
    if MODEL in spec:
        artifact = models.data_url(models.containers(spec[MODEL])[0])
        if artifact:
            yield Data("SageMaker.ModelArtifact", "Model", artifact)


def outputs(job: Resource) -> Iterator[Data]:
    """What a job has left; of one that failed there is no model."""
    if job.status not in ("Completed", "Stopped"):
        return
    if job.kind == TRAINING and job.state.get("Stored"):
        yield Data("SageMaker.ModelArtifact", "Model", job_outputs.prefix(job) + "model.tar.gz")
    for each in job.spec.get("ProcessingOutputConfig", {}).get("Outputs", ()):
        if "S3Output" in each:
            yield Data(each["OutputName"], "DataSet", each["S3Output"]["S3Uri"])
    if "TransformOutput" in job.spec:
        made = job.spec["TransformOutput"]
        yield Data(
            "SageMaker.TransformOutput", "DataSet", made["S3OutputPath"], made.get("Accept", "")
        )


def times(job: Resource) -> tuple[int | None, int | None]:
    """When the command of a job began, and when the job was done."""
    verb = _VERBS[job.kind]
    return job.state.get(f"{verb}StartTime"), job.state.get(f"{verb}EndTime")

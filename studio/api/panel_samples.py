"""A request that a model is sure to take, made of the first rows that it was trained on.

From a model its artifact leads to the training job that wrote it, and the job to its channel.
"""

import re
import zlib
from functools import partial

from studio.algorithms import samples
from studio.algorithms.base import UserError
from studio.algorithms.image import Image
from studio.api import endpoints, images, job_outputs, models, sources, store, training_jobs
from studio.api.registry import Context, operation
from studio.db.resources import Doc, Resource
from studio.errors import ApiError, ValidationException
from studio.reconcile.steps import Rejected
from studio.s3.guard import GuardedStorage

_HEAD_BYTES = 256 * 1024
_ROWS = 3
_OUTPUT = re.compile(r".*/(?P<job>[^/]+)/output/model\.tar\.gz")


class _Unknown(Exception):
    """Why there is no sample, for people."""


@operation("studio", "GetSampleRequest")
def get_sample_request(ctx: Context, request: Doc) -> Doc:
    container = _container(ctx, request)
    image = images.served(ctx.settings, container).image
    if image is None:
        return _nothing("The image has no server whose requests are known.", ())
    job = _job(ctx, container)
    try:
        return _of_channel(ctx, image, job, request.get("MaxRows", _ROWS))
    except (_Unknown, Rejected, ApiError, UserError, OSError, ValueError) as error:
        return _of_width(image, job, getattr(error, "message", str(error)))


def _container(ctx: Context, request: Doc) -> Doc:
    """Of the model, or of the variant of an endpoint; its first without VariantName."""
    if ("EndpointName" in request) == ("ModelName" in request):
        raise ValidationException("Name either an endpoint or a model.")
    if "ModelName" in request:
        definition = models.definition(store.require(ctx, models.NOUN, request["ModelName"]))
    else:
        endpoint = store.require(ctx, endpoints.NOUN, request["EndpointName"])
        deployment = endpoint.state["Deployments"][0]
        wanted = request.get("VariantName", deployment["Variants"][0]["VariantName"])
        found = [it for it in deployment["Variants"] if it["VariantName"] == wanted]
        if not found:
            raise ValidationException(f'The endpoint "{endpoint.name}" has no variant "{wanted}".')
        definition = deployment["Models"][found[0]["ModelName"]]
    return models.containers(definition)[0]


def _job(ctx: Context, container: Doc) -> Resource | None:
    """The training job that wrote the container's artifact, if it is still there."""
    location = models.artifact(container)
    if location is None:
        return None
    uri = "s3://{}/{}".format(*location)
    match = _OUTPUT.fullmatch(uri)
    job = store.find(ctx, training_jobs.NOUN, match["job"]) if match else None
    return job if job and job_outputs.prefix(job) + "model.tar.gz" == uri else None


def _of_channel(ctx: Context, image: Image, job: Resource | None, count: int) -> Doc:
    if job is None:
        raise _Unknown("No training job is known that wrote the model's artifact.")
    channel = _channel(job)
    content_type, accepted = channel.get("ContentType", ""), image.inputs.accepted
    uri, data = _head(ctx, channel)
    if samples.is_libsvm(content_type, accepted):
        made = [("text/libsvm", samples.libsvm_lines(data, count))]
        width = None
    else:
        weights = job.spec.get("HyperParameters", {}).get("csv_weights") == "1"
        rows = samples.first_rows(data, content_type, accepted, count, int(weights))
        made = samples.bodies([row for row in rows if row], image.requests)
        width = len(rows[0]) if rows else None
    if not made or not made[0][1]:
        raise _Unknown(f"{uri} has no row to show.")
    return {
        **_described(made, image.requests),
        "Origin": "TrainingData",
        "TrainingJobName": job.name,
        "ChannelName": channel["ChannelName"],
        "S3Uri": uri,
        "FeatureCount": width,
    }


def _channel(job: Resource) -> Doc:
    """The one called train, or the first."""
    channels = job.spec.get("InputDataConfig", [])
    found = [it for it in channels if "S3DataSource" in it["DataSource"]]
    found.sort(key=lambda it: it["ChannelName"] != "train")
    if not found:
        raise _Unknown(f"The training job {job.name} had no channel.")
    channel: Doc = found[0]
    return channel


def _head(ctx: Context, channel: Doc) -> tuple[str, bytes]:
    """URI and beginning of the first object of a channel, as the caller may read it."""
    storage = GuardedStorage(ctx.store, partial(ctx.buckets.check, ctx.caller.principal))
    source = channel["DataSource"]["S3DataSource"]
    item = sources.first(source, storage)
    if item is None:
        raise _Unknown(f"There are no training data at {source['S3Uri']} any more.")
    data = storage.start(item.bucket, item.key, _HEAD_BYTES)
    if channel.get("CompressionType") == "Gzip":
        data = zlib.decompressobj(wbits=31).decompress(data, _HEAD_BYTES)
    return f"s3://{item.bucket}/{item.key}", data


def _of_width(image: Image, job: Resource | None, reason: str) -> Doc:
    """A row of zeros, as wide as the job was told that its rows are; else the reason."""
    given = job.spec.get("HyperParameters", {}).get("feature_dim", "") if job else ""
    rows = samples.zeros(int(given)) if given.isdecimal() else []
    if job is None or not rows:
        return _nothing(reason, image.requests)
    return {
        **_described(samples.bodies(rows, image.requests), image.requests),
        "Origin": "FeatureCount",
        "Message": reason,
        "TrainingJobName": job.name,
        "FeatureCount": len(rows[0]),
    }


def _nothing(reason: str, requests: tuple[str, ...]) -> Doc:
    return {**_described([], requests), "Origin": "None", "Message": reason}


def _described(made: list[tuple[str, str]], requests: tuple[str, ...]) -> Doc:
    shown = [{"ContentType": kind, "Body": body} for kind, body in made]
    return {"Samples": shown, "ContentTypes": list(requests)}

"""Whether a training job could be made of a request: everything that CreateTrainingJob and then
the algorithm would say against it, at once, and nothing is made."""

import re
from collections.abc import Generator, Iterator

from studio.algorithms import inputs
from studio.algorithms.base import UserError
from studio.algorithms.hyperparameters import Invalid
from studio.algorithms.image import Image
from studio.api import access, images, registry, sources, store, training_checks, training_jobs
from studio.api.registry import Context, operation
from studio.db.resources import Doc
from studio.environment import default_bucket
from studio.errors import ApiError, ValidationException
from studio.s3.client import parse_uri
from studio.wire import models, shapes

Fault = tuple[str, str]
"""Where, in the spelling of the request: `InputDataConfig[0].ContentType`; and what."""

_CREATE = "CreateTrainingJob"


@operation("studio", "ValidateTrainingJob")
def validate_training_job(ctx: Context, request: Doc) -> Doc:
    found = dict.fromkeys(_faults(ctx, request["Request"]))
    return {"Faults": [{"Path": path, "Message": message} for path, message in found]}


def _faults(ctx: Context, given: Doc) -> Iterator[Fault]:
    shape = models.service_model("sagemaker").operation_model(_CREATE).input_shape
    assert shape is not None
    try:
        request, violations = shapes.examine(shape, given)
    except ApiError as error:  # a value of a wrong type: nothing more can be told
        _, named, place = error.message.rpartition(" at '")
        yield _path(place.rstrip("'.")) if named else "", error.message
        return
    for path, sentence in violations.found:
        yield _path(path), sentence
    spoilt = {_path(path).partition(".")[0].partition("[")[0] for path, _ in violations.found}
    yield from training_checks.faults(ctx, request, spoilt)
    sound = {name: value for name, value in request.items() if name not in spoilt}
    allowed = yield from _refused(ctx, sound)
    if "AlgorithmSpecification" not in spoilt:
        yield from _algorithm_faults(request)
    if allowed and not spoilt:
        yield from _no_data(allowed, request)
        yield from _no_place(allowed, request)


def _path(path: str) -> str:
    """`inputDataConfig.1.member.channelName`, as violations have it, in the request's spelling."""
    path = re.sub(r"\.(\d+)\.member", lambda match: f"[{int(match[1]) - 1}]", path)
    return ".".join(part[:1].upper() + part[1:] for part in path.split(".") if part != "member")


def _refused(ctx: Context, request: Doc) -> Generator[Fault, None, Context | None]:
    """The name, and what the caller may; in the end the context of one who may."""
    name = request.get("TrainingJobName", "")
    earlier = store.find(ctx, training_jobs.NOUN, name) if name else None
    if earlier is not None:
        yield "TrainingJobName", training_jobs.NOUN.taken(earlier).message
    create = registry.find("sagemaker", _CREATE)
    assert create is not None
    try:
        return access.authorized(ctx, create, request)
    except ValidationException as error:
        yield "RoleArn", error.message
    except ApiError as error:
        yield "", error.message
    return None


def _algorithm_faults(request: Doc) -> Iterator[Fault]:
    try:
        image = images.find(
            request.get("AlgorithmSpecification", {}).get("TrainingImage", "")
        ).image
    except ValidationException:  # told already
        return
    if image is None:
        return
    try:
        image.check(request.get("HyperParameters", {}))
    except Invalid as error:
        yield from ((f"HyperParameters.{fault.name}", fault.text) for fault in error.faults)
    except UserError as error:
        yield "HyperParameters", str(error)
    yield from _input_faults(image, request.get("InputDataConfig", []))


def _input_faults(image: Image, channels: list[Doc]) -> Iterator[Fault]:
    try:
        image.inputs.check([channel.get("ChannelName", "") for channel in channels])
    except UserError as error:
        yield "InputDataConfig", str(error)
    for position, channel in enumerate(channels):
        try:
            inputs.negotiate(channel.get("ContentType", ""), image.inputs.accepted)
        except UserError as error:
            yield f"InputDataConfig[{position}].ContentType", str(error)


def _no_data(ctx: Context, request: Doc) -> Iterator[Fault]:
    """Channels of which the job would find nothing."""
    for position, channel in enumerate(request.get("InputDataConfig", [])):
        source = channel["DataSource"].get("S3DataSource", {})
        if not source:
            continue
        try:
            empty = sources.empty(source, ctx.store)
        except ApiError as error:
            yield f"InputDataConfig[{position}].DataSource.S3DataSource.S3Uri", error.message
            continue
        if empty:
            text = f'No S3 objects found under S3 URL "{source["S3Uri"]}".'
            yield f"InputDataConfig[{position}].DataSource.S3DataSource.S3Uri", text


def _no_place(ctx: Context, request: Doc) -> Iterator[Fault]:
    """An output that could not be stored. Whoever uses the default bucket makes it."""
    try:
        bucket, _ = parse_uri(request["OutputDataConfig"]["S3OutputPath"])
    except ValidationException:  # told already
        return
    if bucket != default_bucket(ctx.settings) and not ctx.store.bucket_exists(bucket):
        yield "OutputDataConfig.S3OutputPath", f"The bucket {bucket} does not exist."

"""Whether a training job could be made of a request: everything that CreateTrainingJob and then
the algorithm would say against it, at once, and nothing is made."""

from collections.abc import Iterator

from studio.algorithms import inputs
from studio.algorithms.base import UserError
from studio.algorithms.hyperparameters import Invalid
from studio.algorithms.image import Image
from studio.api import drafts, images, training_checks, training_jobs
from studio.api.drafts import Fault
from studio.api.registry import Context, operation
from studio.db.resources import Doc
from studio.errors import ValidationException

_CREATE = "CreateTrainingJob"


@operation("studio", "ValidateTrainingJob")
def validate_training_job(ctx: Context, request: Doc) -> Doc:
    return drafts.told(_faults(ctx, request["Request"]))


def _faults(ctx: Context, given: Doc) -> Iterator[Fault]:
    known = yield from drafts.examined(_CREATE, given)
    if known is None:
        return
    request, spoilt = known
    yield from training_checks.faults(ctx, request, spoilt)
    sound = {name: value for name, value in request.items() if name not in spoilt}
    allowed = yield from drafts.refused(ctx, _CREATE, training_jobs.NOUN, sound)
    if "AlgorithmSpecification" not in spoilt:
        yield from _algorithm_faults(ctx, request)
    if allowed and not spoilt:
        yield from _no_data(allowed, request)
        place = request["OutputDataConfig"]["S3OutputPath"]
        yield from drafts.no_place(allowed, "OutputDataConfig.S3OutputPath", place)


def _algorithm_faults(ctx: Context, request: Doc) -> Iterator[Fault]:
    try:
        image = images.trained(ctx.settings, request).image
    except (ValidationException, KeyError):  # told already
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
        if source := channel["DataSource"].get("S3DataSource"):
            path = f"InputDataConfig[{position}].DataSource.S3DataSource.S3Uri"
            yield from drafts.no_data(ctx, path, source)

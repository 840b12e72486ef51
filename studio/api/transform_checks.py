"""What the request of a transform job must be, beyond what the model of the API says of it."""

from collections.abc import Collection, Iterator

from studio.api import images, models, store, training_checks
from studio.api.registry import Context
from studio.api.training_checks import Check
from studio.container.transform import joining, paths
from studio.db.resources import Doc
from studio.errors import ValidationException
from studio.s3.client import parse_uri

MOST_MEGABYTES = 100
_JOINABLE = (joining.CSV, joining.LINES, joining.JSON)


def check(ctx: Context, request: Doc) -> None:
    """Raises ApiError at the first fault of a request that the API's model has nothing against."""
    for each in _CHECKS:
        each.run(ctx, request)


def faults(ctx: Context, request: Doc, spoilt: Collection[str]) -> Iterator[tuple[str, str]]:
    """What is wrong with a request: see `training_checks.faults_of`."""
    return training_checks.faults_of(_CHECKS, ctx, request, spoilt)


def _check_model(ctx: Context, request: Doc) -> None:
    model = models.definition(store.require(ctx, models.NOUN, request["ModelName"]))
    containers = models.containers(model)
    if len(containers) != 1 or containers[0].get("Mode") == "MultiModel":
        raise ValidationException(
            f"Model {request['ModelName']}: a transform job needs a model of one container, and "
            "of one model."
        )
    program = images.require(ctx.settings, images.served(ctx.settings, containers[0]))
    training_checks.check_environment(ctx, program, request.get("Environment", {}))


def _check_cluster(ctx: Context, request: Doc) -> None:
    model = models.definition(store.require(ctx, models.NOUN, request["ModelName"]))
    program = images.served(ctx.settings, models.containers(model)[0])
    training_checks.check_count(ctx, "transform", program, [request["TransformResources"]], False)


def _check_input(_ctx: Context, request: Doc) -> None:
    source = request["TransformInput"]["DataSource"]["S3DataSource"]
    if source["S3DataType"] not in ("S3Prefix", "ManifestFile"):
        raise ValidationException(
            f"S3DataType {source['S3DataType']} can not be used in a transform job: use S3Prefix "
            "or ManifestFile."
        )
    parse_uri(source["S3Uri"])


def _check_output(_ctx: Context, request: Doc) -> None:
    parse_uri(request["TransformOutput"]["S3OutputPath"])


def _check_batches(_ctx: Context, request: Doc) -> None:
    megabytes = request.get("MaxPayloadInMB", 0)
    together = megabytes * max(request.get("MaxConcurrentTransforms", 1), 1)
    if megabytes > MOST_MEGABYTES:
        raise ValidationException(f"MaxPayloadInMB cannot be greater than {MOST_MEGABYTES}.")
    if together > MOST_MEGABYTES:
        raise ValidationException(
            "The value of (MaxConcurrentTransforms * MaxPayloadInMB) cannot exceed "
            f"{MOST_MEGABYTES} MB; it is {together} MB."
        )


def _check_processing(_ctx: Context, request: Doc) -> None:
    given = request.get("DataProcessing", {})
    for member in ("InputFilter", "OutputFilter"):
        try:
            paths.parse(given.get(member) or "$")
        except paths.PathError as error:
            raise ValidationException(f"DataProcessing.{member}: {error}") from error
    joins = given.get("JoinSource") == "Input"
    content = joining.kind(request["TransformInput"].get("ContentType", ""))
    accept = joining.kind(request["TransformOutput"].get("Accept", ""))
    if (joins or _filters(given.get("InputFilter"))) and content not in _JOINABLE:
        raise ValidationException(
            "DataProcessing: InputFilter and JoinSource need TransformInput.ContentType to be one "
            f"of {', '.join(_JOINABLE)}."
        )
    if (joins or _filters(given.get("OutputFilter"))) and accept and accept not in _JOINABLE:
        raise ValidationException(
            "DataProcessing: OutputFilter and JoinSource need TransformOutput.Accept to be one of "
            f"{', '.join(_JOINABLE)}."
        )
    if joins and accept and accept != content:
        raise ValidationException(
            "DataProcessing: to join, TransformInput.ContentType and TransformOutput.Accept must "
            f"be the same; they are {content} and {accept}."
        )


def _filters(path: str | None) -> bool:
    return bool(path) and path != "$"


def _check_capture(_ctx: Context, request: Doc) -> None:
    if request.get("DataCaptureConfig"):
        raise ValidationException("DataCaptureConfig of a transform job is not executed here.")


_MODEL, _RESOURCES = "ModelName", "TransformResources"

_CHECKS = (
    Check(_MODEL, _check_model, (_MODEL, "Environment")),
    Check(f"{_RESOURCES}.InstanceCount", _check_cluster, (_MODEL, _RESOURCES)),
    Check("TransformInput.DataSource.S3DataSource", _check_input, ("TransformInput",)),
    Check("TransformOutput.S3OutputPath", _check_output, ("TransformOutput",)),
    Check("MaxPayloadInMB", _check_batches, ("MaxPayloadInMB", "MaxConcurrentTransforms")),
    Check(
        "DataProcessing", _check_processing, ("DataProcessing", "TransformInput", "TransformOutput")
    ),
    Check("DataCaptureConfig", _check_capture, ("DataCaptureConfig",)),
)

"""What the request of a processing job must be, beyond what the model says of it."""

from collections.abc import Collection, Iterator
from pathlib import PurePosixPath

from studio.api import channels, images, training_checks
from studio.api.registry import Context
from studio.api.training_checks import Check
from studio.db.resources import Doc
from studio.errors import ValidationException
from studio.runners import sandbox
from studio.s3.client import parse_uri

DEFAULT_RUNTIME = training_checks.DEFAULT_RUNTIME
_ML, _PLACE = PurePosixPath("/opt/ml"), PurePosixPath("/opt/ml/processing")


def check(ctx: Context, request: Doc) -> None:
    """Raises ApiError at the first fault of a request that the model has nothing against."""
    for each in _CHECKS:
        each.run(ctx, request)


def faults(ctx: Context, request: Doc, spoilt: Collection[str]) -> Iterator[tuple[str, str]]:
    """What is wrong with a request: see `training_checks.faults_of`."""
    return training_checks.faults_of(_CHECKS, ctx, request, spoilt)


def folder(local_path: str) -> str:
    """A LocalPath relative to /opt/ml. Raises ValidationException unless it lies below
    /opt/ml/processing."""
    path = PurePosixPath(local_path)
    inside = path.is_relative_to(_PLACE) and ".." not in path.parts and "\0" not in local_path
    if not inside or path == _PLACE:
        raise ValidationException(f"LocalPath {local_path!r} must begin with {_PLACE}/.")
    return str(path.relative_to(_ML))


def staged_inputs(request: Doc) -> list[Doc]:
    """The inputs that are brought to the job; the others its program fetches itself."""
    every: list[Doc] = request.get("ProcessingInputs", [])
    return [each for each in every if not each.get("AppManaged", False)]


def stored_outputs(request: Doc) -> list[Doc]:
    """The outputs that are stored for the job; the others its program stores itself."""
    every: list[Doc] = request.get("ProcessingOutputConfig", {}).get("Outputs", [])
    return [each for each in every if not each.get("AppManaged", False)]


def channel(given: Doc) -> Doc:
    """An input in the words of a training job's channel."""
    source = given["S3Input"]
    kept = ("S3Uri", "S3DataType", "S3DataDistributionType")
    return {
        "ChannelName": given["InputName"],
        "InputMode": source.get("S3InputMode", "File"),
        "CompressionType": source.get("S3CompressionType", "None"),
        "DataSource": {"S3DataSource": {name: source[name] for name in kept if name in source}},
    }


def _check_program(ctx: Context, request: Doc) -> None:
    program = images.require(ctx.settings, images.processed(ctx.settings, request))
    given = request["AppSpecification"]
    if program.framework and "ContainerEntrypoint" not in given:
        raise ValidationException(
            f"The image {given['ImageUri']} has no program of its own: "
            "set AppSpecification.ContainerEntrypoint."
        )
    training_checks.check_environment(ctx, program, request.get("Environment", {}))


def _check_cluster(ctx: Context, request: Doc) -> None:
    cluster, network = request["ProcessingResources"]["ClusterConfig"], request.get("NetworkConfig")
    if not {"InstanceType", "InstanceCount"} <= cluster.keys():
        raise ValidationException(
            "ProcessingResources.ClusterConfig: InstanceType and InstanceCount are required here."
        )
    network = network or {}
    if "VpcConfig" in network:
        raise ValidationException("NetworkConfig.VpcConfig is not executed here.")
    isolated = network.get("EnableNetworkIsolation", False)
    program = images.processed(ctx.settings, request)
    training_checks.check_count(ctx, "processing", program, [cluster], isolated)
    if not program.container and not sandbox.possible(ctx.settings):
        raise ValidationException(
            "Processing jobs find their data at /opt/ml/processing: that needs bubblewrap, which "
            "does not work here or is switched off."
        )


def _check_inputs(_ctx: Context, request: Doc) -> None:
    given = staged_inputs(request)
    for each in given:
        name = each["InputName"]
        if "S3Input" not in each:
            raise ValidationException(
                f"Input {name}: only S3Input is executed here. Let the script read what a "
                "DatasetDefinition would."
            )
        if "LocalPath" not in each["S3Input"]:
            raise ValidationException(f"Input {name}: S3Input.LocalPath is required.")
    channels.check([channel(each) for each in given])
    _check_places([each["S3Input"]["LocalPath"] for each in given])


def _check_outputs(_ctx: Context, request: Doc) -> None:
    given = stored_outputs(request)
    names = [each["OutputName"] for each in given]
    if len(set(names)) != len(names):
        raise ValidationException("Output names must be unique within a processing job.")
    for each in given:
        name = each["OutputName"]
        if "S3Output" not in each:
            raise ValidationException(f"Output {name}: only S3Output is executed here.")
        if "LocalPath" not in each["S3Output"]:
            raise ValidationException(f"Output {name}: S3Output.LocalPath is required.")
        parse_uri(each["S3Output"]["S3Uri"])
    _check_places([each["S3Output"]["LocalPath"] for each in given])


def _check_places(local_paths: list[str]) -> None:
    places = [folder(each) for each in local_paths]
    for place in places:
        if places.count(place) > 1:
            raise ValidationException(f"LocalPath '{_ML / place}' must be unique.")


_CHECKS = (
    Check("AppSpecification", _check_program, ("AppSpecification", "Environment")),
    Check(
        "ProcessingResources",
        _check_cluster,
        ("ProcessingResources", "NetworkConfig", "AppSpecification", "Environment"),
    ),
    Check("ProcessingInputs", _check_inputs, ("ProcessingInputs",)),
    Check("ProcessingOutputConfig", _check_outputs, ("ProcessingOutputConfig",)),
)

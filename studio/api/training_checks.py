"""What the request of a training job must be, beyond what the model says of it.

`check` refuses at the first fault, as CreateTrainingJob does; `faults` tells all that can be told
at once, for whoever is still writing the request.
"""

from collections.abc import Callable, Collection, Iterable, Iterator
from dataclasses import dataclass

from studio.api import channels, checkpoints, images
from studio.api.registry import Context
from studio.db.resources import Doc
from studio.errors import ApiError, ValidationException
from studio.runners import interpreters, sandbox
from studio.s3.client import parse_uri

MOST_HOSTS = 20
"""Hosts of one job: AWS's own quota for most instance types."""

DEFAULT_RUNTIME = 86_400
"""Seconds that a job may run when it does not say."""

_NOT_YET = {
    "VpcConfig": "network isolation by VPC",
    "ModelPackageConfig": "model packages",
    "ServerlessJobConfig": "serverless jobs",
}


@dataclass(frozen=True)
class Check:
    """Something to look at; `run` raises ApiError. `reads` are members of the request."""

    path: str
    """The member that is at fault when it raises; "" for none in particular."""
    run: Callable[[Context, Doc], None]
    reads: tuple[str, ...]


def check(ctx: Context, request: Doc) -> None:
    """Raises the first fault of a request that the model has nothing against."""
    for each in _CHECKS:
        each.run(ctx, request)


def faults(ctx: Context, request: Doc, spoilt: Collection[str]) -> Iterator[tuple[str, str]]:
    """What is wrong with a request of a training job: see `faults_of`."""
    return faults_of(_CHECKS, ctx, request, spoilt)


def faults_of(
    checks: Iterable[Check], ctx: Context, request: Doc, spoilt: Collection[str]
) -> Iterator[tuple[str, str]]:
    """(path, message) of every fault. Checks that read a `spoilt` member, or one that an earlier
    check has something against, are left out."""
    spoilt = set(spoilt)
    for each in checks:
        if not spoilt.intersection(each.reads):
            try:
                each.run(ctx, request)
            except ApiError as error:
                spoilt.add(each.path.partition(".")[0])
                yield each.path, error.message


def check_environment(ctx: Context, program: images.Program, environment: Doc) -> None:
    """The variables of a run, and the interpreter that they may name. Raises
    ValidationException."""
    for name, value in environment.items():
        if "\0" in name + value:  # which no process can be given
            raise ValidationException(f"Environment: {name!r} must not hold a NUL character.")
    # It shows a folder of the machine to the run: for whom the machine belongs to.
    if interpreters.VARIABLE in environment and ctx.caller.principal.owner:
        raise ValidationException(f"Environment: only the owner may set {interpreters.VARIABLE}.")
    images.interpreter(ctx.settings, program, environment)


def check_count(
    ctx: Context, job: str, program: images.Program, groups: list[Doc], isolated: bool
) -> None:
    """Whether a `job`, training or processing, may have the instances of these groups.

    Raises ApiError.
    """
    count = sum(group["InstanceCount"] for group in groups)
    if count < 1:
        raise ValidationException("InstanceCount must be at least 1.")
    if count > MOST_HOSTS:
        raise ApiError(
            "ResourceLimitExceeded",
            f"The account-level service limit '{groups[0]['InstanceType']} for {job} job usage' "
            f"is {MOST_HOSTS} Instances, with current utilization of 0 Instances and a request "
            f"delta of {count} Instances.",
        )
    if isolated and count > 1:
        raise ValidationException(
            "EnableNetworkIsolation: a job of several hosts cannot be isolated here; "
            "set InstanceCount to 1."
        )
    if program.container:
        return
    if (isolated or count > 1) and not sandbox.possible(ctx.settings):
        what = "EnableNetworkIsolation" if isolated else "InstanceCount above 1"
        raise ValidationException(
            f"{what} needs bubblewrap, which does not work here or is switched off."
        )


def _check_image(ctx: Context, request: Doc) -> None:
    algorithm = request.get("AlgorithmSpecification", {})
    if "TrainingImage" not in algorithm:
        raise ValidationException("AlgorithmSpecification: TrainingImage is required here.")
    images.require(ctx.settings, images.trained(ctx.settings, request))


def _check_command(ctx: Context, request: Doc) -> None:
    algorithm = request.get("AlgorithmSpecification", {})
    image = algorithm.get("TrainingImage", "")
    if not image or algorithm.get("ContainerEntrypoint"):
        return
    program = images.trained(ctx.settings, request)
    if program.framework and not program.scripted:
        raise ValidationException(
            f"The image {image} has no program of its own: set "
            "AlgorithmSpecification.ContainerEntrypoint, or name a script in the hyperparameter "
            "sagemaker_program, as entry_point of the SDK's estimators does."
        )


def _check_executed(_ctx: Context, request: Doc) -> None:
    for member, what in _NOT_YET.items():
        if request.get(member):
            raise ValidationException(f"{member}: {what} is not executed yet.")


def _check_environment(ctx: Context, request: Doc) -> None:
    program = images.trained(ctx.settings, request)
    check_environment(ctx, program, request.get("Environment", {}))


def _check_resources(_ctx: Context, request: Doc) -> None:
    config = request.get("ResourceConfig", {})
    single = {"InstanceType", "InstanceCount"} & config.keys()
    if config.get("InstanceGroups") and single:
        raise ValidationException(
            "ResourceConfig: InstanceGroups cannot be used with InstanceType and InstanceCount."
        )
    if not config.get("InstanceGroups") and len(single) < 2:
        raise ValidationException("ResourceConfig: InstanceType and InstanceCount are required.")
    names = [group["InstanceGroupName"] for group in config.get("InstanceGroups", [])]
    if len(set(names)) != len(names):
        raise ValidationException("ResourceConfig: names of InstanceGroups must be unique.")
    for channel in request.get("InputDataConfig", []):
        groups = channel["DataSource"].get("S3DataSource", {}).get("InstanceGroupNames", [])
        if unknown := sorted(set(groups) - set(names)):
            raise ValidationException(
                f"Channel {channel['ChannelName']}: no instance group is called {unknown[0]}."
            )


def _check_hosts(ctx: Context, request: Doc) -> None:
    config = request["ResourceConfig"]
    groups = config.get("InstanceGroups") or [config]
    isolated = request.get("EnableNetworkIsolation", False)
    check_count(ctx, "training", images.trained(ctx.settings, request), groups, isolated)


def _check_limits(_ctx: Context, request: Doc) -> None:
    limits = request.get("StoppingCondition", {})
    runtime = limits.get("MaxRuntimeInSeconds", DEFAULT_RUNTIME)
    wait = limits.get("MaxWaitTimeInSeconds")
    spot = request.get("EnableManagedSpotTraining", False)
    if spot and wait is None:
        raise ValidationException(
            "MaxWaitTimeInSeconds must be set when EnableManagedSpotTraining is true."
        )
    if wait is not None and not spot:
        raise ValidationException(
            "MaxWaitTimeInSeconds can be set only when EnableManagedSpotTraining is true."
        )
    if wait is not None and wait < runtime:
        raise ValidationException(
            "Invalid MaxWaitTimeInSeconds. It must be present and be greater than or equal to "
            "MaxRuntimeInSeconds."
        )


def _check_channels(_ctx: Context, request: Doc) -> None:
    mode = request["AlgorithmSpecification"]["TrainingInputMode"]
    channels.check(request.get("InputDataConfig", []), mode)


def _check_checkpoints(_ctx: Context, request: Doc) -> None:
    checkpoints.check(request)


def _check_output(_ctx: Context, request: Doc) -> None:
    parse_uri(request["OutputDataConfig"]["S3OutputPath"])


_ALGORITHM, _CHANNELS, _RESOURCES = "AlgorithmSpecification", "InputDataConfig", "ResourceConfig"
_LIMITS, _SPOT = "StoppingCondition", "EnableManagedSpotTraining"

_CHECKS = (
    Check(f"{_ALGORITHM}.TrainingImage", _check_image, (_ALGORITHM,)),
    Check(f"{_ALGORITHM}.ContainerEntrypoint", _check_command, (_ALGORITHM,)),
    Check("", _check_executed, ()),
    Check("Environment", _check_environment, (_ALGORITHM, "Environment")),
    Check(_RESOURCES, _check_resources, (_RESOURCES, _CHANNELS)),
    Check(f"{_RESOURCES}.InstanceCount", _check_hosts, (_RESOURCES, _ALGORITHM)),
    Check(f"{_LIMITS}.MaxWaitTimeInSeconds", _check_limits, (_LIMITS, _SPOT)),
    Check(_CHANNELS, _check_channels, (_ALGORITHM, _CHANNELS)),
    Check("CheckpointConfig", _check_checkpoints, ("CheckpointConfig",)),
    Check("OutputDataConfig.S3OutputPath", _check_output, ("OutputDataConfig",)),
)

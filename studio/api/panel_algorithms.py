"""What the form of a new training job is drawn from: the algorithms, what they can be told, what
instance types mean on this machine, and where things go when nobody says."""

import math
from typing import Any

from studio import environment
from studio.algorithms.hyperparameters import Hyperparameter, Interval
from studio.algorithms.image import Image
from studio.algorithms.inputs import ALIASES, Inputs
from studio.api import images, instances
from studio.api.registry import Context, operation
from studio.db.resources import Doc
from studio.errors import ApiError
from studio.reconcile import scheduler

_INPUT_MODES = ["File", "FastFile", "Pipe"]
_CPU_TYPES = tuple(
    f"ml.m5.{size}" for size in ("large", "xlarge", "2xlarge", "4xlarge", "12xlarge", "24xlarge")
)
_GPU_TYPES = tuple(f"ml.g5.{size}" for size in ("xlarge", "12xlarge", "48xlarge"))


@operation("studio", "ListAlgorithms")
def list_algorithms(_ctx: Context, _request: Doc) -> Doc:
    return {"Algorithms": [_summary(image) for image in images.algorithms()]}


@operation("studio", "DescribeAlgorithm")
def describe_algorithm(ctx: Context, request: Doc) -> Doc:
    image = _image(ctx, request)
    return {
        **_summary(image),
        "ImageTags": list(image.tags),
        "TrainingChannels": _channels(image.inputs),
        "LabelColumns": image.inputs.accepted.label_size,
        "HyperParameters": [_row(row) for row in image.table() if not row.hidden],
        "MetricDefinitions": [{"Name": name, "Regex": regex} for name, regex in image.metrics],
    }


@operation("studio", "DescribeInstanceTypes")
def describe_instance_types(ctx: Context, request: Doc) -> Doc:
    limit = scheduler.capacity(ctx.settings)
    offered = _CPU_TYPES + (_GPU_TYPES if limit.gpus else ())
    known: dict[str, Doc] = {}
    for name in request.get("InstanceTypes") or offered:
        one = scheduler.fitted(instances.resources_of(name), limit)
        known[name] = {"InstanceType": name, "Cpus": one.cpus, "Gpus": one.gpus}
    if not request.get("InstanceTypes"):
        # The larger of two that come to the same here promises what there is not.
        distinct = {(it["Cpus"], it["Gpus"]): it for it in reversed(known.values())}
        return {"InstanceTypes": list(reversed(distinct.values()))}
    return {"InstanceTypes": list(known.values())}


@operation("studio", "DescribeDefaults")
def describe_defaults(ctx: Context, _request: Doc) -> Doc:
    return {
        "Account": ctx.settings.account,
        "Region": ctx.settings.region,
        "RoleArn": environment.role_arn(ctx.settings),
        "Bucket": environment.default_bucket(ctx.settings),
    }


def _image(ctx: Context, request: Doc) -> Image:
    """The algorithm with the name, or of the image, in the request."""
    if "TrainingImage" in request:
        found = images.find(ctx.settings, request["TrainingImage"]).image
    else:
        name = request.get("AlgorithmName")
        found = next((image for image in images.algorithms() if image.name == name), None)
    if found is None:
        names = ", ".join(image.name for image in images.algorithms())
        asked = request.get("TrainingImage") or request.get("AlgorithmName", "")
        raise ApiError("ResourceNotFound", f"No algorithm is called {asked!r}. There are: {names}.")
    return found


def _summary(image: Image) -> Doc:
    return {
        "AlgorithmName": image.name,
        "DisplayName": image.title,
        "Description": image.description,
        "TrainingImage": image.uri,
        "Repositories": list(image.repositories),
    }


def _channels(inputs: Inputs) -> list[Doc]:
    formats = inputs.accepted.formats
    return [
        {
            "Name": channel.name,
            "Description": channel.help,
            "IsRequired": channel.required,
            "SupportedContentTypes": [it for it, kind in ALIASES.items() if kind in formats],
            "SupportedInputModes": _INPUT_MODES,
        }
        for channel in inputs.channels
    ]


def _row(row: Hyperparameter) -> Doc:
    return {
        "Name": row.name,
        "Aliases": list(row.aliases),
        "Description": row.help,
        "Type": row.kind,
        "Values": list(row.choices),
        "Words": list(row.words),
        "Range": _range(row.range),
        "Valid": row.describe(),
        "DefaultValue": row.default_text,
        "IsRequired": row.required,
        "IsCommon": row.common,
        "IsTunable": row.tunable is not None,
        "IsOpen": row.valid is not None,
        "When": {"Name": row.when.name, "Values": list(row.when.values)} if row.when else None,
    }


def _range(interval: Interval | None) -> dict[str, Any] | None:
    if interval is None:
        return None
    return {
        "MinValue": None if math.isinf(interval.low) else interval.low,
        "MaxValue": None if math.isinf(interval.high) else interval.high,
        "IsMinExcluded": interval.open_low,
        "IsMaxExcluded": interval.open_high,
    }

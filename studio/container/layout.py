"""The /opt/ml contract: the files, folders and variables that a container finds when it starts.

Sources: the developer guide's pages on training and inference containers
(https://docs.aws.amazon.com/sagemaker/latest/dg/your-algorithms-training-algo.html).
"""

import json
from dataclasses import dataclass
from typing import Any

Doc = dict[str, Any]

TRAINING_FOLDERS = (
    "checkpoints",
    "code",
    "input/config",
    "input/data",
    "model",
    "output/data",
    "output/metrics/sagemaker",
)
PROCESSING_FOLDERS = ("config", "output/metrics/sagemaker", "processing")
SERVING_FOLDERS = ("model", "code", "output")

METRICS = "/opt/ml/output/metrics/sagemaker"
"""Where a job writes metrics to be stored."""

_GROUP = "homogeneousCluster"
_STRATEGIES = {"MultiRecord": "MULTI_RECORD", "SingleRecord": "SINGLE_RECORD"}


@dataclass(frozen=True)
class Host:
    """One of the machines that a job asked for."""

    name: str
    instance_type: str
    group: str = _GROUP


def hosts(config: Doc) -> tuple[Host, ...]:
    """The hosts of a `ResourceConfig`: algo-1 to algo-n, through its groups in their order."""
    groups = config.get("InstanceGroups") or [{**config, "InstanceGroupName": _GROUP}]
    kinds = [
        (group["InstanceType"], group["InstanceGroupName"])
        for group in groups
        for _ in range(group["InstanceCount"])
    ]
    return tuple(Host(f"algo-{n}", *kind) for n, kind in enumerate(kinds, start=1))


def training_files(
    request: Doc, arn: str, host: str = "algo-1", interface: str = "lo"
) -> dict[str, str]:
    """Path relative to /opt/ml -> text, for one host of the job that `request` (the document of
    CreateTrainingJob) made. `interface`: processes have a loopback address a host each."""
    config = "input/config"
    kept = request.get("CheckpointConfig")
    return {
        **({f"{config}/checkpointconfig.json": _text(kept)} if kept else {}),
        f"{config}/hyperparameters.json": _text(request.get("HyperParameters", {})),
        f"{config}/inputdataconfig.json": _text(_channels(request)),
        f"{config}/resourceconfig.json": _text(
            _resources(request["ResourceConfig"], host, interface)
        ),
        f"{config}/trainingjobconfig.json": _text({**_public(request), "TrainingJobArn": arn}),
    }


def training_env(request: Doc, arn: str, region: str, host: str = "algo-1") -> dict[str, str]:
    """Variables of a training container; those of the request win."""
    return {
        "TRAINING_JOB_NAME": request["TrainingJobName"],
        "TRAINING_JOB_ARN": arn,
        "AWS_REGION": region,
        "CURRENT_HOST": host,
        "SAGEMAKER_METRICS_DIRECTORY": METRICS,
        **request.get("Environment", {}),
    }


def processing_files(request: Doc, arn: str, host: str, interface: str) -> dict[str, str]:
    """As `training_files`, of a processing job: `request` is the document of
    CreateProcessingJob."""
    cluster = request["ProcessingResources"]["ClusterConfig"]
    return {
        "config/processingjobconfig.json": _text({**_public(request), "ProcessingJobArn": arn}),
        "config/resourceconfig.json": _text(_resources(cluster, host, interface)),
    }


def processing_env(request: Doc, region: str, host: str = "algo-1") -> dict[str, str]:
    """Variables of a processing container; those of the request win."""
    return {
        "AWS_REGION": region,
        "CURRENT_HOST": host,
        "SAGEMAKER_METRICS_DIRECTORY": METRICS,
        **request.get("Environment", {}),
    }


def serving_env(container: Doc, region: str, several: bool = False) -> dict[str, str]:
    """Variables of a model server, of `several` models; those of the container definition win."""
    many = {"SAGEMAKER_MULTI_MODEL": "true"} if several else {}
    return {"AWS_REGION": region, **many, **container.get("Environment", {})}


def transform_env(request: Doc) -> dict[str, str]:
    """Variables that a model server has in a transform job besides: the three last only if the
    request of CreateTransformJob says them."""
    said = {
        "SAGEMAKER_MAX_PAYLOAD_IN_MB": request.get("MaxPayloadInMB"),
        "SAGEMAKER_BATCH_STRATEGY": _STRATEGIES.get(request.get("BatchStrategy", "")),
        "SAGEMAKER_MAX_CONCURRENT_TRANSFORMS": request.get("MaxConcurrentTransforms"),
    }
    given = {name: str(value) for name, value in said.items() if value is not None}
    return {"SAGEMAKER_BATCH": "true", **given}


def _channels(request: Doc) -> Doc:
    mode = request["AlgorithmSpecification"]["TrainingInputMode"]
    channels = request.get("InputDataConfig", [])
    return {each["ChannelName"]: _channel(each, mode) for each in channels}


def _channel(channel: Doc, mode: str) -> Doc:
    source = channel["DataSource"].get("S3DataSource", {})
    described = {
        "TrainingInputMode": channel.get("InputMode", mode),
        "S3DistributionType": source.get("S3DataDistributionType", "FullyReplicated"),
        "RecordWrapperType": channel.get("RecordWrapperType", "None"),
    }
    if "ContentType" in channel:
        described["ContentType"] = channel["ContentType"]
    return described


def _resources(config: Doc, name: str, interface: str) -> Doc:
    every = hosts(config)
    own = next(host for host in every if host.name == name)
    groups: dict[str, Doc] = {}
    for host in every:
        new = {"instance_group_name": host.group, "instance_type": host.instance_type, "hosts": []}
        groups.setdefault(host.group, new)["hosts"].append(host.name)
    return {
        "current_host": name,
        "current_instance_type": own.instance_type,
        "current_group_name": own.group,
        "hosts": sorted(host.name for host in every),
        "instance_groups": [{**it, "hosts": sorted(it["hosts"])} for it in groups.values()],
        "network_interface_name": interface,
    }


def _public(request: Doc) -> Doc:
    """The request without its variables, which may hold secrets that a file would spread."""
    return {name: value for name, value in request.items() if name not in ("Environment", "Tags")}


def _text(document: Doc) -> str:
    return json.dumps(document, indent=2, sort_keys=True)

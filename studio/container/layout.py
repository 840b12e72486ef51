"""The /opt/ml contract: the files, folders and variables that a container finds when it starts.

Sources: the developer guide's pages on training and inference containers
(https://docs.aws.amazon.com/sagemaker/latest/dg/your-algorithms-training-algo.html).
"""

import json
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
SERVING_FOLDERS = ("model", "code", "output")

_NETWORK = "eth0"
_GROUP = "homogeneousCluster"


def training_files(
    request: Doc, arn: str, host: str = "algo-1", hosts: tuple[str, ...] = ("algo-1",)
) -> dict[str, str]:
    """Path relative to /opt/ml -> text, for one host of the job that `request` (the document of
    CreateTrainingJob) made."""
    config = "input/config"
    return {
        f"{config}/hyperparameters.json": _text(request.get("HyperParameters", {})),
        f"{config}/inputdataconfig.json": _text(_channels(request)),
        f"{config}/resourceconfig.json": _text(_resources(request, host, hosts)),
        f"{config}/trainingjobconfig.json": _text({**_public(request), "TrainingJobArn": arn}),
    }


def training_env(request: Doc, arn: str, region: str, host: str = "algo-1") -> dict[str, str]:
    """Variables of a training container; those of the request win."""
    return {
        "TRAINING_JOB_NAME": request["TrainingJobName"],
        "TRAINING_JOB_ARN": arn,
        "AWS_REGION": region,
        "CURRENT_HOST": host,
        "SAGEMAKER_METRICS_DIRECTORY": "/opt/ml/output/metrics/sagemaker",
        **request.get("Environment", {}),
    }


def serving_env(container: Doc, region: str) -> dict[str, str]:
    """Variables of a model server; those of the container definition win."""
    return {"AWS_REGION": region, **container.get("Environment", {})}


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


def _resources(request: Doc, host: str, hosts: tuple[str, ...]) -> Doc:
    instance = request["ResourceConfig"]["InstanceType"]
    names = sorted(hosts)
    group = {"instance_group_name": _GROUP, "instance_type": instance, "hosts": names}
    return {
        "current_host": host,
        "current_instance_type": instance,
        "current_group_name": _GROUP,
        "hosts": names,
        "instance_groups": [group],
        "network_interface_name": _NETWORK,
    }


def _public(request: Doc) -> Doc:
    """The request without its variables, which may hold secrets that a file would spread."""
    return {name: value for name, value in request.items() if name not in ("Environment", "Tags")}


def _text(document: Doc) -> str:
    return json.dumps(document, indent=2, sort_keys=True)

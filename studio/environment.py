"""What an AWS client needs in its environment to land here, and the SDK files that go with it.

It knows nothing of processes and servers: whoever runs them says where they listen.
"""

import json
import os
from collections.abc import Mapping
from pathlib import Path

from studio import credentials, durable
from studio.credentials import Credentials
from studio.settings import Settings

REMOVED = (
    "AWS_PROFILE",
    "AWS_DEFAULT_PROFILE",
    "AWS_SESSION_TOKEN",
    "AWS_SECURITY_TOKEN",
    "AWS_ENDPOINT_URL_SAGEMAKER",
    "AWS_ENDPOINT_URL_SAGEMAKER_METRICS",
    "AWS_ENDPOINT_URL_S3",
    "AWS_ENDPOINT_URL_STS",
    "AWS_ENDPOINT_URL_IAM",
    "AWS_ENDPOINT_URL_CLOUDWATCH_LOGS",
    "AWS_IGNORE_CONFIGURED_ENDPOINT_URLS",
)
"""Variables that would lead a client elsewhere: they must not be set, not even empty."""

# Kinds of the SDK's configuration schema that take a role, and how they spell it.
_ROLES = {
    "AutoMLJob": "RoleArn",
    "AutoMLJobV2": "RoleArn",
    "CompilationJob": "RoleArn",
    "FeatureGroup": "RoleArn",
    "Model": "ExecutionRoleArn",
    "Pipeline": "RoleArn",
    "ProcessingJob": "RoleArn",
    "TrainingJob": "RoleArn",
}


def client_environment(
    settings: Settings,
    url: str,
    runtime_url: str,
    environ: Mapping[str, str] = os.environ,
) -> dict[str, str]:
    """Variables for a client of the control plane at `url` and the router at `runtime_url`.

    What `REMOVED` names has to go from the environment too. `environ` is the user's own.
    """
    key = credentials.load_or_create(settings.home)
    values = (
        user_environment(settings, url, runtime_url, key)
        | {
            "SAGEMAKER_USER_CONFIG_OVERRIDE": str(_write_sdk_config(settings)),
            "STUDIO_HOME": str(settings.home),
        }
        | installed_environment(environ)
    )
    if settings.s3_endpoint:
        values["AWS_ENDPOINT_URL_S3"] = settings.s3_endpoint
    return values


def user_environment(
    settings: Settings, url: str, runtime_url: str, key: Credentials
) -> dict[str, str]:
    """As `client_environment` for whoever has `key`, without what lies in the owner's folders."""
    return {
        "AWS_ACCESS_KEY_ID": key.access_key_id,
        "AWS_SECRET_ACCESS_KEY": key.secret_access_key,
        "AWS_DEFAULT_REGION": settings.region,
        "AWS_REGION": settings.region,
        "AWS_ENDPOINT_URL": url,
        "AWS_ENDPOINT_URL_SAGEMAKER_RUNTIME": runtime_url,
        "AWS_EC2_METADATA_DISABLED": "true",
        "SAGEMAKER_SUPPRESS_V2_WARNING": "1",
        "STUDIO_URL": url,
    }


def installed_environment(environ: Mapping[str, str]) -> dict[str, str]:
    """The variables that name folders of this installation, before the user's own."""
    return {
        "PYTHONPATH": _path(hook_folder(), environ.get("PYTHONPATH", "")),
        "AWS_DATA_PATH": _path(models_folder(), environ.get("AWS_DATA_PATH", "")),
    }


def hook_folder() -> Path:
    """The folder whose `sitecustomize` Python runs at its start."""
    return Path(__file__).parent / "hook"


def models_folder() -> Path:
    """The folder where AWS's clients find the model of the service `studio`."""
    return Path(__file__).parent / "wire" / "service"


def role_arn(settings: Settings) -> str:
    return f"arn:aws:iam::{settings.account}:role/{settings.role_name}"


def default_bucket(settings: Settings) -> str:
    """The bucket that the SDK puts things into when nobody says where; it makes it."""
    return f"sagemaker-{settings.region}-{settings.account}"


def _path(folder: Path, present: str) -> str:
    """The folder first, then what the user has."""
    first = str(folder)
    return os.pathsep.join(
        [first, *(it for it in present.split(os.pathsep) if it not in ("", first))]
    )


def _write_sdk_config(settings: Settings) -> Path:
    """The SDK's configuration file: default bucket, roles, no telemetry. JSON is YAML too."""
    role = role_arn(settings)
    modules = {
        "Session": {"DefaultS3Bucket": default_bucket(settings)},
        "RemoteFunction": {"RoleArn": role},
        "TelemetryOptOut": True,
    }
    sagemaker: dict[str, object] = {"PythonSDK": {"Modules": modules}}
    sagemaker |= {kind: {member: role} for kind, member in _ROLES.items()}
    document = {"SchemaVersion": "1.0", "SageMaker": sagemaker}
    text = json.dumps(document, indent=2).encode()
    path = settings.home / "sdk" / "config.yaml"
    if not path.exists() or path.read_bytes() != text:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        durable.write_bytes(path, text)
    return path

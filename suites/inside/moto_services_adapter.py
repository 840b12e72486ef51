"""Points moto's tests of IAM, STS, CloudWatch, CloudWatch Logs and SageMaker to Studio.

What `moto_adapter` does, and three things more. Clocks run: a frozen one signs requests that have
expired. Every client speaks to the one region that a Studio has. And where tests rely on moto
taking any text for a role or a trust policy, they get one that exists. Metrics cannot be deleted,
so each test has namespaces of its own.
"""

import contextlib
import functools
import json
import os
import re
from typing import Any

import botocore.session
import freezegun
import freezegun.api
import moto_adapter
import pytest
from leftovers import delete_buckets
from moto.core import models

_REGION = os.environ["AWS_DEFAULT_REGION"]
_ROLE = re.compile(r"arn:aws[a-z-]*:iam::\d{12}:role/(?:.+/)?([\w+=,.@-]+)")
_TRUST = json.dumps(
    {
        "Version": "2012-10-17",
        "Statement": {
            "Effect": "Allow",
            "Principal": {"Service": "sagemaker.amazonaws.com"},
            "Action": "sts:AssumeRole",
        },
    }
)
_world = {"number": 0, "used": True}
_REAL_CLIENT = moto_adapter._REAL_CLIENT
_create = botocore.session.Session.create_client


class _Clock(contextlib.ContextDecorator):
    """In the place of `freeze_time`, as decorator and as context."""

    def __enter__(self) -> "_Clock":
        return self

    def __exit__(self, *_error: object) -> None: ...

    start = __enter__

    def stop(self) -> None: ...

    def tick(self, _delta: object = None) -> None: ...

    def move_to(self, _moment: object) -> None: ...


freezegun.freeze_time = freezegun.api.freeze_time = lambda *_when, **_how: _Clock()


def _client(session: Any, service_name: str, **options: Any) -> Any:
    made = _create(session, service_name, **options | {"region_name": _REGION})
    events = made.meta.events
    events.register("provide-client-params.iam.*", _trusting)
    events.register("provide-client-params.sagemaker.*", _with_a_role)
    events.register("provide-client-params.cloudwatch.*", _in_its_namespace)
    events.register("after-call.cloudwatch.ListMetrics", _of_its_namespaces)
    events.register("before-call", _used)
    return made


botocore.session.Session.create_client = _client


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    models.ServerModeMockAWS.reset = _reset


def _trusting(params: dict, **_event: object) -> dict:
    if "AssumeRolePolicyDocument" in params and not _is_json(params["AssumeRolePolicyDocument"]):
        return params | {"AssumeRolePolicyDocument": _TRUST}
    return params


def _is_json(text: str) -> bool:
    try:
        return isinstance(json.loads(text), dict)
    except ValueError:
        return False


def _with_a_role(params: dict, **_event: object) -> dict:
    for member in ("RoleArn", "ExecutionRoleArn"):
        if member in params:
            params = params | {member: _role(params[member])}
    return params


def _role(arn: str) -> str:
    """The role, made unless it is there; another in the place of what names none."""
    match = _ROLE.fullmatch(arn)
    iam = _our_client("iam")
    if match is None:
        return iam.get_role(RoleName="StudioExecutionRole")["Role"]["Arn"]
    with contextlib.suppress(iam.exceptions.EntityAlreadyExistsException):
        iam.create_role(RoleName=match[1], AssumeRolePolicyDocument=_TRUST)
    return arn


def _in_its_namespace(params: dict, **_event: object) -> dict:
    def moved(value: Any) -> Any:
        if isinstance(value, list):
            return [moved(each) for each in value]
        if not isinstance(value, dict):
            return value
        return {
            name: f"{each}.{_world['number']}"
            if name == "Namespace" and isinstance(each, str) and not each.startswith("AWS/")
            else moved(each)
            for name, each in value.items()
        }

    return moved(params)


def _of_its_namespaces(parsed: dict, **_event: object) -> None:
    end = f".{_world['number']}"
    kept = [it for it in parsed.get("Metrics", []) if it["Namespace"].endswith(end)]
    parsed["Metrics"] = [it | {"Namespace": it["Namespace"].removesuffix(end)} for it in kept]


def _reset(_mock: models.ServerModeMockAWS) -> None:
    if not _world["used"]:
        return
    _world["number"] += 1
    delete_buckets(_our_client("s3"))
    _delete_resources(_our_client("sagemaker"))
    _delete_principals(_our_client("iam"))
    _delete_log_groups(_our_client("logs"))
    _delete_alarms(_our_client("cloudwatch"))
    _world["used"] = False


@functools.cache
def _our_client(service: str) -> Any:
    return _REAL_CLIENT(service)


def _used(**_event: object) -> None:
    _world["used"] = True


# Kind -> what lists it, the member with all of them, and what names each.
_KINDS = {
    "endpoint": ("list_endpoints", "Endpoints", "EndpointName"),
    "endpoint_config": ("list_endpoint_configs", "EndpointConfigs", "EndpointConfigName"),
    "model": ("list_models", "Models", "ModelName"),
    "training_job": ("list_training_jobs", "TrainingJobSummaries", "TrainingJobName"),
    "processing_job": ("list_processing_jobs", "ProcessingJobSummaries", "ProcessingJobName"),
    "trial": ("list_trials", "TrialSummaries", "TrialName"),
    "experiment": ("list_experiments", "ExperimentSummaries", "ExperimentName"),
    "trial_component": (
        "list_trial_components",
        "TrialComponentSummaries",
        "TrialComponentName",
    ),
    "model_package_group": (
        "list_model_package_groups",
        "ModelPackageGroupSummaryList",
        "ModelPackageGroupName",
    ),
}


def _delete_resources(sagemaker: Any) -> None:
    _delete_packages(sagemaker)
    for kind, (lists, member, name) in _KINDS.items():
        for page in sagemaker.get_paginator(lists).paginate():
            for it in page[member]:
                if kind.endswith("_job"):
                    with contextlib.suppress(sagemaker.exceptions.ClientError):
                        getattr(sagemaker, f"stop_{kind}")(**{name: it[name]})
                if kind == "trial":
                    _disassociate(sagemaker, it[name])
                with contextlib.suppress(sagemaker.exceptions.ClientError):
                    getattr(sagemaker, f"delete_{kind}")(**{name: it[name]})


def _delete_packages(sagemaker: Any) -> None:
    for page in sagemaker.get_paginator("list_model_packages").paginate(ModelPackageType="Both"):
        for it in page["ModelPackageSummaryList"]:
            sagemaker.delete_model_package(ModelPackageName=it["ModelPackageArn"])


def _disassociate(sagemaker: Any, trial: str) -> None:
    for page in sagemaker.get_paginator("list_trial_components").paginate(TrialName=trial):
        for it in page["TrialComponentSummaries"]:
            component = it["TrialComponentName"]
            sagemaker.disassociate_trial_component(TrialName=trial, TrialComponentName=component)


def _delete_alarms(cloudwatch: Any) -> None:
    for page in cloudwatch.get_paginator("describe_alarms").paginate():
        cloudwatch.delete_alarms(AlarmNames=[it["AlarmName"] for it in page["MetricAlarms"]])


def _delete_log_groups(logs: Any) -> None:
    for page in logs.get_paginator("describe_log_groups").paginate():
        for group in page["logGroups"]:
            if not group["logGroupName"].startswith("/aws/sagemaker/"):
                logs.delete_log_group(logGroupName=group["logGroupName"])


def _delete_principals(iam: Any) -> None:
    for group in iam.list_groups()["Groups"]:
        _delete_group(iam, {"GroupName": group["GroupName"]})
    for user in iam.list_users()["Users"]:
        _delete_user(iam, {"UserName": user["UserName"]})
    for page in iam.get_paginator("list_roles").paginate():
        for role in page["Roles"]:
            name = {"RoleName": role["RoleName"]}
            if role["RoleName"] != "StudioExecutionRole":
                _strip(iam, "role", name)
                iam.delete_role(**name)
    for policy in iam.list_policies(Scope="Local")["Policies"]:
        _delete_policy(iam, {"PolicyArn": policy["Arn"]})


def _delete_group(iam: Any, name: dict[str, str]) -> None:
    for user in iam.get_group(**name)["Users"]:
        iam.remove_user_from_group(**name, UserName=user["UserName"])
    _strip(iam, "group", name)
    iam.delete_group(**name)


def _delete_user(iam: Any, name: dict[str, str]) -> None:
    for key in iam.list_access_keys(**name)["AccessKeyMetadata"]:
        iam.delete_access_key(**name, AccessKeyId=key["AccessKeyId"])
    _strip(iam, "user", name)
    iam.delete_user(**name)


def _delete_policy(iam: Any, arn: dict[str, str]) -> None:
    for version in iam.list_policy_versions(**arn)["Versions"]:
        if not version["IsDefaultVersion"]:
            iam.delete_policy_version(**arn, VersionId=version["VersionId"])
    iam.delete_policy(**arn)


def _strip(iam: Any, kind: str, name: dict[str, str]) -> None:
    """Takes every policy from a user, group or role."""
    for policy in getattr(iam, f"list_attached_{kind}_policies")(**name)["AttachedPolicies"]:
        getattr(iam, f"detach_{kind}_policy")(**name, PolicyArn=policy["PolicyArn"])
    for policy in getattr(iam, f"list_{kind}_policies")(**name)["PolicyNames"]:
        getattr(iam, f"delete_{kind}_policy")(**name, PolicyName=policy)

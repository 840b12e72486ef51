"""Scaling policies: what makes a scalable target larger or smaller. They live in its `spec`."""

import uuid
from collections.abc import Callable
from dataclasses import replace

from studio.api import alarms, scalable_targets, scaling, scaling_alarms, store
from studio.api.registry import Context, operation
from studio.api.scalable_targets import NAMESPACE, NOUN
from studio.db.resources import Doc, Resource
from studio.errors import ApiError, ValidationException

TRACKING, STEP = "TargetTrackingScaling", "StepScaling"
CONFIGS = {
    TRACKING: "TargetTrackingScalingPolicyConfiguration",
    STEP: "StepScalingPolicyConfiguration",
}
"""Type of a policy -> the member that describes it."""

_MOST = 50
_MOST_STEPS = 20
_ACTIONS = ("AlarmActions", "OKActions", "InsufficientDataActions")
_STATISTICS = ("Average", "Minimum", "Maximum", "SampleCount", "Sum")
_NEEDED = ("MetricName", "Namespace", "Statistic")


@operation("application-autoscaling", "PutScalingPolicy")
def put_scaling_policy(ctx: Context, request: Doc) -> Doc:
    name, kind, config = request["PolicyName"], *_checked(request)

    def put(target: Resource) -> Resource:
        policies = target.spec["Policies"]
        known = policies.get(name)
        if known is None and len(policies) >= _MOST:
            text = f"A scalable target has at most {_MOST} scaling policies"
            raise ApiError("LimitExceededException", text)
        made = known or _begun(ctx, target, name)
        policy = {
            **{it: made[it] for it in ("PolicyName", "PolicyARN", "Id", "CreationTime")},
            "PolicyType": kind,
            CONFIGS[kind]: config,
        }
        spec = {**target.spec, "Policies": {**policies, name: policy}}
        return replace(target, spec=spec, due_at=ctx.now())

    target = _changed(ctx, request, put)
    policy = target.spec["Policies"][name]
    return {"PolicyARN": policy["PolicyARN"], "Alarms": _alarms(ctx, target, policy)}


@operation("application-autoscaling", "DeleteScalingPolicy")
def delete_scaling_policy(ctx: Context, request: Doc) -> Doc:
    """The alarms that were made for it go with it."""
    name = request["PolicyName"]

    def deleted(target: Resource) -> Resource:
        policies = dict(target.spec["Policies"])
        if policies.pop(name, None) is None:
            place = f"service namespace: {NAMESPACE}, resource ID: {request['ResourceId']}"
            text = f"No scaling policy found for {place}, policy name: {name}"
            raise ApiError("ObjectNotFoundException", text)
        return replace(target, spec={**target.spec, "Policies": policies})

    scalable_targets.changed(ctx, scalable_targets.key(request), deleted)
    return {}


@operation("application-autoscaling", "DescribeScalingPolicies")
def describe_scaling_policies(ctx: Context, request: Doc) -> Doc:
    wanted = request.get("PolicyNames")
    found = [
        (f"{target.name} {name}", described(ctx, target, policy))
        for target in scalable_targets.every(ctx, request)
        for name, policy in sorted(target.spec["Policies"].items())
        if not wanted or name in wanted
    ]
    members = ("ServiceNamespace", "PolicyNames", "ResourceId", "ScalableDimension")
    return scalable_targets.page(request, members, found, "ScalingPolicies")


def described(ctx: Context, target: Resource, policy: Doc) -> Doc:
    """A policy as DescribeScalingPolicies answers."""
    shown = {name: value for name, value in policy.items() if name != "Id"}
    return {**scalable_targets.named(target), **shown, "Alarms": _alarms(ctx, target, policy)}


def invokes(alarm: Doc, policy_arn: str) -> bool:
    """Whether an alarm, by its spec, has that policy among its actions."""
    return any(policy_arn in alarm.get(each, ()) for each in _ACTIONS)


def _changed(ctx: Context, request: Doc, to: Callable[[Resource], Resource]) -> Resource:
    """As `scalable_targets.changed`, in the words that AWS has for a target that is missing."""
    name = scalable_targets.key(request)
    if store.find(ctx, NOUN, name) is None:
        raise ApiError("ObjectNotFoundException", scalable_targets.unregistered(request))
    return scalable_targets.changed(ctx, name, to)


def _begun(ctx: Context, target: Resource, name: str) -> Doc:
    made = str(uuid.uuid4())
    place = f"{target.region}:{target.account}:scalingPolicy:{made}"
    resource = f"resource/{NAMESPACE}/{target.spec['ResourceId']}"
    return {
        "PolicyName": name,
        "PolicyARN": f"arn:aws:autoscaling:{place}:{resource}:policyName/{name}",
        "Id": made,
        "CreationTime": ctx.now(),
    }


def _alarms(ctx: Context, target: Resource, policy: Doc) -> list[Doc]:
    """The alarms that invoke a policy: those made for it, or those that name a step policy."""
    if policy["PolicyType"] == TRACKING:
        place = f"{target.region}:{target.account}"
        return [
            {"AlarmName": name, "AlarmARN": f"arn:aws:cloudwatch:{place}:alarm:{name}"}
            for name in scaling_alarms.names(target, policy)
        ]
    return [
        {"AlarmName": it.name, "AlarmARN": it.arn}
        for it in alarms.every(replace(ctx, action="cloudwatch:DescribeAlarms"))
        if invokes(it.spec, policy["PolicyARN"])
    ]


def _checked(request: Doc) -> tuple[str, Doc]:
    """Type and configuration of a policy. Raises ValidationException."""
    kind = request.get("PolicyType", STEP)
    if kind not in CONFIGS:
        raise ValidationException(f"Studio does not execute policies of the type {kind} yet.")
    config = request.get(CONFIGS[kind])
    others = [it for it in CONFIGS.values() if it != CONFIGS[kind] and it in request]
    if config is None or others or "PredictiveScalingPolicyConfiguration" in request:
        raise ValidationException(f"A policy of the type {kind} needs {CONFIGS[kind]}, alone")
    for member in ("Cooldown", "ScaleOutCooldown", "ScaleInCooldown"):
        if config.get(member, 0) < 0:
            raise ValidationException(f"{member} must not be negative")
    return kind, (_tracking if kind == TRACKING else _steps)(config)


def _tracking(config: Doc) -> Doc:
    if config["TargetValue"] <= 0:
        raise ValidationException("TargetValue must be greater than 0")
    named = config.get("PredefinedMetricSpecification")
    custom = config.get("CustomizedMetricSpecification")
    if (named is None) == (custom is None):
        raise ValidationException(
            "Exactly one of PredefinedMetricSpecification and CustomizedMetricSpecification must "
            "be specified"
        )
    if named is not None:
        _check_predefined(named)
    elif custom is not None:
        _check_custom(custom)
    return config


def _check_predefined(named: Doc) -> None:
    kind = named["PredefinedMetricType"]
    if kind not in scaling_alarms.PREDEFINED:
        raise ValidationException(
            f"Studio does not execute the predefined metric {kind}. Those of a variant are "
            f"{' and '.join(scaling_alarms.PREDEFINED)}."
        )
    if "ResourceLabel" in named:
        raise ValidationException(f"ResourceLabel is not supported for the metric {kind}")


def _check_custom(custom: Doc) -> None:
    if "Metrics" in custom:
        raise ValidationException(
            "Studio does not execute CustomizedMetricSpecification.Metrics (metric math) yet."
        )
    for member in _NEEDED:
        if member not in custom:
            raise ValidationException(f"CustomizedMetricSpecification.{member} is required")
    if custom["Statistic"] not in _STATISTICS:
        raise ValidationException(f"The statistic {custom['Statistic']} is not supported")


def _steps(config: Doc) -> Doc:
    steps = config.get("StepAdjustments", [])
    if "AdjustmentType" not in config or not steps:
        raise ValidationException("AdjustmentType and StepAdjustments are required")
    if len(steps) > _MOST_STEPS:
        text = f"A scaling policy has at most {_MOST_STEPS} step adjustments"
        raise ApiError("LimitExceededException", text)
    percent = config["AdjustmentType"] == "PercentChangeInCapacity"
    if "MinAdjustmentMagnitude" in config and not percent:
        raise ValidationException("MinAdjustmentMagnitude is for PercentChangeInCapacity alone")
    if fault := scaling.step_faults(config):
        raise ValidationException(fault)
    return config

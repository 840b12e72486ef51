"""The alarms by which policies that track a target go: made, changed and deleted with them.

They are alarms as all others are, and CloudWatch describes them: AlarmHigh says that there are too
few instances, AlarmLow that there may be too many.
"""

from dataclasses import replace

from sqlalchemy import Connection

from studio.api import alarms, scaling
from studio.api.registry import Context
from studio.db import resources
from studio.db.resources import Doc, Resource

PERIOD = "studio:autoscaling-period"
"""A tag of a scalable target: the seconds of a period of its alarms, 10, 20, 30 or 60."""

PERIODS = ("10", "20", "30", "60")

INVOCATIONS = "SageMakerVariantInvocationsPerInstance"
CONCURRENCY = "SageMakerVariantConcurrentRequestsPerModelHighResolution"
PREDEFINED = {
    INVOCATIONS: {"MetricName": "InvocationsPerInstance", "Statistic": "Sum"},
    CONCURRENCY: {"MetricName": "ConcurrentRequestsPerModel", "Statistic": "Average"},
}
"""Of AWS's names of metrics those that are measured of an endpoint's variants."""

_NAMESPACE = "AWS/SageMaker"
_HIGH_PERIODS, _LOW_PERIODS, _LOW_SECONDS = 3, 15, 900
_SHORT = 10


def metric_of(target: Resource, policy: Doc) -> Doc:
    """Namespace, name, dimensions and statistic of what a policy tracks."""
    config = policy["TargetTrackingScalingPolicyConfiguration"]
    custom = config.get("CustomizedMetricSpecification")
    if custom:
        return dict(custom)
    named = PREDEFINED[config["PredefinedMetricSpecification"]["PredefinedMetricType"]]
    endpoint, variant = place(target)
    dimensions = [
        {"Name": "EndpointName", "Value": endpoint},
        {"Name": "VariantName", "Value": variant},
    ]
    return {"Namespace": _NAMESPACE, "Dimensions": dimensions, **named}


def place(target: Resource) -> tuple[str, str]:
    """Endpoint and variant of a scalable target."""
    _, endpoint, _, variant = target.spec["ResourceId"].split("/")
    return endpoint, variant


def period(target: Resource, policy: Doc) -> int:
    """Seconds of a period of a policy's alarms."""
    config = policy["TargetTrackingScalingPolicyConfiguration"]
    predefined = config.get("PredefinedMetricSpecification", {}).get("PredefinedMetricType")
    return tagged_period(target) or (_SHORT if predefined == CONCURRENCY else 60)


def tagged_period(target: Resource) -> int | None:
    """What the tag of a target says, if it has one."""
    return next((int(tag["Value"]) for tag in target.tags if tag["Key"] == PERIOD), None)


def goal(target: Resource, policy: Doc) -> float:
    """The value of the metric in a period that the policy keeps to. What is summed up is meant for
    a minute."""
    value = float(policy["TargetTrackingScalingPolicyConfiguration"]["TargetValue"])
    summed = metric_of(target, policy)["Statistic"] in ("Sum", "SampleCount")
    return value * period(target, policy) / 60 if summed else value


def names(target: Resource, policy: Doc) -> tuple[str, str]:
    """Of the alarms high and low of a policy that tracks a target."""
    prefix = f"TargetTracking-{target.spec['ResourceId']}"
    return f"{prefix}-AlarmHigh-{policy['Id']}", f"{prefix}-AlarmLow-{policy['Id']}"


def specs(target: Resource) -> dict[str, Doc]:
    """Every alarm that the policies of a target have to have, by its name."""
    found: dict[str, Doc] = {}
    for policy in target.spec["Policies"].values():
        if policy["PolicyType"] == "TargetTrackingScaling":
            found |= _pair(target, policy)
    return found


def sync(ctx: Context, connection: Connection, before: Resource, after: Resource) -> list[str]:
    """Inside a write: make the alarms of a target such as its policies want them. The ids of those
    that the reconciler is to be told of once all is written."""
    wanted = {} if after.deleted_at else specs(after)
    gone = specs(before).keys()
    where = after.account, after.region, alarms.NOUN.kind
    known = resources.named(connection, *where, sorted(wanted.keys() | gone))
    touched: list[str] = []
    for name, spec in wanted.items():
        if name not in known:
            alarm = replace(alarms.begun(ctx, spec), owner=after.owner, due_at=ctx.now())
            resources.insert(connection, alarm)
            touched.append(alarm.id)
        elif known[name].spec != spec:
            resources.update(connection, alarms.altered(ctx, known[name], spec))
            touched.append(known[name].id)
    for name in gone - wanted.keys():
        if name in known:
            ended = replace(known[name], deleted_at=ctx.now(), due_at=None)
            resources.update(connection, ended)
    return touched


def _pair(target: Resource, policy: Doc) -> dict[str, Doc]:
    high, low = names(target, policy)
    seconds, value = period(target, policy), goal(target, policy)
    shared = {
        **metric_of(target, policy),
        "Period": seconds,
        "AlarmActions": [policy["PolicyARN"]],
        "AlarmDescription": f"DO NOT EDIT OR DELETE. For the scaling policy {policy['PolicyARN']}.",
    }
    return {
        high: {
            **shared,
            "AlarmName": high,
            "EvaluationPeriods": _HIGH_PERIODS,
            "Threshold": value,
            "ComparisonOperator": "GreaterThanThreshold",
        },
        low: {
            **shared,
            "AlarmName": low,
            "EvaluationPeriods": _LOW_PERIODS if tagged_period(target) else _LOW_SECONDS // seconds,
            "Threshold": value * scaling.LOW_SHARE,
            "ComparisonOperator": "LessThanThreshold",
        },
    }

"""Application Auto Scaling by boto3: register, put, describe, delete, and what is refused."""

import pytest
from botocore.exceptions import ClientError
from people_of import allow, document, equip, user

PLACE = {
    "ServiceNamespace": "sagemaker",
    "ResourceId": "endpoint/ann-endpoint/variant/A",
    "ScalableDimension": "sagemaker:variant:DesiredInstanceCount",
}
INVOCATIONS = {"PredefinedMetricType": "SageMakerVariantInvocationsPerInstance"}
TRACKS = {
    "PolicyType": "TargetTrackingScaling",
    "TargetTrackingScalingPolicyConfiguration": {
        "TargetValue": 70.0,
        "PredefinedMetricSpecification": INVOCATIONS,
    },
}
STEPS = {
    "PolicyType": "StepScaling",
    "StepScalingPolicyConfiguration": {
        "AdjustmentType": "ChangeInCapacity",
        "StepAdjustments": [{"MetricIntervalLowerBound": 0.0, "ScalingAdjustment": 1}],
    },
}


@pytest.fixture(scope="module", name="ann")
def ann_fixture(plane):
    ann = user(plane, "ann", "AmazonSageMakerFullAccess", "AmazonS3FullAccess")
    equip(ann, "ann")
    return ann


@pytest.fixture(name="scaler")
def scaler_fixture(ann):
    """Ann's client, with her target registered anew."""
    client = ann.client("application-autoscaling")
    client.register_scalable_target(**PLACE, MinCapacity=1, MaxCapacity=4)
    yield client
    client.deregister_scalable_target(**PLACE)


def alarms(person) -> dict[str, dict]:
    found = person.client("cloudwatch").describe_alarms()["MetricAlarms"]
    return {it["AlarmName"]: it for it in found}


def only(found: list) -> dict:
    [it] = found
    return it


def test_a_target_is_described_and_changed_member_by_member(scaler):
    scaler.register_scalable_target(
        **PLACE, MaxCapacity=8, SuspendedState={"ScheduledScalingSuspended": True}
    )
    target = only(scaler.describe_scalable_targets(ServiceNamespace="sagemaker")["ScalableTargets"])
    assert (target["MinCapacity"], target["MaxCapacity"]) == (1, 8)
    assert target["SuspendedState"] == {
        "DynamicScalingInSuspended": False,
        "DynamicScalingOutSuspended": False,
        "ScheduledScalingSuspended": True,
    }
    assert target["RoleARN"].endswith("AWSServiceRoleForApplicationAutoScaling_SageMakerEndpoint")
    assert {it: target[it] for it in PLACE} == PLACE
    arn = target["ScalableTargetARN"]
    scaler.tag_resource(ResourceARN=arn, Tags={"team": "a", "x": ""})
    scaler.untag_resource(ResourceARN=arn, TagKeys=["x"])
    assert scaler.list_tags_for_resource(ResourceARN=arn)["Tags"] == {"team": "a"}


def test_a_policy_has_alarms_that_come_and_go_with_it(ann, scaler):
    made = scaler.put_scaling_policy(**PLACE, PolicyName="p", **TRACKS)
    names = [it["AlarmName"] for it in made["Alarms"]]
    prefix = f"TargetTracking-{PLACE['ResourceId']}-Alarm"
    assert [it.startswith(prefix + kind) for it, kind in zip(names, ("High", "Low"), strict=True)]
    found = alarms(ann)
    high, low = (found[it] for it in names)
    assert (high["Threshold"], high["Period"], high["EvaluationPeriods"]) == (70.0, 60, 3)
    assert (low["Threshold"], low["EvaluationPeriods"]) == (pytest.approx(63.0), 15)
    assert high["AlarmActions"] == [made["PolicyARN"]]
    # Another target: the same alarms. A finer period: the same target value a minute.
    tracking = "TargetTrackingScalingPolicyConfiguration"
    other = {**TRACKS, tracking: {**TRACKS[tracking], "TargetValue": 60.0}}
    assert scaler.put_scaling_policy(**PLACE, PolicyName="p", **other)["Alarms"] == made["Alarms"]
    target = only(scaler.describe_scalable_targets(ServiceNamespace="sagemaker")["ScalableTargets"])
    arn = target["ScalableTargetARN"]
    scaler.tag_resource(ResourceARN=arn, Tags={"studio:autoscaling-period": "10"})
    high = alarms(ann)[names[0]]
    assert (high["Threshold"], high["Period"]) == (10.0, 10)
    shown = only(scaler.describe_scaling_policies(ServiceNamespace="sagemaker")["ScalingPolicies"])
    assert shown["Alarms"] == made["Alarms"]
    assert shown[tracking]["TargetValue"] == 60.0
    scaler.put_scaling_policy(**PLACE, PolicyName="q", **TRACKS)
    scaler.delete_scaling_policy(**PLACE, PolicyName="p")
    assert len(alarms(ann)) == 2
    scaler.deregister_scalable_target(**PLACE)
    assert alarms(ann) == {}
    assert scaler.describe_scaling_policies(ServiceNamespace="sagemaker")["ScalingPolicies"] == []
    scaler.register_scalable_target(**PLACE, MinCapacity=1, MaxCapacity=4)


def test_a_step_policy_tells_the_alarms_that_name_it(ann, scaler):
    arn = scaler.put_scaling_policy(**PLACE, PolicyName="s", **STEPS)["PolicyARN"]
    cloudwatch = ann.client("cloudwatch")
    cloudwatch.put_metric_alarm(
        AlarmName="mine",
        Namespace="Shop",
        MetricName="Queue",
        Statistic="Average",
        Period=60,
        EvaluationPeriods=1,
        Threshold=5.0,
        ComparisonOperator="GreaterThanThreshold",
        AlarmActions=[arn],
    )
    shown = only(scaler.describe_scaling_policies(ServiceNamespace="sagemaker")["ScalingPolicies"])
    assert [it["AlarmName"] for it in shown["Alarms"]] == ["mine"]
    cloudwatch.delete_alarms(AlarmNames=["mine"])


def test_scheduled_actions_are_kept_and_changed_member_by_member(scaler):
    limits = {"MinCapacity": 2, "MaxCapacity": 3}
    scaler.put_scheduled_action(
        **PLACE,
        ScheduledActionName="morning",
        Schedule="cron(0 8 ? * MON-FRI *)",
        Timezone="Europe/Berlin",
        ScalableTargetAction=limits,
    )
    scaler.put_scheduled_action(
        **PLACE, ScheduledActionName="morning", Schedule="cron(0 9 ? * MON-FRI *)"
    )
    found = scaler.describe_scheduled_actions(ServiceNamespace="sagemaker")["ScheduledActions"]
    action = only(found)
    assert (action["Schedule"], action["Timezone"]) == ("cron(0 9 ? * MON-FRI *)", "Europe/Berlin")
    assert action["ScalableTargetAction"] == limits
    scaler.delete_scheduled_action(**PLACE, ScheduledActionName="morning")
    found = scaler.describe_scheduled_actions(ServiceNamespace="sagemaker")["ScheduledActions"]
    assert found == []
    answer = scaler.describe_scaling_activities(**PLACE)
    assert answer["ScalingActivities"] == []


def test_pages(scaler):
    for number in range(5):
        scaler.put_scaling_policy(**PLACE, PolicyName=f"p{number}", **STEPS)
    pages = scaler.get_paginator("describe_scaling_policies").paginate(
        ServiceNamespace="sagemaker", PaginationConfig={"PageSize": 2}
    )
    found = [[it["PolicyName"] for it in page["ScalingPolicies"]] for page in pages]
    assert found == [["p0", "p1"], ["p2", "p3"], ["p4"]]


CONFIG = "TargetTrackingScalingPolicyConfiguration"
CUSTOM = {"MetricName": "m", "Namespace": "N", "Statistic": "Average"}
REFUSED = [
    ("register_scalable_target", {"MinCapacity": 5}, "Maximum capacity cannot be less"),
    ("register_scalable_target", {"ResourceId": "endpoint/none/variant/A"}, "Could not find"),
    ("register_scalable_target", {"ResourceId": "endpoint/ann-endpoint/variant/B"}, "no produc"),
    ("register_scalable_target", {"ResourceId": "table/a"}, "Unsupported resource ID"),
    ("register_scalable_target", {"ServiceNamespace": "ecs"}, "service namespace ecs"),
    ("register_scalable_target", {"Tags": {"studio:autoscaling-period": "7"}}, "must be 10, 20"),
    ("put_scaling_policy", {"PolicyName": "p"}, "needs StepScalingPolicyConfiguration"),
    ("put_scaling_policy", {"PolicyName": "p", "PolicyType": "PredictiveScaling"}, "Predictive"),
    (
        "put_scaling_policy",
        {"PolicyName": "p", **TRACKS, CONFIG: {"TargetValue": 1.0}},
        "Exactly one of",
    ),
    (
        "put_scaling_policy",
        {
            "PolicyName": "p",
            **TRACKS,
            CONFIG: {
                "TargetValue": 1.0,
                "PredefinedMetricSpecification": {
                    "PredefinedMetricType": "SageMakerVariantProvisionedConcurrencyUtilization"
                },
            },
        },
        "ProvisionedConcurrencyUtilization",
    ),
    (
        "put_scaling_policy",
        {
            "PolicyName": "p",
            **TRACKS,
            CONFIG: {"TargetValue": 1.0, "CustomizedMetricSpecification": {"Metrics": []}},
        },
        "Metrics",
    ),
    (
        "put_scheduled_action",
        {"ScheduledActionName": "a", "Schedule": "rate(0 days)", "ScalableTargetAction": {}},
        "MinCapacity, MaxCapacity or both",
    ),
    (
        "put_scheduled_action",
        {
            "ScheduledActionName": "a",
            "Schedule": "at(2020-01-01T00:00:00)",
            "ScalableTargetAction": {"MinCapacity": 1},
        },
        "never due",
    ),
]


@pytest.mark.parametrize(("operation", "changes", "text"), REFUSED)
def test_what_is_wrong_is_refused_by_name(scaler, operation, changes, text):
    with pytest.raises(ClientError, match=text) as refused:
        getattr(scaler, operation)(**{**PLACE, **changes})
    assert refused.value.response["Error"]["Code"] == "ValidationException"


@pytest.mark.parametrize(
    ("operation", "more", "text"),
    [
        ("put_scaling_policy", {"PolicyName": "p", **STEPS}, "No scalable target registered for"),
        ("delete_scaling_policy", {"PolicyName": "p"}, "No scalable target found for"),
        ("delete_scheduled_action", {"ScheduledActionName": "a"}, "No scalable target found for"),
        ("deregister_scalable_target", {}, "No scalable target found for"),
        (
            "put_scheduled_action",
            {"ScheduledActionName": "a", "Schedule": "rate(1 day)"},
            "No scalable target registered for",
        ),
    ],
)
def test_what_is_not_there_is_not_found(ann, operation, more, text):
    with pytest.raises(ClientError, match=text) as refused:
        getattr(ann.client("application-autoscaling"), operation)(**PLACE, **more)
    assert refused.value.response["Error"]["Code"] == "ObjectNotFoundException"


def test_a_target_is_the_endpoints_owners_and_nobody_else_resizes_by_it(plane, ann, scaler):
    bob = user(plane, "bob", "AmazonSageMakerFullAccess").client("application-autoscaling")
    assert bob.describe_scalable_targets(ServiceNamespace="sagemaker")["ScalableTargets"] == []
    with pytest.raises(ClientError, match="Could not find endpoint"):
        bob.register_scalable_target(**PLACE, MinCapacity=1, MaxCapacity=2)
    # Who may register targets, and look at the endpoint, but not resize it.
    seen = allow("sagemaker:Describe*", "arn:aws:sagemaker:*:*:endpoint/ann-*")
    policy = document(allow("application-autoscaling:*"), seen)
    carl = user(plane, "carl", policy=policy).client("application-autoscaling")
    with pytest.raises(ClientError, match=r"Could not find|not authorized"):
        carl.register_scalable_target(**PLACE, MinCapacity=1, MaxCapacity=2)
    # What the owner of the home registers is Ann's all the same.
    scaler.deregister_scalable_target(**PLACE)
    root = plane.client("application-autoscaling")
    root.register_scalable_target(**PLACE, MinCapacity=1, MaxCapacity=2)
    shown = only(scaler.describe_scalable_targets(ServiceNamespace="sagemaker")["ScalableTargets"])
    assert shown["MaxCapacity"] == 2

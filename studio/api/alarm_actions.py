"""What an alarm tells topics when its state changes: what CloudWatch would."""

import json
from collections.abc import Mapping
from datetime import UTC, datetime

from studio.db.resources import Doc, Resource
from studio.reconcile.steps import Call

ACTIONS: Mapping[str, str] = {
    "OK": "OKActions",
    "ALARM": "AlarmActions",
    "INSUFFICIENT_DATA": "InsufficientDataActions",
}
"""State -> the actions of an alarm that enters it."""

_TOPIC = "arn:aws:sns:"
_LONGEST_SUBJECT = 100


def notices(alarm: Resource, before: str) -> list[Doc]:
    """Requests that Publish what became of an alarm that was in the state `before`. Each has a
    `Key`, which no other has."""
    spec = alarm.spec
    if not spec.get("ActionsEnabled", True):
        return []
    topics = [it for it in spec.get(ACTIONS[alarm.status], ()) if it.startswith(_TOPIC)]
    subject = f'{alarm.status}: "{alarm.name}" in {alarm.region}'
    plain = "".join(it if " " <= it <= "~" else "?" for it in subject)
    key = f"{alarm.id} {alarm.state['TransitionedAt']} {alarm.status}"
    return [
        {
            "Key": f"{key} {topic}",
            "TopicArn": topic,
            "Subject": plain[:_LONGEST_SUBJECT],
            "Message": json.dumps(message(alarm, before)),
        }
        for topic in dict.fromkeys(topics)
    ]


def call(notice: Doc) -> Call:
    """The step that publishes a notice."""
    request = {name: value for name, value in notice.items() if name != "Key"}
    return Call("sns", "Publish", "", json.dumps(request), notice["Key"])


def message(alarm: Resource, before: str) -> Doc:
    """The document that receivers read."""
    spec, state = alarm.spec, alarm.state
    return {
        "AlarmName": alarm.name,
        "AlarmDescription": spec.get("AlarmDescription"),
        "AWSAccountId": alarm.account,
        "AlarmConfigurationUpdatedTimestamp": _written(state["ConfiguredAt"]),
        "NewStateValue": alarm.status,
        "NewStateReason": state["Reason"],
        "StateChangeTime": _written(state["TransitionedAt"]),
        "Region": alarm.region,
        "AlarmArn": alarm.arn,
        "OldStateValue": before,
        **{name: spec.get(name, []) for name in ACTIONS.values()},
        "Trigger": _trigger(spec),
    }


def _trigger(spec: Doc) -> Doc:
    extended = spec.get("ExtendedStatistic")
    plain = {"StatisticType": "Statistic", "Statistic": str(spec.get("Statistic", "")).upper()}
    percentile = {"StatisticType": "ExtendedStatistic", "ExtendedStatistic": extended}
    dimensions = spec.get("Dimensions", ())
    return {
        "MetricName": spec["MetricName"],
        "Namespace": spec["Namespace"],
        **(percentile if extended else plain),
        "Unit": spec.get("Unit"),
        "Dimensions": [{"value": it["Value"], "name": it["Name"]} for it in dimensions],
        "Period": spec["Period"],
        "EvaluationPeriods": spec["EvaluationPeriods"],
        **({"DatapointsToAlarm": spec["DatapointsToAlarm"]} if "DatapointsToAlarm" in spec else {}),
        "ComparisonOperator": spec["ComparisonOperator"],
        "Threshold": float(spec["Threshold"]),
        "TreatMissingData": spec.get("TreatMissingData", ""),
        "EvaluateLowSampleCountPercentile": spec.get("EvaluateLowSampleCountPercentile", ""),
    }


def _written(at: int) -> str:
    moment = datetime.fromtimestamp(at / 1_000, UTC)
    return f"{moment:%Y-%m-%dT%H:%M:%S}.{at % 1_000:03}+0000"

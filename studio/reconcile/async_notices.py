"""What topics are told of asynchronous requests that ended: the messages of SageMaker."""

import base64
import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from studio.reconcile.steps import Call
from studio.serving.backlog import Request

LARGEST_INCLUDED = 128 * 1_024
"""Bytes of an answer that goes along with its message."""

_INCLUDED = {"Completed": "SUCCESS_NOTIFICATION_TOPIC", "Failed": "ERROR_NOTIFICATION_TOPIC"}


def call(
    request: Request, outcome: dict[str, Any], answer: Path, region: str, now: int
) -> Call | None:
    """The step that publishes the end of a request; None when nobody is to be told. `answer` is
    the file of what the model said, or of why it did not; `now` is in UTC milliseconds."""
    topics = request.spec.get("topics", {})
    topic = topics.get(outcome["Status"])
    if not topic:
        return None
    document = message(request, outcome, region, now)
    included = _INCLUDED[outcome["Status"]] in topics["included"]
    if included and answer.stat().st_size <= LARGEST_INCLUDED:
        document["responseBody"] = {
            "content": base64.b64encode(answer.read_bytes()).decode(),
            "encoding": "BASE64",
            "message": outcome.get("Reason", ""),
        }
    # A retried request ends anew, and is told of anew.
    key = f"{request.id} {outcome['Status']} {request.started_at} {request.expires_at}"
    body = json.dumps({"TopicArn": topic, "Message": json.dumps(document)})
    return Call("sns", "Publish", request.spec["role"], body, key)


def message(request: Request, outcome: dict[str, Any], region: str, now: int) -> dict[str, Any]:
    """The document that receivers read."""
    spec, good = request.spec, outcome["Status"] == "Completed"
    said = {"contentType": "content-type", "accept": "accept"}
    said["customAttributes"] = "custom-attributes"
    parameters = {name: spec["headers"][it] for name, it in said.items() if it in spec["headers"]}
    parameters |= {"endpointName": request.endpoint}
    parameters |= {"inputLocation": spec["input"]} if spec["input"] else {}
    kind = outcome["ContentType"]
    answer: dict[str, Any] = {
        "responseParameters": {"contentType": kind, "outputLocation": spec["output"]}
    }
    if not good:
        answer = {"failureReason": outcome.get("Reason", "")}
        answer |= {"failureLocation": spec["failure"]} if spec["failure"] else {}
    return {
        "awsRegion": region,
        "eventTime": _written(now),
        "receivedTime": _written(request.accepted_at),
        "invocationStatus": outcome["Status"],
        "requestParameters": parameters,
        **answer,
        "inferenceId": spec["inference_id"],
        "eventVersion": "1.0",
        "eventSource": "aws:sagemaker",
        "eventName": "InferenceResult",
    }


def _written(at: int) -> str:
    moment = datetime.fromtimestamp(at / 1_000, UTC)
    return f"{moment:%Y-%m-%dT%H:%M:%S}.{at % 1_000:03}Z"

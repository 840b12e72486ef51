"""Publish: a message for each subscription of a topic is in the database before the answer."""

import base64
import json
import re
import uuid

from sqlalchemy import Connection

from studio.api import sns_topics, store
from studio.api.registry import Context, operation
from studio.api.sns_subscriptions import clock, link
from studio.api.sns_topics import CONFIRMED, invalid
from studio.db import deliveries
from studio.db.deliveries import Delivery
from studio.db.resources import Doc, Resource
from studio.metrics import store as metrics
from studio.reconcile.notifications import counted

LARGEST = 262_144
"""Bytes of a message, and of its attributes."""

_SUBJECT = re.compile(r"[!-~][ -~]{0,99}")
_NOT_YET = ("PhoneNumber", "MessageDeduplicationId", "MessageGroupId")
_TYPES = ("String", "String.Array", "Number", "Binary")


@operation("sns", "Publish")
def publish(ctx: Context, request: Doc) -> Doc:
    """For a repeated call the first answer, and nothing is sent twice."""
    for member in _NOT_YET:
        if member in request:
            raise invalid(member, "Studio does not execute it yet.")
    arn = request.get("TopicArn") or request.get("TargetArn")
    if not arn:
        raise invalid("TopicArn or TargetArn", "no value for required parameter")
    texts, attributes = _texts(request), _attributes(request)
    if "Subject" in request and not _SUBJECT.fullmatch(request["Subject"]):
        raise invalid("Subject")
    topic = sns_topics.required(ctx, arn)
    named = uuid.uuid5(uuid.NAMESPACE_OID, ctx.call) if ctx.call else uuid.uuid4()
    message_id, now = str(named), ctx.now()

    def write(connection: Connection) -> None:
        def put() -> None:
            every = sns_topics.subscriptions(connection, topic.arn)
            mine = [it for it in every if it.status == CONFIRMED]
            subject = {"Subject": request["Subject"]} if "Subject" in request else {}
            envelope: Doc = {"Type": "Notification", "MessageId": message_id}
            envelope |= {"TopicArn": topic.arn, **subject}
            rows = [_delivery(ctx, it, envelope, texts, attributes, now) for it in mine]
            deliveries.put(connection, rows, now)
            metrics.append(connection, [counted(topic, "NumberOfMessagesPublished", now)])

        store.once(ctx, connection, topic, "publish", put)

    ctx.db.write(write)
    return {"MessageId": message_id}


def _delivery(
    ctx: Context, to: Resource, envelope: Doc, texts: Doc, attributes: Doc, now: int
) -> Delivery:
    raw = to.spec["RawMessageDelivery"] == "true"
    text = str(texts.get(to.spec["Protocol"], texts["default"]))
    body = {
        **envelope,
        "Message": text,
        "Timestamp": clock(now),
        "UnsubscribeURL": link(ctx.settings, "Unsubscribe", SubscriptionArn=to.arn),
        **({"MessageAttributes": attributes} if attributes else {}),
    }
    written = text if raw else json.dumps(body, indent=2)
    return Delivery(to.id, "Notification", envelope["MessageId"], written, int(raw), now)


def _texts(request: Doc) -> Doc:
    """What is sent by each protocol; `default` by those that are not named."""
    message: str = request["Message"]
    if not message:
        raise invalid("Empty message")
    if len(message.encode("utf-8", "replace")) > LARGEST:
        raise invalid("Message too long")
    structure = request.get("MessageStructure")
    if structure is None:
        return {"default": message}
    if structure != "json":
        raise invalid("MessageStructure")
    try:
        found = json.loads(message)
    except (ValueError, RecursionError):
        raise invalid("Message Structure", "JSON message body failed to parse") from None
    if not isinstance(found, dict) or not isinstance(found.get("default"), str):
        raise invalid("Message Structure", "No default entry in JSON message body")
    return {name: value for name, value in found.items() if isinstance(value, str)}


def _attributes(request: Doc) -> Doc:
    """As messages carry them."""
    found, size = {}, len(request["Message"].encode("utf-8", "replace"))
    for name, given in request.get("MessageAttributes", {}).items():
        kind = given["DataType"]
        if kind.partition(".")[0] not in _TYPES:
            text = f"The message attribute '{name[:64]}' has an invalid type, {kind[:64]}."
            raise invalid("MessageAttributes", text)
        binary = kind.startswith("Binary")
        value = given.get("BinaryValue" if binary else "StringValue")
        if not value:
            text = f"The message attribute '{name[:64]}' must contain a value of type {kind[:64]}."
            raise invalid("MessageAttributes", text)
        plain = base64.b64encode(value).decode() if binary else value
        found[name] = {"Type": kind, "Value": plain}
        size += len(name) + len(kind) + len(plain.encode("utf-8", "replace"))
    if size > LARGEST:
        raise invalid("Message too long")
    return found

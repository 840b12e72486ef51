"""Topics of SNS: what is published to one is sent to all who subscribed to it."""

import json
import re
from dataclasses import replace
from typing import Any

from sqlalchemy import Connection

from studio.api import access, store
from studio.api.registry import Context, operation
from studio.db import deliveries, resources
from studio.db.resources import Doc, Resource
from studio.errors import ApiError
from studio.reconcile.notifications import PAUSES

SUBSCRIPTION = "subscription"
"""Kind of the resources that are subscriptions; sns_subscriptions has their operations."""

PENDING, CONFIRMED = "PendingConfirmation", "Confirmed"

_NAME = re.compile(r"[A-Za-z0-9_-]{1,256}")
_ARN = re.compile(r"arn:aws[a-z-]*:sns:[a-z0-9-]+:\d{12}:[A-Za-z0-9_.-]{1,256}")
_MOST_SHOWN = 100
_LONGEST_NAME = 100


def not_found(_it: object = None) -> ApiError:
    return ApiError("NotFound", "Topic does not exist", 404)


def _taken(_it: Resource) -> ApiError:
    return ApiError("AuthorizationError", "The topic exists, and is somebody else's.", 403)


NOUN = store.Noun(kind="topic", missing=not_found, taken=_taken)


@operation("sns", "CreateTopic")
def create_topic(ctx: Context, request: Doc) -> Doc:
    """The topic of that name, if there is one with the same attributes and tags."""
    name, attributes = request["Name"], request.get("Attributes", {})
    if name.endswith(".fifo") or attributes.get("FifoTopic") == "true":
        raise invalid("FifoTopic", "Studio does not execute FIFO topics yet.")
    if not _NAME.fullmatch(name):
        raise invalid("Topic Name")
    if "DataProtectionPolicy" in request:
        raise invalid("DataProtectionPolicy", "Studio does not execute it yet.")
    for member, value in attributes.items():
        _check_attribute(member, value)
    known = store.find(ctx, NOUN, name)
    if known is not None:
        if known.spec["DisplayName"] != attributes.get("DisplayName", known.spec["DisplayName"]):
            raise invalid("Attributes", "Topic already exists with different attributes")
        if "Tags" in request and known.tags != request["Tags"]:
            raise invalid("Tags", "Topic already exists with different tags")
        return {"TopicArn": known.arn}
    spec = {"DisplayName": attributes.get("DisplayName", ""), "Tags": request.get("Tags", [])}
    topic = store.create(ctx, NOUN, name, spec, arn=arn_of(ctx, name))
    return {"TopicArn": topic.arn}


@operation("sns", "DeleteTopic")
def delete_topic(ctx: Context, request: Doc) -> Doc:
    """With its subscriptions, and what is on its way to them."""
    name = _name(ctx, request["TopicArn"])
    if store.find(ctx, NOUN, name) is None:
        return {}  # as SNS does it

    def ended(connection: Connection, topic: Resource) -> None:
        mine = subscriptions(connection, topic.arn)
        deliveries.forget(connection, [it.id for it in mine])
        if mine:
            resources.delete(connection, mine, ctx.now())

    store.delete(ctx, NOUN, name, ended)
    return {}


@operation("sns", "ListTopics")
def list_topics(ctx: Context, request: Doc) -> Doc:
    with ctx.db.read() as connection:
        found = resources.of_kind(connection, NOUN.kind)
    arns = sorted(it.arn for it in found if access.reaches(ctx, it))
    page, token = paged(arns, request)
    return {"Topics": [{"TopicArn": arn} for arn in page], "NextToken": token}


@operation("sns", "GetTopicAttributes")
def get_topic_attributes(ctx: Context, request: Doc) -> Doc:
    topic = required(ctx, request["TopicArn"])
    with ctx.db.read() as connection:
        mine = subscriptions(connection, topic.arn)
    retries = {"numRetries": len(PAUSES), "minDelayTarget": min(PAUSES)}
    policy = {**retries, "maxDelayTarget": max(PAUSES), "backoffFunction": "exponential"}
    attributes = {
        "TopicArn": topic.arn,
        "Owner": topic.account,
        "DisplayName": topic.spec["DisplayName"],
        "SubscriptionsConfirmed": str(sum(it.status == CONFIRMED for it in mine)),
        "SubscriptionsPending": str(sum(it.status == PENDING for it in mine)),
        "SubscriptionsDeleted": "0",
        "EffectiveDeliveryPolicy": json.dumps({"http": {"defaultHealthyRetryPolicy": policy}}),
    }
    return {"Attributes": attributes}


@operation("sns", "SetTopicAttributes")
def set_topic_attributes(ctx: Context, request: Doc) -> Doc:
    name, value = request["AttributeName"], request.get("AttributeValue", "")
    _check_attribute(name, value)
    topic = required(ctx, request["TopicArn"])
    store.change(ctx, NOUN, topic.name, lambda it: replace(it, spec={**it.spec, name: value}))
    return {}


@operation("sns", "TagResource")
def tag_resource(ctx: Context, request: Doc) -> Doc:
    topic, more = _tagged(ctx, request), request["Tags"]
    store.change(ctx, NOUN, topic.name, lambda it: replace(it, tags=store.merged(it.tags, more)))
    return {}


@operation("sns", "UntagResource")
def untag_resource(ctx: Context, request: Doc) -> Doc:
    topic, gone = _tagged(ctx, request), request["TagKeys"]

    def kept(it: Resource) -> Resource:
        return replace(it, tags=[tag for tag in it.tags if tag["Key"] not in gone])

    store.change(ctx, NOUN, topic.name, kept)
    return {}


@operation("sns", "ListTagsForResource")
def list_tags_for_resource(ctx: Context, request: Doc) -> Doc:
    return {"Tags": _tagged(ctx, request).tags}


def arn_of(ctx: Context, name: str) -> str:
    """ARN of the topic of that name."""
    return f"arn:aws:sns:{ctx.settings.region}:{ctx.settings.account}:{name}"


def required(ctx: Context, arn: str) -> Resource:
    """The topic at `arn` that the caller may see. Raises ApiError NotFound, InvalidParameter."""
    return store.require(ctx, NOUN, _name(ctx, arn))


def subscriptions(connection: Connection, topic_arn: str) -> list[Resource]:
    """The subscriptions to a topic, oldest first."""
    found = resources.of_kind(connection, SUBSCRIPTION)
    mine = (it for it in found if it.spec["TopicArn"] == topic_arn)
    return sorted(mine, key=lambda it: (it.created_at, it.id))


def paged(items: list[str], request: Doc) -> tuple[list[str], str | None]:
    """A page of sorted texts, and the NextToken if there are more."""
    after = request.get("NextToken", "")
    left = [it for it in items if it > after]
    page = left[:_MOST_SHOWN]
    return page, page[-1] if len(left) > len(page) else None


def invalid(what: str, reason: str = "") -> ApiError:
    """SNS's error for a parameter that can't be taken."""
    text = f"Invalid parameter: {what}"
    return ApiError("InvalidParameter", f"{text} Reason: {reason}" if reason else text)


def _name(ctx: Context, arn: str) -> str:
    """Of the topic at `arn`; of another account's or region's there is none."""
    if not _ARN.fullmatch(arn):
        raise invalid("TopicArn")
    name = arn.rpartition(":")[2]
    if arn != arn_of(ctx, name):
        raise not_found()
    return name


def _tagged(ctx: Context, request: Doc) -> Resource:
    try:
        return required(ctx, request["ResourceArn"])
    except ApiError as error:
        raise ApiError("ResourceNotFound", "Resource does not exist", 404) from error


def _check_attribute(name: str, value: Any) -> None:
    if name == "FifoTopic" and value == "false":
        return
    if name != "DisplayName":
        raise invalid("AttributeName", f"Studio does not execute {name[:64]} of topics yet.")
    if len(value) > _LONGEST_NAME:
        raise invalid("DisplayName", f"must be at most {_LONGEST_NAME} characters long.")

"""Subscriptions to topics of SNS: receivers at an http or https URL, which have to confirm.

The handshake is SNS's own: the URL is sent a message with a token and with a link that confirms.
Links work without a signature: whoever holds one was sent it.
"""

import hmac
import json
import secrets
import uuid
from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import UTC, datetime
from urllib.parse import urlencode

from sqlalchemy import Connection

from studio.api import access, sns_topics, store
from studio.api.registry import Context, operation
from studio.api.sns_topics import CONFIRMED, PENDING, SUBSCRIPTION, invalid, paged
from studio.db import deliveries, resources
from studio.db.deliveries import Delivery
from studio.db.resources import Doc, Resource
from studio.errors import ApiError
from studio.reconcile import posting
from studio.reconcile.posting import Bounds, Forbidden
from studio.settings import Settings

VERSION = "2010-03-31"
_TOKEN_MS = 2 * 86_400_000
_MOST = 1_000
_RAW = "RawMessageDelivery"


def _missing(_it: object = None) -> ApiError:
    return ApiError("NotFound", "Subscription does not exist", 404)


NOUN = store.Noun(kind=SUBSCRIPTION, missing=_missing, taken=_missing)


@operation("sns", "Subscribe")
def subscribe(ctx: Context, request: Doc) -> Doc:
    """A receiver that was asked already, and has not confirmed, is asked again."""
    url = _endpoint(ctx, request)
    attributes = request.get("Attributes", {})
    for name, value in attributes.items():
        _check_attribute(name, value)
    topic = sns_topics.required(ctx, request["TopicArn"])
    with ctx.db.read() as connection:
        every = sns_topics.subscriptions(connection, topic.arn)
    owner = ctx.caller.principal.owner
    same = [it for it in every if it.spec["Endpoint"] == url and it.owner == owner]
    if same:
        found = same[0]
        if found.status == PENDING:
            found = store.change(ctx, NOUN, found.name, lambda it: _asked(ctx, it), _ask(ctx))
        return {"SubscriptionArn": _told(found, request)}
    if len(every) >= _MOST:
        text = f"A topic has at most {_MOST} subscriptions here."
        raise ApiError("SubscriptionLimitExceeded", text, 403)
    spec = {"Protocol": request["Protocol"], "Endpoint": url, _RAW: attributes.get(_RAW, "false")}
    spec |= {"TopicArn": topic.arn, "TopicOwner": topic.owner}
    name = str(uuid.uuid5(uuid.NAMESPACE_OID, ctx.call) if ctx.call else uuid.uuid4())
    state = {"Token": secrets.token_hex(64), "TokenUntil": ctx.now() + _TOKEN_MS}
    columns: Doc = {"arn": f"{topic.arn}:{name}", "status": PENDING, "state": state}
    made = store.create(ctx, NOUN, name, spec, _ask(ctx), **columns)
    return {"SubscriptionArn": _told(made, request)}


@operation("sns", "ConfirmSubscription")
def confirm_subscription(ctx: Context, request: Doc) -> Doc:
    """Whoever has the token may confirm. Repeated, it answers the same."""
    with ctx.db.read() as connection:
        every = sns_topics.subscriptions(connection, request["TopicArn"])
    given = request["Token"].encode()
    known = [it for it in every if hmac.compare_digest(it.state["Token"].encode(), given)]
    if not known or known[0].state["TokenUntil"] < ctx.now():
        raise invalid("Token")
    guarded = request.get("AuthenticateOnUnsubscribe", "false").lower() == "true"

    def confirmed(it: Resource) -> Resource:
        if it.status == CONFIRMED:
            return it
        return replace(it, status=CONFIRMED, state={**it.state, "Guarded": guarded})

    _change(ctx, known[0], confirmed)
    return {"SubscriptionArn": known[0].arn}


@operation("sns", "Unsubscribe")
def unsubscribe(ctx: Context, request: Doc) -> Doc:
    """What is on its way is not sent any more."""
    try:
        found = _required(ctx, request["SubscriptionArn"])
    except ApiError as error:
        if error.code == "NotFound":
            return {}  # as SNS does it
        raise
    _end(ctx, found)
    return {}


@operation("sns", "ListSubscriptions")
def list_subscriptions(ctx: Context, request: Doc) -> Doc:
    with ctx.db.read() as connection:
        found = resources.of_kind(connection, SUBSCRIPTION)
    return _listed([it for it in found if access.reaches(ctx, it)], request)


@operation("sns", "ListSubscriptionsByTopic")
def list_subscriptions_by_topic(ctx: Context, request: Doc) -> Doc:
    topic = sns_topics.required(ctx, request["TopicArn"])
    with ctx.db.read() as connection:
        return _listed(sns_topics.subscriptions(connection, topic.arn), request)


@operation("sns", "GetSubscriptionAttributes")
def get_subscription_attributes(ctx: Context, request: Doc) -> Doc:
    found = _required(ctx, request["SubscriptionArn"])
    pending = found.status == PENDING
    attributes = {
        **_described(found),
        "SubscriptionArn": found.arn,
        "PendingConfirmation": str(pending).lower(),
        "ConfirmationWasAuthenticated": "false",
        _RAW: found.spec[_RAW],
    }
    return {"Attributes": attributes}


@operation("sns", "SetSubscriptionAttributes")
def set_subscription_attributes(ctx: Context, request: Doc) -> Doc:
    name, value = request["AttributeName"], request.get("AttributeValue", "")
    _check_attribute(name, value)
    found = _required(ctx, request["SubscriptionArn"])
    _change(ctx, found, lambda it: replace(it, spec={**it.spec, name: value}))
    return {}


def _by_link(ctx: Context, request: Doc) -> Doc:
    """Unsubscribe, as the link in a message does it."""
    with ctx.db.read() as connection:
        found = resources.find_arn(connection, request["SubscriptionArn"])
    if found is None or found.kind != SUBSCRIPTION:
        raise _missing()
    if found.state.get("Guarded") or found.status == PENDING:
        text = "This subscription is ended by its owner only, with a signed request."
        raise ApiError("AuthorizationError", text, 403)
    _end(ctx, found)
    return {}


LINKS: Mapping[str, Callable[[Context, Doc], Doc]] = {
    "ConfirmSubscription": confirm_subscription,
    "Unsubscribe": _by_link,
}
"""What links do that need no signature."""


def link(settings: Settings, action: str, **values: str) -> str:
    """The URL at which a browser, or a receiver, has `action` done."""
    url = settings.external_url.rstrip("/") or f"http://{settings.client_host}:{settings.port}"
    return f"{url}/?{urlencode({'Action': action, **values, 'Version': VERSION})}"


def clock(at: int) -> str:
    """A moment, in UTC milliseconds, as messages of SNS write it."""
    moment = datetime.fromtimestamp(at / 1_000, UTC)
    return f"{moment:%Y-%m-%dT%H:%M:%S}.{at % 1_000:03}Z"


def _ask(ctx: Context) -> store.Also:
    """Has the message sent that asks a receiver to confirm."""

    def put(connection: Connection, it: Resource) -> None:
        now, message_id = ctx.now(), str(uuid.uuid4())
        topic, token = it.spec["TopicArn"], it.state["Token"]
        named = {"TopicArn": topic, "Token": token}
        body = {
            "Type": "SubscriptionConfirmation",
            "MessageId": message_id,
            **named,
            "Message": (
                f"You have chosen to subscribe to the topic {topic}.\nTo confirm the subscription, "
                "visit the SubscribeURL included in this message."
            ),
            "SubscribeURL": link(ctx.settings, "ConfirmSubscription", **named),
            "Timestamp": clock(now),
        }
        text = json.dumps(body, indent=2)
        asked = Delivery(it.id, "SubscriptionConfirmation", message_id, text, 0, now)
        deliveries.put(connection, [asked], now)

    return put


def _asked(ctx: Context, it: Resource) -> Resource:
    return replace(it, state={**it.state, "TokenUntil": ctx.now() + _TOKEN_MS})


def _endpoint(ctx: Context, request: Doc) -> str:
    """The URL of the receiver. Raises ApiError."""
    protocol, url = request["Protocol"], request.get("Endpoint", "")
    if protocol not in ("http", "https"):
        text = f"Studio executes the protocols http and https, and not {protocol[:64]} yet."
        raise invalid("Protocol", text)
    if not url.startswith(f"{protocol}://"):
        raise invalid("Endpoint", f"it must begin with {protocol}://, as the protocol says.")
    bounds = Bounds(not ctx.caller.principal.owner, (ctx.settings.port,))
    try:
        posting.check_literal(url, bounds)
    except Forbidden as error:
        raise invalid("Endpoint", f"{error}.") from None
    return str(url)


def _required(ctx: Context, arn: str) -> Resource:
    """A subscription of the caller's, or to a topic of the caller's."""
    if arn.count(":") != 6:
        raise invalid("SubscriptionArn", "it is not the ARN of a subscription")
    with ctx.db.read() as connection:
        found = resources.find_arn(connection, arn)
        topic = resources.find_arn(connection, arn.rpartition(":")[0])
    mine = found is not None and (
        access.reaches(ctx, found) or (topic is not None and access.reaches(ctx, topic))
    )
    if found is None or not mine or found.kind != SUBSCRIPTION:
        raise _missing()
    return found


def _change(
    ctx: Context,
    found: Resource,
    to: Callable[[Resource], Resource],
    also: store.Also = store.nothing_else,
) -> None:
    """As `store.change`, for whoever has been found to have the right to."""

    def again(connection: Connection) -> Resource:
        it = resources.get(connection, found.id)
        if it is None or it.deleted_at is not None:
            raise _missing()
        return it

    store.change_found(ctx, found.arn, again, to, also)


def _end(ctx: Context, found: Resource) -> None:
    def forget(connection: Connection, it: Resource) -> None:
        deliveries.forget(connection, [it.id])

    _change(ctx, found, lambda it: replace(it, deleted_at=ctx.now()), forget)


def _listed(found: list[Resource], request: Doc) -> Doc:
    by_arn = {it.arn: it for it in found}
    page, token = paged(sorted(by_arn), request)
    return {"Subscriptions": [_summary(by_arn[arn]) for arn in page], "NextToken": token}


def _summary(it: Resource) -> Doc:
    arn = "PendingConfirmation" if it.status == PENDING else it.arn
    return {"SubscriptionArn": arn, **_described(it)}


def _described(it: Resource) -> Doc:
    spec = {name: it.spec[name] for name in ("TopicArn", "Protocol", "Endpoint")}
    return {**spec, "Owner": it.account}


def _told(it: Resource, request: Doc) -> str:
    confirmed = it.status == CONFIRMED or request.get("ReturnSubscriptionArn")
    return it.arn if confirmed else "pending confirmation"


def _check_attribute(name: str, value: str) -> None:
    if name != _RAW:
        text = f"Studio does not execute {name[:64]} of subscriptions yet."
        raise invalid("AttributeName", text)
    if value not in ("true", "false"):
        raise invalid("RawMessageDelivery", "it is true or false.")

"""Keys of applications: who shows one may invoke endpoints without signing. The operations.

The router holds them to their limits (studio.serving.applications); of the key itself only the
digest is stored, so that it is told once. A key never may more than whoever made it may now.
"""

import hashlib
import json
import secrets
from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime

from sqlalchemy import Connection

from studio.api import access, access_tag, endpoints, images, models, store
from studio.api.registry import Context, operation
from studio.db import resources
from studio.db.resources import Doc, Resource
from studio.db.session import Database
from studio.errors import ResourceInUse, ResourceNotFound, ValidationException
from studio.identity import entities
from studio.identity.authority import Ask, Authority
from studio.identity.principals import Principal
from studio.serving import control, openapi, usage
from studio.serving.outside import ORIGIN, AccessLog, ApplicationKey, Outside
from studio.settings import Settings

_PREFIX = "studio_"
"""By which people and scanners of secrets tell what a key is."""
_SHOWN = len(_PREFIX) + 4
_INVOKE = "sagemaker:InvokeEndpoint"
_REMEMBERED_DAYS = 31

NOUN = store.Noun(
    kind="application-key",
    missing=lambda it: ResourceNotFound(f"There is no application key {it.name}."),
    taken=lambda it: ResourceInUse(f"There is an application key {it.name} already."),
)


@operation("studio", "CreateApplicationKey")
def create_application_key(ctx: Context, request: Doc) -> Doc:
    spec, name = _checked(ctx, request), request["ApplicationKeyName"]
    secret = _PREFIX + secrets.token_urlsafe(32)
    state = {
        "Sha256": hashlib.sha256(secret.encode()).hexdigest(),
        "Prefix": secret[:_SHOWN],
        "Principal": vars(ctx.caller.principal),
    }
    with ctx.db.read() as connection:
        state["Maker"] = _maker(connection, ctx.caller.principal)
    made = store.create(ctx, NOUN, name, spec, state=state)
    if made.state["Sha256"] != state["Sha256"]:
        # An earlier attempt of this call made it, and nobody has heard its key.
        told = replace(ctx, call="")
        store.change(told, NOUN, name, lambda it: replace(it, state=state))
    ctx.identity.keys.changed()
    return {"ApplicationKeyArn": made.arn, "ApplicationKey": secret}


@operation("studio", "UpdateApplicationKey")
def update_application_key(ctx: Context, request: Doc) -> Doc:
    """All members anew; the key stays."""
    spec = _checked(ctx, request)
    changed = store.change(
        ctx, NOUN, request["ApplicationKeyName"], lambda it: replace(it, spec=spec)
    )
    ctx.identity.keys.changed()
    return {"ApplicationKeyArn": changed.arn}


@operation("studio", "DescribeApplicationKey")
def describe_application_key(ctx: Context, request: Doc) -> Doc:
    key = store.require(ctx, NOUN, request["ApplicationKeyName"])
    return _described(key, usage.read(ctx.settings.home), ctx.now())


@operation("studio", "ListApplicationKeys")
def list_application_keys(ctx: Context, request: Doc) -> Doc:
    with ctx.db.read() as connection:
        found = resources.of_kind(connection, NOUN.kind)
    wanted, behind = request.get("EndpointName"), request.get("NextToken", "")
    mine = sorted((it for it in found if access.reaches(ctx, it)), key=lambda it: it.name)
    shown = [it for it in mine if it.name > behind and wanted in (None, *it.spec["EndpointNames"])]
    page, book = shown[: request.get("MaxResults", 100)], usage.read(ctx.settings.home)
    return {
        "ApplicationKeys": [_described(it, book, ctx.now()) for it in page],
        "NextToken": page[-1].name if len(page) < len(shown) else None,
    }


@operation("studio", "DeleteApplicationKey")
def delete_application_key(ctx: Context, request: Doc) -> Doc:
    """The router refuses it before this returns."""
    store.delete(ctx, NOUN, request["ApplicationKeyName"])
    ctx.identity.keys.changed()
    return {}


@operation("studio", "DescribeApplicationKeyUsage")
def describe_application_key_usage(ctx: Context, request: Doc) -> Doc:
    key = store.require(ctx, NOUN, request["ApplicationKeyName"])
    uses = usage.read(ctx.settings.home).of(key.id)
    today = usage.today(ctx.now() / 1000)
    days = range(max(today - _REMEMBERED_DAYS + 1, min(uses.days, default=today)), today + 1)
    return {
        "ApplicationKeyName": key.name,
        "Days": [_day(day, uses.days.get(day, [0, 0, 0])) for day in days],
        "LastUsedTime": uses.last_at or None,
        **_quota(key, uses, today),
    }


@operation("studio", "DescribeEndpointApi")
def describe_endpoint_api(ctx: Context, request: Doc) -> Doc:
    """With no examples from training data: who shows the document on may not think of them."""
    endpoint = store.require(ctx, endpoints.NOUN, request["EndpointName"])
    url = request.get("Url") or control.url(ctx.settings.home) or "/"
    types = accepted(ctx.settings, endpoint)
    told = openapi.document(endpoint.name, types, url=url)
    return {
        "EndpointName": endpoint.name,
        "Url": f"{url.rstrip('/')}/endpoints/{endpoint.name}/invocations",
        "ContentTypes": list(types),
        "Document": json.dumps(told, indent=1),
        "AccessLogDays": access_tag.days(endpoint.tags),
    }


def outside(settings: Settings, db: Database, authority: Authority) -> Outside:
    """What the router has to know of those who call from outside, as things are now."""
    with db.read() as connection:
        keys = resources.of_kind(connection, NOUN.kind)
        found = resources.of_kind(connection, endpoints.NOUN.kind)
        # Who is called as somebody who was deleted is somebody else.
        present = {
            key.id
            for key in keys
            if _maker(connection, Principal(**key.state["Principal"])) == key.state["Maker"]
        }
    named = {name for key in keys for name in key.spec["EndpointNames"]}
    wanted = {it.name: it for it in found if it.name in named}
    return Outside(
        keys={
            key.state["Sha256"]: _told(key, wanted if key.id in present else {}, authority)
            for key in keys
        },
        accepts={name: accepted(settings, it) for name, it in wanted.items()},
        logged={
            it.name: AccessLog(it.id, days) for it in found if (days := access_tag.days(it.tags))
        },
    )


def accepted(settings: Settings, endpoint: Resource) -> tuple[str, ...]:
    """Content types that the endpoint's first container is known to take."""
    deployment = endpoints.shown(endpoint)
    definition = deployment["Models"][deployment["Variants"][0]["ModelName"]]
    image = images.served(settings, models.containers(definition)[0]).image
    return image.requests if image else ()


def _told(key: Resource, known: Mapping[str, Resource], authority: Authority) -> ApplicationKey:
    """A key for the router, with the endpoints that its maker may invoke now."""
    maker, spec = Principal(**key.state["Principal"]), key.spec
    allowed = (
        name
        for name in spec["EndpointNames"]
        if (it := known.get(name)) and authority.allows(maker, Ask(_INVOKE, it.arn, owner=it.owner))
    )
    rate, quota = spec.get("RateLimit", {}), spec.get("Quota", {})
    return ApplicationKey(
        id=key.id,
        name=key.name,
        endpoints=tuple(allowed),
        rate=rate.get("RequestsPerSecond", 0.0),
        burst=rate.get("Burst", 1),
        quota=quota.get("Requests", 0),
        period=quota.get("Period", "Day"),
        expires_at=spec.get("ExpirationTime", 0),
        origins=tuple(spec.get("AllowedOrigins", ())),
    )


def _maker(connection: Connection, principal: Principal) -> str:
    """Id of the user or role behind a key; "" for the owner of the home, and for who is gone."""
    if principal.kind == "owner":
        return ""
    kind = entities.USER if principal.kind == "user" else entities.ROLE
    found = entities.find(connection, principal.account, kind, principal.name)
    return found.id if found else ""


def _checked(ctx: Context, request: Doc) -> Doc:
    """What is kept of a request that is right. Raises ApiError."""
    for name in request["EndpointNames"]:
        endpoint = store.require(ctx, endpoints.NOUN, name)
        ask = Ask(_INVOKE, endpoint.arn, owner=endpoint.owner)
        ctx.identity.authority.check(ctx.caller.principal, ask)
    for origin in request.get("AllowedOrigins", ()):
        if origin != "*" and not ORIGIN.fullmatch(origin):
            raise ValidationException(
                f"The origin {origin!r} is no scheme with a host, as https://app.example.com is."
            )
    if request.get("ExpirationTime", ctx.now() + 1) <= ctx.now():
        raise ValidationException("ExpirationTime must lie in the future.")
    return dict(request)


def _described(key: Resource, book: usage.Book, now: int) -> Doc:
    spec, uses = key.spec, book.of(key.id)
    expired = now >= spec.get("ExpirationTime", now + 1)
    return {
        **spec,
        "ApplicationKeyArn": key.arn,
        "ApplicationKeyStatus": "Expired" if expired else "Active",
        "KeyPrefix": key.state["Prefix"],
        "CreatedBy": Principal(**key.state["Principal"]).arn,
        "CreationTime": key.created_at,
        "LastModifiedTime": key.modified_at,
        "LastUsedTime": uses.last_at or None,
        **_quota(key, uses, usage.today(now / 1000)),
    }


def _quota(key: Resource, uses: usage.Uses, today: int) -> Doc:
    """How far the quota of the present period is used; nothing without a quota."""
    quota = key.spec.get("Quota")
    if not quota:
        return {}
    first, following = usage.span(quota["Period"], today)
    used = uses.since(first)
    return {
        "Used": used,
        "Remaining": max(0, quota["Requests"] - used),
        "ResetTime": following * 86_400_000,
    }


def _day(day: int, counts: list[int]) -> Doc:
    date = f"{datetime.fromtimestamp(day * 86_400, UTC):%Y-%m-%d}"
    return {
        "Date": date,
        "Requests": counts[usage.ADMITTED],
        "Throttled": counts[usage.THROTTLED],
        "OverQuota": counts[usage.OVER],
    }

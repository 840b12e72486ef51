"""Who is calling, and credentials for a while."""

import re

from studio.api.registry import Context, operation
from studio.db.resources import Doc, Resource
from studio.errors import ApiError, ValidationException
from studio.identity import entities
from studio.identity.authority import Ask, principals_of
from studio.identity.documents import Malformed, parse
from studio.identity.keys import Session
from studio.identity.policy import Question, decide
from studio.identity.principals import Principal, role_session

_ROLE = re.compile(r"arn:aws[a-z-]*:iam::(\d{12}):role/(?:[\x21-\x7e]+/)?([\w+=,.@-]+)")
_HOUR = 3600
_HALF_DAY = 12 * _HOUR
_POLICY_SIZE = 2048


@operation("sts", "GetCallerIdentity")
def get_caller_identity(ctx: Context, _request: Doc) -> Doc:
    who = ctx.caller.principal
    return {"UserId": who.user_id, "Account": who.account, "Arn": who.arn}


@operation("sts", "AssumeRole")
def assume_role(ctx: Context, request: Doc) -> Doc:
    caller, arn = ctx.caller.principal, request["RoleArn"]
    role = _trusted(ctx, arn, request.get("ExternalId"))
    for member in ("PolicyArns", "Tags", "TransitiveTagKeys", "SerialNumber", "SourceIdentity"):
        if request.get(member):
            raise ValidationException(f"{member} is not executed yet.")
    seconds = request.get("DurationSeconds", _HOUR)
    if seconds > role.spec["MaxSessionDuration"]:
        raise ValidationException(
            "The requested DurationSeconds exceeds the MaxSessionDuration set for this role."
        )
    if caller.kind == "role" and seconds > _HOUR:
        raise ValidationException(
            "The requested DurationSeconds exceeds the 1 hour session limit for roles assumed "
            "by role chaining"
        )
    who = role_session(
        ctx.settings.account,
        role.name,
        request["RoleSessionName"],
        caller.owner,
        _narrowing(request.get("Policy", "")),
    )
    session = ctx.identity.keys.start_session(who, seconds, ctx.now())
    user = {"AssumedRoleId": who.user_id, "Arn": who.arn}
    return {"Credentials": credentials(session), "AssumedRoleUser": user}


@operation("sts", "GetSessionToken")
def get_session_token(ctx: Context, request: Doc) -> Doc:
    key = ctx.identity.keys.find(ctx.caller.access_key_id)
    if ctx.caller.principal.kind == "role" or (key is not None and key.token_sha256):
        text = "Cannot call GetSessionToken with session credentials"
        raise ApiError("AccessDenied", text, 403)
    seconds = request.get("DurationSeconds", _HALF_DAY)
    session = ctx.identity.keys.start_session(ctx.caller.principal, seconds, ctx.now())
    return {"Credentials": credentials(session)}


@operation("sts", "GetAccessKeyInfo")
def get_access_key_info(ctx: Context, request: Doc) -> Doc:
    """The account of a key, which is this one or unknown."""
    key = ctx.identity.keys.find(request["AccessKeyId"])
    if key is None:
        raise ValidationException(f"The access key {request['AccessKeyId']} cannot be found.")
    return {"Account": ctx.settings.account}


def credentials(session: Session) -> Doc:
    """As STS spells them."""
    return {
        "AccessKeyId": session.access_key_id,
        "SecretAccessKey": session.secret_access_key,
        "SessionToken": session.session_token,
        "Expiration": session.expires_at,
    }


def _trusted(ctx: Context, arn: str, external_id: str | None) -> Resource:
    """The role, if its trust policy lets the caller in. The answer is the same for none."""
    caller = ctx.caller.principal
    match = _ROLE.fullmatch(arn)
    role = None
    if match is not None and match[1] == ctx.settings.account:
        with ctx.db.read() as connection:
            role = entities.find(connection, match[1], entities.ROLE, match[2])
    if role is None or not _lets_in(ctx, role, caller, external_id):
        text = f"User: {caller.arn} is not authorized to perform: sts:AssumeRole on resource: {arn}"
        raise ApiError("AccessDenied", text, 403)
    return role


def _lets_in(ctx: Context, role: Resource, caller: Principal, external_id: str | None) -> bool:
    """AWS's rule within an account: a trust policy that names the caller is enough; one that
    names the account leaves it to the caller's own policies."""
    context = {"sts:externalid": (external_id,)} if external_id is not None else {}
    trust = [parse(role.spec["AssumeRolePolicyDocument"], "trust")]
    ask = Ask("sts:AssumeRole", role.arn, owner=role.owner)
    exact = tuple(("AWS", text) for text in (caller.arn, caller.source_arn))
    decisions = [
        decide(trust, Question("sts:AssumeRole", role.arn, context, principals=known))
        for known in (exact, principals_of(caller))
    ]
    own = ctx.identity.authority.decide(caller, ask)
    if "explicitDeny" in (*decisions, own):
        return False
    by_name = decisions[0] == "allowed"
    return by_name or (decisions[1] == "allowed" and own == "allowed")


def _narrowing(policy: str) -> str:
    if len(policy) > _POLICY_SIZE:
        text = f"The session policy exceeds {_POLICY_SIZE} characters."
        raise ApiError("PackedPolicyTooLarge", text)
    try:
        if policy:
            parse(policy)
    except Malformed as error:
        raise ApiError("MalformedPolicyDocument", str(error)) from None
    return policy

"""What policies would say: SimulatePrincipalPolicy and SimulateCustomPolicy."""

import re

from studio.api import iam_entities
from studio.api.registry import Context, operation
from studio.db.resources import Doc
from studio.errors import ApiError
from studio.identity import entities
from studio.identity.documents import Malformed, Policy, parse
from studio.identity.entities import ROLE, USER
from studio.identity.policy import Question, decide, missing_keys

_SOURCE = re.compile(r"arn:aws[a-z-]*:(?:iam|sts)::\d{12}:(user|role|assumed-role)/(.+)")


@operation("iam", "SimulatePrincipalPolicy")
def simulate_principal_policy(ctx: Context, request: Doc) -> Doc:
    arn = request["PolicySourceArn"]
    match = _SOURCE.fullmatch(arn)
    if match is None:
        raise ApiError("InvalidInput", f"Invalid Entity Arn: {arn}")
    kind = USER if match[1] == "user" else ROLE
    parts = match[2].split("/")
    name = parts[0] if match[1] == "assumed-role" else parts[-1]
    iam_entities.require(ctx, kind, name)
    with ctx.db.read() as connection:
        present = entities.policies(connection, ctx.settings.account, kind, name)
    known: dict[str, tuple[str, ...]] = {"aws:principalarn": (arn,)}
    if kind == USER:
        known["aws:username"] = (name,)
    return _answer(request, (*present, *_given(request)), known)


@operation("iam", "SimulateCustomPolicy")
def simulate_custom_policy(_ctx: Context, request: Doc) -> Doc:
    return _answer(request, _given(request), {})


def _given(request: Doc) -> tuple[Policy, ...]:
    try:
        return tuple(parse(text) for text in request.get("PolicyInputList", []))
    except Malformed as error:
        raise ApiError("InvalidInput", f"Invalid policy document: {error}") from None


def _answer(request: Doc, policies: tuple[Policy, ...], known: dict[str, tuple[str, ...]]) -> Doc:
    """One result for each action and resource, in the order of the request."""
    given = {
        entry["ContextKeyName"].lower(): tuple(entry.get("ContextKeyValues", []))
        for entry in request.get("ContextEntries", [])
    }
    context = {**known, **given}
    pairs = [
        (action, resource)
        for action in request["ActionNames"]
        for resource in request.get("ResourceArns", ["*"])
    ]
    numbers, rest = iam_entities.paged([f"{n:06d}" for n in range(len(pairs))], request)
    missing = missing_keys(policies, context)
    results = []
    for action, resource in (pairs[int(number)] for number in numbers):
        decision = decide(policies, Question(action, resource, context))
        results.append(
            {
                "EvalActionName": action,
                "EvalResourceName": resource,
                "EvalDecision": decision,
                "MatchedStatements": [],
                "MissingContextValues": missing if decision == "implicitDeny" else [],
            }
        )
    return {"EvaluationResults": results, **rest}

"""What policies say of a request: a pure function, after AWS's evaluation logic.

https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_evaluation-logic.html
An explicit Deny wins, then an Allow, else the answer is no.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Literal

from studio.identity import globs
from studio.identity.conditions import Context, resolved
from studio.identity.documents import Policy, Statement

Decision = Literal["allowed", "explicitDeny", "implicitDeny"]


@dataclass(frozen=True)
class Question:
    """May this be done? Keys of `context` are in lower case.

    `foreign`: the thing is somebody else's, so that only a statement that names it allows.
    `principals` are (kind, text) under which policies with a Principal know who asks.
    """

    action: str
    resource: str
    context: Context = field(default_factory=dict)
    foreign: bool = False
    principals: tuple[tuple[str, str], ...] = ()


def decide(policies: Iterable[Policy], question: Question) -> Decision:
    """The decision of all `policies` together."""
    decision: Decision = "implicitDeny"
    for policy in policies:
        for statement in policy:
            if decision == "allowed" and statement.allows:
                continue
            if not _applies(statement, question):
                continue
            if not statement.allows:
                return "explicitDeny"
            decision = "allowed"
    return decision


def missing_keys(policies: Iterable[Policy], context: Mapping[str, object]) -> list[str]:
    """The context keys that conditions ask for and the request lacks."""
    wanted = {
        condition.key
        for policy in policies
        for statement in policy
        for condition in statement.conditions
    }
    return sorted(wanted - context.keys())


def _applies(statement: Statement, question: Question) -> bool:
    return (
        _speaks_of_action(statement, question.action.lower())
        and _speaks_of_resource(statement, question)
        and _speaks_of_principal(statement, question)
        and all(each.holds(question.context) for each in statement.conditions)
    )


def _speaks_of_action(statement: Statement, action: str) -> bool:
    if statement.not_actions:
        return not any(globs.matches(each, action) for each in statement.not_actions)
    return any(globs.matches(each, action) for each in statement.actions)


def _speaks_of_resource(statement: Statement, question: Question) -> bool:
    context, resource = question.context, question.resource
    strict = question.foreign and statement.allows
    if statement.not_resources:
        hit = any(
            globs.matches(resolved(each, context), resource) for each in statement.not_resources
        )
        return not hit and not strict
    if not statement.resources:
        return True  # a trust policy: it hangs on the one resource that it speaks of
    everything = statement.actions == ("*",)
    return any(
        globs.matches(resolved(each, context), resource)
        for each in statement.resources
        if not strict or names(each) or (everything and each == "*")
    )


def _speaks_of_principal(statement: Statement, question: Question) -> bool:
    if statement.not_principals:
        return not any(_is(each, question) for each in statement.not_principals)
    if not statement.principals:
        return True
    return any(_is(each, question) for each in statement.principals)


def _is(wanted: tuple[str, str], question: Question) -> bool:
    kind, text = wanted
    if text == "*":
        return any(known == kind for known, _ in question.principals)
    return wanted in question.principals


def names(pattern: str) -> bool:
    """Whether a Resource says how the thing's own name begins, not only of what kind it is.

    `arn:aws:s3:::data/*` does, `arn:aws:s3:::*` and `arn:aws:sagemaker:*:*:endpoint/*` do not.
    """
    fields = pattern.split(":", 5)
    if len(fields) < 6:
        return False
    service, place = fields[2], fields[5]
    if service == "logs":
        place = place.removeprefix("log-group:")
    elif service not in ("s3", "sns"):
        place = place.partition("/")[2]
    return place[:1] not in ("", "*", "?")

"""The one place that says whether a principal may do something.

Two questions, and both must be answered with yes. Do the policies allow the action on the thing?
And is the thing within reach: the principal's own, or named by the statement that allows it? The
owner of the home may do everything.
"""

import time
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime

from studio.db.session import Database
from studio.errors import ApiError
from studio.identity import entities
from studio.identity.conditions import Context
from studio.identity.documents import Policy, parse
from studio.identity.policy import Decision, Question, decide
from studio.identity.principals import Principal

_SECONDS = 5.0
"""Policies are read again after that long; a change in this process is in force at once."""


class Denied(ApiError):
    """AWS's words for what policies do not allow."""

    def __init__(self, principal: Principal, action: str, resource: str, why: Decision) -> None:
        reason = (
            "with an explicit deny in an identity-based policy"
            if why == "explicitDeny"
            else f"because no identity-based policy allows the {action} action"
        )
        text = f"User: {principal.arn} is not authorized to perform: {action}"
        super().__init__("AccessDeniedException", f"{text} on resource: {resource} {reason}", 403)


@dataclass(frozen=True)
class Ask:
    """An action on a thing. `owner` is whose it is; None: nobody's, for all that is known.

    `context` has lower-case keys; `attached` is the policy of the thing itself (a bucket's).
    """

    action: str
    resource: str
    owner: str | None = None
    context: Mapping[str, tuple[str, ...]] | None = None
    attached: Policy = ()


class Authority:
    """Decides for every room. Policies are cached; `forget` drops them after a change."""

    def __init__(self, db: Database, account: str) -> None:
        self._db = db
        self._account = account
        self._cache: dict[tuple[str, str], tuple[float, tuple[Policy, ...]]] = {}

    def check(self, principal: Principal, ask: Ask) -> None:
        """Raises Denied."""
        decision = self.decide(principal, ask)
        if decision != "allowed":
            raise Denied(principal, ask.action, ask.resource, decision)

    def allows(self, principal: Principal, ask: Ask) -> bool:
        return self.decide(principal, ask) == "allowed"

    def decide(self, principal: Principal, ask: Ask) -> Decision:
        if principal.kind == "owner" and not ask.attached:
            return "allowed"
        question = Question(
            ask.action,
            ask.resource,
            {**known_of(principal), **(ask.context or {})},
            foreign=ask.owner is not None and ask.owner != principal.owner,
            principals=principals_of(principal),
        )
        if principal.kind == "owner":
            # As AWS's root user: bound by what a thing's own policy denies, and by nothing else.
            denied = decide([ask.attached], question) == "explicitDeny"
            return "explicitDeny" if denied else "allowed"
        decision = decide(self.policies_of(principal), question)
        if decision != "allowed" and ask.attached:
            decision = _joined(decision, decide([ask.attached], _own(question)))
        elif ask.attached and decide([ask.attached], question) == "explicitDeny":
            return "explicitDeny"
        if decision == "allowed" and principal.policy:
            # A session may do what its policy and the role's allow both.
            return decide([parse(principal.policy)], _own(question))
        return decision

    def policies_of(self, principal: Principal) -> tuple[Policy, ...]:
        kind = entities.USER if principal.kind == "user" else entities.ROLE
        key = (kind, principal.name)
        read_at, found = self._cache.get(key, (0.0, ()))
        now = time.monotonic()
        if not read_at or now - read_at > _SECONDS:
            with self._db.read() as connection:
                found = entities.policies(connection, self._account, *key)
            self._cache[key] = (now, found)
        return found

    def forget(self) -> None:
        """Policies have changed."""
        self._cache.clear()


def known_of(principal: Principal) -> Context:
    """The context keys that follow from who asks, and when."""
    now = datetime.now(UTC)
    known = {
        "aws:principalarn": (principal.source_arn,),
        "aws:principalaccount": (principal.account,),
        "aws:principaltype": ("User" if principal.kind == "user" else "AssumedRole",),
        "aws:userid": (principal.user_id,),
        "aws:currenttime": (now.strftime("%Y-%m-%dT%H:%M:%SZ"),),
        "aws:epochtime": (str(int(now.timestamp())),),
    }
    if principal.kind == "user":
        known["aws:username"] = (principal.name,)
    return known


def principals_of(principal: Principal) -> tuple[tuple[str, str], ...]:
    """How policies with a Principal may call whoever asks, the most exact first."""
    account = principal.account
    texts = [principal.arn, principal.source_arn, account, f"arn:aws:iam::{account}:root"]
    return tuple(("AWS", text) for text in dict.fromkeys(texts))


def _own(question: Question) -> Question:
    """A policy that hangs on the thing or on the session speaks for whoever wrote it there."""
    return Question(
        question.action, question.resource, question.context, False, question.principals
    )


def _joined(one: Decision, other: Decision) -> Decision:
    """Either may allow, either may forbid."""
    if "explicitDeny" in (one, other):
        return "explicitDeny"
    return "allowed" if "allowed" in (one, other) else "implicitDeny"

"""Policy documents: JSON, checked as AWS checks it, as values.

https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_grammar.html
"""

import json
import re
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Literal

from studio.identity import conditions
from studio.identity.conditions import Condition

Form = Literal["identity", "trust", "resource"]
"""What the policy hangs on: a user or role, a role as its trust, or a bucket."""

_MOST_BYTES = 131_072
STATEMENT = {
    "Sid",
    "Effect",
    "Action",
    "NotAction",
    "Resource",
    "NotResource",
    "Principal",
    "NotPrincipal",
    "Condition",
}
_ACTION = re.compile(r"\*|[a-zA-Z0-9.-]+:[a-zA-Z0-9*?-]+")
_ARN = re.compile(r"\*|arn:[^:]*:[^:]*:[^:]*:[^:]*:.+|arn:.*\*.*", re.DOTALL)
_PRINCIPALS = ("AWS", "Service", "Federated", "CanonicalUser")
VERSIONS = ("2012-10-17", "2008-10-17")


class Malformed(ValueError):
    """The document is no policy; the text is for its author."""


@dataclass(frozen=True)
class Statement:
    """Patterns of what it speaks of; an empty tuple where the element is absent."""

    allows: bool
    sid: str = ""
    actions: tuple[str, ...] = ()
    not_actions: tuple[str, ...] = ()
    resources: tuple[str, ...] = ()
    not_resources: tuple[str, ...] = ()
    principals: tuple[tuple[str, str], ...] = ()
    not_principals: tuple[tuple[str, str], ...] = ()
    conditions: tuple[Condition, ...] = ()


Policy = tuple[Statement, ...]


@lru_cache(maxsize=1024)
def parse(text: str, form: Form = "identity") -> Policy:
    """The statements of a document. Raises Malformed."""
    document = load(text)
    _only(document, {"Version", "Id", "Statement"})
    if document.get("Version", "2008-10-17") not in VERSIONS:
        raise Malformed("Policy document must be version 2012-10-17 or greater.")
    statements = document.get("Statement")
    items: list[Any] = statements if isinstance(statements, list) else [statements]
    if not items or not all(isinstance(item, dict) for item in items):
        raise Malformed("Syntax errors in policy.")
    found = tuple(_statement(item, form) for item in items)
    named = [each.sid for each in found if each.sid]
    if len(set(named)) != len(named):
        raise Malformed("Statement IDs (SID) in a single policy must be unique.")
    return found


def load(text: str) -> dict[str, Any]:
    """The document as JSON has it. Raises Malformed."""
    if len(text) > _MOST_BYTES:
        raise Malformed("The policy document is too long.")
    try:
        document = json.loads(
            text, object_pairs_hook=_without_duplicates, parse_constant=_no_constant
        )
    except (ValueError, RecursionError):
        raise Malformed("Syntax errors in policy.") from None
    if not isinstance(document, dict):
        raise Malformed("Syntax errors in policy.")
    return document


def _statement(item: dict[str, Any], form: Form) -> Statement:
    _only(item, STATEMENT)
    if item.get("Effect") not in ("Allow", "Deny"):
        raise Malformed(
            "Missing required field Effect"
            if "Effect" not in item
            else f"Invalid effect: {str(item['Effect'])[:64]}"
        )
    _one_of(item, "Action", "NotAction")
    _check_form(item, form)
    sid = item.get("Sid", "")
    if not isinstance(sid, str):
        raise Malformed("Syntax errors in policy.")
    return Statement(
        allows=item["Effect"] == "Allow",
        sid=sid,
        actions=_actions(item, "Action"),
        not_actions=_actions(item, "NotAction"),
        resources=_resources(item, "Resource"),
        not_resources=_resources(item, "NotResource"),
        principals=_principals(item.get("Principal")),
        not_principals=_principals(item.get("NotPrincipal")),
        conditions=_conditions(item.get("Condition", {})),
    )


def _check_form(item: dict[str, Any], form: Form) -> None:
    """Identity policies name resources, trust policies principals, those of buckets both."""
    if form == "trust":
        for name in ("Resource", "NotResource"):
            if name in item:
                raise Malformed(f"Has prohibited field {name}")
    else:
        _one_of(item, "Resource", "NotResource")
    if form == "identity":
        for name in ("Principal", "NotPrincipal"):
            if name in item:
                raise Malformed(f"Policy document should not specify a principal: {name}.")
    else:
        _one_of(item, "Principal", "NotPrincipal")


def _one_of(item: dict[str, Any], name: str, other: str) -> None:
    if (name in item) == (other in item):
        raise Malformed(
            f"Missing required field {name}"
            if name not in item
            else f"Statement must not have both {name} and {other}."
        )


def _only(item: dict[str, Any], known: set[str]) -> None:
    for name in item:
        if name not in known:
            raise Malformed(f"Unknown field {name[:64]}")


def _actions(item: dict[str, Any], name: str) -> tuple[str, ...]:
    found = _texts(item, name)
    for each in found:
        if not _ACTION.fullmatch(each):
            raise Malformed(
                "Actions/Conditions must be prefaced by a vendor, e.g., iam, sdb, ec2, etc."
            )
    return tuple(each.lower() for each in found)


def _resources(item: dict[str, Any], name: str) -> tuple[str, ...]:
    found = _texts(item, name)
    for each in found:
        if not _ARN.fullmatch(each):
            raise Malformed(f'Resource {each[:256]} must be in ARN format or "*".')
    return found


def _principals(value: Any) -> tuple[tuple[str, str], ...]:
    """(kind, pattern) of each; `*` is every AWS principal."""
    if value is None:
        return ()
    if value == "*":
        return (("AWS", "*"),)
    if not isinstance(value, dict) or not value:
        raise Malformed("Invalid principal in policy.")
    for kind in value:
        if kind not in _PRINCIPALS:
            raise Malformed(f'Invalid principal in policy: "{kind[:64]}"')
    return tuple((kind, each) for kind in value for each in _texts(value, kind))


def _conditions(value: Any) -> tuple[Condition, ...]:
    if not isinstance(value, dict):
        raise Malformed("Syntax errors in policy.")
    found = []
    for operator, keys in value.items():
        if not isinstance(keys, dict):
            raise Malformed("Syntax errors in policy.")
        for key in keys:
            try:
                found.append(conditions.parse(operator, key, _texts(keys, key, plain=True)))
            except Malformed:
                raise
            except ValueError as error:
                raise Malformed(str(error)[:256]) from None
    return tuple(found)


def _texts(item: dict[str, Any], name: str, plain: bool = False) -> tuple[str, ...]:
    """The texts of a member that holds one or a list; `plain`: numbers and booleans count too."""
    if name not in item:
        return ()
    value = item[name]
    values = value if isinstance(value, list) else [value]
    kinds = (str, bool, int, float) if plain else (str,)
    if not (values or plain) or not all(isinstance(each, kinds) for each in values):
        raise Malformed("Syntax errors in policy.")
    return tuple(str(each).lower() if isinstance(each, bool) else str(each) for each in values)


def _without_duplicates(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    document = dict(pairs)
    if len(document) != len(pairs):
        raise ValueError("a name occurs twice")
    return document


def _no_constant(name: str) -> Any:
    raise ValueError(f"{name} is not JSON")

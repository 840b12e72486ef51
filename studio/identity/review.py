"""What IAM finds wrong with a policy document when it is given one, in IAM's words and order.

IAM looks at all of a document several times: for its form, its version, what older parsers would
stumble over, then for resources and actions. `documents.parse` is less strict: it reads what is
stored.
"""

import json
import re
from typing import Any

from studio.identity import conditions, globs
from studio.identity.documents import STATEMENT, VERSIONS, Form, Malformed, load

_Item = dict[str, Any]

_SYNTAX = "Syntax errors in policy."
_LEGACY = "The policy failed legacy parsing"
_PARTITIONS = re.compile(r"aws(-[a-z-]+)?|\*")
_VENDOR = re.compile(r"[a-zA-Z0-9.-]+")
_IAM_PLACES = (
    *("user/", "federated-user/", "role/", "group/", "instance-profile/", "mfa/"),
    *("server-certificate/", "policy/", "sms-mfa/", "saml-provider/", "oidc-provider/", "report/"),
    "access-report/",
)
_ASSUME = ("assumerole", "assumerolewithsaml", "assumerolewithwebidentity")
_STS = tuple(f"sts:{name}" for name in (*_ASSUME, "tagsession", "setsourceidentity", "setcontext"))


def review(text: str, form: Form, managed: bool) -> None:
    """Raises Malformed. `managed`: only the version of 2012 will do."""
    document = load(text)
    items = _shaped(document)
    if managed and document.get("Version") != VERSIONS[0]:
        raise Malformed("Policy document must be version 2012-10-17 or greater.")
    if any(_stumbles(item) for item in items):
        raise Malformed(_LEGACY)
    named = [item["Sid"] for item in items if item.get("Sid")]
    if len(set(named)) != len(named):
        raise Malformed("Statement IDs (SID) in a single policy must be unique.")
    for check in _TRUST if form == "trust" else _IDENTITY:
        for item in items:
            check(item)


def _shaped(document: _Item) -> list[_Item]:
    """The statements of a document whose members are of the right kinds."""
    statements = document.get("Statement")
    items: list[Any] = statements if isinstance(statements, list) else [statements]
    good = (
        document.keys() <= {"Version", "Id", "Statement"}
        and document.get("Version", VERSIONS[0]) in VERSIONS
        and isinstance(document.get("Id", ""), str)
        and bool(items)
        and all(isinstance(item, dict) and _is_statement(item) for item in items)
    )
    if not good:
        raise Malformed(_SYNTAX)
    return items


def _is_statement(item: _Item) -> bool:
    return (
        item.keys() <= STATEMENT
        and isinstance(item.get("Sid", ""), str)
        and str(item.get("Effect")).lower() in ("allow", "deny")
        and not {"Action", "NotAction"} <= item.keys()
        and not {"Resource", "NotResource"} <= item.keys()
        and all(_are_texts(item[name]) for name in _PATTERNS if name in item)
        and _is_condition(item.get("Condition", {}))
    )


_PATTERNS = ("Action", "NotAction", "Resource", "NotResource")


def _are_texts(value: Any) -> bool:
    return all(isinstance(each, str) for each in _listed(value))


def _is_condition(value: Any) -> bool:
    if not isinstance(value, dict):
        return False
    plain = (str, int, float, bool)
    return all(
        isinstance(keys, dict)
        and (not keys or conditions.known(operator))
        and all(isinstance(each, plain) for given in keys.values() for each in _listed(given))
        for operator, keys in value.items()
    )


def _stumbles(item: _Item) -> bool:
    """Whether IAM's old parser cannot read the statement: the case of an Effect, ARNs that are too
    short, values of conditions that are not of the operator's kind."""
    return (
        item["Effect"] not in ("Allow", "Deny")
        or any(_is_short(arn) for arn in _resources(item))
        or not _are_of_their_kinds(item.get("Condition", {}))
    )


def _is_short(arn: str) -> bool:
    parts = arn.split(":")
    return parts[:2] == ["arn", "aws"] and (len(parts) in (4, 5) or parts[2:3] == [""])


def _are_of_their_kinds(block: _Item) -> bool:
    for operator, keys in block.items():
        for key, given in keys.items():
            values = tuple(
                json.dumps(it) if isinstance(it, bool) else str(it) for it in _listed(given)
            )
            try:
                conditions.parse(operator, key, values)
            except (ValueError, OverflowError):
                return False
    return True


def _check_arns(item: _Item) -> None:
    for arn in _resources(item):
        if arn == "*":
            continue
        parts = arn.split(":", 5)
        if len(parts) < 2:
            raise Malformed(f'Resource {arn[:256]} must be in ARN format or "*".')
        if not _PARTITIONS.fullmatch(parts[1]):
            whole = ":".join(["arn", *parts[1:], *"*" * (6 - len(parts))])[:256]
            raise Malformed(f'Partition "{parts[1][:64]}" is not valid for resource "{whole}".')
        if len(parts) == 2 and "*" not in arn:
            text = "Resource vendor must be fully qualified and cannot contain regexes."
            raise Malformed(text)
        if len(parts) == 6:
            _check_place(arn, parts)


def _check_place(arn: str, parts: list[str]) -> None:
    """What IAM knows of the ARNs of IAM and of S3."""
    vendor, region, account, place = parts[2:]
    if vendor == "iam" and region:
        raise Malformed(f"IAM resource {arn[:256]} cannot contain region information.")
    if vendor == "s3" and region and not account:
        raise Malformed(f"Resource {arn[:256]} can not contain region information.")
    if vendor == "iam" and place != "*" and not place.startswith(("root", *_IAM_PLACES)):
        known = ", ".join(_IAM_PLACES)
        raise Malformed(f'IAM resource path must either be "*" or start with {known}.')


def _check_has_actions(item: _Item) -> None:
    if not _actions(item):
        raise Malformed("Policy statement must contain actions.")


def _check_actions(item: _Item) -> None:
    for action in _actions(item):
        if action == "*":
            continue
        vendor, colon, name = action.partition(":")
        if not colon:
            text = "Actions/Conditions must be prefaced by a vendor, e.g., iam, sdb, ec2, etc."
            raise Malformed(text)
        if ":" in name:
            raise Malformed("Actions/Condition can contain only one colon.")
        if not _VENDOR.fullmatch(vendor):
            raise Malformed(f"Vendor {vendor[:64]} is not valid")


def _check_has_resources(item: _Item) -> None:
    if not _resources(item):
        raise Malformed("Policy statement must contain resources.")


def _check_assumes(item: _Item) -> None:
    for action in _actions(item):
        if not any(globs.matches(action.lower(), known) for known in _STS):
            raise Malformed("AssumeRole policy may only specify STS AssumeRole actions.")


_IDENTITY = (_check_arns, _check_has_actions, _check_actions, _check_has_resources)
_TRUST = (_check_has_actions, _check_actions, _check_assumes)


def _actions(item: _Item) -> list[str]:
    return _listed(item.get("Action", item.get("NotAction", [])))


def _resources(item: _Item) -> list[str]:
    return _listed(item.get("Resource", item.get("NotResource", [])))


def _listed(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]

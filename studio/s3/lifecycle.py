"""Life cycles: which objects, versions and uploads of a bucket go, and when.

Rules are kept as the model of S3 names them. A rule's days end at the midnight (UTC) after them, as
on S3. https://docs.aws.amazon.com/AmazonS3/latest/userguide/intro-lifecycle-rules.html
"""

import uuid
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from email.utils import formatdate
from typing import Any
from urllib.parse import quote

from studio.s3 import shapes
from studio.s3.errors import S3Error, invalid_argument, not_implemented
from studio.s3.index import Bucket, StoredObject
from studio.s3.xml import malformed

DAY = 86_400_000

_MAX_RULES = 1000
_MAX_ID = 255
_SHAPE = "BucketLifecycleConfiguration"
_ROOT = "LifecycleConfiguration"
_SIZES = ("ObjectSizeGreaterThan", "ObjectSizeLessThan")
_ACTIONS = ("Expiration", "NoncurrentVersionExpiration", "AbortIncompleteMultipartUpload")

Rule = Mapping[str, Any]


def read(body: bytes) -> list[dict[str, Any]]:
    """The rules of a LifecycleConfiguration; each has an ID. Raises S3Error."""
    rules: list[dict[str, Any]] = shapes.read(body, _SHAPE, _ROOT).get("Rules", [])
    if not 1 <= len(rules) <= _MAX_RULES:
        raise malformed()
    for rule in rules:
        _check(rule)
        rule["ID"] = rule.get("ID") or uuid.uuid4().hex
    if len({rule["ID"] for rule in rules}) != len(rules):
        raise invalid_argument(
            "ID", "", "Rule ID must be unique. Found same ID for more than one rule"
        )
    return rules


def written(rules: Sequence[Rule]) -> bytes:
    return shapes.write({"Rules": rules}, _SHAPE, _ROOT)


def rules_of(bucket: Bucket) -> list[Rule]:
    """Those that are in force."""
    return [rule for rule in bucket.settings.get("lifecycle", ()) if rule["Status"] == "Enabled"]


def applies(rule: Rule, key: str, size: int, tags: Mapping[str, str]) -> bool:
    """Whether a rule speaks of an object."""
    terms = _terms(rule)
    wanted = [(tag["Key"], tag["Value"]) for tag in terms["Tags"]]
    return (
        key.startswith(terms["Prefix"])
        and size > terms.get("ObjectSizeGreaterThan", -1)
        and size < terms.get("ObjectSizeLessThan", size + 1)
        and all(tags.get(name) == value for name, value in wanted)
    )


def expiry(rules: Sequence[Rule], stored: StoredObject) -> tuple[int, str] | None:
    """When the present object of a key expires, in milliseconds, and by which rule."""
    found = []
    for rule in rules:
        end = rule.get("Expiration", {})
        if not applies(rule, stored.key, stored.size, stored.tags):
            continue
        if "Days" in end:
            found.append((midnight(stored.modified, end["Days"]), rule["ID"]))
        elif "Date" in end:
            found.append((_date(end["Date"]), rule["ID"]))
    return min(found, default=None)


def expiration_header(bucket: Bucket, stored: StoredObject) -> dict[str, str]:
    """What answers say of the end of an object."""
    rules = rules_of(bucket)
    found = expiry(rules, stored) if rules else None
    if found is None:
        return {}
    date = formatdate(found[0] // 1000, usegmt=True)
    return {"x-amz-expiration": f'expiry-date="{date}", rule-id="{quote(found[1])}"'}


def noncurrent_expires(
    rules: Sequence[Rule], stored: StoredObject, since: int, newer: int, now: int
) -> bool:
    """Whether a version goes that is old `since` then, with `newer` others between it and now."""
    for rule in rules:
        end = rule.get("NoncurrentVersionExpiration")
        if end is None or not applies(rule, stored.key, stored.size, stored.tags):
            continue
        due = midnight(since, end["NoncurrentDays"]) <= now
        if due and newer >= end.get("NewerNoncurrentVersions", 0):
            return True
    return False


def marker_expires(rules: Sequence[Rule], marker: StoredObject, now: int) -> bool:
    """Whether a delete marker goes that is all that is left of its key."""
    for rule in rules:
        end = rule.get("Expiration", {})
        if not applies(rule, marker.key, 0, {}):
            continue
        old = "Days" in end and midnight(marker.modified, end["Days"]) <= now
        if old or end.get("ExpiredObjectDeleteMarker"):
            return True
    return False


def upload_expiry(rules: Sequence[Rule], key: str, created: int) -> tuple[int, str] | None:
    """When an unfinished upload is aborted, and by which rule."""
    return min(
        (
            (
                midnight(created, rule["AbortIncompleteMultipartUpload"]["DaysAfterInitiation"]),
                rule["ID"],
            )
            for rule in rules
            if "AbortIncompleteMultipartUpload" in rule and key.startswith(_terms(rule)["Prefix"])
        ),
        default=None,
    )


def midnight(moment: int, days: int) -> int:
    """The first midnight that lies `days` after a moment, in milliseconds."""
    return -(-(moment + days * DAY) // DAY) * DAY


def _terms(rule: Rule) -> dict[str, Any]:
    """The filter of a rule in one form: Prefix, Tags, sizes."""
    stated = rule.get("Filter", {})
    joined = stated.get("And", stated)
    tags = joined.get("Tags", []) + ([stated["Tag"]] if "Tag" in stated else [])
    sizes = {name: joined[name] for name in _SIZES if name in joined}
    return {"Prefix": rule.get("Prefix") or joined.get("Prefix", ""), "Tags": tags, **sizes}


def _check(rule: Rule) -> None:
    if len(rule.get("ID", "")) > _MAX_ID:
        raise invalid_argument("ID", rule["ID"], "ID length should not exceed allowed limit of 255")
    if ("Prefix" in rule) == ("Filter" in rule):
        raise malformed()
    for name in ("Transitions", "NoncurrentVersionTransitions"):
        if name in rule:
            raise not_implemented(f"{name.removesuffix('s')} of a life cycle rule")
    if not any(name in rule for name in _ACTIONS):
        raise S3Error("InvalidRequest", "At least one action needs to be specified in a rule.")
    _check_filter(rule)
    _check_expiration(rule)
    old = rule.get("NoncurrentVersionExpiration", {"NoncurrentDays": 1})
    _positive(
        old.get("NoncurrentDays", 0), "'NoncurrentDays' for NoncurrentVersionExpiration action"
    )
    if not 1 <= old.get("NewerNoncurrentVersions", 1) <= 100:
        raise invalid_argument(
            "NewerNoncurrentVersions",
            str(old["NewerNoncurrentVersions"]),
            "'NewerNoncurrentVersions' for NoncurrentVersionExpiration action must be a positive "
            "integer of at most 100",
        )
    abort = rule.get("AbortIncompleteMultipartUpload", {"DaysAfterInitiation": 1})
    _positive(
        abort.get("DaysAfterInitiation", 0),
        "'DaysAfterInitiation' for AbortIncompleteMultipartUpload action",
    )


def _check_filter(rule: Rule) -> None:
    stated = rule.get("Filter", {})
    joined = stated.get("And")
    if len(stated) > 1:
        raise malformed()
    if joined is not None and len(joined) + len(joined.get("Tags", ("",))) - 1 < 2:
        raise malformed()  # it joins at least two
    terms = _terms(rule)
    names = [tag["Key"] for tag in terms["Tags"]]
    if len(set(names)) != len(names):
        raise S3Error("InvalidRequest", "Duplicate Tag Keys are not allowed.")
    if terms.get("ObjectSizeGreaterThan", -1) >= terms.get("ObjectSizeLessThan", 1 << 62):
        raise S3Error(
            "InvalidRequest",
            "'ObjectSizeLessThan' has to be a value greater than 'ObjectSizeGreaterThan'.",
        )
    narrow = "Tags" if names else "Object Size" if set(terms) & set(_SIZES) else ""
    if narrow and "AbortIncompleteMultipartUpload" in rule:
        raise S3Error(
            "InvalidRequest", f"AbortIncompleteMultipartUpload cannot be specified with {narrow}."
        )
    if narrow and "ExpiredObjectDeleteMarker" in rule.get("Expiration", {}):
        raise S3Error(
            "InvalidRequest", f"ExpiredObjectDeleteMarker cannot be specified with {narrow}."
        )


def _check_expiration(rule: Rule) -> None:
    if "Expiration" not in rule:
        return
    end = rule["Expiration"]
    if len(end) != 1:
        raise malformed()
    if "Days" in end:
        _positive(end["Days"], "'Days' for Expiration action")
    if "Date" in end and _date(end["Date"]) % DAY:
        raise invalid_argument("Date", end["Date"], "'Date' must be at midnight GMT")


def _positive(value: int, what: str) -> None:
    if not 1 <= value <= 2_147_483_647:
        raise invalid_argument("Days", str(value), f"{what} must be a positive integer")


def _date(text: str) -> int:
    moment = datetime.fromisoformat(text)
    moment = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
    return int(moment.timestamp() * 1000)

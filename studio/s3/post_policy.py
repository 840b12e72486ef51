"""The policy of a POST form: which fields its signer allows. Pure.

Source: https://docs.aws.amazon.com/AmazonS3/latest/API/sigv4-HTTPPOSTConstructPolicy.html
"""

import base64
import binascii
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from studio.s3.errors import S3Error

_EXPIRATION = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d{1,9})?Z", re.ASCII)
_OPERATORS = ("eq", "starts-with")
_RANGE = "content-length-range"
# Lists of media types: every one of them has to fit.
_LISTS = ("content-type",)
_LARGEST = 5 << 30


@dataclass(frozen=True)
class Condition:
    """`field` in lower case; `operator` is eq or starts-with."""

    operator: str
    field: str
    value: str

    def holds(self, text: str) -> bool:
        if self.operator == "eq":
            return text == self.value
        texts = text.split(",") if self.field in _LISTS and self.value else [text]
        return all(each.strip().startswith(self.value) for each in texts)

    def __str__(self) -> str:
        return json.dumps([self.operator, f"${self.field}", self.value])


@dataclass(frozen=True)
class Policy:
    """`least` and `most` bytes of the file; `expires` in epoch seconds."""

    expires: float
    conditions: tuple[Condition, ...]
    least: int = 0
    most: int = _LARGEST


def parse(text: str) -> Policy:
    """The policy in base64. Raises S3Error InvalidPolicyDocument."""
    try:
        document = json.loads(base64.b64decode(text, validate=True))
    except (binascii.Error, ValueError, RecursionError):
        raise _invalid("Invalid JSON.") from None
    if not isinstance(document, dict):
        raise _invalid("Invalid JSON.")
    for name in ("expiration", "conditions"):
        if name not in document:
            raise _invalid(f"Policy missing {name}.")
    if not isinstance(document["conditions"], list) or not document["conditions"]:
        raise _invalid("Invalid 'conditions' value: a list of conditions is needed.")
    least, most, conditions = 0, _LARGEST, []
    for item in document["conditions"]:
        if isinstance(item, list) and item[:1] == [_RANGE]:
            least, most = _range(item, least, most)
        else:
            conditions += _conditions(item)
    return Policy(_expires(document["expiration"]), tuple(conditions), least, most)


def check(policy: Policy, fields: Mapping[str, str], now: float) -> None:
    """Raises S3Error AccessDenied unless each of `fields`, by lower-case name, is allowed.

    `fields` holds those only that a policy has to mention.
    """
    if now > policy.expires:
        raise _denied("Policy expired.")
    for condition in policy.conditions:
        if not condition.holds(fields.get(condition.field, "")):
            raise _denied(f"Policy Condition failed: {condition}")
    named = {condition.field for condition in policy.conditions}
    if extra := [name for name in fields if name not in named]:
        raise _denied(f"Extra input fields: {', '.join(sorted(extra))}")


def _conditions(item: Any) -> list[Condition]:
    if isinstance(item, dict) and len(item) == 1:
        pairs = list(item.items())
        operator = "eq"
    elif isinstance(item, list) and len(item) == 3 and item[0] in _OPERATORS:
        operator, field, value = item
        if not isinstance(field, str) or not field.startswith("$"):
            raise _invalid(f"Invalid Simple-Condition: {_shown(item)}: a field begins with '$'.")
        pairs = [(field[1:], value)]
    else:
        raise _invalid(f"Invalid Simple-Condition: {_shown(item)}.")
    if not all(isinstance(value, str) for _, value in pairs):
        raise _invalid(f"Invalid Simple-Condition: {_shown(item)}: values are strings.")
    return [Condition(operator, name.lower(), value) for name, value in pairs]


def _range(item: list[Any], least: int, most: int) -> tuple[int, int]:
    """Two ranges allow what both allow."""
    numbers = [_number(each) for each in item[1:]]
    if len(numbers) != 2:
        raise _invalid(f"Invalid {_RANGE}: two numbers are needed.")
    return max(least, numbers[0]), min(most, numbers[1])


def _number(value: Any) -> int:
    if isinstance(value, str) and re.fullmatch(r"[0-9]{1,18}", value):
        return int(value)
    if type(value) is int and 0 <= value < 10**18:
        return value
    raise _invalid(f"Invalid {_RANGE}: {_shown(value)} is no number of bytes.")


def _expires(value: Any) -> float:
    if isinstance(value, str) and _EXPIRATION.fullmatch(value):
        try:
            return datetime.fromisoformat(value).timestamp()
        except ValueError:
            pass
    raise _invalid(f"Invalid 'expiration' value: {_shown(value)}")


def _shown(value: Any) -> str:
    return repr(value)[:100]


def _invalid(why: str) -> S3Error:
    return S3Error("InvalidPolicyDocument", f"Invalid Policy: {why}")


def _denied(why: str) -> S3Error:
    return S3Error("AccessDenied", f"Invalid according to Policy: {why}")

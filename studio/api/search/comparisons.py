"""What the operators of a filter mean for each type of property."""

import math
import operator
import re
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

from studio.api.search.properties import Property
from studio.db.resources import Doc
from studio.errors import ValidationException

Test = Callable[[Doc], bool]
Holds = Callable[[Any], bool]

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_INTEGER = re.compile(r"[-+]?\d+", re.ASCII)
_DECIMAL = re.compile(r"[-+]?(\d+\.?\d*|\.\d+)([eE][-+]?\d+)?", re.ASCII)
_LONGEST_INTEGER = 300
_COMPARE: dict[str, Callable[[Any, Any], bool]] = {
    "Equals": operator.eq,
    "NotEquals": operator.eq,  # turned round by `test`
    "GreaterThan": operator.gt,
    "GreaterThanOrEqualTo": operator.ge,
    "LessThan": operator.lt,
    "LessThanOrEqualTo": operator.le,
}


def test(found: Property, operation: str, value: str | None) -> Test:
    """Whether a document satisfies the filter.

    What is missing satisfies nothing but NotExists. Of several values one has to; for NotEquals
    none may be equal. Raises ValidationException when the filter makes no sense.
    """
    if operation == "Exists":
        return lambda document: any(True for _ in found.values(document))
    if operation == "NotExists":
        return lambda document: not any(True for _ in found.values(document))
    if value is None:
        raise ValidationException(f"A filter on {found.name} with {operation} needs a Value.")
    holds = _holds(found, operation, value)
    if operation == "NotEquals":
        return lambda document: _none(list(found.values(document)), holds)
    return lambda document: any(holds(each) for each in found.values(document))


def number(text: str | float) -> float | int | None:
    """`text` as a number, an integer when it is written as one; None for another text."""
    if isinstance(text, int | float):
        return text
    if _INTEGER.fullmatch(text) and len(text) < _LONGEST_INTEGER:
        return int(text)
    return float(text) if _DECIMAL.fullmatch(text) else None


def milliseconds(text: str) -> int | None:
    """An ISO 8601 date-time, in UTC unless it says otherwise, since the epoch."""
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        return None
    moment = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
    return round((moment - _EPOCH).total_seconds() * 1000)


def _none(values: list[Any], holds: Holds) -> bool:
    return bool(values) and not any(holds(each) for each in values)


def _holds(found: Property, operation: str, value: str) -> Holds:
    """What one value of the property has to satisfy."""
    if operation in ("Contains", "In") and found.type not in ("text", "free"):
        raise _unsupported(found, operation)
    if operation == "Contains":
        return lambda it: isinstance(it, str) and value in it
    if operation == "In":
        several = {part.strip() for part in value.split(",")}
        numbers = {number(part) for part in several}
        return lambda it: it in several if isinstance(it, str) else it in numbers
    compare = _COMPARE[operation]
    match found.type:
        case "text":
            return _equal_text(found, operation, value)
        case "number":
            wanted = _needed(found, number(value), value, "a number")
            return lambda it: compare(it, wanted)
        case "timestamp":
            moment = _needed(found, milliseconds(value), value, "an ISO 8601 date-time")
            return lambda it: compare(it, moment)
        case "boolean":
            return _equal_boolean(found, operation, value)
        case "free":
            return _free(found, operation, value)
        case _:
            raise _unsupported(found, operation)


def _equal_text(found: Property, operation: str, value: str) -> Holds:
    if operation not in ("Equals", "NotEquals"):
        raise _unsupported(found, operation)
    if found.path[-1] == "SourceArn":  # SDKs ask for it in lower case
        return lambda it: bool(it.lower() == value.lower())
    return lambda it: bool(it == value)


def _equal_boolean(found: Property, operation: str, value: str) -> Holds:
    if operation not in ("Equals", "NotEquals"):
        raise _unsupported(found, operation)
    wanted = {"true": True, "false": False}.get(value.lower())
    wanted = _needed(found, wanted, value, "true or false")
    return lambda it: it is wanted


def _free(found: Property, operation: str, value: str) -> Holds:
    """A number in the Value compares numbers: as integers when it is written as one."""
    wanted = number(value)
    if wanted is None:
        return _equal_text(found, operation, value)
    compare = _COMPARE[operation]

    def holds(it: str | float) -> bool:
        given = number(it)
        if given is None or not math.isfinite(given):
            return False
        whole = isinstance(it, str) and isinstance(wanted, int)
        return compare(int(given) if whole else given, wanted)

    return holds


def _needed(found: Property, wanted: Any, value: str, what: str) -> Any:
    if wanted is None:
        text = f"The value '{value}' of the filter on {found.name} is not {what}."
        raise ValidationException(text)
    return wanted


def _unsupported(found: Property, operation: str) -> ValidationException:
    kind = {"free": "text"}.get(found.type, found.type)
    return ValidationException(
        f"The operator {operation} is not supported for the {kind} property {found.name}."
    )

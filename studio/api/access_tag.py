"""The tag `studio:access-log` of an endpoint: whether its requests are logged, and for how long."""

import re
from collections.abc import Iterable

from studio.db.resources import Doc
from studio.errors import ValidationException

KEY = "studio:access-log"
_USUAL_DAYS = 30
_MOST_DAYS = 3653


def days(tags: Iterable[Doc]) -> int:
    """The days that requests are kept; 0: they are not logged."""
    value = next((tag["Value"] for tag in tags if tag["Key"] == KEY), "off")
    return _days(value) or 0


def check(tags: Iterable[Doc]) -> None:
    """Raises ValidationException for a value that means nothing."""
    for tag in tags:
        if tag["Key"] == KEY and _days(tag["Value"]) is None:
            raise ValidationException(
                f"The value {tag['Value']!r} of the tag {KEY} is none of on, off and a number of "
                f"days from 1 to {_MOST_DAYS}."
            )


def _days(value: str) -> int | None:
    """None for what is no value of the tag."""
    if value in ("on", "off"):
        return _USUAL_DAYS if value == "on" else 0
    number = int(value) if re.fullmatch(r"[0-9]{1,4}", value) else 0
    return number if 1 <= number <= _MOST_DAYS else None

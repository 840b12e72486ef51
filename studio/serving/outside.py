"""What the router is told of those who call from outside: keys of applications, the content types
that their endpoints take, and whose requests are logged. Part of the route table."""

import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any, Literal, cast

Period = Literal["Day", "Week", "Month"]
PERIODS: tuple[Period, ...] = ("Day", "Week", "Month")

_ID = re.compile(r"[0-9a-f]{32}")
_DIGEST = re.compile(r"[0-9a-f]{64}")
_KEY_NAME = re.compile(r"[a-zA-Z0-9](-*[a-zA-Z0-9])*")
_CONTENT_TYPE = re.compile(r"[\w.+-]+/[\w.+*-]+(; ?[\w-]+=[\w.-]+)*")
ORIGIN = re.compile(r"https?://[a-zA-Z0-9.-]{1,253}(:[0-9]{1,5})?")
"""An origin as browsers send it. They end up in headers: nothing else may."""


@dataclass(frozen=True)
class ApplicationKey:
    """What whoever shows a key may do. Of the key itself only the digest is known."""

    id: str
    """What its use is counted under."""
    name: str
    endpoints: tuple[str, ...]
    rate: float = 0.0
    """Requests a second in the long run; 0: as many as come."""
    burst: int = 1
    """Requests that may come at once."""
    quota: int = 0
    """Requests in a period; 0: as many as come."""
    period: Period = "Day"
    expires_at: int = 0
    """UTC milliseconds; 0: never."""
    origins: tuple[str, ...] = ()
    """Of the web pages that may use it; `*`: any."""


@dataclass(frozen=True)
class AccessLog:
    """The record of an endpoint's requests, and the days that it is kept."""

    record: str
    days: int


@dataclass(frozen=True)
class Outside:
    keys: Mapping[str, ApplicationKey] = field(default_factory=dict, repr=False)
    """By the SHA-256 of the key, in hexadecimal."""
    accepts: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    """Endpoint that keys name -> content types of its requests; (): not known."""
    logged: Mapping[str, AccessLog] = field(default_factory=dict)
    """By endpoint."""


NOBODY = Outside()


def document(outside: Outside) -> dict[str, Any]:
    """As JSON."""
    return {
        "keys": {digest: asdict(key) for digest, key in outside.keys.items()},
        "accepts": {name: list(types) for name, types in outside.accepts.items()},
        "logged": {name: asdict(log) for name, log in outside.logged.items()},
    }


def parsed(given: dict[str, Any]) -> Outside:
    """Of a document. Raises ValueError, KeyError or TypeError for what is none."""
    return Outside(
        keys={_checked(_DIGEST, digest): _key(it) for digest, it in given["keys"].items()},
        accepts={
            str(name): tuple(_checked(_CONTENT_TYPE, it) for it in types)
            for name, types in given["accepts"].items()
        },
        logged={
            str(name): AccessLog(_checked(_ID, it["record"]), int(it["days"]))
            for name, it in given["logged"].items()
        },
    )


def _key(it: dict[str, Any]) -> ApplicationKey:
    if it["period"] not in PERIODS:
        raise ValueError(f"{it['period']!r} is no period")
    return ApplicationKey(
        id=_checked(_ID, it["id"]),
        name=_checked(_KEY_NAME, it["name"]),
        endpoints=tuple(map(str, it["endpoints"])),
        rate=float(it["rate"]),
        burst=int(it["burst"]),
        quota=int(it["quota"]),
        period=cast(Period, it["period"]),
        expires_at=int(it["expires_at"]),
        origins=tuple(each if each == "*" else _checked(ORIGIN, each) for each in it["origins"]),
    )


def _checked(pattern: re.Pattern[str], value: str) -> str:
    if not pattern.fullmatch(value):
        raise ValueError(f"{value!r} does not match {pattern.pattern}")
    return value

"""Conditional and partial reads: If-Match and its kin, Range. Pure."""

import re
from collections.abc import Mapping
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

from studio.s3.errors import S3Error, invalid_argument, precondition_failed
from studio.s3.index import StoredObject
from studio.s3.versions import Condition

_RANGE = re.compile(r"bytes=([0-9]{0,100})-([0-9]{0,100})", re.ASCII)


def write_condition(headers: Mapping[str, str]) -> Condition:
    return Condition(headers.get("if-match", ""), headers.get("if-none-match", ""))


def delete_condition(headers: Mapping[str, str]) -> Condition:
    size = headers.get("x-amz-if-match-size")
    if size is not None and not re.fullmatch("[0-9]{1,18}", size):
        raise invalid_argument("x-amz-if-match-size", size, "The size must be an integer")
    date = headers.get("x-amz-if-match-last-modified-time")
    modified = _seconds(date)
    if date is not None and modified is None:
        raise invalid_argument("x-amz-if-match-last-modified-time", date, "That is no date")
    return Condition(
        if_match=headers.get("if-match", ""),
        size=None if size is None else int(size),
        modified=None if modified is None else int(modified),
    )


def not_modified(headers: Mapping[str, str], stored: StoredObject) -> bool:
    """Whether a conditional read needs no content. Raises PreconditionFailed."""
    return bool(_unmet(headers, "", stored))


def check_copy_source(headers: Mapping[str, str], stored: StoredObject) -> None:
    """Raises PreconditionFailed unless `x-amz-copy-source-if-*` hold."""
    if condition := _unmet(headers, "x-amz-copy-source-", stored):
        raise precondition_failed(condition)


def parse_range(text: str, size: int) -> tuple[int, int] | None:
    """Start and length of the one range that `text` asks for; None when that is no such range.

    Raises InvalidRange when it lies outside of `size` bytes.
    """
    match = _RANGE.fullmatch(text.strip())
    if match is None or not (match[1] or match[2]):
        return None
    if not match[1]:
        start, end = max(0, size - int(match[2])), size
    else:
        start = int(match[1])
        end = min(size, int(match[2]) + 1) if match[2] else size
        if match[2] and int(match[2]) < start:
            return None
    if start >= size:
        raise S3Error(
            "InvalidRange",
            "The requested range is not satisfiable",
            RangeRequested=text,
            ActualObjectSize=size,
        )
    return start, end - start


def _unmet(headers: Mapping[str, str], prefix: str, stored: StoredObject) -> str:
    """The name of a condition that says "not modified"; raises for those that must hold.

    An ETag's condition makes that of the date moot (RFC 9110, 13.2.2).
    """
    match = headers.get(f"{prefix}if-match")
    since = _seconds(headers.get(f"{prefix}if-unmodified-since"))
    if match is not None:
        if not _matches(match, stored.etag):
            raise precondition_failed(f"{prefix}If-Match")
    elif since is not None and stored.modified // 1000 > since:
        raise precondition_failed(f"{prefix}If-Unmodified-Since")
    none_match = headers.get(f"{prefix}if-none-match")
    if none_match is not None:
        return f"{prefix}If-None-Match" if _matches(none_match, stored.etag) else ""
    since = _seconds(headers.get(f"{prefix}if-modified-since"))
    if since is not None and stored.modified // 1000 <= since:
        return f"{prefix}If-Modified-Since"
    return ""


def _matches(header: str, etag: str) -> bool:
    candidates = (text.strip().removeprefix("W/").strip('"') for text in header.split(","))
    return any(candidate in ("*", etag) for candidate in candidates)


def _seconds(date: str | None) -> float | None:
    """A date of HTTP in epoch seconds; None for what is no date, as RFC 9110 wants."""
    if date is None:
        return None
    try:
        moment = parsedate_to_datetime(date)
        return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp()
    except (ValueError, OverflowError):
        try:
            return datetime.fromisoformat(date).timestamp()
        except ValueError:
            return None

"""A SigV4 signature as a client presents it, in the header or in the query: parsed, in time."""

import re
from collections.abc import Collection, Mapping
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from functools import lru_cache
from typing import NamedTuple
from urllib.parse import unquote

from studio.wire.signature import MISMATCH, Request, SignatureError

ALGORITHM = "AWS4-HMAC-SHA256"

UNSIGNED = "UNSIGNED-PAYLOAD"
STREAMING = "STREAMING-AWS4-HMAC-SHA256-PAYLOAD"
STREAMING_TRAILER = "STREAMING-AWS4-HMAC-SHA256-PAYLOAD-TRAILER"
STREAMING_UNSIGNED_TRAILER = "STREAMING-UNSIGNED-PAYLOAD-TRAILER"

_SKEW = 15 * 60
_LONGEST_PRESIGN = 7 * 24 * 3600
_SHA256 = re.compile(r"[0-9a-f]{64}")
_TIMESTAMP = re.compile(r"(\d{4})(\d\d)(\d\d)T(\d\d)(\d\d)(\d\d)Z", re.ASCII)
_HEADER_NAMES = re.compile(r"[a-z0-9!#$%&'*+.^_`|~-]+(?:;[a-z0-9!#$%&'*+.^_`|~-]+)*")
_MODES = {STREAMING, STREAMING_TRAILER, STREAMING_UNSIGNED_TRAILER}


class Claim(NamedTuple):
    """A SigV4 signature as the client presents it, well-formed and in time."""

    scheme: str
    access_key_id: str
    date: str
    region: str
    service: str
    terminator: str
    signed_headers: list[str]
    signature: str
    timestamp: str
    payload: str
    query: str


def header_claim(request: Request, header: str, now: float, body: str | None) -> Claim:
    algorithm, _, rest = header.partition(" ")
    if algorithm != ALGORITHM:
        raise SignatureError(
            "malformed",
            "The authorization mechanism you have provided is not supported. "
            f"Please use {ALGORITHM}.",
            "v4-header",
        )
    fields = dict(part.strip().partition("=")[::2] for part in rest.split(","))
    absent = [name for name in ("Credential", "Signature", "SignedHeaders") if not fields.get(name)]
    if absent:
        text = " ".join(f"Authorization header requires '{name}' parameter." for name in absent)
        raise SignatureError("malformed", text, "v4-header")
    timestamp = _header_timestamp(request.headers)
    _check_skew(_seconds(timestamp, "v4-header"), timestamp, now, "v4-header")
    return Claim(
        "v4-header",
        *_credential(fields["Credential"], "v4-header"),
        signed_headers=fields["SignedHeaders"].split(";"),
        signature=fields["Signature"],
        timestamp=timestamp,
        payload=_header_payload(request.headers.get("x-amz-content-sha256"), body),
        query=request.query,
    )


def query_claim(
    request: Request, pairs: list[tuple[str, str]], now: float, body: str | None
) -> Claim:
    values = {name: unquote(value) for name, value in pairs if name.startswith("X-Amz-")}
    _check_query_parameters(values, [name for name, _ in pairs])
    timestamp = values["X-Amz-Date"]
    signed_at = _seconds(timestamp, "v4-query")
    expires = _expires(values["X-Amz-Expires"])
    if now > signed_at + expires:
        raise SignatureError("expired", "Request has expired", "v4-query")
    if signed_at > now + _SKEW:
        raise SignatureError("skewed", "Request is not yet valid", "v4-query")
    credential = _credential(values["X-Amz-Credential"], "v4-query")
    signed_headers = values["X-Amz-SignedHeaders"].split(";")
    stated = values.get("X-Amz-Content-Sha256")
    if stated is None and "x-amz-content-sha256" in signed_headers:
        stated = request.headers.get("x-amz-content-sha256")
    if stated is None:
        # Only S3 leaves the body out of a presigned request; elsewhere it is covered.
        stated = UNSIGNED if credential[3] == "s3" or body is None else body
    _check_payload(stated, body, "v4-query")
    rest = [pair for pair in request.query.split("&") if not pair.startswith("X-Amz-Signature=")]
    return Claim(
        "v4-query",
        *credential,
        signed_headers=signed_headers,
        signature=values["X-Amz-Signature"],
        timestamp=timestamp,
        payload=stated,
        query="&".join(rest),
    )


def form_claim(fields: Mapping[str, str]) -> Claim:
    """The claim of a POST form, whose signature covers its policy and nothing else."""
    names = ("x-amz-algorithm", "x-amz-credential", "x-amz-date", "x-amz-signature", "policy")
    for name in names:
        if not fields.get(name):
            text = f"Bucket POST must contain a field named '{name}'."
            raise SignatureError("malformed", text, "v4-form")
    if fields["x-amz-algorithm"] != ALGORITHM:
        text = f'x-amz-algorithm only supports "{ALGORITHM}"'
        raise SignatureError("malformed", text, "v4-form")
    _seconds(fields["x-amz-date"], "v4-form")
    return Claim(
        "v4-form",
        *_credential(fields["x-amz-credential"], "v4-form"),
        signed_headers=[],
        signature=fields["x-amz-signature"],
        timestamp=fields["x-amz-date"],
        payload="",
        query="",
    )


def _check_query_parameters(values: dict[str, str], names: list[str]) -> None:
    needed = ("Algorithm", "Credential", "Date", "Expires", "SignedHeaders", "Signature")
    wanted = [f"X-Amz-{name}" for name in needed]
    if any(names.count(name) != 1 for name in wanted):
        raise SignatureError(
            "malformed",
            "Query-string authentication version 4 requires the X-Amz-Algorithm, "
            "X-Amz-Credential, X-Amz-Signature, X-Amz-Date, X-Amz-SignedHeaders, and "
            "X-Amz-Expires parameters, each of them once.",
            "v4-query",
        )
    if values["X-Amz-Algorithm"] != ALGORITHM:
        raise SignatureError(
            "malformed", f'X-Amz-Algorithm only supports "{ALGORITHM}"', "v4-query"
        )


def _expires(text: str) -> int:
    if not re.fullmatch(r"-?[0-9]{1,18}", text):
        raise SignatureError("malformed", "X-Amz-Expires should be a number", "v4-query")
    seconds = int(text)
    if seconds < 1:
        raise SignatureError("malformed", "X-Amz-Expires must be positive", "v4-query")
    if seconds > _LONGEST_PRESIGN:
        raise SignatureError(
            "malformed",
            "X-Amz-Expires must be less than a week (in seconds); that is, the given "
            f"X-Amz-Expires must be less than {_LONGEST_PRESIGN} seconds",
            "v4-query",
        )
    return seconds


def _credential(text: str, scheme: str) -> tuple[str, str, str, str, str]:
    parts = text.rsplit("/", 4)
    if len(parts) != 5 or not parts[0]:
        raise SignatureError(
            "malformed",
            "Credential must have exactly 5 slash-delimited elements, e.g. "
            "keyid/date/region/service/term.",
            scheme,
        )
    return parts[0], parts[1], parts[2], parts[3], parts[4]


def _header_timestamp(headers: Mapping[str, str]) -> str:
    """As in the string to sign. A Date header counts where there is no X-Amz-Date."""
    stated = headers.get("x-amz-date") or headers.get("date")
    if not stated:
        raise SignatureError(
            "malformed",
            "Authorization header requires existence of either a 'X-Amz-Date' or a 'Date' header.",
            "v4-header",
        )
    if _TIMESTAMP.fullmatch(stated):
        return stated
    try:
        return parsedate_to_datetime(stated).astimezone(UTC).strftime("%Y%m%dT%H%M%SZ")
    except (ValueError, OverflowError):
        raise _bad_date(stated, "v4-header") from None


@lru_cache(maxsize=256)
def _seconds(timestamp: str, scheme: str) -> float:
    # Kept: a busy client signs many requests in one second.
    match = _TIMESTAMP.fullmatch(timestamp)
    if match is None:
        raise _bad_date(timestamp, scheme)
    year, month, day, hour, minute, second = (int(part) for part in match.groups())
    try:
        return datetime(year, month, day, hour, minute, second, tzinfo=UTC).timestamp()
    except ValueError:
        raise _bad_date(timestamp, scheme) from None


def _bad_date(text: str, scheme: str) -> SignatureError:
    return SignatureError(
        "malformed",
        f"Date must be in ISO-8601 'basic format'. Got {text[:40]!r}. "
        "See http://en.wikipedia.org/wiki/ISO_8601",
        scheme,
    )


def _check_skew(signed_at: float, timestamp: str, now: float, scheme: str) -> None:
    if abs(now - signed_at) <= _SKEW:
        return
    clock = _timestamp(now)
    if signed_at < now:
        text = (
            f"Signature expired: {timestamp} is now earlier than {_timestamp(now - _SKEW)} "
            f"({clock} - 15 min.)"
        )
    else:
        text = (
            f"Signature not yet current: {timestamp} is still later than "
            f"{_timestamp(now + _SKEW)} ({clock} + 15 min.)"
        )
    raise SignatureError("skewed", text, scheme)


def _timestamp(seconds: float) -> str:
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y%m%dT%H%M%SZ")


def _header_payload(stated: str | None, body: str | None) -> str:
    if stated is None:
        if body is None:
            raise SignatureError(
                "malformed",
                "Missing required header for this request: x-amz-content-sha256",
                "v4-header",
            )
        return body
    _check_payload(stated, body, "v4-header")
    return stated


def _check_payload(stated: str, body: str | None, scheme: str) -> None:
    if stated == UNSIGNED:
        return
    if body is not None and stated != body:
        raise SignatureError("mismatch", MISMATCH, scheme)
    if stated not in _MODES and not _SHA256.fullmatch(stated):
        raise SignatureError(
            "malformed",
            "x-amz-content-sha256 must be UNSIGNED-PAYLOAD, a streaming mode that is known "
            "here, or a valid sha256 value.",
            scheme,
        )


def check_scope(claim: Claim, services: Collection[str], region: str) -> None:
    if claim.terminator != "aws4_request":
        text = (
            "Credential should be scoped with a valid terminator: 'aws4_request', "
            f"not {claim.terminator[:40]!r}."
        )
    elif claim.service not in services:
        text = f"Credential should be scoped to correct service: {_listed(services)}."
    elif region and claim.region != region:
        text = (
            f"Credential should be scoped to a valid region, not {claim.region[:40]!r}: "
            f"expecting {region!r}."
        )
    elif claim.date != claim.timestamp[:8]:
        text = (
            "Date in Credential scope does not match YYYYMMDD from ISO-8601 version of date "
            f"from HTTP: {claim.date[:40]!r} != {claim.timestamp[:8]!r}, "
            f"from {claim.timestamp!r}."
        )
    else:
        return
    raise SignatureError("scope", text, claim.scheme)


def _listed(names: Collection[str]) -> str:
    return ", ".join(repr(name) for name in sorted(names))


def check_signed_headers(claim: Claim, headers: Mapping[str, str]) -> None:
    """What is not signed can be changed on the way: the host and every x-amz-* must be."""
    signed = claim.signed_headers
    if not _HEADER_NAMES.fullmatch(";".join(signed)):
        raise SignatureError("malformed", "SignedHeaders holds no header's name.", claim.scheme)
    if "host" not in signed:
        raise SignatureError(
            "malformed",
            "'Host' or ':authority' must be a 'SignedHeader' in the AWS Authorization.",
            claim.scheme,
        )
    for name in headers:
        if name.startswith("x-amz-") and name not in signed:
            raise SignatureError(
                "malformed",
                f"There were headers present in the request which were not signed: {name}",
                claim.scheme,
            )

"""Which pages of other origins may use a bucket: the bucket's rules, and what they grant.

Without a rule that fits, an answer holds no grant, and a preflight is refused.
Source: https://docs.aws.amazon.com/AmazonS3/latest/userguide/cors.html
"""

import re
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from functools import lru_cache
from typing import Any
from xml.etree.ElementTree import Element

from studio.s3.errors import S3Error
from studio.s3.store import ObjectStore
from studio.s3.xml import Pairs, document, malformed, parse

METHODS = ("GET", "PUT", "POST", "DELETE", "HEAD")

_MAX_RULES = 100
_MAX_ENTRIES = 100
_MAX_TEXT = 1024
_VARY = "Origin, Access-Control-Request-Headers, Access-Control-Request-Method"


@dataclass(frozen=True)
class Rule:
    """Origins and headers may hold one `*` each; `max_age` in seconds, None for none."""

    origins: tuple[str, ...]
    methods: tuple[str, ...]
    headers: tuple[str, ...] = ()
    exposed: tuple[str, ...] = ()
    max_age: int | None = None
    id: str = ""

    def grants(self, origin: str, method: str, headers: Iterable[str]) -> dict[str, str] | None:
        """The headers of an answer to a page of `origin`; None where the rule does not fit."""
        found = next((each for each in self.origins if _fits(each, origin)), None)
        if found is None or method not in self.methods:
            return None
        asked = [name.strip().lower() for name in headers]
        allowed = [name.lower() for name in self.headers]
        if not all(any(_fits(each, name) for each in allowed) for name in asked):
            return None
        granted = {
            "access-control-allow-origin": "*" if found == "*" else origin,
            "access-control-allow-methods": ", ".join(self.methods),
            "vary": _VARY,
        }
        if found != "*":
            granted["access-control-allow-credentials"] = "true"
        if asked:
            granted["access-control-allow-headers"] = ", ".join(asked)
        if self.exposed:
            granted["access-control-expose-headers"] = ", ".join(self.exposed)
        if self.max_age is not None:
            granted["access-control-max-age"] = str(self.max_age)
        return granted


def read(body: bytes) -> list[dict[str, Any]]:
    """The rules of a CORSConfiguration, as the index keeps them. Raises S3Error."""
    found = parse(body, "CORSConfiguration").findall("CORSRule")
    if not 1 <= len(found) <= _MAX_RULES:
        raise malformed()
    return [asdict(_rule(element)) for element in found]


def rules(kept: Iterable[Mapping[str, Any]]) -> list[Rule]:
    return [
        Rule(
            origins=tuple(each["origins"]),
            methods=tuple(each["methods"]),
            headers=tuple(each["headers"]),
            exposed=tuple(each["exposed"]),
            max_age=each["max_age"],
            id=each["id"],
        )
        for each in kept
    ]


def written(kept: Iterable[Mapping[str, Any]]) -> bytes:
    """The CORSConfiguration of `kept`."""
    return document("CORSConfiguration", [("CORSRule", _elements(rule)) for rule in rules(kept)])


def answer_headers(
    kept: Iterable[Mapping[str, Any]], method: str, headers: Mapping[str, str]
) -> dict[str, str]:
    """What an answer to a page of another origin says beside all else; nothing without a rule."""
    origin = headers.get("origin", "")
    if not origin:
        return {}
    for rule in rules(kept):
        if (granted := rule.grants(origin, method, ())) is not None:
            return granted
    return {}


def preflight(kept: Iterable[Mapping[str, Any]], headers: Mapping[str, str]) -> dict[str, str]:
    """The answer to a browser that asks beforehand. Raises S3Error AccessForbidden."""
    known = rules(kept)
    if not known:
        raise S3Error("AccessForbidden", "CORSResponse: CORS is not enabled for this bucket.")
    method = headers["access-control-request-method"]
    if method not in METHODS:
        raise S3Error("BadRequest", f"Invalid Access-Control-Request-Method: {method[:40]}")
    asked = [
        name
        for name in headers.get("access-control-request-headers", "").split(",")
        if name.strip()
    ]
    for rule in known:
        if (granted := rule.grants(headers["origin"], method, asked)) is not None:
            return granted
    raise S3Error(
        "AccessForbidden",
        "CORSResponse: This CORS request is not allowed. This is usually because the evaluation "
        "of Origin, request method / Access-Control-Request-Method or "
        "Access-Control-Request-Headers are not whitelisted by the resource's CORS spec.",
    )


def kept(store: ObjectStore, bucket: str) -> list[dict[str, Any]]:
    """The rules of a bucket; none of one that is not there, which a stranger need not learn."""
    try:
        return list(store.bucket(bucket).settings.get("cors", ()))
    except S3Error:
        return []


def is_preflight(method: str, headers: Mapping[str, str]) -> bool:
    return (
        method == "OPTIONS" and "origin" in headers and "access-control-request-method" in headers
    )


def _rule(element: Element) -> Rule:
    methods, origins = _texts(element, "AllowedMethod"), _texts(element, "AllowedOrigin")
    headers, exposed = _texts(element, "AllowedHeader"), _texts(element, "ExposeHeader")
    if not methods or not origins:
        raise malformed()
    for method in methods:
        if method not in METHODS:
            raise S3Error(
                "InvalidRequest",
                "Found unsupported HTTP method in CORS config. "
                f"Unsupported method is {method[:40]}",
            )
    for name, texts in (("AllowedOrigin", origins), ("AllowedHeader", headers)):
        if wrong := [text for text in texts if text.count("*") > 1]:
            raise S3Error(
                "InvalidRequest", f'{name} "{wrong[0][:100]}" can not have more than one wildcard.'
            )
    if any("*" in text for text in exposed):
        raise S3Error(
            "InvalidRequest", 'ExposeHeader "*" contains wildcard. We currently do not support it.'
        )
    return Rule(
        origins, methods, headers, exposed, _age(element), (element.findtext("ID") or "")[:255]
    )


def _texts(element: Element, name: str) -> tuple[str, ...]:
    texts = tuple((found.text or "").strip() for found in element.findall(name))
    # What a rule holds may come back as a header.
    if len(texts) > _MAX_ENTRIES or not all(
        text and len(text) <= _MAX_TEXT and text.isascii() and text.isprintable() for text in texts
    ):
        raise malformed()
    return texts


def _age(element: Element) -> int | None:
    text = (element.findtext("MaxAgeSeconds") or "").strip()
    if not text:
        return None
    if not re.fullmatch(r"[0-9]{1,9}", text):
        raise malformed()
    return int(text)


def _elements(rule: Rule) -> Pairs:
    return [
        ("ID", rule.id or None),
        *(("AllowedMethod", text) for text in rule.methods),
        *(("AllowedOrigin", text) for text in rule.origins),
        *(("AllowedHeader", text) for text in rule.headers),
        *(("ExposeHeader", text) for text in rule.exposed),
        ("MaxAgeSeconds", rule.max_age),
    ]


def _fits(pattern: str, text: str) -> bool:
    return pattern == text or ("*" in pattern and bool(_compiled(pattern).fullmatch(text)))


@lru_cache(maxsize=256)
def _compiled(pattern: str) -> re.Pattern[str]:
    before, _, after = pattern.partition("*")
    return re.compile(f"{re.escape(before)}.*{re.escape(after)}", re.DOTALL)

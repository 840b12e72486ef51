"""The lists of a bucket's objects, in both forms."""

import base64
import binascii
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

from sqlalchemy import Connection

from studio.s3 import index
from studio.s3.errors import invalid_argument
from studio.s3.index import Listed
from studio.s3.message import Call, Response
from studio.s3.names import owner
from studio.s3.store import require_bucket
from studio.s3.xml import Fragment, Pairs, document, elements, escaped, time_text

MAX_KEYS = 1000

_BATCH = 256
_BATCH_AFTER_SKIP = 8
_UNQUOTED = re.compile(r"[\w.~/*-]*", re.ASCII)


@dataclass(frozen=True)
class Page:
    """Objects and common prefixes (texts), in order; `more` when there are others above `last`."""

    entries: list[Listed | str]
    more: bool

    @property
    def last(self) -> str:
        entry = self.entries[-1] if self.entries else ""
        return entry if isinstance(entry, str) else entry.key


def list_objects(call: Call) -> Response:
    """Version 1, or 2 with `list-type=2`."""
    if call.request.query.get("list-type") == "2":
        return _list_v2(call)
    query = call.request.query
    marker = query.get("marker", "")
    page = _page(call, marker)
    encode = encoder(query)
    delimiter = query.get("delimiter", "")
    head = (
        ("Name", call.request.bucket),
        ("Prefix", encode(query.get("prefix", ""))),
        ("Marker", encode(marker)),
        # Without a delimiter the last key serves the client as well.
        ("NextMarker", encode(page.last) if page.more and delimiter else None),
        ("MaxKeys", max_keys(query)),
        ("Delimiter", encode(delimiter) if delimiter else None),
        ("EncodingType", query.get("encoding-type")),
        ("IsTruncated", page.more),
    )
    contents = _contents(page, encode, owner(call.account))
    return Response(body=document("ListBucketResult", (*head, *contents)))


def max_keys(query: Mapping[str, str], name: str = "max-keys") -> int:
    text = query.get(name, "") or str(MAX_KEYS)
    if not (text.isascii() and text.isdigit() and len(text) <= 10):
        raise invalid_argument(name, text, f"Provided {name} not an integer or within range")
    return min(int(text), MAX_KEYS)


def encoder(query: Mapping[str, str]) -> Callable[[str], str]:
    """How keys are written: percent-encoded when the client asks for it."""
    kind = query.get("encoding-type")
    if kind is None:
        return str
    if kind != "url":
        raise invalid_argument(
            "encoding-type", kind, "Invalid Encoding Method specified in Request"
        )
    return lambda text: text if _UNQUOTED.fullmatch(text) else quote(text, safe="/*")


def scan(
    connection: Connection, bucket: str, prefix: str, delimiter: str, after: str, limit: int
) -> Page:
    """The first `limit` entries above `after`; what shares a common prefix is skipped unread."""
    entries: list[Listed | str] = []
    # A marker that is a common prefix, as a page may end with, stands for all that share it.
    common = after if after and common_prefix(after, prefix, delimiter) == after else ""
    after = common + index.LAST_CHARACTER if common else after
    batch_size = _BATCH if delimiter else limit + 1
    size = batch_size
    while True:
        batch = index.listed_above(connection, bucket, prefix, after, size)
        for stored in batch:
            entry = common_prefix(stored.key, prefix, delimiter) or stored
            after = stored.key
            if entry == common:
                continue
            if len(entries) == limit:
                return Page(entries, more=True)
            entries.append(entry)
            if isinstance(entry, str):
                common, after, size = entry, entry + index.LAST_CHARACTER, _BATCH_AFTER_SKIP
                break
        else:
            if len(batch) < size:
                return Page(entries, more=False)
            size = batch_size


def _list_v2(call: Call) -> Response:
    query = call.request.query
    token = query.get("continuation-token")
    start_after = query.get("start-after", "")
    page = _page(call, start_after if token is None else _token_key(token))
    encode = encoder(query)
    delimiter = query.get("delimiter", "")
    head = (
        ("Name", call.request.bucket),
        ("Prefix", encode(query.get("prefix", ""))),
        ("StartAfter", encode(start_after) if start_after and token is None else None),
        ("ContinuationToken", token),
        ("NextContinuationToken", _token(page.last) if page.more else None),
        ("KeyCount", len(page.entries)),
        ("MaxKeys", max_keys(query)),
        ("Delimiter", encode(delimiter) if delimiter else None),
        ("EncodingType", query.get("encoding-type")),
        ("IsTruncated", page.more),
    )
    fetch_owner = query.get("fetch-owner") == "true"
    contents = _contents(page, encode, owner(call.account) if fetch_owner else None)
    return Response(body=document("ListBucketResult", (*head, *contents)))


def _page(call: Call, after: str) -> Page:
    query = call.request.query
    limit = max_keys(query)
    with call.store.database.read() as connection:
        require_bucket(connection, call.request.bucket)
        if limit == 0:
            return Page([], more=False)
        prefix, delimiter = query.get("prefix", ""), query.get("delimiter", "")
        return scan(connection, call.request.bucket, prefix, delimiter, after, limit)


def common_prefix(key: str, prefix: str, delimiter: str) -> str:
    """The key up to the first delimiter after the prefix; "" when there is none."""
    if not delimiter or not key.startswith(prefix):
        return ""
    end = key.find(delimiter, len(prefix))
    return key[: end + len(delimiter)] if end >= 0 else ""


def _contents(page: Page, encode: Callable[[str], str], shown_owner: Any) -> Pairs:
    who = elements((("Owner", shown_owner),))
    objects = [
        ("Contents", Fragment(fields(entry, encode) + who))
        for entry in page.entries
        if isinstance(entry, Listed)
    ]
    return (*objects, *prefixes(page.entries, encode))


def prefixes(entries: Sequence[object], encode: Callable[[str], str]) -> Pairs:
    """The elements of the common prefixes among `entries`."""
    found = [entry for entry in entries if isinstance(entry, str)]
    return [("CommonPrefixes", (("Prefix", encode(prefix)),)) for prefix in found]


def fields(entry: Listed, encode: Callable[[str], str]) -> str:
    """The elements of an object, as XML: a list has a thousand of them."""
    checksum = ""
    if entry.algorithm:
        checksum = (
            f"<ChecksumAlgorithm>{entry.algorithm}</ChecksumAlgorithm>"
            f"<ChecksumType>{entry.checksum_type}</ChecksumType>"
        )
    return (
        f"<Key>{escaped(encode(entry.key))}</Key>"
        f"<LastModified>{time_text(entry.modified)}</LastModified>"
        f"<ETag>&quot;{entry.etag}&quot;</ETag>{checksum}"
        f"<Size>{entry.size}</Size>"
        f"<StorageClass>{escaped(entry.storage_class or 'STANDARD')}</StorageClass>"
    )


def _token(key: str) -> str:
    return base64.urlsafe_b64encode(key.encode()).decode()


def _token_key(token: str) -> str:
    try:
        key = base64.b64decode(token, altchars=b"-_", validate=True).decode()
    except (binascii.Error, ValueError):
        key = ""
    if not key:
        raise invalid_argument(
            "continuation-token", token, "The continuation token provided is incorrect"
        )
    return key

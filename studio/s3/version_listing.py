"""The list of a bucket's versions and delete markers: by key, then from new to old."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection

from studio.s3 import index, versions
from studio.s3.errors import invalid_argument
from studio.s3.index import NEWEST, StoredObject
from studio.s3.listing import common_prefix, encoder, fields, max_keys, prefixes
from studio.s3.message import Call, Response
from studio.s3.names import owner
from studio.s3.store import require_bucket
from studio.s3.xml import Fragment, Pairs, document, elements, time_text

_BATCH = 256
_BATCH_AFTER_SKIP = 8
_OLDEST = 1  # lies behind every rank


@dataclass(frozen=True)
class Row:
    """A version, or a marker; `latest` when it is what its key stands for."""

    stored: StoredObject
    latest: bool


@dataclass(frozen=True)
class Page:
    """Rows and common prefixes (texts), in order; `more` when there are others behind them."""

    entries: list[Row | str]
    more: bool


def list_versions(call: Call) -> Response:
    query = call.request.query
    limit, encode = max_keys(query), encoder(query)
    prefix, delimiter = query.get("prefix", ""), query.get("delimiter", "")
    marker, version = query.get("key-marker", ""), query.get("version-id-marker", "")
    with call.store.database.read() as connection:
        require_bucket(connection, call.request.bucket)
        after = _after(connection, call.request.bucket, marker, version)
        asked = (call.request.bucket, prefix, delimiter)
        page = scan(connection, asked, after, limit) if limit else Page([], more=False)
    last = page.entries[-1] if page.more else ""
    head: Pairs = (
        ("Name", call.request.bucket),
        ("Prefix", encode(prefix)),
        ("KeyMarker", encode(marker)),
        ("VersionIdMarker", version),
        ("NextKeyMarker", encode(_key(last)) if page.more else None),
        ("NextVersionIdMarker", last.stored.version if isinstance(last, Row) else None),
        ("MaxKeys", limit),
        ("Delimiter", encode(delimiter) if delimiter else None),
        ("EncodingType", query.get("encoding-type")),
        ("IsTruncated", page.more),
    )
    rows = [_row(call, entry, encode) for entry in page.entries if isinstance(entry, Row)]
    common = prefixes(page.entries, encode)
    return Response(body=document("ListVersionsResult", (*head, *rows, *common)))


def scan(
    connection: Connection, asked: tuple[str, str, str], after: tuple[str, int], limit: int
) -> Page:
    """The first `limit` entries above `after` = (key, rank); `asked` = bucket, prefix, delimiter.

    What shares a common prefix is skipped unread.
    """
    bucket, prefix, delimiter = asked
    entries: list[Row | str] = []
    common = common_prefix(after[0], prefix, delimiter)
    common = common if common == after[0] else ""
    after = _behind(common) if common else after
    # The rows of a key at which the page before ended are not the first of their key.
    key = after[0] if after[1] != NEWEST else ""
    size = _BATCH
    while True:
        batch = index.versions_above(connection, bucket, prefix, after, size)
        for stored in batch:
            entry = common_prefix(stored.key, prefix, delimiter)
            if entry and entry == common:
                continue
            if len(entries) == limit:
                return Page(entries, more=True)
            entries.append(entry or Row(stored, latest=stored.key != key))
            key, after = stored.key, (stored.key, stored.rank)
            if entry:
                common, after, size = entry, _behind(entry), _BATCH_AFTER_SKIP
                break
        else:
            if len(batch) < size:
                return Page(entries, more=False)
            size = _BATCH


def _after(connection: Connection, bucket: str, key: str, version: str) -> tuple[str, int]:
    if not version:
        return (key, _OLDEST) if key else ("", NEWEST)
    if not key:
        raise invalid_argument(
            "version-id-marker",
            version,
            "A version-id marker cannot be specified without a key marker.",
        )
    found = index.find_version(connection, bucket, key, versions.check_id(version))
    rank = found.rank if found else versions.rank_of(version)
    return key, NEWEST if rank is None else rank


def _behind(prefix: str) -> tuple[str, int]:
    return prefix + index.LAST_CHARACTER, _OLDEST


def _key(entry: Row | str) -> str:
    return entry if isinstance(entry, str) else entry.stored.key


def _row(call: Call, row: Row, encode: Callable[[str], str]) -> tuple[str, Any]:
    stored = row.stored
    head = (("VersionId", stored.version), ("IsLatest", row.latest))
    who = ("Owner", owner(call.account))
    if not stored.marker:
        shown = fields(index.listed(stored), encode)
        return "Version", Fragment(shown + elements((*head, who)))
    key = (("Key", encode(stored.key)), ("LastModified", time_text(stored.modified)))
    return "DeleteMarker", (*key, *head, who)

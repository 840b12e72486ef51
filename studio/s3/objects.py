"""Operations on single objects."""

import re
from collections.abc import Mapping
from dataclasses import replace
from email.utils import formatdate

from studio.s3 import attributes, checksums, conditions
from studio.s3.errors import S3Error, invalid_argument
from studio.s3.index import BlobPart, Checksum, StoredObject
from studio.s3.message import Call, Response, Slice, parse_copy_source, quoted
from studio.s3.multipart import MAX_PARTS
from studio.s3.store import Attributes, Content, Found
from studio.s3.xml import document, time_text

INLINE_BYTES = 256 << 10
VERIFIED_BYTES = 8 << 20  # checked as a whole before the first of them is sent
MAX_COPY_BYTES = 5 << 30
_CHUNK = 1 << 20
_CHANGING = (
    "x-amz-storage-class",
    "x-amz-website-redirect-location",
    "x-amz-server-side-encryption",
)

_OVERRIDES = {
    "response-cache-control": "cache-control",
    "response-content-disposition": "content-disposition",
    "response-content-encoding": "content-encoding",
    "response-content-language": "content-language",
    "response-content-type": "content-type",
    "response-expires": "expires",
}


def put_object(call: Call) -> Response:
    request = call.request
    found = call.store.put(
        request.bucket,
        request.key,
        call.body.stored(),
        attributes.from_request(request.headers),
        conditions.write_condition(request.headers),
    )
    headers = {"etag": quoted(found.stored)} | attributes.told(found)
    return Response(headers=headers | checksum_headers(found.stored.checksum))


def get_object(call: Call) -> Response:
    """Also HEAD: the socket leaves the content out."""
    request = call.request
    found, file = call.store.open(request.bucket, request.key, request.version)
    try:
        response = _read(call, found)
        if isinstance(response, Response):
            file.close()
            return response
        status, headers, start, size = response
        bare = request.method == "HEAD"
        if size <= VERIFIED_BYTES and not bare:
            file.verify(start, size)
        if size > INLINE_BYTES or bare:
            return Response(status, headers, Slice(file, start, size))
        file.seek(start)
        with file:
            return Response(status, headers, file.read(size))
    except BaseException:
        file.close()
        raise


def copy_object(call: Call) -> Response:
    request = call.request
    found, content = call.store.linked(*parse_copy_source(request.headers["x-amz-copy-source"]))
    try:
        conditions.check_copy_source(request.headers, found.stored)
        _check_size(found.stored)
        chosen = _copied_attributes(call, found)
        content = replace(content, checksum=_copied_checksum(call, found, content))
    except BaseException:
        call.store.blobs.remove([content.blob])
        raise
    condition = conditions.write_condition(request.headers)
    made = call.store.put(request.bucket, request.key, content, chosen, condition)
    body = document(
        "CopyObjectResult",
        (
            ("LastModified", time_text(made.stored.modified)),
            ("ETag", quoted(made.stored)),
            *checksum_elements(made.stored.checksum),
        ),
    )
    origin = attributes.version(found).get("x-amz-version-id")
    headers = {"x-amz-copy-source-version-id": origin} if origin else {}
    return Response(headers=headers | attributes.told(made), body=body)


def _copied_checksum(call: Call, found: Found, content: Content) -> Checksum:
    """The source's, unless another algorithm is asked for: then its content is read for it."""
    kept, wanted = content.checksum, call.request.headers.get("x-amz-checksum-algorithm", "")
    if not wanted:
        return kept
    algorithm = checksums.check_algorithm(wanted)
    if kept.algorithm == algorithm and kept.kind == "FULL_OBJECT":
        return kept
    whole = checksums.new(algorithm)
    copied = replace(found, stored=replace(found.stored, blob=content.blob))
    with call.store.reader(copied) as file:
        while chunk := file.read(_CHUNK):
            whole.update(chunk)
    return Checksum(algorithm, checksums.encoded(whole.digest()))


def _check_size(source: StoredObject) -> None:
    if source.size > MAX_COPY_BYTES:
        raise S3Error(
            "InvalidRequest",
            "The specified copy source is larger than the maximum allowable size for a copy "
            f"source: {MAX_COPY_BYTES}",
        )


def checksum_headers(checksum: Checksum) -> dict[str, str]:
    if not checksum.algorithm:
        return {}
    name = f"x-amz-checksum-{checksum.algorithm.lower()}"
    return {name: checksum.value, "x-amz-checksum-type": checksum.kind}


def checksum_elements(checksum: Checksum) -> tuple[tuple[str, str], ...]:
    if not checksum.algorithm:
        return ()
    return (
        (f"Checksum{checksum.algorithm}", checksum.value),
        ("ChecksumType", checksum.kind),
    )


Range = tuple[int, dict[str, str], int, int]
"""Status, headers, start and size of the content to send."""


def _read(call: Call, found: Found) -> Response | Range:
    """A finished answer, or what to send."""
    request, stored = call.request, found.stored
    headers = {"etag": quoted(stored), "last-modified": _http_date(stored.modified)}
    headers |= attributes.version(found)
    if conditions.not_modified(request.headers, stored):
        return Response(304, headers)
    headers |= {"accept-ranges": "bytes"} | dict(stored.headers) | _overrides(call)
    headers |= attributes.told(found)
    if stored.tags:
        headers["x-amz-tagging-count"] = str(len(stored.tags))
    if "partNumber" in request.query:
        return _read_part(call, found, headers)
    wanted = conditions.parse_range(request.headers.get("range", ""), stored.size)
    if wanted is not None:
        return _partial(headers, stored, *wanted)
    # The checksum is the whole object's: on a range, clients would compare it with the part.
    if request.headers.get("x-amz-checksum-mode", "").upper() == "ENABLED":
        headers |= checksum_headers(stored.checksum)
    return 200, headers, 0, stored.size


def _read_part(call: Call, found: Found, headers: dict[str, str]) -> Range:
    """One part as it was uploaded; an object that was not uploaded in parts is its own first."""
    request, stored = call.request, found.stored
    if "range" in request.headers:
        raise S3Error(
            "InvalidRequest", "Cannot specify both Range header and partNumber query parameter"
        )
    number = part_number(request.query)
    parts = call.store.facts(found).parts or [BlobPart(1, stored.size)]
    position = next((at for at, part in enumerate(parts) if part.number == number), None)
    if position is None:
        raise S3Error(
            "InvalidPartNumber",
            "The requested partnumber is not satisfiable",
            PartNumberRequested=number,
            ActualPartCount=len(parts),
        )
    if stored.upload or len(parts) > 1:
        headers["x-amz-mp-parts-count"] = str(len(parts))
    start = sum(part.size for part in parts[:position])
    if not stored.size:
        return 200, headers, 0, 0
    return _partial(headers, stored, start, parts[position].size)


def _partial(headers: dict[str, str], stored: StoredObject, start: int, size: int) -> Range:
    headers["content-range"] = f"bytes {start}-{start + size - 1}/{stored.size}"
    return 206, headers, start, size


def part_number(query: Mapping[str, str]) -> int:
    """The `partNumber` of a query. Raises S3Error."""
    text = query["partNumber"]
    number = int(text) if re.fullmatch("[0-9]{1,10}", text) else 0
    if not 1 <= number <= MAX_PARTS:
        raise invalid_argument(
            "partNumber", text, "Part number must be an integer between 1 and 10000, inclusive"
        )
    return number


def _overrides(call: Call) -> dict[str, str]:
    chosen = {}
    for name, header in _OVERRIDES.items():
        value = call.request.query.get(name)
        if value is None:
            continue
        if not value.isprintable():
            raise invalid_argument(name, value, "A header holds no control characters.")
        chosen[header] = value.encode().decode("latin-1")
    return chosen


def _copied_attributes(call: Call, found: Found) -> Attributes:
    request, source = call.request, found.stored
    own = attributes.from_request(request.headers)
    directive = _directive(request.headers.get("x-amz-metadata-directive", "COPY"))
    tagging = _directive(request.headers.get("x-amz-tagging-directive", "COPY"))
    changed = {name: own.headers[name] for name in own.headers if name.startswith(_CHANGING)}
    itself = (source.bucket, source.key) == (request.bucket, request.key)
    itself = itself and parse_copy_source(request.headers["x-amz-copy-source"])[2] == ""
    stated = any(name in request.headers for name in _CHANGING)
    if itself and directive == "COPY" and not stated:
        raise S3Error(
            "InvalidRequest",
            "This copy request is illegal because it is trying to copy an object to itself without "
            "changing the object's metadata, storage class, website redirect location or "
            "encryption attributes.",
        )
    kept = {name: value for name, value in source.headers.items() if name != "x-amz-storage-class"}
    return Attributes(
        own.headers if directive == "REPLACE" else kept | changed,
        own.tags if tagging == "REPLACE" else source.tags,
    )


def _directive(text: str) -> str:
    if text not in ("COPY", "REPLACE"):
        raise invalid_argument("x-amz-metadata-directive", text, "Unknown metadata directive.")
    return text


def _http_date(milliseconds: int) -> str:
    return formatdate(milliseconds // 1000, usegmt=True)

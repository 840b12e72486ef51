"""Operations of multipart uploads."""

import hashlib
from collections.abc import Mapping, Sequence
from xml.etree.ElementTree import Element

from sqlalchemy import select, tuple_

from studio.s3 import attributes, checksums, conditions, index, multipart
from studio.s3.errors import S3Error, invalid_argument
from studio.s3.index import LAST_CHARACTER, NO_CHECKSUM, Checksum, StoredObject, Upload
from studio.s3.integrity import Reader
from studio.s3.listing import encoder, max_keys
from studio.s3.message import Call, Response, parse_copy_source, quoted
from studio.s3.multipart import Claim, Whole
from studio.s3.names import owner
from studio.s3.objects import MAX_COPY_BYTES, checksum_elements, checksum_headers, part_number
from studio.s3.schema import UPLOAD
from studio.s3.store import Content, require_bucket
from studio.s3.xml import document, malformed, parse, time_text

_CHUNK = 1 << 20


def create_upload(call: Call) -> Response:
    request = call.request
    checksum = _wanted_checksum(call)
    chosen = attributes.from_request(request.headers)
    upload = multipart.create(call.store, request.bucket, request.key, chosen, checksum)
    headers = attributes.encryption(upload.headers)
    if upload.algorithm:
        headers["x-amz-checksum-algorithm"] = upload.algorithm
        headers["x-amz-checksum-type"] = upload.checksum_type
    pairs = (("Bucket", upload.bucket), ("Key", upload.key), ("UploadId", upload.id))
    return Response(headers=headers, body=document("InitiateMultipartUploadResult", pairs))


def upload_part(call: Call) -> Response:
    upload = _upload(call)
    content = call.body.stored()
    if upload.algorithm and content.checksum.algorithm != upload.algorithm:
        raise S3Error(
            "InvalidRequest",
            f"Checksum Type mismatch occurred, expected checksum Type: {upload.algorithm.lower()}, "
            f"actual checksum Type: {content.checksum.algorithm.lower()}",
        )
    part = multipart.put_part(call.store, upload, part_number(call.request.query), content)
    headers = {"etag": f'"{part.etag}"'} | attributes.encryption(upload.headers)
    sums = checksum_headers(part.checksum)
    sums.pop("x-amz-checksum-type", None)
    return Response(headers=headers | sums)


def upload_part_copy(call: Call) -> Response:
    request = call.request
    upload, number = _upload(call), part_number(request.query)
    source = parse_copy_source(request.headers["x-amz-copy-source"])
    found, file = call.store.open(*source)
    with file:
        conditions.check_copy_source(request.headers, found.stored)
        content = _copied(call, upload, found.stored, file)
    part = multipart.put_part(call.store, upload, number, content)
    sums = checksum_elements(part.checksum)[:1]
    pairs = (("LastModified", time_text(part.modified)), ("ETag", f'"{part.etag}"'), *sums)
    headers = attributes.encryption(upload.headers)
    if origin := attributes.version(found).get("x-amz-version-id"):
        headers["x-amz-copy-source-version-id"] = origin
    return Response(headers=headers, body=document("CopyPartResult", pairs))


def complete_upload(call: Call) -> Response:
    request = call.request
    root = parse(call.body.data, "CompleteMultipartUpload")
    found = multipart.complete(
        call.store,
        (request.bucket, request.key, request.query["uploadId"]),
        [_claim(element) for element in root.findall("Part")],
        conditions.write_condition(request.headers),
        _whole(request.headers),
    )
    stored = found.stored
    pairs = (
        ("Location", f"http://{request.headers.get('host', '')}{request.path}"),
        ("Bucket", stored.bucket),
        ("Key", stored.key),
        ("ETag", quoted(stored)),
        *checksum_elements(stored.checksum),
    )
    return Response(
        headers=attributes.told(found),
        body=document("CompleteMultipartUploadResult", pairs),
    )


def abort_upload(call: Call) -> Response:
    request = call.request
    multipart.abort(call.store, request.bucket, request.key, request.query["uploadId"])
    return Response(204)


def list_parts(call: Call) -> Response:
    upload = _upload(call)
    query = call.request.query
    limit = max_keys(query, "max-parts")
    after = _number(query.get("part-number-marker") or "0", "part-number-marker")
    with call.store.database.read() as connection:
        parts = index.find_parts(connection, upload.id, after, limit + 1)
    more = len(parts) > limit > 0
    parts = parts[:limit]
    head = (
        ("Bucket", upload.bucket),
        ("Key", upload.key),
        ("UploadId", upload.id),
        ("Initiator", owner(call.account)),
        ("Owner", owner(call.account)),
        ("StorageClass", upload.headers.get("x-amz-storage-class", "STANDARD")),
        ("PartNumberMarker", after),
        ("NextPartNumberMarker", parts[-1].number if parts else 0),
        ("MaxParts", limit),
        ("IsTruncated", more),
        ("ChecksumAlgorithm", upload.algorithm or None),
        ("ChecksumType", upload.checksum_type if upload.algorithm else None),
    )
    listed = [
        (
            "Part",
            (
                ("PartNumber", part.number),
                ("LastModified", time_text(part.modified)),
                ("ETag", f'"{part.etag}"'),
                *checksum_elements(part.checksum)[:1],
                ("Size", part.size),
            ),
        )
        for part in parts
    ]
    return Response(body=document("ListPartsResult", (*head, *listed)))


def list_uploads(call: Call) -> Response:
    query = call.request.query
    encode = encoder(query)
    limit = max_keys(query, "max-uploads")
    marker = query.get("key-marker", ""), query.get("upload-id-marker", "")
    entries = _entries(call, marker)
    more = len(entries) > limit > 0
    entries = entries[:limit]
    last = entries[-1] if more else None
    delimiter = query.get("delimiter", "")
    head = (
        ("Bucket", call.request.bucket),
        ("KeyMarker", encode(marker[0])),
        ("UploadIdMarker", marker[1]),
        ("NextKeyMarker", encode(last if isinstance(last, str) else last.key) if last else None),
        ("NextUploadIdMarker", last.id if isinstance(last, Upload) else None),
        ("Prefix", encode(query.get("prefix", ""))),
        ("Delimiter", encode(delimiter) if delimiter else None),
        ("EncodingType", query.get("encoding-type")),
        ("MaxUploads", limit),
        ("IsTruncated", more),
    )
    listed = [
        (
            "Upload",
            (
                ("Key", encode(upload.key)),
                ("UploadId", upload.id),
                ("Initiator", owner(call.account)),
                ("Owner", owner(call.account)),
                ("StorageClass", upload.headers.get("x-amz-storage-class", "STANDARD")),
                ("Initiated", time_text(upload.created)),
                ("ChecksumAlgorithm", upload.algorithm or None),
                ("ChecksumType", upload.checksum_type if upload.algorithm else None),
            ),
        )
        for upload in entries
        if isinstance(upload, Upload)
    ]
    prefixes = [
        ("CommonPrefixes", (("Prefix", encode(prefix)),))
        for prefix in entries
        if isinstance(prefix, str)
    ]
    return Response(body=document("ListMultipartUploadsResult", (*head, *listed, *prefixes)))


def _upload(call: Call) -> Upload:
    request = call.request
    return multipart.find(call.store, request.bucket, request.key, request.query["uploadId"])


def _wanted_checksum(call: Call) -> Checksum:
    headers = call.request.headers
    name = headers.get("x-amz-checksum-algorithm", "")
    if not name:
        return NO_CHECKSUM
    algorithm = checksums.check_algorithm(name)
    kind = checksums.check_kind(algorithm, headers.get("x-amz-checksum-type", ""))
    return Checksum(algorithm, "", kind)


def _whole(headers: Mapping[str, str]) -> Whole:
    """Checksum and size of the object to be; what such headers say is not of the list of parts."""
    stated = [name for name in checksums.HEADERS if name in headers]
    algorithm, value = (checksums.HEADERS[stated[0]], headers[stated[0]]) if stated else ("", "")
    size = headers.get("x-amz-mp-object-size", "")
    kind = headers.get("x-amz-checksum-type", "").upper()
    return Whole(
        Checksum(algorithm, value, kind), _number(size, "x-amz-mp-object-size") if size else -1
    )


def _copied(call: Call, upload: Upload, source: StoredObject, file: Reader) -> Content:
    """The part that `x-amz-copy-source-range` names, read for its hashes."""
    start, size = _copy_range(call.request.headers.get("x-amz-copy-source-range"), source)
    file.seek(start)
    md5 = hashlib.md5(usedforsecurity=False)
    checksum = checksums.new(upload.algorithm) if upload.algorithm else None
    writer = call.store.writer()
    try:
        while size and (chunk := file.read(min(size, _CHUNK))):
            size -= len(chunk)
            md5.update(chunk)
            if checksum:
                checksum.update(chunk)
            writer.write(chunk)
        blob = writer.keep()
    except BaseException:
        writer.discard()
        raise
    value = checksums.encoded(checksum.digest()) if checksum else ""
    whole = Checksum(upload.algorithm, value)
    return Content(blob, writer.size, md5.hexdigest(), whole, writer.sums())


def _copy_range(text: str | None, source: StoredObject) -> tuple[int, int]:
    """Unlike that of a read, the range of a copy must lie inside of the object."""
    if text is None:
        if source.size > MAX_COPY_BYTES:
            raise S3Error("InvalidRequest", "The specified copy source is too large for one part.")
        return 0, source.size
    wanted = conditions.parse_range(text, source.size)
    if wanted is None or text != f"bytes={wanted[0]}-{sum(wanted) - 1}":
        raise invalid_argument(
            "x-amz-copy-source-range",
            text,
            "The x-amz-copy-source-range value must be of the form bytes=first-last where first "
            f"and last are the zero-based offsets, of an object of {source.size} bytes",
        )
    return wanted


def _claim(element: Element) -> Claim:
    number, etag = element.findtext("PartNumber") or "", element.findtext("ETag") or ""
    if not number.isdecimal() or not number.isascii() or not etag:
        raise malformed()
    sums = [element.findtext(f"Checksum{name}") for name in checksums.ALGORITHMS]
    return Claim(int(number[:10]), etag, next((value for value in sums if value), ""))


def _entries(call: Call, marker: tuple[str, str]) -> Sequence[Upload | str]:
    """Uploads and common prefixes above the marker. Unfinished uploads are few: all are read."""
    query = call.request.query
    prefix, delimiter = query.get("prefix", ""), query.get("delimiter", "")
    key, upload_id = marker
    # Without an upload's id the marker stands for all uploads of its key.
    above = tuple_(UPLOAD.c.key, UPLOAD.c.id) > (key, upload_id or LAST_CHARACTER)
    rows = select(UPLOAD).where(UPLOAD.c.bucket == call.request.bucket)
    with call.store.database.read() as connection:
        require_bucket(connection, call.request.bucket)
        if key:
            rows = rows.where(above)
        ordered = rows.order_by(UPLOAD.c.key, UPLOAD.c.id)
        uploads = [Upload(*row) for row in connection.execute(ordered)]
    entries: list[Upload | str] = []
    for upload in uploads:
        if not upload.key.startswith(prefix):
            continue
        end = upload.key.find(delimiter, len(prefix)) if delimiter else -1
        entry = upload if end < 0 else upload.key[: end + len(delimiter)]
        if entry != key and (not entries or entries[-1] != entry):
            entries.append(entry)
    return entries


def _number(text: str, name: str) -> int:
    if not (text.isascii() and text.isdigit() and len(text) <= 14):
        raise invalid_argument(name, text, f"{name} must be an integer")
    return int(text)

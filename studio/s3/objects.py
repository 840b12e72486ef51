"""Operations on single objects, and the deletion of many."""

from email.utils import formatdate

from studio.s3 import attributes, conditions
from studio.s3.errors import S3Error, invalid_argument
from studio.s3.index import Checksum, StoredObject
from studio.s3.message import Call, Response, Slice, parse_copy_source, quoted
from studio.s3.names import check_key
from studio.s3.store import Attributes
from studio.s3.xml import document, malformed, parse, time_text

INLINE_BYTES = 256 << 10
MAX_COPY_BYTES = 5 << 30

_MAX_DELETE = 1000
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
    stored = call.store.put(
        request.bucket,
        request.key,
        call.body.stored(),
        attributes.from_request(request.headers),
        conditions.write_condition(request.headers),
    )
    headers = {"etag": quoted(stored)} | attributes.encryption(stored.headers)
    return Response(headers=headers | checksum_headers(stored.checksum))


def get_object(call: Call) -> Response:
    """Also HEAD: the socket leaves the content out."""
    request = call.request
    check_version(request.query.get("versionId", "null"))
    stored, file = call.store.open(request.bucket, request.key)
    try:
        response = _read(call, stored)
        if not isinstance(response, tuple):
            file.close()
            return response
        status, headers, start, size = response
        if size > INLINE_BYTES or request.method == "HEAD":
            return Response(status, headers, Slice(file, start, size))
        file.seek(start)
        with file:
            return Response(status, headers, file.read(size))
    except BaseException:
        file.close()
        raise


def delete_object(call: Call) -> Response:
    check_version(call.request.query.get("versionId", "null"))
    condition = conditions.write_condition(call.request.headers)
    call.store.delete(call.request.bucket, [call.request.key], condition)
    return Response(204)


def delete_objects(call: Call) -> Response:
    root = parse(call.body.data, "Delete")
    elements = root.findall("Object")
    if not 1 <= len(elements) <= _MAX_DELETE:
        raise malformed()
    good, errors = [], []
    for element in elements:
        key = element.findtext("Key")
        if not key:
            raise malformed()
        try:
            check_version(element.findtext("VersionId") or "null")
            good.append(check_key(key))
        except S3Error as error:
            fields = (("Key", key), ("Code", error.code), ("Message", error.message))
            errors.append(("Error", fields))
    call.store.delete(call.request.bucket, good)
    quiet = (root.findtext("Quiet") or "").lower() == "true"
    deleted = [] if quiet else [("Deleted", (("Key", key),)) for key in good]
    return Response(body=document("DeleteResult", [*deleted, *errors]))


def copy_object(call: Call) -> Response:
    request = call.request
    bucket, key = parse_copy_source(request.headers["x-amz-copy-source"])
    source = call.store.head(bucket, key)
    conditions.check_copy_source(request.headers, source)
    if source.size > MAX_COPY_BYTES:
        raise S3Error(
            "InvalidRequest",
            "The specified copy source is larger than the maximum allowable size for a copy "
            f"source: {MAX_COPY_BYTES}",
        )
    chosen = _copied_attributes(call, source)
    source, content = call.store.linked(bucket, key)
    condition = conditions.write_condition(request.headers)
    stored = call.store.put(request.bucket, request.key, content, chosen, condition)
    body = document(
        "CopyObjectResult",
        (
            ("LastModified", time_text(stored.modified)),
            ("ETag", quoted(stored)),
            *checksum_elements(stored.checksum),
        ),
    )
    return Response(headers=attributes.encryption(stored.headers), body=body)


def get_tagging(call: Call) -> Response:
    stored = call.store.head(call.request.bucket, call.request.key)
    tags = [("Tag", (("Key", key), ("Value", value))) for key, value in stored.tags.items()]
    return Response(body=document("Tagging", (("TagSet", tags),)))


def put_tagging(call: Call) -> Response:
    root = parse(call.body.data, "Tagging")
    pairs = [
        (tag.findtext("Key") or "", tag.findtext("Value") or "")
        for tag in root.findall("TagSet/Tag")
    ]
    call.store.set_tags(call.request.bucket, call.request.key, attributes.check_tags(pairs))
    return Response()


def delete_tagging(call: Call) -> Response:
    call.store.set_tags(call.request.bucket, call.request.key, {})
    return Response(204)


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


def check_version(version: str) -> None:
    """Only the `null` version exists."""
    if version != "null":
        raise invalid_argument("versionId", version, "Invalid version id specified")


def _read(call: Call, stored: StoredObject) -> Response | tuple[int, dict[str, str], int, int]:
    """A finished answer, or status, headers, start and size of the content to send."""
    request = call.request
    headers = {"etag": quoted(stored), "last-modified": _http_date(stored.modified)}
    if conditions.not_modified(request.headers, stored):
        return Response(304, headers)
    headers |= {"accept-ranges": "bytes"} | dict(stored.headers) | _overrides(call)
    if stored.tags:
        headers["x-amz-tagging-count"] = str(len(stored.tags))
    wanted = conditions.parse_range(request.headers.get("range", ""), stored.size)
    if wanted is not None:
        start, size = wanted
        headers["content-range"] = f"bytes {start}-{start + size - 1}/{stored.size}"
        return 206, headers, start, size
    # The checksum is the whole object's: on a range, clients would compare it with the part.
    if request.headers.get("x-amz-checksum-mode", "").upper() == "ENABLED":
        headers |= checksum_headers(stored.checksum)
    return 200, headers, 0, stored.size


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


def _copied_attributes(call: Call, source: StoredObject) -> Attributes:
    request = call.request
    own = attributes.from_request(request.headers)
    directive = _directive(request.headers.get("x-amz-metadata-directive", "COPY"))
    tagging = _directive(request.headers.get("x-amz-tagging-directive", "COPY"))
    changed = {name: value for name, value in own.headers.items() if name.startswith("x-amz-s")}
    itself = (source.bucket, source.key) == (request.bucket, request.key)
    if itself and directive == "COPY" and not changed:
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

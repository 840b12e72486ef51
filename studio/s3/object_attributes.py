"""GetObjectAttributes: what is known of an object, without its content."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from email.utils import formatdate
from typing import Any

from studio.s3 import attributes
from studio.s3.errors import invalid_argument
from studio.s3.index import BlobPart, Checksum, StoredObject
from studio.s3.message import Call, Response
from studio.s3.objects import checksum_elements
from studio.s3.xml import Pairs, document

_KNOWN = ("ETag", "Checksum", "ObjectParts", "StorageClass", "ObjectSize")
_MAX_PARTS = 1000


def get_object_attributes(call: Call) -> Response:
    request = call.request
    text = request.headers.get("x-amz-object-attributes", "")
    wanted = {name.strip() for name in text.split(",") if name.strip()}
    if not wanted or not wanted.issubset(_KNOWN):
        raise invalid_argument("x-amz-object-attributes", text, "Invalid attribute name specified.")
    found = call.store.look(request.bucket, request.key, request.version)
    stored = found.stored
    values: Mapping[str, Any] = {
        "ETag": stored.etag,
        "Checksum": checksum_elements(_bare(stored.checksum)) or None,
        "ObjectParts": None,
        "StorageClass": stored.headers.get("x-amz-storage-class", "STANDARD"),
        "ObjectSize": stored.size,
    }
    if "ObjectParts" in wanted and (parts := call.store.facts(found).parts):
        values = {**values, "ObjectParts": _parts(request.headers, stored, parts)}
    headers = {"last-modified": formatdate(stored.modified // 1000, usegmt=True)}
    pairs = [(name, values[name]) for name in _KNOWN if name in wanted]
    body = document("GetObjectAttributesResponse", pairs)
    return Response(headers=headers | attributes.version(found), body=body)


def _bare(checksum: Checksum) -> Checksum:
    """Here, and only here, S3 leaves out the number of parts that ends a composite checksum."""
    return replace(checksum, value=checksum.value.partition("-")[0])


def _parts(headers: Mapping[str, str], stored: StoredObject, parts: Sequence[BlobPart]) -> Pairs:
    limit = min(_number(headers, "x-amz-max-parts", _MAX_PARTS), _MAX_PARTS)
    after = _number(headers, "x-amz-part-number-marker", 0)
    rest = [part for part in parts if part.number > after]
    shown = rest[:limit]
    algorithm = stored.checksum.algorithm
    # As on S3: each part is told only of objects with a checksum.
    listed = [
        (
            "Part",
            (
                (f"Checksum{algorithm}", part.checksum or None),
                ("PartNumber", part.number),
                ("Size", part.size),
            ),
        )
        for part in shown
        if algorithm
    ]
    return (
        ("PartsCount", len(parts)),
        ("PartNumberMarker", after),
        ("NextPartNumberMarker", shown[-1].number if shown else 0),
        ("MaxParts", limit),
        ("IsTruncated", len(rest) > len(shown)),
        *listed,
    )


def _number(headers: Mapping[str, str], name: str, default: int) -> int:
    text = headers.get(name, str(default))
    if not (text.isascii() and text.isdigit() and len(text) <= 10):
        raise invalid_argument(name, text, f"{name} must be an integer")
    return int(text)

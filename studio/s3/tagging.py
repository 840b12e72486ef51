"""The tags of objects, of their versions, and of buckets."""

from collections.abc import Mapping

from studio.s3 import attributes
from studio.s3.errors import S3Error
from studio.s3.message import Call, Response
from studio.s3.store import Found
from studio.s3.xml import document, malformed, parse

_MAX_BUCKET_TAGS = 50


def get_object_tagging(call: Call) -> Response:
    request = call.request
    found = call.store.look(request.bucket, request.key, request.version)
    return Response(headers=attributes.version(found), body=_document(found.stored.tags))


def put_object_tagging(call: Call) -> Response:
    tags = attributes.check_tags(_pairs(call.body.data))
    return Response(headers=attributes.version(_set(call, tags)))


def delete_object_tagging(call: Call) -> Response:
    return Response(204, attributes.version(_set(call, {})))


def get_bucket_tagging(call: Call) -> Response:
    tags = call.store.bucket(call.request.bucket).settings.get("tagging")
    if not tags:
        raise S3Error(
            "NoSuchTagSet",
            "The TagSet does not exist",
            BucketName=call.request.bucket,
        )
    return Response(body=_document(tags))


def put_bucket_tagging(call: Call) -> Response:
    pairs = _pairs(call.body.data)
    if any(key.lower().startswith("aws:") for key, _ in pairs):
        raise S3Error("InvalidTag", "System tags cannot be added/updated by requester")
    tags = attributes.check_tags(pairs, _MAX_BUCKET_TAGS)
    call.store.configure(call.request.bucket, "tagging", tags)
    return Response(204)


def delete_bucket_tagging(call: Call) -> Response:
    call.store.configure(call.request.bucket, "tagging", None)
    return Response(204)


def _set(call: Call, tags: Mapping[str, str]) -> Found:
    request = call.request
    return call.store.set_tags(request.bucket, request.key, request.version, tags)


def _pairs(body: bytes) -> list[tuple[str, str]]:
    root = parse(body, "Tagging")
    if root.find("TagSet") is None:
        raise malformed()
    return [
        (tag.findtext("Key") or "", tag.findtext("Value") or "")
        for tag in root.findall("TagSet/Tag")
    ]


def _document(tags: Mapping[str, str]) -> bytes:
    listed = [("Tag", (("Key", key), ("Value", value))) for key, value in tags.items()]
    return document("Tagging", (("TagSet", listed),))

"""Which handler answers a request, and where its body goes."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache
from typing import Literal

from studio.s3 import (
    acl,
    buckets,
    deletion,
    listing,
    object_attributes,
    objects,
    post,
    subresources,
    tagging,
    uploads,
    version_listing,
)
from studio.s3.errors import S3Error, not_implemented
from studio.s3.message import Call, Request, Response
from studio.wire import models

Handler = Callable[[Call], Response]


@dataclass(frozen=True)
class Route:
    """`body`: nowhere (what comes is read and dropped), in memory (XML), or in a blob.

    `slow`: copies whole objects, so that clients would give up waiting.
    """

    handler: Handler
    body: Literal["none", "memory", "blob"] = "none"
    slow: bool = False


_SERVICE = {("GET", ""): Route(buckets.list_buckets)}
_BUCKET = {
    ("GET", ""): Route(listing.list_objects),
    ("GET", "acl"): Route(acl.get_bucket_acl),
    ("GET", "location"): Route(buckets.get_location),
    ("GET", "policyStatus"): Route(subresources.get_policy_status),
    ("GET", "uploads"): Route(uploads.list_uploads),
    ("GET", "versioning"): Route(buckets.get_versioning),
    ("GET", "versions"): Route(version_listing.list_versions),
    ("HEAD", ""): Route(buckets.head_bucket),
    ("PUT", ""): Route(buckets.create_bucket, "memory"),
    ("PUT", "acl"): Route(acl.put_bucket_acl, "memory"),
    ("PUT", "versioning"): Route(buckets.put_versioning, "memory"),
    ("DELETE", ""): Route(buckets.delete_bucket),
    ("POST", "delete"): Route(deletion.delete_objects, "memory"),
}
# Sub-resources that are kept: how each is asked for, put and deleted.
_KEPT: dict[str, tuple[Handler, Handler, Handler]] = {
    "cors": (subresources.get_cors, subresources.put_cors, subresources.delete_cors),
    "encryption": (
        subresources.get_encryption,
        subresources.put_encryption,
        subresources.delete_encryption,
    ),
    "lifecycle": (
        subresources.get_lifecycle,
        subresources.put_lifecycle,
        subresources.delete_lifecycle,
    ),
    "ownershipControls": (
        subresources.get_ownership,
        subresources.put_ownership,
        subresources.delete_ownership,
    ),
    "policy": (subresources.get_policy, subresources.put_policy, subresources.delete_policy),
    "publicAccessBlock": (
        subresources.get_public_access_block,
        subresources.put_public_access_block,
        subresources.delete_public_access_block,
    ),
    "tagging": (
        tagging.get_bucket_tagging,
        tagging.put_bucket_tagging,
        tagging.delete_bucket_tagging,
    ),
}
# Those that only have AWS's default.
_FIXED: dict[str, tuple[Handler, Handler]] = {
    "accelerate": (subresources.get_accelerate, subresources.put_accelerate),
    "logging": (subresources.get_logging, subresources.put_logging),
    "notification": (subresources.get_notification, subresources.put_notification),
    "requestPayment": (subresources.get_request_payment, subresources.put_request_payment),
}
for _name, (_get, _put, *_delete) in (_KEPT | _FIXED).items():
    _BUCKET["GET", _name] = Route(_get)
    _BUCKET["PUT", _name] = Route(_put, "memory")
    for _each in _delete:
        _BUCKET["DELETE", _name] = Route(_each)
for _name in ("object-lock", "replication", "website"):
    _BUCKET["GET", _name] = Route(subresources.get_absent)
for _name in ("replication", "website"):
    _BUCKET["DELETE", _name] = Route(subresources.delete_absent)
_OBJECT = {
    ("GET", ""): Route(objects.get_object),
    ("GET", "acl"): Route(acl.get_object_acl),
    ("GET", "attributes"): Route(object_attributes.get_object_attributes),
    ("GET", "tagging"): Route(tagging.get_object_tagging),
    ("GET", "uploadId"): Route(uploads.list_parts),
    ("HEAD", ""): Route(objects.get_object),
    ("PUT", ""): Route(objects.put_object, "blob"),
    ("PUT", "acl"): Route(acl.put_object_acl, "memory"),
    ("PUT", "tagging"): Route(tagging.put_object_tagging, "memory"),
    ("PUT", "uploadId"): Route(uploads.upload_part, "blob"),
    ("DELETE", ""): Route(deletion.delete_object),
    ("DELETE", "tagging"): Route(tagging.delete_object_tagging),
    ("DELETE", "uploadId"): Route(uploads.abort_upload),
    ("POST", "uploads"): Route(uploads.create_upload),
    ("POST", "uploadId"): Route(uploads.complete_upload, "memory", slow=True),
}
_COPIES = {
    "": Route(objects.copy_object, slow=True),
    "uploadId": Route(uploads.upload_part_copy, slow=True),
}

_READS = ("GET", "HEAD")

FORM = Route(post.post_object, "blob")
PREFLIGHT = Route(lambda call: Response())  # answered before anybody is known

# Sub-resources that S3 has and botocore's model lacks, or names only with a value.
_BESIDE_THE_MODEL = frozenset({"append", "legal-hold", "uploadId"})


def find(request: Request) -> Route:
    """Raises S3Error: NotImplemented names what is missing, MethodNotAllowed what cannot be."""
    name = sub_resource(request.query)
    if not request.bucket:
        table, what = _SERVICE, "service"
    elif not request.key:
        table, what = _BUCKET, "bucket"
    else:
        table, what = _OBJECT, "object"
    if what == "object" and request.method == "PUT" and "x-amz-copy-source" in request.headers:
        route = _COPIES.get(name)
    else:
        route = table.get((request.method, name))
    if "partNumber" in request.query and name != "uploadId" and request.method not in _READS:
        raise not_implemented(f"{request.method} of an object with partNumber")
    if name == "uploadId" and request.method == "PUT" and "partNumber" not in request.query:
        raise S3Error("InvalidArgument", "This operation needs a partNumber.")
    if route is None and name:
        raise not_implemented(f"{request.method} of a {what} with {name}")
    if route is None and request.method == "POST":
        raise not_implemented(f"POST of a {what}")
    if route is None:
        raise S3Error(
            "MethodNotAllowed",
            "The specified method is not allowed against this resource.",
            Method=request.method,
            ResourceType=what.upper(),
        )
    return route


def sub_resource(query: Mapping[str, str]) -> str:
    """What a query asks for instead of the object or the bucket itself; "" for nothing else."""
    found = [name for name in query if name in _sub_resources()]
    if len(found) > 1:
        raise S3Error(
            "InvalidArgument", f"Conflicting query string parameters: {', '.join(sorted(found))}"
        )
    return found[0] if found else ""


@cache
def _sub_resources() -> frozenset[str]:
    """What a query may ask for instead of the object or the bucket itself.

    From the model of S3, so that a sub-resource of tomorrow is refused, not taken for a plain PUT.
    """
    model = models.service_model("s3")
    queries = (
        model.operation_model(name).http["requestUri"].partition("?")[2]
        for name in model.operation_names
    )
    plain = {part for query in queries for part in query.split("&") if part and "=" not in part}
    return frozenset(plain) | _BESIDE_THE_MODEL

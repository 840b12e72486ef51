"""Operations on buckets."""

import re
from collections.abc import Mapping
from typing import Any

from studio.s3 import acl
from studio.s3.errors import S3Error, invalid_argument, not_implemented
from studio.s3.index import ENABLED, SUSPENDED
from studio.s3.message import Call, Response
from studio.s3.names import owner
from studio.s3.xml import document, malformed, parse, time_text

ENFORCED = "BucketOwnerEnforced"
OWNERSHIPS = (ENFORCED, "BucketOwnerPreferred", "ObjectWriter")

_CLASSIC = "us-east-1"
_MAX_BUCKETS = 10_000


def list_buckets(call: Call) -> Response:
    """By name. A page's token is the name that it ends with."""
    query = call.request.query
    limit, after = _page(query), query.get("continuation-token", "")
    wanted = query.get("bucket-region", call.region)
    found = [
        bucket
        for bucket in sorted(call.store.buckets(), key=lambda bucket: bucket.name)
        if bucket.name > after
        and bucket.name.startswith(query.get("prefix", ""))
        and bucket.region == wanted
        and call.permits("s3:ListBucket", bucket.name)
    ]
    buckets = [
        (
            "Bucket",
            (
                ("Name", bucket.name),
                ("CreationDate", time_text(bucket.created)),
                ("BucketRegion", bucket.region),
            ),
        )
        for bucket in found[:limit]
    ]
    pairs = (
        ("Owner", owner(call.account)),
        ("Buckets", buckets),
        ("ContinuationToken", found[limit - 1].name if len(found) > limit else None),
        ("Prefix", query.get("prefix") or None),
    )
    return Response(body=document("ListAllMyBucketsResult", pairs))


def _page(query: Mapping[str, str]) -> int:
    text = query.get("max-buckets", str(_MAX_BUCKETS))
    number = int(text) if re.fullmatch("[0-9]{1,10}", text) else 0
    if not 1 <= number <= _MAX_BUCKETS:
        message = f"Argument max-buckets must be an integer between 1 and {_MAX_BUCKETS}."
        raise invalid_argument("max-buckets", text, message)
    return number


def create_bucket(call: Call) -> Response:
    name = call.request.bucket
    settings = _settings(call)
    region = _constraint(call.body.data)
    if region != call.region and not (region == "EU" and call.region == "eu-west-1"):
        _refuse_region(region)
    headers = {"location": f"/{name}", "x-amz-bucket-arn": f"arn:aws:s3:::{name}"}
    if call.store.create_bucket(name, call.region, call.principal.owner, settings):
        return Response(headers=headers)
    if call.store.bucket(name).owner != call.principal.owner:
        raise S3Error(
            "BucketAlreadyExists",
            "The requested bucket name is not available. The bucket namespace is shared by all "
            "users of the system. Please select a different name and try again.",
            BucketName=name,
        )
    if call.region != _CLASSIC:
        raise S3Error(
            "BucketAlreadyOwnedByYou",
            "Your previous request to create the named bucket succeeded and you already own it.",
            BucketName=name,
        )
    return Response(headers=headers)


def head_bucket(call: Call) -> Response:
    bucket = call.store.bucket(call.request.bucket)
    return Response(
        headers={"x-amz-bucket-region": bucket.region, "content-type": "application/xml"}
    )


def delete_bucket(call: Call) -> Response:
    call.store.delete_bucket(call.request.bucket)
    return Response(204)


def get_location(call: Call) -> Response:
    region = call.store.bucket(call.request.bucket).region
    # The classic region has no name here; clients know.
    text = "" if region == _CLASSIC else region
    return Response(body=document("LocationConstraint", ()).replace(b"></", f">{text}</".encode()))


def get_versioning(call: Call) -> Response:
    state = call.store.bucket(call.request.bucket).versioning
    return Response(body=document("VersioningConfiguration", (("Status", state or None),)))


def put_versioning(call: Call) -> Response:
    root = parse(call.body.data, "VersioningConfiguration")
    state = root.findtext("Status")
    if state not in (ENABLED, SUSPENDED):
        raise S3Error(
            "IllegalVersioningConfigurationException",
            "The Versioning element must be specified",
        )
    if root.findtext("MfaDelete") == "Enabled":
        raise not_implemented("MFA Delete")
    call.store.set_versioning(call.request.bucket, state)
    return Response()


def _settings(call: Call) -> dict[str, Any]:
    """What the headers of a new bucket want kept of it. Raises S3Error."""
    headers = call.request.headers
    ownership = headers.get("x-amz-object-ownership", ENFORCED)
    if ownership not in OWNERSHIPS:
        raise invalid_argument(
            "x-amz-object-ownership", ownership, "Invalid x-amz-object-ownership header"
        )
    acl.check_new_bucket(headers, call.account, enforced=ownership == ENFORCED)
    if headers.get("x-amz-bucket-object-lock-enabled", "false").lower() != "false":
        raise not_implemented("Object lock (x-amz-bucket-object-lock-enabled)")
    _check_namespace(call)
    if ownership == ENFORCED:
        return {}
    return {"ownershipControls": {"Rules": [{"ObjectOwnership": ownership}]}}


def _check_namespace(call: Call) -> None:
    """A bucket of the account's own namespace says so in its name."""
    namespace = call.request.headers.get("x-amz-bucket-namespace", "global")
    if namespace not in ("global", "account-regional"):
        raise invalid_argument("x-amz-bucket-namespace", namespace, "Unknown bucket namespace.")
    suffix = f"-{call.account}-{call.region}-an"
    if namespace == "account-regional" and not call.request.bucket.endswith(suffix):
        raise S3Error(
            "InvalidNamespaceHeader",
            "The requested bucket's name did not include the account-regional namespace suffix, "
            f"but the provided x-amz-bucket-namespace header value is {namespace}.",
        )


def _constraint(body: bytes) -> str:
    """The region that the client wants the bucket in; the classic one when it does not say."""
    if not body:
        return _CLASSIC
    root = parse(body, "CreateBucketConfiguration")
    element = root.find("LocationConstraint")
    if element is None:
        return _CLASSIC
    if not element.text:
        raise malformed()
    return element.text


def _refuse_region(wanted: str) -> None:
    if wanted == _CLASSIC:
        raise S3Error(
            "IllegalLocationConstraintException",
            "The unspecified location constraint is incompatible for the region specific "
            "endpoint this request was sent to.",
        )
    raise S3Error(
        "IllegalLocationConstraintException" if "-" in wanted else "InvalidLocationConstraint",
        f"The {wanted} location constraint is incompatible for the region specific endpoint "
        "this request was sent to.",
    )

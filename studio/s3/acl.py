"""Access control lists, where all buckets and objects belong to one account.

The owner has full control. What grants just that is accepted and changes nothing; what grants
anything to anybody else is refused, so that nobody believes it to be in force: as on AWS where a
bucket has them disabled, its default, and as not implemented where its ownership enables them.
"""

import re
from collections.abc import Mapping
from typing import Any

from studio.s3.errors import S3Error, invalid_argument, not_implemented
from studio.s3.message import Call, Response
from studio.s3.names import owner
from studio.s3.store import ObjectStore
from studio.s3.xml import document, parse

_CANNED = {
    "private",
    "public-read",
    "public-read-write",
    "authenticated-read",
    "aws-exec-read",
    "bucket-owner-read",
    "bucket-owner-full-control",
    "log-delivery-write",
}
_DISABLED = "AccessControlListNotSupported"
_ENFORCED = {"Rules": [{"ObjectOwnership": "BucketOwnerEnforced"}]}
_HARMLESS = ("private", "bucket-owner-full-control")
_GRANT = "x-amz-grant-"
_GRANTS = ("full-control", "read", "read-acp", "write", "write-acp")
_GRANTEE = re.compile(r'\s*(id|uri|emailAddress)\s*=\s*"?([^",\s]{1,512})"?\s*')
_XSI = 'xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" xsi:type="CanonicalUser"'


def explained(store: ObjectStore, bucket: str, error: S3Error) -> S3Error:
    """The answer for this bucket to a write that `check_headers` refused with `error`."""
    if error.code != _DISABLED:
        return error
    controls = store.bucket(bucket).settings.get("ownershipControls", _ENFORCED)
    return error if controls == _ENFORCED else _granting()


def get_bucket_acl(call: Call) -> Response:
    call.store.bucket(call.request.bucket)
    return _answer(call)


def get_object_acl(call: Call) -> Response:
    call.store.head(call.request.bucket, call.request.key)
    return _answer(call)


def put_bucket_acl(call: Call) -> Response:
    call.store.bucket(call.request.bucket)
    return _explained_put(call)


def put_object_acl(call: Call) -> Response:
    call.store.head(call.request.bucket, call.request.key)
    return _explained_put(call)


def check_new_bucket(headers: Mapping[str, str], account: str, enforced: bool) -> None:
    """Raises S3Error unless a bucket with the ACL that `headers` ask for is its owner's alone."""
    try:
        check_headers(headers, account)
    except S3Error as error:
        if error.code != _DISABLED:
            raise
        if not enforced:
            raise _granting() from error
        raise S3Error(
            "InvalidBucketAclWithObjectOwnership",
            "Bucket cannot have ACLs set with ObjectOwnership's BucketOwnerEnforced setting",
        ) from error


def check_headers(headers: Mapping[str, str], account: str = "") -> None:
    """Raises S3Error unless the ACL that a write asks for gives nothing to others.

    `account` "" takes no grant for the owner's.
    """
    canned = headers.get("x-amz-acl")
    if canned is not None and canned not in _CANNED:
        raise invalid_argument("x-amz-acl", canned, "")
    grants = [name for name in headers if name.startswith(_GRANT)]
    if canned is not None and grants:
        raise S3Error(
            "InvalidRequest", "Specifying both Canned ACLs and Header Grants is not allowed"
        )
    if canned is not None and canned not in _HARMLESS:
        raise _disabled()
    for name in grants:
        _check_grant(name, headers[name], account)


def _explained_put(call: Call) -> Response:
    try:
        return _put(call)
    except S3Error as error:
        raise explained(call.store, call.request.bucket, error) from error


def _put(call: Call) -> Response:
    headers, body = call.request.headers, call.body.data
    stated = "x-amz-acl" in headers or any(name.startswith(_GRANT) for name in headers)
    if stated and body:
        raise S3Error("UnexpectedContent", "This request does not support content")
    if not stated and not body:
        raise S3Error(
            "MissingSecurityHeader",
            "Your request was missing a required header",
            MissingHeaderName="x-amz-acl",
        )
    if stated:
        check_headers(headers, call.account)
    else:
        _check_document(body, call.account)
    return Response()


def _check_document(body: bytes, account: str) -> None:
    try:
        grants = parse(body, "AccessControlPolicy").findall("AccessControlList/Grant")
    except S3Error:
        raise _malformed() from None
    if not grants:
        raise _malformed()
    for grant in grants:
        grantee, permission = grant.find("Grantee"), grant.findtext("Permission")
        if grantee is None or permission is None:
            raise _malformed()
        if (grantee.findtext("ID"), permission) != (_owner_id(account), "FULL_CONTROL"):
            raise _disabled()


def _check_grant(name: str, value: str, account: str) -> None:
    if name.removeprefix(_GRANT) not in _GRANTS:
        raise invalid_argument(name, value, "Unknown grant header.")
    for part in value.split(","):
        match = _GRANTEE.fullmatch(part)
        if match is None:
            raise invalid_argument(name, value, "Argument format not recognized")
        owners = match[1] == "id" and bool(account) and match[2] == _owner_id(account)
        if not owners or name != f"{_GRANT}full-control":
            raise _disabled()


def _answer(call: Call) -> Response:
    pairs: Any = (
        ("Owner", owner(call.account)),
        (
            "AccessControlList",
            (("Grant", (("Grantee", owner(call.account)), ("Permission", "FULL_CONTROL"))),),
        ),
    )
    body = document("AccessControlPolicy", pairs)
    return Response(body=body.replace(b"<Grantee>", f"<Grantee {_XSI}>".encode()))


def _owner_id(account: str) -> str:
    return owner(account)[0][1]


def _malformed() -> S3Error:
    return S3Error(
        "MalformedACLError",
        "The XML you provided was not well-formed or did not validate against our published schema",
    )


def _disabled() -> S3Error:
    return S3Error(_DISABLED, "The bucket does not allow ACLs")


def _granting() -> S3Error:
    return not_implemented("An access control list that grants anything to others")

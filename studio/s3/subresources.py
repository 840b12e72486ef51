"""What is configured of a bucket beside its objects.

A configuration that is kept is checked first; one that this store would not act on is refused by
its name, and asked for, answered as AWS answers for a bucket that has none.
"""

from collections.abc import Mapping
from typing import Any

from studio.identity import documents
from studio.identity.documents import Policy
from studio.s3 import cors, lifecycle, shapes
from studio.s3.buckets import ENFORCED, OWNERSHIPS
from studio.s3.errors import S3Error, not_implemented
from studio.s3.message import Call, Response
from studio.s3.xml import document, malformed

_MAX_POLICY_BYTES = 20 << 10
_ENCRYPTION = "x-amz-server-side-encryption"
_BLOCKED = {
    "BlockPublicAcls": True,
    "IgnorePublicAcls": True,
    "BlockPublicPolicy": True,
    "RestrictPublicBuckets": True,
}
_ENFORCED = {"Rules": [{"ObjectOwnership": ENFORCED}]}
_ABSENT = {
    "object-lock": (
        "ObjectLockConfigurationNotFoundError",
        "Object Lock configuration does not exist for this bucket",
    ),
    "replication": (
        "ReplicationConfigurationNotFoundError",
        "The replication configuration was not found",
    ),
    "website": (
        "NoSuchWebsiteConfiguration",
        "The specified bucket does not have a website configuration",
    ),
}


def get_policy(call: Call) -> Response:
    return Response(headers={"content-type": "application/json"}, body=_policy(call).encode())


def put_policy(call: Call) -> Response:
    """The text is kept as it came: clients compare it with theirs."""
    bucket = call.store.bucket(call.request.bucket)
    try:
        text = call.body.data.decode()
    except UnicodeError:
        text = ""
    if len(call.body.data) > _MAX_POLICY_BYTES:
        raise _malformed_policy("Your policy document exceeds the maximum size of 20480 bytes.")
    if not text.startswith("{"):
        raise _malformed_policy("Policies must be valid JSON and the first byte must be '{'")
    try:
        policy = documents.parse(text, "resource")
    except documents.Malformed as error:
        raise _malformed_policy(str(error)) from error
    _check_resources(policy, bucket.name)
    block = bucket.settings.get("publicAccessBlock", _BLOCKED)
    if block.get("BlockPublicPolicy") and _is_public(policy):
        raise S3Error(
            "AccessDenied",
            "Public policies are prevented by the BlockPublicPolicy setting in S3 Block Public "
            "Access.",
        )
    call.store.configure(bucket.name, "policy", text)
    return Response(204)


def delete_policy(call: Call) -> Response:
    call.store.configure(call.request.bucket, "policy", None)
    return Response(204)


def get_policy_status(call: Call) -> Response:
    public = _is_public(documents.parse(_policy(call), "resource"))
    return Response(body=document("PolicyStatus", (("IsPublic", public),)))


def get_cors(call: Call) -> Response:
    rules = call.store.bucket(call.request.bucket).settings.get("cors")
    if not rules:
        raise S3Error(
            "NoSuchCORSConfiguration",
            "The CORS configuration does not exist",
            BucketName=call.request.bucket,
        )
    return Response(body=cors.written(rules))


def put_cors(call: Call) -> Response:
    call.store.configure(call.request.bucket, "cors", cors.read(call.body.data))
    return Response()


def delete_cors(call: Call) -> Response:
    call.store.configure(call.request.bucket, "cors", None)
    return Response(204)


def get_lifecycle(call: Call) -> Response:
    rules = call.store.bucket(call.request.bucket).settings.get("lifecycle")
    if not rules:
        raise S3Error(
            "NoSuchLifecycleConfiguration",
            "The lifecycle configuration does not exist",
            BucketName=call.request.bucket,
        )
    return Response(body=lifecycle.written(rules))


def put_lifecycle(call: Call) -> Response:
    call.store.configure(call.request.bucket, "lifecycle", lifecycle.read(call.body.data))
    return Response()


def delete_lifecycle(call: Call) -> Response:
    call.store.configure(call.request.bucket, "lifecycle", None)
    return Response(204)


def get_encryption(call: Call) -> Response:
    settings = call.store.bucket(call.request.bucket).settings
    headers = settings.get("encryption")
    if not headers:
        raise S3Error(
            "ServerSideEncryptionConfigurationNotFoundError",
            "The server side encryption configuration was not found",
            BucketName=call.request.bucket,
        )
    default = {"SSEAlgorithm": headers[_ENCRYPTION]}
    if key := headers.get(f"{_ENCRYPTION}-aws-kms-key-id"):
        default["KMSMasterKeyID"] = key
    rule: dict[str, Any] = {
        "ApplyServerSideEncryptionByDefault": default,
        "BucketKeyEnabled": headers.get(f"{_ENCRYPTION}-bucket-key-enabled") == "true",
    }
    if blocked := settings.get("blockedEncryption"):
        rule["BlockedEncryptionTypes"] = {"EncryptionType": blocked}
    return Response(body=shapes.write({"Rules": [rule]}, "ServerSideEncryptionConfiguration"))


def put_encryption(call: Call) -> Response:
    """Kept as the headers that every new object of the bucket gets. Nothing is encrypted."""
    rules = shapes.read(call.body.data, "ServerSideEncryptionConfiguration")["Rules"]
    default = rules[0].get("ApplyServerSideEncryptionByDefault") if len(rules) == 1 else None
    if default is None or set(rules[0]) - {
        "ApplyServerSideEncryptionByDefault",
        "BucketKeyEnabled",
        "BlockedEncryptionTypes",
    }:
        raise S3Error("InvalidRequest", "The encryption configuration needs exactly one default.")
    headers = {_ENCRYPTION: default["SSEAlgorithm"]}
    if key := default.get("KMSMasterKeyID"):
        if default["SSEAlgorithm"] == "AES256":
            raise S3Error(
                "InvalidArgument",
                "a KMSMasterKeyID is not applicable if the default sse algorithm is not aws:kms "
                "or aws:kms:dsse",
            )
        headers[f"{_ENCRYPTION}-aws-kms-key-id"] = key
    if rules[0].get("BucketKeyEnabled") and default["SSEAlgorithm"] != "AES256":
        headers[f"{_ENCRYPTION}-bucket-key-enabled"] = "true"
    call.store.configure(call.request.bucket, "blockedEncryption", _blocked_encryption(rules[0]))
    call.store.configure(call.request.bucket, "encryption", headers)
    return Response()


def _blocked_encryption(rule: Mapping[str, Any]) -> list[str] | None:
    """Customers' keys are refused anyway: kept, it only is told."""
    blocked = rule.get("BlockedEncryptionTypes")
    if blocked is None:
        return None
    kinds: list[str] = blocked.get("EncryptionType", [])
    if kinds not in (["NONE"], ["SSE-C"]):
        raise malformed()
    return kinds


def delete_encryption(call: Call) -> Response:
    call.store.configure(call.request.bucket, "blockedEncryption", None)
    call.store.configure(call.request.bucket, "encryption", None)
    return Response(204)


def get_ownership(call: Call) -> Response:
    found = call.store.bucket(call.request.bucket).settings.get("ownershipControls", _ENFORCED)
    if not found:
        raise S3Error(
            "OwnershipControlsNotFoundError",
            "The bucket ownership controls were not found",
            BucketName=call.request.bucket,
        )
    return Response(body=shapes.write(found, "OwnershipControls"))


def put_ownership(call: Call) -> Response:
    controls = shapes.read(call.body.data, "OwnershipControls")
    rules = controls.get("Rules", [])
    if len(rules) != 1 or rules[0].get("ObjectOwnership") not in OWNERSHIPS:
        raise malformed()
    call.store.configure(call.request.bucket, "ownershipControls", controls)
    return Response()


def delete_ownership(call: Call) -> Response:
    call.store.configure(call.request.bucket, "ownershipControls", {})
    return Response(204)


def get_public_access_block(call: Call) -> Response:
    found = call.store.bucket(call.request.bucket).settings.get("publicAccessBlock", _BLOCKED)
    if not found:
        raise S3Error(
            "NoSuchPublicAccessBlockConfiguration",
            "The public access block configuration was not found",
            BucketName=call.request.bucket,
        )
    return Response(body=shapes.write(found, "PublicAccessBlockConfiguration"))


def put_public_access_block(call: Call) -> Response:
    stated = shapes.read(call.body.data, "PublicAccessBlockConfiguration")
    if not stated:
        raise S3Error("InvalidRequest", "Must specify at least one configuration.")
    found = {name: stated.get(name, False) for name in _BLOCKED}
    call.store.configure(call.request.bucket, "publicAccessBlock", found)
    return Response()


def delete_public_access_block(call: Call) -> Response:
    call.store.configure(call.request.bucket, "publicAccessBlock", {})
    return Response(204)


def get_notification(call: Call) -> Response:
    return _answer(call, document("NotificationConfiguration", ()))


def put_notification(call: Call) -> Response:
    if shapes.read(call.body.data, "NotificationConfiguration"):
        raise not_implemented("Notification of events")
    return _answer(call)


def get_request_payment(call: Call) -> Response:
    return _answer(call, document("RequestPaymentConfiguration", (("Payer", "BucketOwner"),)))


def put_request_payment(call: Call) -> Response:
    if shapes.read(call.body.data, "RequestPaymentConfiguration") != {"Payer": "BucketOwner"}:
        raise not_implemented("Payment by the requester")
    return _answer(call)


def get_accelerate(call: Call) -> Response:
    return _answer(call, document("AccelerateConfiguration", ()))


def put_accelerate(call: Call) -> Response:
    if shapes.read(call.body.data, "AccelerateConfiguration") != {"Status": "Suspended"}:
        raise not_implemented("Transfer acceleration")
    return _answer(call)


def get_logging(call: Call) -> Response:
    return _answer(call, document("BucketLoggingStatus", ()))


def put_logging(call: Call) -> Response:
    if shapes.read(call.body.data, "BucketLoggingStatus"):
        raise not_implemented("Logging of access to a bucket")
    return _answer(call)


def get_absent(call: Call) -> Response:
    """Of a configuration that no bucket here can have."""
    call.store.bucket(call.request.bucket)
    name = next(name for name in _ABSENT if name in call.request.query)
    code, message = _ABSENT[name]
    raise S3Error(code, message, BucketName=call.request.bucket)


def delete_absent(call: Call) -> Response:
    call.store.bucket(call.request.bucket)
    return Response(204)


def _answer(call: Call, body: bytes = b"") -> Response:
    call.store.bucket(call.request.bucket)
    return Response(body=body)


def _policy(call: Call) -> str:
    text: str | None = call.store.bucket(call.request.bucket).settings.get("policy")
    if text is None:
        raise S3Error(
            "NoSuchBucketPolicy",
            "The bucket policy does not exist",
            BucketName=call.request.bucket,
        )
    return text


def _check_resources(policy: Policy, bucket: str) -> None:
    """A policy speaks of its own bucket."""
    arn = f"arn:aws:s3:::{bucket}"
    for statement in policy:
        for resource in statement.resources + statement.not_resources:
            if resource != arn and not resource.startswith(f"{arn}/"):
                raise _malformed_policy("Policy has invalid resource")


def _is_public(policy: Policy) -> bool:
    """Whether it allows anything to everybody without a condition."""
    return any(
        each.allows
        and not each.conditions
        and (each.not_principals or any(who == "*" for _, who in each.principals))
        for each in policy
    )


def _malformed_policy(message: str) -> S3Error:
    return S3Error("MalformedPolicy", message)

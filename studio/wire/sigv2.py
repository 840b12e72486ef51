"""SigV2 in the query of an S3 request or in a POST form: what boto3 presigns for a custom endpoint
by default."""

import base64
import binascii
import hmac
import re
from collections.abc import Callable, Mapping
from urllib.parse import unquote

from studio.wire.signature import (
    DUMMY_SECRET,
    Request,
    SignatureError,
    Verified,
    check_signature,
    decoded,
)

# The parameters that are part of the resource which a SigV2 signature covers.
# fmt: off
_SUB_RESOURCES = frozenset((
    "accelerate", "acl", "analytics", "cors", "defaultObjectAcl", "delete", "inventory",
    "lifecycle", "location", "logging", "metrics", "notification", "object-lock", "partNumber",
    "policy", "replication", "requestPayment", "restore", "select", "select-type",
    "storageClass", "tagging", "torrent", "uploadId", "uploads", "versionId", "versioning",
    "versions", "website", "response-cache-control", "response-content-disposition",
    "response-content-encoding", "response-content-language", "response-content-type",
    "response-expires",
))
# fmt: on


def verify(
    request: Request,
    parameters: list[tuple[str, str]],
    secret_of: Callable[[str], str | None],
    now: float,
) -> Verified:
    """As `sigv4.verify`, of a request whose query holds `parameters`, still encoded."""
    values = {name: unquote(value) for name, value in parameters}
    names = [name for name, _ in parameters]
    if any("\n" in value for value in values.values()):
        # A value with a line break could pass for the next lines of what is signed.
        raise SignatureError("malformed", "Parameters must not hold line breaks.", "v2-query")
    if any(names.count(name) != 1 for name in ("AWSAccessKeyId", "Expires", "Signature")):
        raise SignatureError(
            "malformed",
            "Query-string authentication requires the Signature, Expires and AWSAccessKeyId "
            "parameters, each of them once.",
            "v2-query",
        )
    expires = values["Expires"]
    if not re.fullmatch(r"[0-9]{1,15}", expires):
        raise SignatureError(
            "malformed", "Invalid date (should be seconds since epoch)", "v2-query"
        )
    if now > int(expires):
        raise SignatureError("expired", "Request has expired", "v2-query")
    secret = secret_of(values["AWSAccessKeyId"])
    given = _base64_as_hex(values["Signature"])
    right = _signature(request, values, secret)
    bucket_alone = request.path.count("/") == 1 and request.path != "/"
    if bucket_alone and not hmac.compare_digest(given, right):
        # Clients sign a bucket alone as the folder that it is.
        right = _signature(request._replace(path=request.path + "/"), values, secret)
    check_signature(given, right, secret, "v2-query")
    return Verified(
        values["AWSAccessKeyId"], "s3", "v2-query", "", values["Signature"], b"", "", ""
    )


def verify_form(fields: Mapping[str, str], secret_of: Callable[[str], str | None]) -> Verified:
    """As `sigv4.verify_form`, of a form with AWSAccessKeyId and Signature."""
    for name in ("awsaccesskeyid", "signature", "policy"):
        if not fields.get(name):
            text = f"Bucket POST must contain a field named '{name}'."
            raise SignatureError("malformed", text, "v2-form")
    identifier, given = fields["awsaccesskeyid"], fields["signature"]
    secret = secret_of(identifier)
    check_signature(_base64_as_hex(given), _digest(fields["policy"], secret), secret, "v2-form")
    return Verified(identifier, "s3", "v2-form", "", given, b"", "", "")


def _signature(request: Request, values: dict[str, str], secret: str | None) -> str:
    return _digest(_string_to_sign(request, values), secret)


def _digest(text: str, secret: str | None) -> str:
    key = (DUMMY_SECRET if secret is None else secret).encode()
    return hmac.digest(key, text.encode("utf-8", "surrogateescape"), "sha1").hex()


def _base64_as_hex(text: str) -> str:
    try:
        return base64.b64decode(text, validate=True).hex()
    except (binascii.Error, ValueError):
        return ""


def _string_to_sign(request: Request, values: dict[str, str]) -> str:
    """A presigning client moves its headers into the query. Those of Amazon's count there unless
    sent as headers; the type and the digest of a body must be sent, though boto3 moves them too."""
    moved = {name.lower(): value for name, value in values.items()}
    headers = {name: value for name, value in moved.items() if name.startswith("x-amz-")} | {
        name: decoded(value) for name, value in request.headers.items()
    }
    amazon = sorted(name for name in headers if name.startswith("x-amz-"))
    lines = [
        request.method,
        headers.get("content-md5", "").strip(),
        headers.get("content-type", "").strip(),
        values["Expires"],
        *(f"{name}:{headers[name].strip()}" for name in amazon),
        _resource(request),
    ]
    return "\n".join(lines)


def _resource(request: Request) -> str:
    parts = sorted((p.partition("=") for p in request.query.split("&")), key=lambda part: part[0])
    signed = [
        f"{name}{equals}{unquote(value)}" for name, equals, value in parts if name in _SUB_RESOURCES
    ]
    return request.path + ("?" + "&".join(signed) if signed else "")

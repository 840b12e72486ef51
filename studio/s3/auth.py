"""Who sends a request: signatures, with S3's codes for what is wrong with them."""

from collections.abc import Callable, Mapping

from studio.s3.errors import S3Error
from studio.wire import sigv4

Secrets = Callable[[str], str | None]

_MESSAGES = {
    "unknown_key": (
        "InvalidAccessKeyId",
        "The AWS Access Key Id you provided does not exist in our records.",
    ),
    "mismatch": (
        "SignatureDoesNotMatch",
        "The request signature we calculated does not match the signature you provided. "
        "Check your key and signing method.",
    ),
    "skewed": (
        "RequestTimeTooSkewed",
        "The difference between the request time and the server's time is too large.",
    ),
    "expired": ("AccessDenied", "Request has expired"),
    "missing": ("AccessDenied", "Access Denied"),
}


def authenticate(
    request: sigv4.Request, secret_of: Secrets, region: str, now: float
) -> sigv4.Verified:
    """The verified signature; the body is checked against it later. Raises S3Error."""
    try:
        verified = sigv4.verify(
            request, secret_of, services=("s3",), region=region, now=now, body_sha256=None
        )
    except sigv4.SignatureError as error:
        raise _answer(error, request.headers, region) from error
    if verified.scheme != "v4-header" and verified.payload.startswith("STREAMING-"):
        raise S3Error("InvalidRequest", "A presigned request cannot be streamed in chunks.")
    return verified


def check_owner(headers: Mapping[str, str], account: str) -> None:
    """Everything belongs to `account`; a client that expects another is refused."""
    for name in ("x-amz-expected-bucket-owner", "x-amz-source-expected-bucket-owner"):
        if headers.get(name, account) != account:
            raise S3Error("AccessDenied", "Access Denied")


def _answer(error: sigv4.SignatureError, headers: Mapping[str, str], region: str) -> S3Error:
    if error.kind in _MESSAGES:
        return S3Error(*_MESSAGES[error.kind])
    if "x-amz-content-sha256" in error.message:
        return S3Error("InvalidArgument", error.message)
    if error.kind == "malformed" and "Only one auth" in error.message:
        return S3Error("InvalidArgument", error.message)
    if error.kind == "malformed" and "not signed" in error.message:
        return S3Error("AccessDenied", error.message)
    if "authorization" not in headers:
        return S3Error("AuthorizationQueryParametersError", error.message)
    # Clients look for the region here and sign again for that.
    return S3Error("AuthorizationHeaderMalformed", error.message, Region=region)

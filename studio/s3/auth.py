"""Who sends a request: signatures, with S3's codes for what is wrong with them."""

from collections.abc import Mapping

from studio.identity.keys import KeyRing
from studio.identity.principals import Principal
from studio.s3.errors import S3Error
from studio.wire import sigv4
from studio.wire.signature import SignatureError, session_token

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
    request: sigv4.Request, keys: KeyRing, region: str, now: float
) -> tuple[sigv4.Verified, Principal]:
    """The verified signature, and whose it is; the body is checked later. Raises S3Error."""
    try:
        verified = sigv4.verify(
            request, keys.secret_of, services=("s3",), region=region, now=now, body_sha256=None
        )
        token = session_token(request)
    except SignatureError as error:
        raise _answer(error, request.headers, region) from error
    if verified.scheme != "v4-header" and verified.payload.startswith("STREAMING-"):
        raise S3Error("InvalidRequest", "A presigned request cannot be streamed in chunks.")
    return verified, principal_of(keys, verified.access_key_id, token, now)


def principal_of(keys: KeyRing, key_id: str, token: str, now: float) -> Principal:
    """Whose key it is, once its signature is right; `now` in seconds. Raises S3Error."""
    key = keys.find(key_id)
    if key is None or (key.token_sha256 and not token):
        raise S3Error(*_MESSAGES["unknown_key"])
    if not key.has_token(token):
        raise S3Error("InvalidToken", "The provided token is malformed or otherwise invalid.")
    if key.expired(int(now * 1000)):
        raise S3Error("ExpiredToken", "The provided token has expired.")
    return key.principal


def authenticate_form(
    fields: Mapping[str, str], keys: KeyRing, region: str, now: float
) -> tuple[sigv4.Verified, Principal]:
    """As `authenticate`, of a POST form with these fields, by lower-case name."""
    try:
        verified = sigv4.verify_form(fields, keys.secret_of, region=region)
    except SignatureError as error:
        if error.kind in _MESSAGES:
            raise S3Error(*_MESSAGES[error.kind]) from error
        raise S3Error("InvalidArgument", error.message) from error
    token = fields.get("x-amz-security-token", "")
    return verified, principal_of(keys, verified.access_key_id, token, now)


def check_owner(headers: Mapping[str, str], account: str) -> None:
    """Everything belongs to `account`; a client that expects another is refused."""
    for name in ("x-amz-expected-bucket-owner", "x-amz-source-expected-bucket-owner"):
        if headers.get(name, account) != account:
            raise S3Error("AccessDenied", "Access Denied")


def _answer(error: SignatureError, headers: Mapping[str, str], region: str) -> S3Error:
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

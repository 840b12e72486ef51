"""AWS signatures as a server checks them: SigV4 in the header or the query, SigV2 in the query.

Standard library only: the control plane, the S3 gateway and the router share it. It knows
nothing of the services' error codes: each protocol maps `SignatureError.kind` to its own.
"""

import hashlib
import hmac
from collections.abc import Callable, Collection, Mapping
from functools import lru_cache

from studio.wire import sigv2
from studio.wire.canonical import canonical_request
from studio.wire.claims import (
    ALGORITHM,
    STREAMING,
    STREAMING_TRAILER,
    STREAMING_UNSIGNED_TRAILER,
    UNSIGNED,
    Claim,
    check_scope,
    check_signed_headers,
    form_claim,
    header_claim,
    query_claim,
)
from studio.wire.signature import (
    DUMMY_SECRET,
    Request,
    SignatureError,
    Verified,
    check_signature,
    pairs,
)

__all__ = [
    "STREAMING",
    "STREAMING_TRAILER",
    "STREAMING_UNSIGNED_TRAILER",
    "UNSIGNED",
    "Request",
    "SignatureError",
    "Verified",
    "chunk_signature",
    "trailer_signature",
    "verify",
    "verify_form",
]

_EMPTY_SHA256 = hashlib.sha256(b"").hexdigest()


def verify(
    request: Request,
    secret_of: Callable[[str], str | None],
    *,
    services: Collection[str],
    region: str,
    now: float,
    body_sha256: str | None,
) -> Verified:
    """Who signed `request`. Raises SignatureError.

    `region` "" accepts any (global services are signed for another one than the client's).
    `body_sha256` is the hex digest of a body that has been read; None trusts the declared one
    and leaves the comparison to the caller. `now` is in epoch seconds.
    """

    *others, last = [request, *request.outside()]
    for each in others:
        try:
            return _verify(each, secret_of, services, region, now, body_sha256)
        except SignatureError as error:
            if error.kind != "mismatch":
                raise
    return _verify(last, secret_of, services, region, now, body_sha256)


def verify_form(
    fields: Mapping[str, str], secret_of: Callable[[str], str | None], *, region: str
) -> Verified:
    """Who signed the policy of an S3 POST form with these fields, by lower-case name.

    Source: https://docs.aws.amazon.com/AmazonS3/latest/API/sigv4-post-example.html
    """
    v4, v2 = "x-amz-signature" in fields, "signature" in fields
    if v4 and v2:
        raise SignatureError("malformed", "Only one auth mechanism allowed", "v4-form")
    if v2 or "awsaccesskeyid" in fields:
        return sigv2.verify_form(fields, secret_of)
    if not v4 and "x-amz-algorithm" not in fields:
        raise SignatureError("missing", "Missing Authentication Token")
    claim = form_claim(fields)
    check_scope(claim, ("s3",), region)
    return _checked(claim, fields["policy"], secret_of)


def chunk_signature(verified: Verified, previous: str, chunk_sha256: str) -> str:
    """The signature of one chunk of a STREAMING-AWS4-HMAC-SHA256-PAYLOAD body.

    `previous` is the signature of the chunk before it, for the first one `verified.signature`.
    """
    return _chained(verified, "PAYLOAD", previous, f"{_EMPTY_SHA256}\n{chunk_sha256}")


def trailer_signature(verified: Verified, previous: str, trailer: bytes) -> str:
    """The x-amz-trailer-signature after the last chunk; `trailer` holds `name:value\\n` lines."""
    return _chained(verified, "TRAILER", previous, hashlib.sha256(trailer).hexdigest())


def _verify(
    request: Request,
    secret_of: Callable[[str], str | None],
    services: Collection[str],
    region: str,
    now: float,
    body_sha256: str | None,
) -> Verified:
    header = request.headers.get("authorization")
    parameters = pairs(request.query)
    names = [name for name, _ in parameters]
    v4, v2 = "X-Amz-Signature" in names, "Signature" in names and "AWSAccessKeyId" in names
    if (header is not None) + v4 + v2 > 1:
        raise SignatureError("malformed", "Only one auth mechanism allowed", _scheme(v4))
    if v2 and "s3" in services:
        return sigv2.verify(request, parameters, secret_of, now)
    if v4 or "X-Amz-Algorithm" in names or "X-Amz-Credential" in names:
        claim = query_claim(request, parameters, now, body_sha256)
    elif header is not None:
        claim = header_claim(request, header, now, body_sha256)
    else:
        raise SignatureError("missing", "Missing Authentication Token")
    check_scope(claim, services, region)
    check_signed_headers(claim, request.headers)
    return _verify_v4(request, claim, secret_of)


def _chained(verified: Verified, what: str, previous: str, digests: str) -> str:
    text = f"{ALGORITHM}-{what}\n{verified.timestamp}\n{verified.scope}\n{previous}\n{digests}"
    return hmac.digest(verified.signing_key, text.encode(), "sha256").hex()


def _verify_v4(request: Request, claim: Claim, secret_of: Callable[[str], str | None]) -> Verified:
    digest = hashlib.sha256(canonical_request(request, claim).encode("utf-8", "surrogateescape"))
    text = f"{ALGORITHM}\n{claim.timestamp}\n{_scope(claim)}\n{digest.hexdigest()}"
    return _checked(claim, text, secret_of)


def _checked(claim: Claim, text: str, secret_of: Callable[[str], str | None]) -> Verified:
    """What is known once the signature of `claim` is that of `text`."""
    secret = secret_of(claim.access_key_id)
    key = _signing_key(
        DUMMY_SECRET if secret is None else secret, claim.date, claim.region, claim.service
    )
    signature = hmac.digest(key, text.encode("utf-8", "surrogateescape"), "sha256").hex()
    check_signature(claim.signature, signature, secret, claim.scheme)
    return Verified(
        access_key_id=claim.access_key_id,
        service=claim.service,
        scheme=claim.scheme,
        payload=claim.payload,
        signature=signature,
        signing_key=key,
        timestamp=claim.timestamp,
        scope=_scope(claim),
    )


def _scope(claim: Claim) -> str:
    return f"{claim.date}/{claim.region}/{claim.service}/{claim.terminator}"


@lru_cache(maxsize=512)
def _signing_key(secret: str, date: str, region: str, service: str) -> bytes:
    key = f"AWS4{secret}".encode()
    for part in (date, region, service, "aws4_request"):
        key = hmac.digest(key, part.encode(), "sha256")
    return key


def _scheme(query: bool) -> str:
    return "v4-query" if query else "v4-header"

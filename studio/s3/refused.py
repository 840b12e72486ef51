"""Headers that no operation may pass over in silence, since the client relies on them."""

from collections.abc import Mapping

from studio.s3 import acl
from studio.s3.errors import S3Error, invalid_argument, not_implemented
from studio.s3.message import Request

_CUSTOMER_KEY = "x-amz-server-side-encryption-customer-"
_COPIED_KEY = "x-amz-copy-source-server-side-encryption-customer-"


def check(request: Request, sub_resource: str, account: str) -> None:
    """Raises S3Error before the body is read, for a signed request."""
    check_headers(request.headers, account if request.key and sub_resource != "acl" else None)


def check_headers(headers: Mapping[str, str], account: str | None = "") -> None:
    """`account` None leaves the access control list to the operation."""
    for name in headers:
        if name.startswith((_CUSTOMER_KEY, _COPIED_KEY)):
            raise not_implemented(f"The header {name}")
    payer = headers.get("x-amz-request-payer", "requester")
    if payer != "requester":
        raise invalid_argument("x-amz-request-payer", payer, "Invalid request payer header value")
    redirect = headers.get("x-amz-website-redirect-location", "/")
    if not redirect.startswith(("/", "http://", "https://")):
        raise S3Error(
            "InvalidRedirectLocation",
            "The website redirect location must have a prefix of 'http://' or 'https://' or '/'.",
        )
    if account is not None:
        acl.check_headers(headers, account)

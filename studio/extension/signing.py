"""AWS signatures for what the browser asks: in the user's name, with the key that never leaves the
Jupyter server."""

from collections.abc import Mapping
from urllib.parse import parse_qsl, quote, unquote_to_bytes

from botocore import auth, credentials
from botocore.awsrequest import AWSRequest

from studio.extension.access import Access


def signed(
    access: Access, service: str, method: str, url: str, headers: Mapping[str, str], body: bytes
) -> dict[str, str]:
    """`headers`, and those that make them a request of `service` signed by the user's key."""
    signer = auth.SigV4Auth(_key(access), service, access.region)
    return _signed_by(signer, method, url, headers, body)


def signed_s3(access: Access, method: str, url: str, headers: Mapping[str, str]) -> dict[str, str]:
    """As `signed` for S3, whose bodies need not be known yet: they pass as they come."""
    return _signed_by(_StreamedS3(_key(access), "s3", access.region), method, url, headers, b"")


def canonical_target(path: str, query: str) -> str:
    """Path and query as AWS spells them in signatures: browsers leave more as it is."""
    spelt = quote(unquote_to_bytes(path), safe="/-_.~")
    pairs = parse_qsl(query, keep_blank_values=True, encoding="utf-8", errors="surrogateescape")
    together = "&".join(f"{_spelt(name)}={_spelt(value)}" for name, value in pairs)
    return f"{spelt}?{together}" if together else spelt


class _StreamedS3(auth.S3SigV4Auth):
    def _should_sha256_sign_payload(self, request: AWSRequest) -> bool:
        return False


def _key(access: Access) -> credentials.Credentials:
    return credentials.Credentials(access.key.access_key_id, access.key.secret_access_key)


def _signed_by(
    signer: auth.SigV4Auth, method: str, url: str, headers: Mapping[str, str], body: bytes
) -> dict[str, str]:
    request = AWSRequest(method, url, headers=dict(headers), data=body)
    signer.add_auth(request)
    return dict(request.headers.items())


def _spelt(text: str) -> str:
    return quote(text, safe="-_.~", encoding="utf-8", errors="surrogateescape")

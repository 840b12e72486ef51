"""The canonical forms of a request that a SigV4 signature covers."""

import re
from urllib.parse import quote

from studio.wire.claims import Claim
from studio.wire.signature import Request, decoded, pairs

_ENCODED_QUERY = re.compile(r"[A-Za-z0-9._~%=&-]*")
# A path that is its own canonical form: nothing to encode, no empty or dot segment.
_CANONICAL_PATH = re.compile(r"(?:/[A-Za-z0-9_~-]+)+/?")
_ENCODED_PATH = re.compile(r"[A-Za-z0-9._~%/-]*")


def canonical_request(request: Request, claim: Claim) -> str:
    headers = request.headers
    lines = [
        request.method,
        _canonical_path(request.path, claim.service),
        _canonical_query(claim.query),
        *(f"{name}:{_trimmed(headers.get(name, ''))}" for name in claim.signed_headers),
        "",
        ";".join(claim.signed_headers),
        claim.payload,
    ]
    return "\n".join(lines)


def _canonical_path(path: str, service: str) -> str:
    """S3 signs the path as it is; other services normalise it and encode it once more."""
    if path == "/" or _CANONICAL_PATH.fullmatch(path):
        return path
    if service == "s3":
        return path if _ENCODED_PATH.fullmatch(path) else quote(decoded(path), safe="/%~")
    return quote(_normalised(decoded(path)), safe="/~")


def _normalised(path: str) -> str:
    """Without empty and dot segments."""
    kept: list[str] = []
    for segment in path.split("/"):
        if segment == "..":
            del kept[-1:]
        elif segment not in ("", "."):
            kept.append(segment)
    joined = "/".join(kept)
    return f"/{joined}/" if kept and path.endswith("/") else f"/{joined}"


def _canonical_query(query: str) -> str:
    if not query:
        return query
    if not _ENCODED_QUERY.fullmatch(query):
        query = quote(decoded(query), safe="%=&~")
    return "&".join(f"{name}={value}" for name, value in sorted(pairs(query)))


def _trimmed(value: str) -> str:
    return " ".join(decoded(value).split())

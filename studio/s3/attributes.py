"""The headers that a client gives an object and gets back with it: content headers, metadata,
storage class, encryption, tags. Pure."""

from collections.abc import Mapping
from urllib.parse import parse_qsl

from studio.s3 import lifecycle
from studio.s3.errors import S3Error, invalid_argument, not_implemented
from studio.s3.index import NULL
from studio.s3.store import Attributes, Found

META = "x-amz-meta-"
DEFAULT_TYPE = "binary/octet-stream"

_MAX_META_BYTES = 2048
MAX_TAGS = 10
_KEPT = (
    "cache-control",
    "content-disposition",
    "content-encoding",
    "content-language",
    "content-type",
    "expires",
    "x-amz-server-side-encryption",
    "x-amz-server-side-encryption-aws-kms-key-id",
    "x-amz-server-side-encryption-bucket-key-enabled",
    "x-amz-server-side-encryption-context",
    "x-amz-storage-class",
    "x-amz-website-redirect-location",
)
_CLASSES = {
    "STANDARD",
    "REDUCED_REDUNDANCY",
    "STANDARD_IA",
    "ONEZONE_IA",
    "INTELLIGENT_TIERING",
    "GLACIER",
    "GLACIER_IR",
    "DEEP_ARCHIVE",
    "EXPRESS_ONEZONE",
}
_ENCRYPTIONS = {"AES256", "aws:kms", "aws:kms:dsse"}
_REFUSED = ("x-amz-object-lock-",)


def from_request(headers: Mapping[str, str]) -> Attributes:
    """What a Put, Copy with REPLACE, or CreateMultipartUpload says. Raises S3Error."""
    check_refused(headers)
    kept = {name: headers[name] for name in _KEPT if name in headers}
    kept.setdefault("content-type", DEFAULT_TYPE)
    encodings = [text.strip() for text in kept.pop("content-encoding", "").split(",")]
    if left := [text for text in encodings if text and text != "aws-chunked"]:
        kept["content-encoding"] = ",".join(left)
    if kept.get("x-amz-storage-class", "STANDARD") not in _CLASSES:
        raise S3Error("InvalidStorageClass", "The storage class you specified is not valid")
    if kept.get("x-amz-storage-class") == "STANDARD":
        del kept["x-amz-storage-class"]
    _check_encryption(kept)
    return Attributes(kept | _metadata(headers), parse_tagging(headers.get("x-amz-tagging", "")))


def encryption(headers: Mapping[str, str]) -> dict[str, str]:
    """Those of the headers of an object that answers to writes repeat."""
    prefix = "x-amz-server-side-encryption"
    return {name: value for name, value in headers.items() if name.startswith(prefix)}


def version(found: Found) -> dict[str, str]:
    """Which version it is, where the bucket keeps versions."""
    if not found.bucket.versioning and found.stored.version == NULL:
        return {}
    return {"x-amz-version-id": found.stored.version}


def told(found: Found) -> dict[str, str]:
    """What answers to reads and writes of an object say of it beside its own headers."""
    expiration = lifecycle.expiration_header(found.bucket, found.stored)
    return encryption(found.stored.headers) | version(found) | expiration


def parse_tagging(text: str) -> dict[str, str]:
    """The tags of an `x-amz-tagging` header."""
    try:
        pairs = parse_qsl(text, keep_blank_values=True, strict_parsing=bool(text), errors="strict")
    except ValueError as error:
        raise invalid_argument(
            "x-amz-tagging",
            text,
            "The header 'x-amz-tagging' shall be encoded as UTF-8 then URLEncoded URL query "
            "parameters without tag name duplicates.",
        ) from error
    return check_tags(pairs)


def check_tags(pairs: list[tuple[str, str]], limit: int = MAX_TAGS) -> dict[str, str]:
    tags = dict(pairs)
    if len(tags) != len(pairs):
        raise S3Error("InvalidTag", "Cannot provide multiple Tags with the same key")
    if len(tags) > limit:
        raise S3Error("BadRequest", f"Object tags cannot be greater than {limit}")
    for key, value in pairs:
        if key.lower().startswith("aws:"):
            raise S3Error("InvalidTag", "Your TagKey cannot be prefixed with aws:")
        if not 1 <= len(key) <= 128:
            raise S3Error("InvalidTag", "The TagKey you have provided is invalid")
        if len(value) > 256:
            raise S3Error("InvalidTag", "The TagValue you have provided is invalid")
    return tags


def check_refused(headers: Mapping[str, str]) -> None:
    """What would be ignored in silence, though the client relies on it."""
    for name in headers:
        if name.startswith(_REFUSED):
            raise not_implemented(f"The header {name}")


def _check_encryption(kept: Mapping[str, str]) -> None:
    prefix = "x-amz-server-side-encryption"
    stated = kept.get(prefix)
    if stated is not None and stated not in _ENCRYPTIONS:
        text = "The encryption method specified is not supported"
        raise invalid_argument(prefix, stated, text)
    extra = next((name for name in kept if name.startswith(f"{prefix}-")), None)
    if extra is not None and not (stated or "").startswith("aws:kms"):
        text = (
            "Server Side Encryption with AWS KMS managed key requires HTTP header "
            "x-amz-server-side-encryption : aws:kms"
        )
        raise invalid_argument(prefix, stated or "null", text)
    switch = kept.get(f"{prefix}-bucket-key-enabled", "false")
    if switch not in ("true", "false"):
        raise invalid_argument(f"{prefix}-bucket-key-enabled", switch, "true or false is needed.")


def _metadata(headers: Mapping[str, str]) -> dict[str, str]:
    metadata = {name: value for name, value in headers.items() if name.startswith(META)}
    size = sum(len(name) - len(META) + len(value) for name, value in metadata.items())
    if size > _MAX_META_BYTES:
        raise S3Error(
            "MetadataTooLarge",
            "Your metadata headers exceed the maximum allowed metadata size",
            Size=size,
            MaxSizeAllowed=_MAX_META_BYTES,
        )
    return metadata

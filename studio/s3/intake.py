"""A request's body on its way in: decoded, hashed, kept, and checked against all that was declared.

Blocking: used from worker threads, by one at a time. Knows nothing of sockets.
"""

import base64
import binascii
import hashlib
import hmac
import io
import re
from collections.abc import Mapping

from studio.s3 import checksums
from studio.s3.blobs import BlobWriter
from studio.s3.checksums import Hash
from studio.s3.chunked import ChunkDecoder, incomplete_body
from studio.s3.errors import S3Error
from studio.s3.index import NO_CHECKSUM, Checksum
from studio.s3.message import Body
from studio.s3.store import Content, ObjectStore
from studio.wire import sigv4

MAX_PUT_BYTES = 5 << 30
MAX_XML_BYTES = 8 << 20

_SHA256 = re.compile(r"[0-9a-f]{64}")
_COUNT = re.compile(r"[0-9]{1,18}", re.ASCII)


def declared_size(headers: Mapping[str, str], streaming: bool, limit: int) -> int:
    """Bytes of content that a request announces. Raises S3Error when it does not, or too many."""
    name = "x-amz-decoded-content-length" if streaming else "content-length"
    text = headers.get(name, "")
    if not _COUNT.fullmatch(text):
        raise S3Error("MissingContentLength", f"You must provide the {name} HTTP header.")
    size = int(text)
    if size > limit:
        raise S3Error(
            "EntityTooLarge",
            "Your proposed upload exceeds the maximum allowed size",
            ProposedSize=size,
            MaxSizeAllowed=limit,
        )
    return size


class Intake:
    """Takes one body; `finish` or `discard` ends it.

    With a `store` the content goes into a blob, else into memory. `size` is None where no size
    was declared. `algorithm` is a checksum to compute though the client may declare none.
    """

    def __init__(
        self,
        headers: Mapping[str, str],
        verified: sigv4.Verified,
        size: int | None,
        store: ObjectStore | None,
        algorithm: str = "",
    ) -> None:
        self._headers = headers
        self._size = size
        self._payload = verified.payload
        self._declared = _declared_checksum(headers)
        self._md5_declared = _declared_md5(headers)
        self._md5 = hashlib.md5(usedforsecurity=False)
        self._sha256 = hashlib.sha256() if _SHA256.fullmatch(self._payload) else None
        self._algorithm = self._declared.algorithm or algorithm
        self._hash: Hash | None = checksums.new(self._algorithm) if self._algorithm else None
        self._received = 0
        self._decoder: ChunkDecoder | None = None
        if self._payload.startswith("STREAMING-"):
            self._decoder = ChunkDecoder(verified, size or 0, self._take)
        self._memory = io.BytesIO()
        self._writer: BlobWriter | None = store.writer() if store else None

    def feed(self, data: bytes) -> None:
        if self._decoder:
            self._decoder.feed(data)
        else:
            with memoryview(data) as view:
                self._take(view)

    def finish(self) -> Body:
        """The body, durable if it is a blob. Raises S3Error unless it is what was declared."""
        trailers = self._decoder.finish() if self._decoder else {}
        if self._size not in (None, self._received):
            raise incomplete_body()
        self._check_digests()
        checksum = self._checksum(trailers)
        if self._writer is None:
            return Body(self._memory.getvalue())
        etag, blob = self._md5.hexdigest(), self._writer.keep()
        sums = self._writer.sums()
        return Body(content=Content(blob, self._received, etag, checksum, sums))

    def discard(self) -> None:
        if self._writer:
            self._writer.discard()

    def _take(self, data: memoryview) -> None:
        self._received += len(data)
        if self._size is not None and self._received > self._size:
            raise incomplete_body()
        self._md5.update(data)
        if self._sha256:
            self._sha256.update(data)
        if self._hash:
            self._hash.update(data)
        if self._writer:
            self._writer.write(data)
        else:
            self._memory.write(data)

    def _check_digests(self) -> None:
        if self._md5_declared and not hmac.compare_digest(self._md5_declared, self._md5.digest()):
            raise S3Error(
                "BadDigest", "The Content-MD5 you specified did not match what we received."
            )
        if self._sha256 and self._sha256.hexdigest() != self._payload:
            raise S3Error(
                "XAmzContentSHA256Mismatch",
                "The provided 'x-amz-content-sha256' header does not match what was computed.",
                ClientComputedContentSHA256=self._payload,
                S3ComputedContentSHA256=self._sha256.hexdigest(),
            )

    def _checksum(self, trailers: Mapping[str, str]) -> Checksum:
        if self._hash is None:
            return NO_CHECKSUM
        computed = checksums.encoded(self._hash.digest())
        declared = self._declared.value
        if self._declared.algorithm and not declared:
            declared = trailers.get(f"x-amz-checksum-{self._algorithm.lower()}", "")
            if not declared:
                raise S3Error(
                    "MalformedTrailerError",
                    "The request announced a trailing checksum and carried none.",
                )
            checksums.check_value(self._algorithm, declared)
        if declared and declared != computed:
            raise S3Error(
                "BadDigest",
                f"The {self._algorithm} you specified did not match the calculated checksum.",
            )
        return Checksum(self._algorithm, computed)


def _declared_checksum(headers: Mapping[str, str]) -> Checksum:
    """The one checksum of the body; its value is empty when it comes in the trailer."""
    stated = [name for name in checksums.HEADERS if name in headers]
    trailers = headers.get("x-amz-trailer", "").lower().replace(" ", "").split(",")
    stated += [name for name in checksums.HEADERS if name in trailers]
    if len(stated) > 1:
        raise S3Error(
            "InvalidRequest",
            "Expecting a single x-amz-checksum- header. Multiple checksum Types are not allowed.",
        )
    if not stated:
        if "x-amz-sdk-checksum-algorithm" in headers:
            raise S3Error(
                "InvalidRequest",
                "x-amz-sdk-checksum-algorithm specified, but no "
                "corresponding x-amz-checksum-* or x-amz-trailer headers were found.",
            )
        return NO_CHECKSUM
    algorithm = checksums.check_algorithm(checksums.HEADERS[stated[0]])
    value = headers.get(stated[0], "")
    if stated[0] in headers:
        checksums.check_value(algorithm, value)
    return Checksum(algorithm, value)


def _declared_md5(headers: Mapping[str, str]) -> bytes:
    text = headers.get("content-md5")
    if text is None:
        return b""
    try:
        digest = base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        digest = b""
    if len(digest) != 16:
        raise S3Error("InvalidDigest", "The Content-MD5 you specified was invalid.")
    return digest

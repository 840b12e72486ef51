"""The aws-chunked framing of a streamed body: its chunks, their signatures, its trailer.

Source: https://docs.aws.amazon.com/AmazonS3/latest/API/sigv4-streaming.html
"""

import hashlib
import hmac
import re
from collections.abc import Callable

from studio.s3.errors import S3Error
from studio.wire import sigv4

_MAX_LINE = 8192
_SIZE_LINE = re.compile(rb"([0-9a-fA-F]{1,16})(?:;chunk-signature=([0-9a-f]{64}))?", re.ASCII)
_TRAILER_LINE = re.compile(rb"([a-zA-Z0-9-]+):([\x21-\x7e]*)")
_SIGNED = (sigv4.STREAMING, sigv4.STREAMING_TRAILER)
_TRAILED = (sigv4.STREAMING_TRAILER, sigv4.STREAMING_UNSIGNED_TRAILER)


class ChunkDecoder:
    """Hands what the chunks carry, `size` bytes in all, to `write`; ends with `finish`."""

    def __init__(
        self, verified: sigv4.Verified, size: int, write: Callable[[memoryview], None]
    ) -> None:
        self._verified = verified
        self._write = write
        self._signed = verified.payload in _SIGNED
        self._trailed = verified.payload in _TRAILED
        self._previous = verified.signature
        self._left = size
        self._chunk_left = 0
        self._chunk_signature = ""
        self._chunk_hash = hashlib.sha256()
        self._buffer = bytearray()
        self._state: Callable[[], bool] = self._size_line
        self._trailer = b""
        self.trailers: dict[str, str] = {}

    def feed(self, data: bytes) -> None:
        """Raises S3Error when the framing, a size or a signature is wrong."""
        self._buffer += data
        while self._state():
            pass

    def finish(self) -> dict[str, str]:
        """The trailing headers by lower-case name. IncompleteBody unless all has come."""
        if self._left or self._state != self._done:
            raise incomplete_body()
        return self.trailers

    def _size_line(self) -> bool:
        line = self._line()
        if line is None:
            return False
        match = _SIZE_LINE.fullmatch(line)
        if match is None or self._signed != (match[2] is not None):
            raise _bad_framing()
        self._chunk_left = int(match[1], 16)
        if self._chunk_left > self._left:
            raise _bad_framing()
        self._chunk_signature = (match[2] or b"").decode()
        self._chunk_hash = hashlib.sha256()
        if self._chunk_left:
            self._state = self._data
            return True
        self._check_chunk()
        self._state = self._trailer_line if self._trailed else self._last_line
        return True

    def _data(self) -> bool:
        taken = min(self._chunk_left, len(self._buffer))
        if not taken:
            return False
        with memoryview(self._buffer) as view, view[:taken] as part:
            self._write(part)
            if self._signed:
                self._chunk_hash.update(part)
        del self._buffer[:taken]
        self._chunk_left -= taken
        self._left -= taken
        if not self._chunk_left:
            self._check_chunk()
            self._state = self._data_end
        return True

    def _data_end(self) -> bool:
        line = self._line()
        if line:
            raise _bad_framing()
        if line is None:
            return False
        self._state = self._size_line
        return True

    def _trailer_line(self) -> bool:
        line = self._line()
        if line is None:
            return False
        if not line:
            self._check_trailer()
            self._state = self._done
            return True
        match = _TRAILER_LINE.fullmatch(line)
        if match is None:
            raise S3Error(
                "MalformedTrailerError",
                "The request contained trailing data that was "
                "not well-formed or did not conform to our published schema.",
            )
        name, value = match[1].decode().lower(), match[2].decode()
        if name != "x-amz-trailer-signature":
            self._trailer += f"{name}:{value}\n".encode()
        self.trailers[name] = value
        return True

    def _last_line(self) -> bool:
        line = self._line()
        if line:
            raise _bad_framing()
        if line is None:
            return False
        self._state = self._done
        return True

    def _done(self) -> bool:
        if self._buffer.strip(b"\r\n"):
            raise _bad_framing()
        return False

    def _check_chunk(self) -> None:
        if self._signed:
            digest = self._chunk_hash.hexdigest()
            right = sigv4.chunk_signature(self._verified, self._previous, digest)
            _check(right, self._chunk_signature)
            self._previous = right

    def _check_trailer(self) -> None:
        if self._signed:
            given = self.trailers.pop("x-amz-trailer-signature", "")
            _check(sigv4.trailer_signature(self._verified, self._previous, self._trailer), given)

    def _line(self) -> bytes | None:
        """The next line without its end; None when it has not come yet."""
        end = self._buffer.find(b"\n", 0, _MAX_LINE)
        if end < 0:
            if len(self._buffer) >= _MAX_LINE:
                raise _bad_framing()
            return None
        line = bytes(self._buffer[:end]).removesuffix(b"\r")
        del self._buffer[: end + 1]
        return line


def incomplete_body() -> S3Error:
    return S3Error(
        "IncompleteBody",
        "You did not provide the number of bytes specified by the Content-Length HTTP header",
    )


def _bad_framing() -> S3Error:
    return S3Error("InvalidRequest", "The body is not framed as aws-chunked content.")


def _check(right: str, given: str) -> None:
    if not hmac.compare_digest(right, given):
        raise S3Error(
            "SignatureDoesNotMatch",
            "The request signature we calculated does not match the signature you provided. "
            "Check your key and signing method.",
        )

"""Bodies framed as aws-chunked: three modes, each with what may be wrong; boto3 over TLS."""

import base64
import hashlib
import hmac
import itertools
import ssl
import subprocess
import zlib
from pathlib import Path
from typing import Any

import pytest
import s3_raw
import s3_server
from hypothesis import given, settings
from hypothesis import strategies as st
from s3_server import SECRET

from studio.s3.chunked import ChunkDecoder
from studio.wire import sigv4

SIGNED = "STREAMING-AWS4-HMAC-SHA256-PAYLOAD"
SIGNED_TRAILER = f"{SIGNED}-TRAILER"
UNSIGNED_TRAILER = "STREAMING-UNSIGNED-PAYLOAD-TRAILER"
EMPTY = hashlib.sha256(b"").hexdigest()


class Framer:
    """Frames a body as a client does, from the head that it signed."""

    def __init__(self, signed: dict[str, str]) -> None:
        headers = {name.lower(): value for name, value in signed.items()}
        self.previous = headers["authorization"].rpartition("Signature=")[2]
        self.moment = headers["x-amz-date"]
        self.scope = f"{self.moment[:8]}/us-east-1/s3/aws4_request"
        self.key = f"AWS4{SECRET}".encode()
        for part in self.scope.split("/"):
            self.key = hmac_sha256(self.key, part)

    def chunk(self, data: bytes) -> bytes:
        digests = f"{EMPTY}\n{hashlib.sha256(data).hexdigest()}"
        self._sign("PAYLOAD", digests)
        head = f"{len(data):x};chunk-signature={self.previous}\r\n".encode()
        return head + data + b"\r\n" if data else head

    def trailer(self, line: str) -> bytes:
        self._sign("TRAILER", hashlib.sha256(f"{line}\n".encode()).hexdigest())
        return f"{line}\r\nx-amz-trailer-signature:{self.previous}\r\n\r\n".encode()

    def _sign(self, kind: str, digests: str) -> None:
        text = f"AWS4-HMAC-SHA256-{kind}\n{self.moment}\n{self.scope}\n{self.previous}\n{digests}"
        self.previous = hmac_sha256(self.key, text).hex()


def hmac_sha256(key: bytes, text: str) -> bytes:
    return hmac.new(key, text.encode(), "sha256").digest()


def crc(data: bytes) -> str:
    return base64.b64encode(zlib.crc32(data).to_bytes(4, "big")).decode()


def put(gateway: Any, bucket: str, mode: str, size: int, make: Any, **extra: str) -> s3_raw.Answer:
    """PUT what `make(framer)` frames of `size` bytes."""
    target = f"/{bucket}/k"
    headers = {"x-amz-decoded-content-length": str(size), "content-encoding": "aws-chunked"}
    if mode.endswith("TRAILER"):
        headers["x-amz-trailer"] = "x-amz-checksum-crc32"
    signed = s3_raw.sign(gateway.port, "PUT", target, headers | extra, payload=mode)
    body = make(Framer(signed))
    signed["content-length"] = str(len(body))
    return s3_raw.send(gateway.port, "PUT", target, signed, body)


@pytest.mark.parametrize("sizes", [[], [1], [65536, 65536, 10], [2 << 20, 7]])
def test_three_modes(s3: Any, bucket: str, gateway: Any, sizes: list[int]) -> None:
    pieces = [bytes([n]) * size for n, size in enumerate(sizes)]
    data = b"".join(pieces)

    def signed(framer: Framer) -> bytes:
        return b"".join(framer.chunk(piece) for piece in [*pieces, b""]) + b"\r\n"

    def signed_trailer(framer: Framer) -> bytes:
        chunks = b"".join(framer.chunk(piece) for piece in [*pieces, b""])
        return chunks + framer.trailer(f"x-amz-checksum-crc32:{crc(data)}")

    def unsigned_trailer(framer: Framer) -> bytes:
        chunks = b"".join(f"{len(piece):X}\r\n".encode() + piece + b"\r\n" for piece in pieces)
        return chunks + f"0\r\nx-amz-checksum-crc32:{crc(data)}\r\n\r\n".encode()

    for mode, make in (
        (SIGNED, signed),
        (SIGNED_TRAILER, signed_trailer),
        (UNSIGNED_TRAILER, unsigned_trailer),
    ):
        assert put(gateway, bucket, mode, len(data), make).status == 200
        got = s3.get_object(Bucket=bucket, Key="k")
        assert got["Body"].read() == data
        assert "ContentEncoding" not in got
        s3.delete_object(Bucket=bucket, Key="k")


def test_other_encodings_are_kept(s3: Any, bucket: str, gateway: Any) -> None:
    make = lambda framer: framer.chunk(b"x") + framer.chunk(b"") + b"\r\n"  # noqa: E731
    encoding = {"content-encoding": "aws-chunked, gzip"}
    assert put(gateway, bucket, SIGNED, 1, make, **encoding).status == 200
    assert s3.head_object(Bucket=bucket, Key="k")["ContentEncoding"] == "gzip"


def flipped(body: bytes, where: bytes) -> bytes:
    """With one digit changed after `where`."""
    at = body.rindex(where) + len(where)
    return body[:at] + (b"0" if body[at : at + 1] != b"0" else b"1") + body[at + 1 :]


def trailer(body: bytes) -> str:
    return f"x-amz-checksum-crc32:{crc(body)}"


FORGED = b";chunk-signature=" + b"0" * 64 + b"\r\n"
LAST = b"\r\n"

WRONG: list[tuple[str, str, str, Any]] = [
    (SIGNED, "SignatureDoesNotMatch", "first chunk", lambda f: (
        flipped(f.chunk(b"new"), b"signature=") + f.chunk(b"") + LAST)),
    (SIGNED, "SignatureDoesNotMatch", "last chunk", lambda f: (
        f.chunk(b"new") + flipped(f.chunk(b""), b"signature=") + LAST)),
    (SIGNED, "SignatureDoesNotMatch", "content", lambda f: (
        (f.chunk(b"new") + f.chunk(b"") + LAST).replace(b"new", b"bad"))),
    (SIGNED, "InvalidRequest", "unsigned", lambda _: b"3\r\nnew\r\n0\r\n\r\n"),
    (SIGNED, "IncompleteBody", "no last chunk", lambda f: f.chunk(b"new")),
    (SIGNED, "IncompleteBody", "short", lambda f: f.chunk(b"ne") + f.chunk(b"") + LAST),
    (SIGNED, "InvalidRequest", "long", lambda f: f.chunk(b"newer") + f.chunk(b"") + LAST),
    (SIGNED, "InvalidRequest", "more", lambda f: f.chunk(b"new") + f.chunk(b"") + LAST + b"more"),
    (SIGNED, "InvalidRequest", "negative", lambda _: b"-1" + FORGED),
    (SIGNED, "InvalidRequest", "enormous", lambda _: b"F" * 16 + FORGED),
    (SIGNED, "InvalidRequest", "endless line", lambda _: b"a" * 20000),
    (SIGNED_TRAILER, "SignatureDoesNotMatch", "trailer's signature", lambda f: (
        f.chunk(b"new") + f.chunk(b"") + flipped(f.trailer(trailer(b"new")), b"-signature:"))),
    (SIGNED_TRAILER, "SignatureDoesNotMatch", "unsigned trailer", lambda f: (
        f.chunk(b"new") + f.chunk(b"") + trailer(b"new").encode() + LAST + LAST)),
    (SIGNED_TRAILER, "BadDigest", "checksum", lambda f: (
        f.chunk(b"new") + f.chunk(b"") + f.trailer(trailer(b"bad")))),
    (UNSIGNED_TRAILER, "BadDigest", "checksum", lambda _: (
        b"3\r\nnew\r\n0\r\n" + trailer(b"bad").encode() + LAST + LAST)),
    (UNSIGNED_TRAILER, "MalformedTrailerError", "no trailer", lambda _: b"3\r\nnew\r\n0\r\n\r\n"),
    (UNSIGNED_TRAILER, "MalformedTrailerError", "no header", lambda _: (
        b"3\r\nnew\r\n0\r\nno header\r\n\r\n")),
    (UNSIGNED_TRAILER, "IncompleteBody", "no last chunk", lambda _: b"3\r\nnew\r\n"),
    (UNSIGNED_TRAILER, "InvalidRequest", "no line end", lambda _: b"3\r\nnewXX0\r\n\r\n"),
]  # fmt: skip


@pytest.mark.parametrize(
    ("mode", "code", "make"),
    [pytest.param(mode, code, make, id=f"{mode}: {what}") for mode, code, what, make in WRONG],
)
def test_a09_wrong_framing(
    s3: Any, bucket: str, gateway: Any, mode: str, code: str, make: Any
) -> None:
    s3.put_object(Bucket=bucket, Key="k", Body=b"old")
    answer = put(gateway, bucket, mode, 3, make)
    assert answer.code == code
    assert answer.status == (403 if code == "SignatureDoesNotMatch" else 400)
    assert s3.get_object(Bucket=bucket, Key="k")["Body"].read() == b"old"
    assert not list((gateway.root / "tmp").iterdir())


@settings(max_examples=60, deadline=None)
@given(
    pieces=st.lists(st.binary(min_size=1, max_size=40), max_size=5),
    cuts=st.lists(st.integers(0, 200)),
)
def test_the_decoder_does_not_care_how_bytes_arrive(pieces: list[bytes], cuts: list[int]) -> None:
    data = b"".join(pieces)
    framed = b"".join(b"%x\r\n%s\r\n" % (len(piece), piece) for piece in pieces)
    framed += b"0\r\nx-amz-checksum-crc32:abc\r\n\r\n"
    verified = sigv4.Verified("AKIA", "s3", "v4-header", UNSIGNED_TRAILER, "", b"", "", "")
    seen = bytearray()
    decoder = ChunkDecoder(verified, len(data), seen.extend)
    edges = [0, *sorted(min(cut, len(framed)) for cut in cuts), len(framed)]
    for start, end in itertools.pairwise(edges):
        decoder.feed(framed[start:end])
    assert decoder.finish() == {"x-amz-checksum-crc32": "abc"}
    assert bytes(seen) == data


def certificate(folder: Path) -> tuple[Path, Path]:
    """Files of a certificate for 127.0.0.1 and its key."""
    made, key = folder / "cert.pem", folder / "key.pem"
    command = ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-subj", "/CN=s3"]
    command += ["-addext", "subjectAltName=IP:127.0.0.1", "-keyout", str(key), "-out", str(made)]
    subprocess.run(command, check=True, capture_output=True)
    return made, key


def test_boto3_over_tls_streams_with_a_trailer(tmp_path: Path) -> None:
    made, key = certificate(tmp_path)
    tls = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    tls.load_cert_chain(made, key)
    data = bytes(range(256)) * 8192 + b"end"
    modes: list[Any] = []
    for running in s3_server.serve(tmp_path / "s3", tls=tls):
        client = s3_server.client(running.url, verify=str(made))
        client.meta.events.register(
            "before-send.s3",
            lambda request, **_: modes.append(request.headers.get("X-Amz-Content-SHA256")),
        )
        client.create_bucket(Bucket="tls")
        put = client.put_object(Bucket="tls", Key="k", Body=data)
        assert modes[-1] in (UNSIGNED_TRAILER, UNSIGNED_TRAILER.encode())
        assert put["ChecksumCRC32"] == crc(data)
        assert client.get_object(Bucket="tls", Key="k")["Body"].read() == data
        client.close()

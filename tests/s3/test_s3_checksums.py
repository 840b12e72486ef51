"""Every checksum of S3: of objects, in trailers, composed and combined of parts'."""

import base64
import contextlib
import hashlib
import zlib
from typing import Any

import pytest
import s3_raw
from hypothesis import given
from hypothesis import strategies as st

from studio.s3 import checksums
from studio.s3.errors import S3Error

# The check values that the catalogues of CRCs give for "123456789".
CHECKS = {"CRC32": "cbf43926", "CRC32C": "e3069283", "CRC64NVME": "ae8b14860a799888"}
PART = b"p" * (5 << 20)
UNSIGNED_TRAILER = "STREAMING-UNSIGNED-PAYLOAD-TRAILER"


def value(algorithm: str, data: bytes) -> str:
    made = checksums.new(algorithm)
    made.update(data)
    return checksums.encoded(made.digest())


def test_values_are_those_of_the_standards() -> None:
    for name, wanted in CHECKS.items():
        assert base64.b64decode(value(name, b"123456789")).hex() == wanted
    assert base64.b64decode(value("SHA1", b"x")) == hashlib.sha1(b"x").digest()
    assert base64.b64decode(value("CRC32", b"x")) == zlib.crc32(b"x").to_bytes(4, "big")


@given(st.sampled_from(sorted(CHECKS)), st.lists(st.binary(max_size=50), min_size=1, max_size=6))
def test_combined_is_that_of_the_whole(algorithm: str, pieces: list[bytes]) -> None:
    sums = [(value(algorithm, piece), len(piece)) for piece in pieces]
    assert checksums.combined(algorithm, sums).value == value(algorithm, b"".join(pieces))
    fed = checksums.new(algorithm)
    for piece in pieces:
        fed.update(piece)
    assert checksums.encoded(fed.digest()) == value(algorithm, b"".join(pieces))


@given(st.text(max_size=40))
def test_values_are_refused_in_words(text: str) -> None:
    for name in checksums.ALGORITHMS:
        with contextlib.suppress(S3Error):
            assert checksums.check_value(name, text) == text


@pytest.mark.parametrize("algorithm", checksums.ALGORITHMS)
def test_of_an_object_and_in_a_trailer(s3: Any, bucket: str, gateway: Any, algorithm: str) -> None:
    header, target = f"x-amz-checksum-{algorithm.lower()}", f"/{bucket}/k"
    right, wrong = value(algorithm, b"hello"), value(algorithm, b"other")
    for given_value, status in ((right, 200), (wrong, 400)):
        answer = s3_raw.call(gateway.port, "PUT", target, {header: given_value}, b"hello")
        assert answer.status == status
        body = f"5\r\nhello\r\n0\r\n{header}:{given_value}\r\n\r\n".encode()
        headers = {"x-amz-decoded-content-length": "5", "x-amz-trailer": header}
        answer = s3_raw.call(gateway.port, "PUT", target, headers, body, payload=UNSIGNED_TRAILER)
        assert (answer.status, answer.code) == (status, None if status == 200 else "BadDigest")
    got = s3.head_object(Bucket=bucket, Key="k", ChecksumMode="ENABLED")
    assert (got[f"Checksum{algorithm}"], got["ChecksumType"]) == (right, "FULL_OBJECT")


def upload(s3: Any, bucket: str, algorithm: str, kind: str) -> tuple[dict[str, Any], list[Any]]:
    made = s3.create_multipart_upload(
        Bucket=bucket, Key="k", ChecksumAlgorithm=algorithm, ChecksumType=kind
    )
    target = {"Bucket": bucket, "Key": "k", "UploadId": made["UploadId"]}
    parts = []
    for number, body in ((1, PART), (2, b"end")):
        stated = {f"Checksum{algorithm}": value(algorithm, body)}
        part = s3.upload_part(**target, PartNumber=number, Body=body, **stated)
        parts.append({"ETag": part["ETag"], "PartNumber": number} | stated)
    return target, parts


@pytest.mark.parametrize(
    ("algorithm", "kind"),
    [
        ("CRC32C", "COMPOSITE"),
        ("CRC32C", "FULL_OBJECT"),
        ("CRC64NVME", "FULL_OBJECT"),
        ("SHA256", "COMPOSITE"),
    ],
)
def test_of_an_upload(s3: Any, bucket: str, algorithm: str, kind: str) -> None:
    target, parts = upload(s3, bucket, algorithm, kind)
    member = f"Checksum{algorithm}"
    if kind == "FULL_OBJECT":
        wanted = value(algorithm, PART + b"end")
    else:
        joined = b"".join(base64.b64decode(part[member]) for part in parts)
        wanted = f"{value(algorithm, joined)}-2"
    listed = {"Parts": parts}
    wrong = {member: value(algorithm, b"other"), "ChecksumType": kind}
    with pytest.raises(s3.exceptions.ClientError, match="BadDigest"):
        s3.complete_multipart_upload(**target, MultipartUpload=listed, **wrong)
    with pytest.raises(s3.exceptions.ClientError, match="InvalidRequest"):
        s3.complete_multipart_upload(**target, MultipartUpload=listed, MpuObjectSize=1)
    size = len(PART) + 3
    right = {member: wanted, "ChecksumType": kind, "MpuObjectSize": size}
    done = s3.complete_multipart_upload(**target, MultipartUpload=listed, **right)
    assert (done[member], done["ChecksumType"]) == (wanted, kind)
    head = s3.head_object(Bucket=bucket, Key="k", ChecksumMode="ENABLED")
    assert (head[member], head["ContentLength"]) == (wanted, size)


@pytest.mark.parametrize(
    ("algorithm", "kind"),
    [("CRC64NVME", "COMPOSITE"), ("SHA1", "FULL_OBJECT"), ("CRC32", "HALF")],
)
def test_kinds_that_do_not_exist(s3: Any, bucket: str, algorithm: str, kind: str) -> None:
    with pytest.raises(s3.exceptions.ClientError, match="InvalidRequest"):
        s3.create_multipart_upload(
            Bucket=bucket, Key="k", ChecksumAlgorithm=algorithm, ChecksumType=kind
        )

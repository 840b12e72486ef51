"""Multipart uploads: what they make, and every way to get them wrong."""

import base64
import concurrent.futures
import hashlib
import time
import zlib
from typing import Any

import pytest
import s3_raw
from botocore.exceptions import ClientError

from studio.s3 import answer
from studio.s3.blobs import BlobWriter

MIB = 1 << 20


def start(s3: Any, bucket: str, sizes: list[int], **how: Any) -> tuple[dict[str, str], list[Any]]:
    """The upload's target and its parts, numbered 10, 20 ..."""
    target = {"Bucket": bucket, "Key": "k"}
    target["UploadId"] = s3.create_multipart_upload(**target, **how)["UploadId"]
    parts = []
    for index, size in enumerate(sizes, 1):
        body = bytes([index]) * size
        etag = s3.upload_part(**target, PartNumber=index * 10, Body=body)["ETag"]
        parts.append({"PartNumber": index * 10, "ETag": etag})
    return target, parts


def complete(s3: Any, target: dict[str, str], parts: list[Any], **how: Any) -> Any:
    return s3.complete_multipart_upload(**target, MultipartUpload={"Parts": parts}, **how)


def failure(ask: Any) -> str:
    with pytest.raises(ClientError) as error:
        ask()
    return str(error.value.response["Error"]["Code"])


def test_parts_become_one_object(s3: Any, bucket: str, gateway: Any) -> None:
    how = {"ContentType": "a/b", "Metadata": {"m": "1"}, "Tagging": "t=1"}
    target, parts = start(s3, bucket, [5 * MIB, 5 * MIB + 1, 3], **how)
    assert failure(lambda: s3.head_object(Bucket=bucket, Key="k")) == "404"
    assert "Contents" not in s3.list_objects_v2(Bucket=bucket)
    listed = s3.list_parts(**target)["Parts"]
    assert [(p["PartNumber"], p["Size"]) for p in listed] == [
        (10, 5 * MIB),
        (20, 5 * MIB + 1),
        (30, 3),
    ]
    etag = complete(s3, target, parts)["ETag"]
    body = b"\1" * 5 * MIB + b"\2" * (5 * MIB + 1) + b"\3" * 3
    got = s3.get_object(Bucket=bucket, Key="k")
    assert got["Body"].read() == body
    assert (got["ContentType"], got["Metadata"], got["TagCount"]) == ("a/b", {"m": "1"}, 1)
    joined = b"".join(bytes.fromhex(part["ETag"].strip('"')) for part in parts)
    assert etag == got["ETag"] == f'"{hashlib.md5(joined).hexdigest()}-3"'
    assert complete(s3, target, parts)["ETag"] == etag
    assert failure(lambda: s3.list_parts(**target)) == "NoSuchUpload"
    assert failure(lambda: s3.abort_multipart_upload(**target)) == "NoSuchUpload"
    s3.delete_object(Bucket=bucket, Key="k")
    assert failure(lambda: complete(s3, target, parts)) == "NoSuchUpload"
    assert not any(path.is_file() for path in (gateway.root / "tmp").iterdir())


def test_composite_and_whole_checksums(s3: Any, bucket: str) -> None:
    for kind in ("COMPOSITE", "FULL_OBJECT"):
        target, _ = start(s3, bucket, [], ChecksumAlgorithm="CRC32", ChecksumType=kind)
        bodies = [b"a" * 5 * MIB, b"b"]
        parts = []
        for number, body in enumerate(bodies, 1):
            answer = s3.upload_part(
                **target, PartNumber=number, Body=body, ChecksumAlgorithm="CRC32"
            )
            parts.append({k: answer[k] for k in ("ETag", "ChecksumCRC32")} | {"PartNumber": number})
        done = complete(s3, target, parts)
        sums = b"".join(zlib.crc32(body).to_bytes(4, "big") for body in bodies)
        composed = base64.b64encode(zlib.crc32(sums).to_bytes(4, "big")).decode() + "-2"
        whole = base64.b64encode(zlib.crc32(b"".join(bodies)).to_bytes(4, "big")).decode()
        assert done["ChecksumCRC32"] == (composed if kind == "COMPOSITE" else whole)
        head = s3.head_object(Bucket=bucket, Key="k", ChecksumMode="ENABLED")
        assert (head["ChecksumCRC32"], head["ChecksumType"]) == (done["ChecksumCRC32"], kind)
        assert s3.get_object(Bucket=bucket, Key="k")["Body"].read() == b"".join(bodies)


def test_a67_wrong_claims(s3: Any, bucket: str) -> None:
    target, parts = start(s3, bucket, [5 * MIB, 10])
    wrong = [parts[0], parts[1] | {"ETag": '"' + "0" * 32 + '"'}]
    absent = [*parts, {"PartNumber": 99, "ETag": parts[0]["ETag"]}]
    assert failure(lambda: complete(s3, target, wrong)) == "InvalidPart"
    assert failure(lambda: complete(s3, target, absent)) == "InvalidPart"
    assert failure(lambda: complete(s3, target, parts[::-1])) == "InvalidPartOrder"
    assert failure(lambda: complete(s3, target, [parts[0], *parts])) == "InvalidPartOrder"
    assert failure(lambda: complete(s3, target, [])) == "MalformedXML"
    unknown = target | {"UploadId": "0" * 44}
    assert failure(lambda: complete(s3, unknown, parts)) == "NoSuchUpload"
    assert failure(lambda: s3.upload_part(**unknown, PartNumber=1, Body=b"x")) == "NoSuchUpload"
    elsewhere = target | {"Key": "other"}
    assert failure(lambda: complete(s3, elsewhere, parts)) == "NoSuchUpload"
    assert failure(lambda: s3.head_object(Bucket=bucket, Key="k")) == "404"
    complete(s3, target, parts[1:])
    assert s3.get_object(Bucket=bucket, Key="k")["Body"].read() == b"\2" * 10


def test_a67_small_parts(s3: Any, bucket: str) -> None:
    target, parts = start(s3, bucket, [5 * MIB - 1, 10])
    assert failure(lambda: complete(s3, target, parts)) == "EntityTooSmall"
    s3.upload_part(**target, PartNumber=10, Body=b"z" * 5 * MIB)
    parts = [{k: p[k] for k in ("PartNumber", "ETag")} for p in s3.list_parts(**target)["Parts"]]
    complete(s3, target, parts)
    assert s3.get_object(Bucket=bucket, Key="k")["Body"].read() == b"z" * 5 * MIB + b"\2" * 10


@pytest.mark.parametrize("number", ["0", "10001", "-1", "1e3", ""])
def test_a67_part_numbers(s3: Any, bucket: str, gateway: Any, number: str) -> None:
    target, _ = start(s3, bucket, [])
    path = f"/{bucket}/k?partNumber={number}&uploadId={target['UploadId']}"
    answer = s3_raw.call(gateway.port, "PUT", path, body=b"x")
    assert (answer.status, answer.code) == (400, "InvalidArgument")
    assert "Parts" not in s3.list_parts(**target)


def test_copied_parts(s3: Any, bucket: str) -> None:
    source = {"Bucket": bucket, "Key": "source"}
    body = bytes(range(256)) * 4096 * 6
    s3.put_object(**source, Body=body)
    target, _ = start(s3, bucket, [])
    copied = []
    for number, text in ((1, f"bytes=0-{5 * MIB - 1}"), (2, f"bytes={5 * MIB}-{len(body) - 1}")):
        answer = s3.upload_part_copy(
            **target, PartNumber=number, CopySource=source, CopySourceRange=text
        )
        copied.append({"PartNumber": number, "ETag": answer["CopyPartResult"]["ETag"]})
    complete(s3, target, copied)
    assert s3.get_object(Bucket=bucket, Key="k")["Body"].read() == body
    target, _ = start(s3, bucket, [])
    whole = s3.upload_part_copy(**target, PartNumber=1, CopySource=source)["CopyPartResult"]
    assert whole["ETag"] == s3.head_object(**source)["ETag"]
    for text in ("bytes=5-", "bytes=-5", f"bytes=0-{len(body)}", "nonsense"):
        wrong = failure(
            lambda text=text: s3.upload_part_copy(
                **target, PartNumber=1, CopySource=source, CopySourceRange=text
            )
        )
        assert wrong == "InvalidArgument"


def test_a67_abort_and_complete_at_once(s3: Any, bucket: str) -> None:
    for _ in range(6):
        target, parts = start(s3, bucket, [10])
        with concurrent.futures.ThreadPoolExecutor(2) as pool:
            done = pool.submit(complete, s3, target, parts)
            gone = pool.submit(s3.abort_multipart_upload, **target)
            failures = [future.exception() for future in (done, gone)]
        assert sum(error is None for error in failures) == 1
        there = "Contents" in s3.list_objects_v2(Bucket=bucket)
        assert there == (failures[0] is None)
        s3.delete_object(Bucket=bucket, Key="k")


def test_a67_complete_twice_at_once(s3: Any, bucket: str) -> None:
    target, parts = start(s3, bucket, [5 * MIB, 10])
    with concurrent.futures.ThreadPoolExecutor(4) as pool:
        answers = list(pool.map(lambda _: complete(s3, target, parts)["ETag"], range(4)))
    assert len(set(answers)) == 1


def test_conditional_complete(s3: Any, bucket: str) -> None:
    s3.put_object(Bucket=bucket, Key="k", Body=b"x")
    target, parts = start(s3, bucket, [10])
    assert failure(lambda: complete(s3, target, parts, IfNoneMatch="*")) == "PreconditionFailed"
    assert s3.get_object(Bucket=bucket, Key="k")["Body"].read() == b"x"
    complete(s3, target, parts)


def test_lists_of_uploads_and_parts(s3: Any, bucket: str) -> None:
    made = []
    for key in ("a", "a", "b/1", "b/2", "c"):
        upload = s3.create_multipart_upload(Bucket=bucket, Key=key)
        made.append((key, upload["UploadId"]))
    pages = s3.get_paginator("list_multipart_uploads").paginate(
        Bucket=bucket, PaginationConfig={"PageSize": 2}
    )
    assert [(u["Key"], u["UploadId"]) for page in pages for u in page["Uploads"]] == made
    folded = s3.list_multipart_uploads(Bucket=bucket, Delimiter="/")
    assert [entry["Prefix"] for entry in folded["CommonPrefixes"]] == ["b/"]
    assert [entry["Key"] for entry in folded["Uploads"]] == ["a", "a", "c"]
    assert len(s3.list_multipart_uploads(Bucket=bucket, Prefix="b")["Uploads"]) == 2
    target, _ = start(s3, bucket, [1, 2, 3, 4, 5])
    parts = s3.get_paginator("list_parts").paginate(**target, PaginationConfig={"PageSize": 2})
    assert [part["Size"] for page in parts for part in page["Parts"]] == [1, 2, 3, 4, 5]


def test_a_slow_completion_keeps_the_client_waiting(
    s3: Any, bucket: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """White space comes while the parts are joined; then the answer, or an error inside a 200."""
    monkeypatch.setattr(answer, "_PATIENCE_SECONDS", 0.02)
    append = BlobWriter.append

    def slow(*arguments: Any) -> None:
        time.sleep(0.2)
        append(*arguments)

    monkeypatch.setattr(BlobWriter, "append", slow)
    target, parts = start(s3, bucket, [5 * MIB, 1])
    done = complete(s3, target, parts)
    assert done["ResponseMetadata"]["HTTPHeaders"]["transfer-encoding"] == "chunked"
    assert done["ETag"] == s3.head_object(Bucket=bucket, Key="k")["ETag"]
    target, parts = start(s3, bucket, [5 * MIB, 1])
    assert failure(lambda: complete(s3, target, parts, IfNoneMatch="*")) == "PreconditionFailed"

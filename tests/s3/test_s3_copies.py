"""Copies: with another checksum, onto themselves, under conditions."""

import base64
import hashlib
import zlib
from typing import Any

import pytest
from botocore.exceptions import ClientError

DATA = b"some value " * 200_000  # more than one chunk


@pytest.mark.parametrize("target", ["b", "a"])
def test_a_copy_gets_the_checksum_that_it_asks_for(s3: Any, bucket: str, target: str) -> None:
    s3.put_object(Bucket=bucket, Key="a", Body=DATA, ChecksumAlgorithm="CRC32")
    sha256 = base64.b64encode(hashlib.sha256(DATA).digest()).decode()
    copied = copy(s3, bucket, target, ChecksumAlgorithm="SHA256", MetadataDirective="REPLACE")
    assert copied["CopyObjectResult"]["ChecksumSHA256"] == sha256
    head = s3.head_object(Bucket=bucket, Key=target, ChecksumMode="ENABLED")
    assert (head["ChecksumSHA256"], head.get("ChecksumCRC32")) == (sha256, None)
    assert s3.get_object(Bucket=bucket, Key=target)["Body"].read() == DATA


def test_a_copy_that_asks_for_none_keeps_the_checksum(s3: Any, bucket: str) -> None:
    s3.put_object(Bucket=bucket, Key="a", Body=DATA, ChecksumAlgorithm="CRC32")
    crc = base64.b64encode(zlib.crc32(DATA).to_bytes(4, "big")).decode()
    assert copy(s3, bucket, "b")["CopyObjectResult"]["ChecksumCRC32"] == crc


def test_an_unknown_algorithm_copies_nothing(s3: Any, bucket: str) -> None:
    s3.put_object(Bucket=bucket, Key="a", Body=b"1")
    error = refusal(s3, bucket, "b", ChecksumAlgorithm="MD4")
    assert error["Code"] == "InvalidRequest"
    assert s3.list_objects_v2(Bucket=bucket)["KeyCount"] == 1


def test_a_copy_onto_itself_must_state_what_it_changes(s3: Any, bucket: str) -> None:
    s3.put_object(Bucket=bucket, Key="a", Body=b"1")
    assert refusal(s3, bucket, "a")["Code"] == "InvalidRequest"
    copy(s3, bucket, "a", StorageClass="STANDARD")
    copy(s3, bucket, "a", WebsiteRedirectLocation="/there")
    copy(s3, bucket, "a", ServerSideEncryption="AES256")
    found = s3.head_object(Bucket=bucket, Key="a")
    assert found["ServerSideEncryption"] == "AES256"


def test_the_condition_that_fails_is_named_as_it_was_sent(s3: Any, bucket: str) -> None:
    etag = s3.put_object(Bucket=bucket, Key="a", Body=b"1")["ETag"]
    error = refusal(s3, bucket, "b", CopySourceIfNoneMatch=etag)
    assert error["Condition"] == "x-amz-copy-source-If-None-Match"


def copy(s3: Any, bucket: str, key: str, **more: Any) -> Any:
    return s3.copy_object(Bucket=bucket, Key=key, CopySource=f"{bucket}/a", **more)


def refusal(s3: Any, bucket: str, key: str, **more: Any) -> Any:
    with pytest.raises(ClientError) as caught:
        copy(s3, bucket, key, **more)
    return caught.value.response["Error"]


def test_attributes_tell_a_composite_checksum_without_its_number_of_parts(
    s3: Any, bucket: str
) -> None:
    where = {"Bucket": bucket, "Key": "k"}
    upload = s3.create_multipart_upload(**where, ChecksumAlgorithm="SHA256")["UploadId"]
    part = s3.upload_part(
        **where, UploadId=upload, PartNumber=1, Body=b"1", ChecksumAlgorithm="SHA256"
    )
    parts = [{"PartNumber": 1, "ETag": part["ETag"], "ChecksumSHA256": part["ChecksumSHA256"]}]
    done = s3.complete_multipart_upload(**where, UploadId=upload, MultipartUpload={"Parts": parts})
    digest = hashlib.sha256(hashlib.sha256(b"1").digest()).digest()
    wanted = base64.b64encode(digest).decode()
    assert done["ChecksumSHA256"] == f"{wanted}-1"
    told = s3.get_object_attributes(**where, ObjectAttributes=["Checksum"])["Checksum"]
    assert (told["ChecksumSHA256"], told["ChecksumType"]) == (wanted, "COMPOSITE")

"""Small things that clients' own tests look at: what an error or an answer says beside its code."""

from typing import Any

import pytest
from botocore.exceptions import ClientError

SYSTEM = {"TagSet": [{"Key": "aws:owner", "Value": "me"}]}


def test_tags_of_the_system_are_refused(s3: Any, bucket: str) -> None:
    s3.put_object(Bucket=bucket, Key="k", Body=b"1")
    where = {"Bucket": bucket, "Key": "k"}
    message = "Your TagKey cannot be prefixed with aws:"
    assert said(s3.put_object, **where, Tagging="aws:a=b") == ("InvalidTag", message)
    assert said(s3.put_object_tagging, **where, Tagging=SYSTEM) == ("InvalidTag", message)
    message = "System tags cannot be added/updated by requester"
    assert said(s3.put_bucket_tagging, Bucket=bucket, Tagging=SYSTEM) == ("InvalidTag", message)
    fine = {"TagSet": [{"Key": "my:aws:owner", "Value": "me"}]}
    s3.put_bucket_tagging(Bucket=bucket, Tagging=fine)


def test_a_method_that_a_delete_marker_refuses_is_named(s3: Any, bucket: str) -> None:
    s3.put_bucket_versioning(Bucket=bucket, VersioningConfiguration={"Status": "Enabled"})
    s3.put_object(Bucket=bucket, Key="k", Body=b"1")
    marker = s3.delete_object(Bucket=bucket, Key="k")["VersionId"]
    with pytest.raises(ClientError) as caught:
        s3.put_object_tagging(Bucket=bucket, Key="k", VersionId=marker, Tagging={"TagSet": []})
    error = caught.value.response["Error"]
    assert (error["Method"], error["ResourceType"]) == ("PUT", "DeleteMarker")


def test_a_token_takes_the_place_of_start_after(s3: Any, bucket: str) -> None:
    for key in "abc":
        s3.put_object(Bucket=bucket, Key=key, Body=b"")
    first = s3.list_objects_v2(Bucket=bucket, MaxKeys=1, StartAfter="a")
    assert first["StartAfter"] == "a"
    token = first["NextContinuationToken"]
    second = s3.list_objects_v2(Bucket=bucket, StartAfter="a", ContinuationToken=token)
    assert "StartAfter" not in second
    assert [it["Key"] for it in second["Contents"]] == ["c"]


def test_kinds_of_encryption_that_a_bucket_blocks_are_told(s3: Any, bucket: str) -> None:
    for kind in ("NONE", "SSE-C"):
        rule = {
            "ApplyServerSideEncryptionByDefault": {"SSEAlgorithm": "AES256"},
            "BucketKeyEnabled": False,
            "BlockedEncryptionTypes": {"EncryptionType": [kind]},
        }
        wanted = {"Rules": [rule]}
        s3.put_bucket_encryption(Bucket=bucket, ServerSideEncryptionConfiguration=wanted)
        found = s3.get_bucket_encryption(Bucket=bucket)
        assert found["ServerSideEncryptionConfiguration"] == wanted


def test_a_public_access_block_says_something(s3: Any, bucket: str) -> None:
    operation = s3.put_public_access_block
    assert said(operation, Bucket=bucket, PublicAccessBlockConfiguration={}) == (
        "InvalidRequest",
        "Must specify at least one configuration.",
    )


def test_another_region_is_refused_in_aws_words(s3: Any) -> None:
    where = {"LocationConstraint": "eu-west-1"}
    assert said(s3.create_bucket, Bucket="elsewhere", CreateBucketConfiguration=where) == (
        "IllegalLocationConstraintException",
        "The eu-west-1 location constraint is incompatible for the region specific endpoint this "
        "request was sent to.",
    )


def said(operation: Any, **arguments: Any) -> tuple[str, str]:
    with pytest.raises(ClientError) as caught:
        operation(**arguments)
    error = caught.value.response["Error"]
    return error["Code"], error["Message"]

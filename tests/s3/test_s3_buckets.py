"""Buckets: names, life, lists of them."""

from typing import Any

import pytest
import s3_raw
import s3_server
from botocore.exceptions import ClientError


def test_life_of_a_bucket(s3: Any) -> None:
    s3.create_bucket(Bucket="life")
    s3.create_bucket(Bucket="life")  # as in us-east-1 of AWS
    assert s3.head_bucket(Bucket="life")["BucketRegion"] == "us-east-1"
    assert s3.get_bucket_location(Bucket="life").get("LocationConstraint") is None
    assert "Status" not in s3.get_bucket_versioning(Bucket="life")
    listed = s3.list_buckets()
    assert "life" in [entry["Name"] for entry in listed["Buckets"]]
    assert listed["Owner"]["ID"]
    s3.put_object(Bucket="life", Key="k", Body=b"x")
    with pytest.raises(ClientError) as error:
        s3.delete_bucket(Bucket="life")
    assert error.value.response["Error"]["Code"] == "BucketNotEmpty"
    s3.delete_object(Bucket="life", Key="k")
    s3.create_multipart_upload(Bucket="life", Key="unfinished")
    s3.delete_bucket(Bucket="life")
    with pytest.raises(ClientError) as error:
        s3.head_bucket(Bucket="life")
    assert error.value.response["Error"] == {"Code": "404", "Message": "Not Found"}
    with pytest.raises(s3.exceptions.NoSuchBucket):
        s3.delete_bucket(Bucket="life")


def test_another_region(tmp_path: Any) -> None:
    for running in s3_server.serve(tmp_path / "s3", "eu-west-1"):
        client = s3_server.client(running.url, "eu-west-1")
        where = {"LocationConstraint": "eu-west-1"}
        client.create_bucket(Bucket="there", CreateBucketConfiguration=where)
        assert client.get_bucket_location(Bucket="there")["LocationConstraint"] == "eu-west-1"
        with pytest.raises(client.exceptions.BucketAlreadyOwnedByYou):
            client.create_bucket(Bucket="there", CreateBucketConfiguration=where)
        with pytest.raises(ClientError) as error:
            client.create_bucket(Bucket="nowhere")
        assert error.value.response["Error"]["Code"] == "IllegalLocationConstraintException"
        # A client of another region finds the right one by itself.
        other = s3_server.client(running.url, "us-west-2")
        other.put_object(Bucket="there", Key="k", Body=b"x")
        client.close()
        other.close()


@pytest.mark.parametrize(
    "name",
    [
        "A",
        "ab",
        "a" * 64,
        "Upper",
        "under_score",
        "xn--a",
        "192.168.0.1",
        ".studio",
        "-a-",
        "a..b",
        "a-s3alias",
        "con/",
        "..",
        "%2e%2e",
        "pub%2Fpriv",
        "a%20b",
        "%C3%BC%C3%BC%C3%BC",
    ],
)
def test_a38_names_that_aws_refuses(gateway: Any, name: str) -> None:
    target = f"/{name}" if name != "con/" else "/co/"
    answer = s3_raw.call(gateway.port, "PUT", target)
    assert (answer.status, answer.code) == (400, "InvalidBucketName")


@pytest.mark.parametrize(
    "name", ["con", "a.b-c", "0" * 63, "1.2.3", "sagemaker-us-east-1-000000000000"]
)
def test_names_that_aws_takes(s3: Any, name: str) -> None:
    s3.create_bucket(Bucket=name)
    s3.delete_bucket(Bucket=name)


@pytest.mark.parametrize(
    "body", [b"<", b"<Other/>", b"<!DOCTYPE a [<!ENTITY b 'c'>]><CreateBucketConfiguration/>"]
)
def test_bad_configuration(gateway: Any, body: bytes) -> None:
    answer = s3_raw.call(gateway.port, "PUT", "/bad-configuration", body=body)
    assert (answer.status, answer.code) == (400, "MalformedXML")
    assert s3_raw.call(gateway.port, "HEAD", "/bad-configuration").status == 404

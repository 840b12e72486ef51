"""Who owns what others write: the modes of a bucket; its ACLs grant nothing to others in any."""

from typing import Any

import pytest
from botocore.exceptions import ClientError

MODES = ["BucketOwnerEnforced", "BucketOwnerPreferred", "ObjectWriter"]


@pytest.mark.parametrize("mode", MODES)
def test_a_bucket_is_made_with_any_ownership(s3: Any, mode: str) -> None:
    name = f"owned-{mode.lower()}"
    s3.create_bucket(Bucket=name, ObjectOwnership=mode)
    assert ownership(s3, name) == mode
    s3.put_object(Bucket=name, Key="k", Body=b"1", ACL="bucket-owner-full-control")
    [grant] = s3.get_object_acl(Bucket=name, Key="k")["Grants"]
    assert grant["Permission"] == "FULL_CONTROL"


def test_ownership_can_be_changed(s3: Any, bucket: str) -> None:
    for mode in reversed(MODES):
        controls = {"Rules": [{"ObjectOwnership": mode}]}
        s3.put_bucket_ownership_controls(Bucket=bucket, OwnershipControls=controls)
        assert ownership(s3, bucket) == mode
    s3.delete_bucket_ownership_controls(Bucket=bucket)
    with pytest.raises(ClientError) as caught:
        ownership(s3, bucket)
    assert caught.value.response["Error"]["BucketName"] == bucket


def test_an_unknown_ownership_is_refused(s3: Any, bucket: str) -> None:
    assert code(s3.create_bucket, Bucket="owned-x", ObjectOwnership="Mine") == "InvalidArgument"
    controls = {"Rules": [{"ObjectOwnership": "Mine"}]}
    refused = code(s3.put_bucket_ownership_controls, Bucket=bucket, OwnershipControls=controls)
    assert refused == "MalformedXML"


def test_grants_to_others_are_refused_in_every_mode(s3: Any, bucket: str) -> None:
    public = {"Bucket": bucket, "Key": "k", "Body": b"1", "ACL": "public-read"}
    assert code(s3.put_object, **public) == "AccessControlListNotSupported"
    controls = {"Rules": [{"ObjectOwnership": "ObjectWriter"}]}
    s3.put_bucket_ownership_controls(Bucket=bucket, OwnershipControls=controls)
    assert code(s3.put_object, **public) == "NotImplemented"
    assert code(s3.put_bucket_acl, Bucket=bucket, ACL="public-read") == "NotImplemented"
    new = {"Bucket": "owned-public", "ACL": "public-read"}
    assert code(s3.create_bucket, **new) == "InvalidBucketAclWithObjectOwnership"
    assert code(s3.create_bucket, **new, ObjectOwnership="ObjectWriter") == "NotImplemented"
    assert "owned-public" not in [it["Name"] for it in s3.list_buckets()["Buckets"]]


def test_a_name_of_the_accounts_own_namespace(s3: Any) -> None:
    name = "models-000000000000-us-east-1-an"
    made = s3.create_bucket(Bucket=name, BucketNamespace="account-regional")
    assert made["BucketArn"] == f"arn:aws:s3:::{name}"
    refused = code(s3.create_bucket, Bucket="models-x", BucketNamespace="account-regional")
    assert refused == "InvalidNamespaceHeader"


def ownership(s3: Any, bucket: str) -> str:
    controls = s3.get_bucket_ownership_controls(Bucket=bucket)["OwnershipControls"]
    return controls["Rules"][0]["ObjectOwnership"]


def code(operation: Any, **arguments: Any) -> str:
    with pytest.raises(ClientError) as caught:
        operation(**arguments)
    return caught.value.response["Error"]["Code"]


def test_buckets_are_listed_in_pages(s3: Any) -> None:
    names = [f"paged-{number}" for number in range(5)]
    for name in reversed(names):
        s3.create_bucket(Bucket=name)
    pages = s3.get_paginator("list_buckets").paginate(
        Prefix="paged-", PaginationConfig={"PageSize": 2}
    )
    assert [[it["Name"] for it in page["Buckets"]] for page in pages] == [
        names[:2],
        names[2:4],
        names[4:],
    ]
    assert s3.list_buckets(BucketRegion="eu-west-1")["Buckets"] == []

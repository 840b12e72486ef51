"""Access control lists and headers of encryption: what is not in force is refused."""

from typing import Any

import pytest
import s3_raw
from botocore.exceptions import ClientError

EVERYBODY = 'uri="http://acs.amazonaws.com/groups/global/AllUsers"'


def refused(ask: Any) -> str:
    with pytest.raises(ClientError) as error:
        ask()
    return str(error.value.response["Error"]["Code"])


@pytest.fixture
def owner(s3: Any, bucket: str) -> str:
    return str(s3.list_buckets()["Owner"]["ID"])


def test_the_owner_has_full_control(s3: Any, bucket: str, owner: str) -> None:
    s3.put_object(Bucket=bucket, Key="k", Body=b"x")
    for answer in (s3.get_bucket_acl(Bucket=bucket), s3.get_object_acl(Bucket=bucket, Key="k")):
        assert answer["Owner"]["ID"] == owner
        (grant,) = answer["Grants"]
        assert (grant["Grantee"]["Type"], grant["Grantee"]["ID"]) == ("CanonicalUser", owner)
        assert grant["Permission"] == "FULL_CONTROL"
        again = {"Owner": answer["Owner"], "Grants": answer["Grants"]}
        s3.put_bucket_acl(Bucket=bucket, AccessControlPolicy=again)
        s3.put_object_acl(Bucket=bucket, Key="k", AccessControlPolicy=again)
    assert refused(lambda: s3.get_object_acl(Bucket=bucket, Key="no")) == "NoSuchKey"
    assert refused(lambda: s3.get_bucket_acl(Bucket="no-such")) == "NoSuchBucket"


def test_what_gives_others_nothing_is_accepted(s3: Any, bucket: str, owner: str) -> None:
    for grants in (
        {"ACL": "private"},
        {"ACL": "bucket-owner-full-control"},
    ):
        s3.put_object(Bucket=bucket, Key="k", Body=b"x", **grants)
        s3.put_object_acl(Bucket=bucket, Key="k", **grants)
        s3.put_bucket_acl(Bucket=bucket, **{"ACL": "private"})
    s3.put_object_acl(Bucket=bucket, Key="k", GrantFullControl=f"id={owner}")
    s3.put_object_acl(Bucket=bucket, Key="k", GrantFullControl=f'id="{owner}"')


@pytest.mark.parametrize(
    ("grants", "code"),
    [
        ({"ACL": "public-read"}, "AccessControlListNotSupported"),
        ({"ACL": "authenticated-read"}, "AccessControlListNotSupported"),
        ({"ACL": "everything"}, "InvalidArgument"),
        ({"GrantRead": EVERYBODY}, "AccessControlListNotSupported"),
        ({"GrantFullControl": EVERYBODY}, "AccessControlListNotSupported"),
        ({"GrantRead": "somebody"}, "InvalidArgument"),
        ({"ACL": "private", "GrantRead": EVERYBODY}, "InvalidRequest"),
    ],
)
def test_what_gives_others_something_is_refused(
    s3: Any, bucket: str, grants: dict[str, str], code: str
) -> None:
    s3.put_object(Bucket=bucket, Key="old", Body=b"x")
    target = {"Bucket": bucket, "Key": "k"}
    assert refused(lambda: s3.put_object(**target, Body=b"x", **grants)) == code
    assert refused(lambda: s3.create_multipart_upload(**target, **grants)) == code
    source = {"Bucket": bucket, "Key": "old"}
    assert refused(lambda: s3.copy_object(**target, CopySource=source, **grants)) == code
    assert refused(lambda: s3.put_bucket_acl(Bucket=bucket, **grants)) == code
    of_bucket = code.replace("AccessControlListNotSupported", "InvalidBucketAclWithObjectOwnership")
    assert refused(lambda: s3.create_bucket(Bucket="not-made", **grants)) == of_bucket
    assert [each["Key"] for each in s3.list_objects_v2(Bucket=bucket)["Contents"]] == ["old"]
    assert refused(lambda: s3.head_bucket(Bucket="not-made")) == "404"


def test_documents(s3: Any, bucket: str, gateway: Any, owner: str) -> None:
    def put(body: bytes, headers: dict[str, str] | None = None) -> str | None:
        return s3_raw.call(gateway.port, "PUT", f"/{bucket}?acl", headers, body).code

    grant = (
        "<AccessControlPolicy><AccessControlList><Grant><Grantee><ID>{}</ID></Grantee>"
        "<Permission>{}</Permission></Grant></AccessControlList></AccessControlPolicy>"
    )
    assert put(grant.format(owner, "FULL_CONTROL").encode()) is None
    stranger = grant.format("f" * 64, "FULL_CONTROL").encode()
    assert put(stranger) == "AccessControlListNotSupported"
    assert put(grant.format(owner, "READ").encode()) == "AccessControlListNotSupported"
    assert put(b"<AccessControlPolicy/>") == "MalformedACLError"
    assert put(b"<other/>") == "MalformedACLError"
    assert put(b"") == "MissingSecurityHeader"
    assert put(stranger, {"x-amz-acl": "private"}) == "UnexpectedContent"


def test_encryption_is_repeated(s3: Any, bucket: str) -> None:
    for kind in (
        {"ServerSideEncryption": "AES256"},
        {"ServerSideEncryption": "aws:kms", "SSEKMSKeyId": "alias/mine", "BucketKeyEnabled": True},
    ):
        put = s3.put_object(Bucket=bucket, Key="k", Body=b"x", **kind)
        head = s3.head_object(Bucket=bucket, Key="k")
        made = s3.create_multipart_upload(Bucket=bucket, Key="m", **kind)
        for answer in (put, head, made):
            assert {name: answer[name] for name in kind} == kind


@pytest.mark.parametrize(
    ("headers", "status", "code"),
    [
        ({"x-amz-server-side-encryption": "rot13"}, 400, "InvalidArgument"),
        ({"x-amz-server-side-encryption-aws-kms-key-id": "k"}, 400, "InvalidArgument"),
        (
            {
                "x-amz-server-side-encryption": "AES256",
                "x-amz-server-side-encryption-aws-kms-key-id": "k",
            },
            400,
            "InvalidArgument",
        ),
        (
            {
                "x-amz-server-side-encryption": "aws:kms",
                "x-amz-server-side-encryption-bucket-key-enabled": "perhaps",
            },
            400,
            "InvalidArgument",
        ),
        ({"x-amz-server-side-encryption-customer-algorithm": "AES256"}, 501, "NotImplemented"),
        ({"x-amz-website-redirect-location": "ftp://x"}, 400, "InvalidRedirectLocation"),
        ({"x-amz-request-payer": "me"}, 400, "InvalidArgument"),
    ],
)
def test_headers_that_are_refused(
    s3: Any, bucket: str, gateway: Any, headers: dict[str, str], status: int, code: str
) -> None:
    answer = s3_raw.call(gateway.port, "PUT", f"/{bucket}/k", headers, b"new")
    assert (answer.status, answer.code) == (status, code)
    assert "Contents" not in s3.list_objects_v2(Bucket=bucket)


def test_customers_keys_are_refused_by_name_on_reads_too(
    s3: Any, bucket: str, gateway: Any
) -> None:
    s3.put_object(Bucket=bucket, Key="k", Body=b"x")
    headers = {"x-amz-server-side-encryption-customer-algorithm": "AES256"}
    answer = s3_raw.call(gateway.port, "GET", f"/{bucket}/k", headers)
    assert (answer.status, answer.code) == (501, "NotImplemented")
    answer = s3_raw.call(gateway.port, "GET", f"/{bucket}/k", {"x-amz-request-payer": "requester"})
    assert answer.status == 200

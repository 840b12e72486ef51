"""Configurations of buckets: kept and answered, or refused by name."""

import json
from collections.abc import Callable
from typing import Any

import pytest
import s3_raw
from botocore.exceptions import ClientError

PUBLIC = {"Effect": "Allow", "Principal": "*", "Action": "s3:GetObject"}
BOB = {"AWS": "arn:aws:iam::000000000000:user/bob"}


def code(ask: Callable[[], Any]) -> str:
    with pytest.raises(ClientError) as error:
        ask()
    answer = error.value.response
    found = str(answer["Error"]["Code"])
    absent = found.startswith("NoSuch") or found.endswith("NotFoundError")
    assert (answer["ResponseMetadata"]["HTTPStatusCode"] == 404) is absent
    return found


def policy(bucket: str, **more: Any) -> str:
    statement = {**PUBLIC, "Principal": BOB, "Resource": f"arn:aws:s3:::{bucket}/*", **more}
    return json.dumps({"Version": "2012-10-17", "Statement": [statement]}, indent=1)


def test_policy(s3: Any, bucket: str) -> None:
    assert code(lambda: s3.get_bucket_policy(Bucket=bucket)) == "NoSuchBucketPolicy"
    assert code(lambda: s3.get_bucket_policy_status(Bucket=bucket)) == "NoSuchBucketPolicy"
    text = policy(bucket)
    s3.put_bucket_policy(Bucket=bucket, Policy=text)
    assert s3.get_bucket_policy(Bucket=bucket)["Policy"] == text
    status = s3.get_bucket_policy_status(Bucket=bucket)["PolicyStatus"]
    assert status == {"IsPublic": False}
    s3.delete_bucket_policy(Bucket=bucket)
    assert code(lambda: s3.get_bucket_policy(Bucket=bucket)) == "NoSuchBucketPolicy"


@pytest.mark.parametrize(
    "text",
    [
        "",
        "[]",
        "{",
        '{"Statement": 5}',
        " {}",
        "{" * 20_000,
        '{"Statement": []}' + " " * 20_480,
        policy("another-bucket"),
        policy("x", Resource="*"),
        policy("x", Effect="Perhaps"),
        policy("x", Nonsense=1),
    ],
)
def test_policies_that_are_refused(s3: Any, bucket: str, gateway: Any, text: str) -> None:
    body, target = text.replace(":::x/", f":::{bucket}/").encode(), f"/{bucket}?policy"
    headers = s3_raw.sign(gateway.port, "PUT", target, body=body)
    headers["content-length"] = str(len(body))
    answer = s3_raw.send(gateway.port, "PUT", target, headers, body)
    assert (answer.status, answer.code) == (400, "MalformedPolicy")
    assert code(lambda: s3.get_bucket_policy(Bucket=bucket)) == "NoSuchBucketPolicy"


def test_public_policies_need_the_block_lifted(s3: Any, bucket: str) -> None:
    text = policy(bucket, Principal="*")
    assert code(lambda: s3.put_bucket_policy(Bucket=bucket, Policy=text)) == "AccessDenied"
    open_ = {"BlockPublicPolicy": False, "BlockPublicAcls": True}
    s3.put_public_access_block(Bucket=bucket, PublicAccessBlockConfiguration=open_)
    found = s3.get_public_access_block(Bucket=bucket)["PublicAccessBlockConfiguration"]
    assert found == {**open_, "IgnorePublicAcls": False, "RestrictPublicBuckets": False}
    s3.put_bucket_policy(Bucket=bucket, Policy=text)
    status = s3.get_bucket_policy_status(Bucket=bucket)["PolicyStatus"]
    assert status == {"IsPublic": True}
    s3.delete_public_access_block(Bucket=bucket)
    assert code(lambda: s3.get_public_access_block(Bucket=bucket)) == (
        "NoSuchPublicAccessBlockConfiguration"
    )


def test_defaults_of_a_new_bucket(s3: Any, bucket: str) -> None:
    blocked = s3.get_public_access_block(Bucket=bucket)["PublicAccessBlockConfiguration"]
    assert all(blocked.values())
    assert len(blocked) == 4
    owners = s3.get_bucket_ownership_controls(Bucket=bucket)["OwnershipControls"]["Rules"]
    assert owners == [{"ObjectOwnership": "BucketOwnerEnforced"}]
    assert s3.get_bucket_request_payment(Bucket=bucket)["Payer"] == "BucketOwner"
    assert "Status" not in s3.get_bucket_accelerate_configuration(Bucket=bucket)
    assert "LoggingEnabled" not in s3.get_bucket_logging(Bucket=bucket)
    found = s3.get_bucket_notification_configuration(Bucket=bucket)
    assert set(found) == {"ResponseMetadata"}
    for ask, expected in (
        (s3.get_bucket_website, "NoSuchWebsiteConfiguration"),
        (s3.get_bucket_replication, "ReplicationConfigurationNotFoundError"),
        (s3.get_object_lock_configuration, "ObjectLockConfigurationNotFoundError"),
        (s3.get_bucket_encryption, "ServerSideEncryptionConfigurationNotFoundError"),
        (s3.get_bucket_cors, "NoSuchCORSConfiguration"),
        (s3.get_bucket_tagging, "NoSuchTagSet"),
    ):
        assert code(lambda ask=ask: ask(Bucket=bucket)) == expected
        assert code(lambda ask=ask: ask(Bucket="no-such-bucket")) == "NoSuchBucket"


def test_what_would_not_be_acted_on_is_refused(s3: Any, bucket: str) -> None:
    queue = {"QueueArn": "arn:aws:sqs:us-east-1:000000000000:q", "Events": ["s3:ObjectCreated:*"]}
    logging = {"LoggingEnabled": {"TargetBucket": bucket, "TargetPrefix": ""}}
    for ask in (
        lambda: s3.put_bucket_notification_configuration(
            Bucket=bucket, NotificationConfiguration={"QueueConfigurations": [queue]}
        ),
        lambda: s3.put_bucket_logging(Bucket=bucket, BucketLoggingStatus=logging),
        lambda: s3.put_bucket_request_payment(
            Bucket=bucket, RequestPaymentConfiguration={"Payer": "Requester"}
        ),
        lambda: s3.put_bucket_accelerate_configuration(
            Bucket=bucket, AccelerateConfiguration={"Status": "Enabled"}
        ),
        lambda: s3.put_bucket_website(
            Bucket=bucket, WebsiteConfiguration={"IndexDocument": {"Suffix": "i"}}
        ),
        lambda: s3.put_object_lock_configuration(Bucket=bucket),
        lambda: s3.put_object_retention(Bucket=bucket, Key="k"),
        lambda: s3.put_object_legal_hold(Bucket=bucket, Key="k"),
        lambda: s3.create_bucket(Bucket="locked", ObjectLockEnabledForBucket=True),
    ):
        assert code(ask) == "NotImplemented"
    s3.put_bucket_notification_configuration(Bucket=bucket, NotificationConfiguration={})
    s3.put_bucket_logging(Bucket=bucket, BucketLoggingStatus={})
    s3.put_bucket_ownership_controls(
        Bucket=bucket, OwnershipControls={"Rules": [{"ObjectOwnership": "BucketOwnerEnforced"}]}
    )
    s3.delete_bucket_ownership_controls(Bucket=bucket)
    assert code(lambda: s3.get_bucket_ownership_controls(Bucket=bucket)) == (
        "OwnershipControlsNotFoundError"
    )


def test_tags_of_a_bucket(s3: Any, bucket: str) -> None:
    tags = {"TagSet": [{"Key": f"k{number}", "Value": "v"} for number in range(50)]}
    s3.put_bucket_tagging(Bucket=bucket, Tagging=tags)
    assert s3.get_bucket_tagging(Bucket=bucket)["TagSet"] == tags["TagSet"]
    tags["TagSet"].append({"Key": "one", "Value": "more"})
    assert code(lambda: s3.put_bucket_tagging(Bucket=bucket, Tagging=tags)) == "BadRequest"
    twice = {"TagSet": [{"Key": "a", "Value": "b"}] * 2}
    assert code(lambda: s3.put_bucket_tagging(Bucket=bucket, Tagging=twice)) == "InvalidTag"
    s3.delete_bucket_tagging(Bucket=bucket)
    assert code(lambda: s3.get_bucket_tagging(Bucket=bucket)) == "NoSuchTagSet"


def test_cors_rules_come_back(s3: Any, bucket: str) -> None:
    rule = {"AllowedMethods": ["GET"], "AllowedOrigins": ["https://*.example"], "MaxAgeSeconds": 5}
    s3.put_bucket_cors(Bucket=bucket, CORSConfiguration={"CORSRules": [rule]})
    assert s3.get_bucket_cors(Bucket=bucket)["CORSRules"] == [rule]
    s3.delete_bucket_cors(Bucket=bucket)
    assert code(lambda: s3.get_bucket_cors(Bucket=bucket)) == "NoSuchCORSConfiguration"


def test_encryption_of_new_objects(s3: Any, bucket: str) -> None:
    default = {"SSEAlgorithm": "aws:kms", "KMSMasterKeyID": "key-1"}
    rules = [{"ApplyServerSideEncryptionByDefault": default, "BucketKeyEnabled": True}]
    s3.put_object(Bucket=bucket, Key="before", Body=b"x")
    s3.put_bucket_encryption(Bucket=bucket, ServerSideEncryptionConfiguration={"Rules": rules})
    found = s3.get_bucket_encryption(Bucket=bucket)["ServerSideEncryptionConfiguration"]["Rules"]
    assert found == rules
    told = s3.put_object(Bucket=bucket, Key="k", Body=b"x")
    assert (told["ServerSideEncryption"], told["SSEKMSKeyId"]) == ("aws:kms", "key-1")
    assert told["BucketKeyEnabled"] is True
    upload = s3.create_multipart_upload(Bucket=bucket, Key="m")
    assert upload["SSEKMSKeyId"] == "key-1"
    own = s3.put_object(Bucket=bucket, Key="own", Body=b"x", ServerSideEncryption="AES256")
    assert own["ServerSideEncryption"] == "AES256"
    assert "SSEKMSKeyId" not in own
    assert "ServerSideEncryption" not in s3.head_object(Bucket=bucket, Key="before")
    wrong = [{"ApplyServerSideEncryptionByDefault": {**default, "SSEAlgorithm": "AES256"}}]
    for rules in (wrong, [{"ApplyServerSideEncryptionByDefault": {"SSEAlgorithm": "ROT13"}}], []):
        ask = lambda r=rules: s3.put_bucket_encryption(  # noqa: E731
            Bucket=bucket, ServerSideEncryptionConfiguration={"Rules": r}
        )
        assert code(ask) in ("InvalidArgument", "MalformedXML", "InvalidRequest")
    s3.delete_bucket_encryption(Bucket=bucket)
    assert "ServerSideEncryption" not in s3.put_object(Bucket=bucket, Key="k", Body=b"x")


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"<x/>",
        b"<PublicAccessBlockConfiguration><Nonsense/></PublicAccessBlockConfiguration>",
        b"<PublicAccessBlockConfiguration><BlockPublicAcls>yes</BlockPublicAcls>"
        b"</PublicAccessBlockConfiguration>",
        b"<PublicAccessBlockConfiguration><BlockPublicAcls><a/></BlockPublicAcls>"
        b"</PublicAccessBlockConfiguration>",
        b"<PublicAccessBlockConfiguration>"
        + b"<BlockPublicAcls>true</BlockPublicAcls>" * 2
        + b"</PublicAccessBlockConfiguration>",
    ],
)
def test_documents_that_do_not_fit(s3: Any, bucket: str, gateway: Any, body: bytes) -> None:
    target = f"/{bucket}?publicAccessBlock"
    headers = s3_raw.sign(gateway.port, "PUT", target, body=body)
    headers["content-length"] = str(len(body))
    answer = s3_raw.send(gateway.port, "PUT", target, headers, body)
    assert (answer.status, answer.code) == (400, "MalformedXML")

"""S3 between people: whose a bucket is, what policies share, and what sessions may."""

import time
from http.client import HTTPConnection
from urllib.parse import urlsplit

import boto3
import plane as planes
import pytest
from botocore.config import Config
from botocore.exceptions import ClientError
from people_of import ACCOUNT, AWS, ROLE, Person, allow, document, equip, job, model, role, user
from people_of import session as session_of
from plane import KEY, SECRET, Plane

from studio.identity import principals
from studio.s3 import access, routes


@pytest.fixture(scope="module", name="ann")
def ann_fixture(plane: Plane) -> Person:
    ann = user(plane, "ann", "AmazonSageMakerFullAccess", "AmazonS3FullAccess")
    equip(ann, "ann")
    return ann


@pytest.fixture(scope="module", name="bob")
def bob_fixture(plane: Plane) -> Person:
    bob = user(plane, "bob", "AmazonSageMakerFullAccess", "AmazonS3FullAccess")
    bob.client("s3").create_bucket(Bucket="bob-data")
    bob.client("s3").put_object(Bucket="bob-data", Key="k", Body=b"bob's")
    return bob


def code(call, **arguments) -> str:
    try:
        call(**arguments)
    except ClientError as error:
        return error.response["Error"]["Code"]
    return ""


def fetch(url: str, headers: dict | None = None) -> tuple[int, bytes]:
    """Status and body of a GET of exactly that address."""
    parts = urlsplit(url)
    connection = HTTPConnection(parts.netloc, timeout=30)
    path = url.removeprefix(f"http://{parts.netloc}")
    connection.request("GET", path, headers=headers or {})
    answer = connection.getresponse()
    found = answer.status, answer.read()
    connection.close()
    return found


PLACE = {"Bucket": "ann-data", "Key": "model.tar.gz"}
COPY = {"Bucket": "bob-data", "Key": "stolen", "CopySource": PLACE}


def test_a17_a_bucket_of_somebody_else_is_closed(ann: Person, bob: Person):
    s3 = bob.client("s3")
    upload = ann.client("s3").create_multipart_upload(**PLACE)["UploadId"]
    mine = s3.create_multipart_upload(Bucket="bob-data", Key="big")["UploadId"]
    part = {**PLACE, "UploadId": upload}
    refused = {
        "get_object": PLACE,
        "head_object": PLACE,
        "put_object": {**PLACE, "Body": b"x"},
        "delete_object": PLACE,
        "copy_object": COPY,
        "get_object_tagging": PLACE,
        "put_object_tagging": {**PLACE, "Tagging": {"TagSet": []}},
        "create_multipart_upload": PLACE,
        "upload_part": {**part, "PartNumber": 1, "Body": b"x"},
        "list_parts": part,
        "abort_multipart_upload": part,
        "complete_multipart_upload": {
            **part,
            "MultipartUpload": {"Parts": [{"PartNumber": 1, "ETag": "x"}]},
        },
        "upload_part_copy": {
            "Bucket": "bob-data",
            "Key": "big",
            "UploadId": mine,
            "PartNumber": 1,
            "CopySource": PLACE,
        },
        "list_objects_v2": {"Bucket": "ann-data"},
        "list_multipart_uploads": {"Bucket": "ann-data"},
        "head_bucket": {"Bucket": "ann-data"},
        "get_bucket_location": {"Bucket": "ann-data"},
        "delete_bucket": {"Bucket": "ann-data"},
    }
    for name, arguments in refused.items():
        assert code(getattr(s3, name), **arguments) in ("AccessDenied", "403"), name
    kept = ann.client("s3").get_object(**PLACE)["Body"].read()
    assert kept == b"model"
    assert code(s3.head_object, Bucket="bob-data", Key="stolen") == "404"
    assert [it["Name"] for it in s3.list_buckets()["Buckets"]] == ["bob-data"]
    assert code(s3.create_bucket, Bucket="ann-data") == "BucketAlreadyExists"


def test_a_deletion_of_many_is_judged_key_by_key(plane: Plane, ann: Person, bob: Person):
    wanted = {"Objects": [{"Key": "model.tar.gz"}, {"Key": "train/rows.csv"}]}
    answer = bob.client("s3").delete_objects(Bucket="ann-data", Delete=wanted)
    assert {it["Code"] for it in answer["Errors"]} == {"AccessDenied"}
    assert len(answer["Errors"]) == 2
    assert ann.client("s3").head_object(**PLACE)


def test_a17_a_presigned_address_is_worth_what_its_signer_is(ann: Person, bob: Person):
    good = ann.client("s3").generate_presigned_url("get_object", Params=PLACE)
    assert fetch(good) == (200, b"model")
    bad = bob.client("s3").generate_presigned_url("get_object", Params=PLACE)
    assert fetch(bad)[0] == 403


@pytest.mark.parametrize(
    "path", ["/bob-data/../ann-data/model.tar.gz", "/bob-data%2F..%2Fann-data/k"]
)
def test_a43_one_key_is_authorised_and_acted_on(plane: Plane, ann: Person, bob: Person, path: str):
    from botocore.auth import S3SigV4Auth
    from botocore.awsrequest import AWSRequest
    from botocore.credentials import Credentials

    keys = Credentials(bob.keys["aws_access_key_id"], bob.keys["aws_secret_access_key"])
    request = AWSRequest(method="GET", url=plane.url + path)
    S3SigV4Auth(keys, "s3", "us-east-1").add_auth(request)
    status, body = fetch(plane.url + path, dict(request.headers.items()))
    assert status in (400, 403, 404)
    assert body != b"model"


def test_sharing_by_policy(plane: Plane, ann: Person, bob: Person):
    shared = ["arn:aws:s3:::ann-data", "arn:aws:s3:::ann-data/*"]
    prefix = {"StringLike": {"s3:prefix": "train/*"}}
    text = document(
        allow("s3:GetObject", "arn:aws:s3:::ann-data/train/*"),
        allow("s3:ListBucket", shared[0], Condition=prefix),
    )
    s3 = user(plane, "carl", policy=text).client("s3")
    assert s3.get_object(Bucket="ann-data", Key="train/rows.csv")["Body"].read() == b"1,2\n"
    assert code(s3.get_object, **PLACE) == "AccessDenied"
    assert code(s3.put_object, Bucket="ann-data", Key="train/x", Body=b"") == "AccessDenied"
    assert s3.list_objects_v2(Bucket="ann-data", Prefix="train/")["KeyCount"] == 1
    assert code(s3.list_objects_v2, Bucket="ann-data") == "AccessDenied"
    assert code(s3.list_objects_v2, Bucket="ann-data", Prefix="") == "AccessDenied"


def test_sharing_by_the_policy_of_a_bucket(plane: Plane, ann: Person, bob: Person):
    s3 = ann.client("s3")
    s3.create_bucket(Bucket="ann-shared")
    s3.put_object(Bucket="ann-shared", Key="k", Body=b"for bob")
    s3.put_object(Bucket="ann-shared", Key="no", Body=b"for nobody")
    place, whom = "arn:aws:s3:::ann-shared", {"AWS": f"arn:aws:iam::{ACCOUNT}:user/bob"}
    lets = allow("s3:GetObject", f"{place}/*", Principal=whom)
    but = {**lets, "Effect": "Deny", "Resource": f"{place}/no"}
    s3.put_bucket_policy(Bucket="ann-shared", Policy=document(lets, but))
    there = bob.client("s3")
    assert there.get_object(Bucket="ann-shared", Key="k")["Body"].read() == b"for bob"
    assert code(there.get_object, Bucket="ann-shared", Key="no") == "AccessDenied"
    assert code(there.put_object, Bucket="ann-shared", Key="k") == "AccessDenied"
    assert code(there.delete_bucket_policy, Bucket="ann-shared") == "AccessDenied"
    assert code(there.get_bucket_policy, Bucket="ann-shared") == "AccessDenied"
    s3.delete_bucket_policy(Bucket="ann-shared")
    assert code(there.get_object, Bucket="ann-shared", Key="k") == "AccessDenied"


def test_a_deny_of_a_bucket_binds_its_owner_and_the_homes(plane: Plane, ann: Person):
    """Save that the home's owner can always mend the policy, as AWS's root user can."""
    name = "ann-locked"
    ann.client("s3").create_bucket(Bucket=name)
    plane.client("s3").create_bucket(Bucket="owners-copies")
    place = {"Bucket": name, "Key": "k"}
    ann.client("s3").put_object(**place, Body=b"kept")
    both = [f"arn:aws:s3:::{name}", f"arn:aws:s3:::{name}/*"]
    denies = {**allow("s3:*", both, Principal="*"), "Effect": "Deny"}
    ann.client("s3").put_bucket_policy(Bucket=name, Policy=document(denies))
    owner = plane.client("s3")
    calls = {
        "get_object": place,
        "put_object": {**place, "Body": b"x"},
        "delete_object": place,
        "list_objects_v2": {"Bucket": name},
        "delete_bucket": {"Bucket": name},
        "copy_object": {"Bucket": "owners-copies", "Key": "k", "CopySource": place},
    }
    for s3 in (ann.client("s3"), owner):
        for call, arguments in calls.items():
            assert code(getattr(s3, call), **arguments) == "AccessDenied", call
        (error,) = s3.delete_objects(Bucket=name, Delete={"Objects": [{"Key": "k"}]})["Errors"]
        assert error["Code"] == "AccessDenied"
    assert code(ann.client("s3").delete_bucket_policy, Bucket=name) == "AccessDenied"
    assert document(denies) == owner.get_bucket_policy(Bucket=name)["Policy"]
    another = {**denies, "Action": "s3:DeleteO*", "Principal": {"AWS": ACCOUNT}}
    owner.put_bucket_policy(Bucket=name, Policy=document(another))
    assert owner.get_object(**place)["Body"].read() == b"kept"
    assert code(owner.delete_object, **place) == "AccessDenied"
    owner.delete_bucket_policy(Bucket=name)
    assert code(owner.delete_object, **place) == ""
    assert code(owner.delete_bucket, Bucket=name) == ""


def test_a_policy_that_wants_encryption_asked_for(plane: Plane):
    s3, name = plane.client("s3"), "asks-for-it"
    s3.create_bucket(Bucket=name)
    unasked = {"StringNotEquals": {"s3:x-amz-server-side-encryption": "AES256"}}
    denies = allow("s3:PutObject", f"arn:aws:s3:::{name}/*", Principal="*", Condition=unasked)
    s3.put_bucket_policy(Bucket=name, Policy=document({**denies, "Effect": "Deny"}))
    assert code(s3.put_object, Bucket=name, Key="k") == "AccessDenied"
    assert code(s3.put_object, Bucket=name, Key="k", ServerSideEncryption="AES256") == ""


def test_a_deny_binds_the_homes_owner_after_a_restart(tmp_path):
    text = document({**allow("s3:*", "arn:aws:s3:::locked/*", Principal="*"), "Effect": "Deny"})
    with planes.running(tmp_path) as first:
        first.client("s3").create_bucket(Bucket="locked")
        first.client("s3").put_bucket_policy(Bucket="locked", Policy=text)
    with planes.running(tmp_path) as second:
        s3 = second.client("s3")
        assert code(s3.put_object, Bucket="locked", Key="k") == "AccessDenied"


def test_a18_what_a_job_or_model_refers_to_is_looked_at_first(
    plane: Plane, ann: Person, bob: Person
):
    sagemaker = bob.client("sagemaker")
    denied = "AccessDeniedException"
    assert code(sagemaker.create_model, **model("bob-1", "ann-data")) == denied
    assert code(sagemaker.create_training_job, **job("bob-1", "ann-data")) == denied
    both = job("bob-1", "bob-data", OutputDataConfig={"S3OutputPath": "s3://ann-data/out"})
    assert code(sagemaker.create_training_job, **both) == denied
    hosted = {"Image": "x", "ModelDataUrl": "https://ann-data.s3.amazonaws.com/model.tar.gz"}
    hosted["Image"] = model("m", "b")["PrimaryContainer"]["Image"]
    request = {"ModelName": "bob-1", "PrimaryContainer": hosted}
    assert code(sagemaker.create_model, **request, ExecutionRoleArn=ROLE) in (
        "AccessDenied",
        denied,
    )
    assert code(sagemaker.create_model, **request) in ("AccessDenied", denied)
    others = role(plane, "anns-role", allow("s3:*", "arn:aws:s3:::ann-data/*"))
    foreign = model("bob-1", "ann-data", ExecutionRoleArn=others)
    assert code(sagemaker.create_model, **foreign) == denied
    passing = document(allow("iam:PassRole", others))
    plane.client("iam").put_user_policy(UserName="bob", PolicyName="passes", PolicyDocument=passing)
    assert code(sagemaker.create_model, **foreign) == ""
    assert sagemaker.list_training_jobs()["TrainingJobSummaries"] == []


def test_roles_that_nobody_can_assume(plane: Plane, ann: Person):
    lambdas = role(plane, "Lambdas", principal={"Service": "lambda.amazonaws.com"})
    never = f"arn:aws:iam::{ACCOUNT}:role/NeverMade"
    for person, arn in ((plane, never), (ann, never), (plane, lambdas)):
        request = job("ann-2", "ann-data", RoleArn=arn)
        with pytest.raises(ClientError) as caught:
            person.client("sagemaker").create_training_job(**request)
        assert caught.value.response["Error"]["Code"] == "ValidationException"
        assert f"Could not assume role {arn}." in str(caught.value)


def test_a18_a_role_has_to_be_passed(plane: Plane, ann: Person):
    text = document(allow(["sagemaker:*", "s3:*"]))
    dora = user(plane, "dora", policy=text)
    dora.client("s3").create_bucket(Bucket="dora-data")
    with pytest.raises(ClientError) as caught:
        dora.client("sagemaker").create_training_job(**job("dora-1", "dora-data"))
    assert caught.value.response["Error"]["Code"] == "AccessDeniedException"
    assert "iam:PassRole" in str(caught.value)
    foreign = "arn:aws:iam::123456789012:role/FromAws"
    made = plane.client("sagemaker").create_training_job
    plane.client("s3").create_bucket(Bucket="owners-data")
    assert made(**job("moved-from-aws", "owners-data", RoleArn=foreign))
    with pytest.raises(ClientError):
        ann.client("sagemaker").create_training_job(**job("ann-3", "ann-data", RoleArn=foreign))


def test_every_route_has_an_action():
    tables = ((routes._SERVICE, access._SERVICE), (routes._BUCKET, access._BUCKET))
    for known, actions in (*tables, (routes._OBJECT, access._OBJECT)):
        missing = {route for route in known if route not in actions}
        assert not missing


@pytest.fixture(name="temporary")
def temporary_fixture(plane: Plane, ann: Person) -> dict:
    return ann.client("sts").get_session_token(DurationSeconds=900)["Credentials"]


def client(plane: Plane, key: str, secret: str, token: str | None, **config):
    return boto3.client(
        "s3",
        endpoint_url=plane.url,
        region_name="us-east-1",
        aws_access_key_id=key,
        aws_secret_access_key=secret,
        aws_session_token=token,
        config=Config(retries={"total_max_attempts": 1}, **config),
    )


def test_sessions_show_their_token(plane: Plane, ann: Person, temporary: dict):
    key, secret = temporary["AccessKeyId"], temporary["SecretAccessKey"]
    token = temporary["SessionToken"]
    assert client(plane, key, secret, token).get_object(**PLACE)["Body"].read() == b"model"
    assert code(client(plane, key, secret, None).get_object, **PLACE) == "InvalidAccessKeyId"
    wrong = token[:-1] + ("a" if token[-1] != "a" else "b")
    assert code(client(plane, key, secret, wrong).get_object, **PLACE) == "InvalidToken"
    assert code(client(plane, key, "wrong", token).get_object, **PLACE) == "SignatureDoesNotMatch"
    assert code(client(plane, KEY, SECRET, token).list_buckets) == "InvalidToken"


@pytest.mark.parametrize("version", ["s3", "s3v4"])
def test_presigned_with_a_session(plane: Plane, ann: Person, temporary: dict, version: str):
    told = [temporary[it] for it in ("AccessKeyId", "SecretAccessKey", "SessionToken")]
    url = client(plane, *told, signature_version=version).generate_presigned_url(
        "get_object", Params=PLACE
    )
    assert fetch(url) == (200, b"model")
    name = "x-amz-security-token=" if version == "s3" else "X-Amz-Security-Token="
    assert name in url
    for changed in (url.replace(name, f"{name}a"), url.replace(name, f"other{name}")):
        assert fetch(changed)[0] in (400, 403)


def test_an_unsigned_token_is_refused(plane: Plane, ann: Person, temporary: dict):
    """Signed without the token, which is then put into the head of the request."""
    s3 = client(plane, temporary["AccessKeyId"], temporary["SecretAccessKey"], None)
    token = temporary["SessionToken"]
    s3.meta.events.register(
        "before-send.s3",
        lambda request, **_: request.headers.update({"X-Amz-Security-Token": token}),
    )
    with pytest.raises(ClientError) as caught:
        s3.get_object(**PLACE)
    assert caught.value.response["Error"]["Code"] == "AccessDenied"
    assert "not signed" in str(caught.value)


def test_an_expired_session(plane: Plane, ann: Person):
    keys, now = plane.context.identity.keys, plane.context.now()
    made = keys.start_session(principals.user(ACCOUNT, "ann"), 900, now - 899_000)
    told = (made.access_key_id, made.secret_access_key, made.session_token)
    s3 = client(plane, *told)
    assert s3.head_object(**PLACE)
    time.sleep(1.2)
    assert code(s3.get_object, **PLACE) == "ExpiredToken"


def test_a_role_that_was_assumed(plane: Plane, ann: Person):
    carl = f"arn:aws:iam::{ACCOUNT}:user/ann"
    arn = role(plane, "Reader", allow("s3:Get*"), principal={"AWS": carl})
    sts = ann.client("sts")
    made = sts.assume_role(RoleArn=arn, RoleSessionName="now", DurationSeconds=900)
    assert made["AssumedRoleUser"]["Arn"].endswith(":assumed-role/Reader/now")
    reader = session_of(plane, made["Credentials"])
    told = reader.client("sts").get_caller_identity()
    assert told["Arn"] == f"arn:aws:sts::{ACCOUNT}:assumed-role/Reader/now"
    assert reader.client("s3").get_object(**PLACE)["Body"].read() == b"model"
    assert code(reader.client("s3").put_object, **PLACE) == "AccessDenied"
    narrow = document(allow("s3:GetObject", "arn:aws:s3:::ann-data/train/*"), allow("s3:Put*"))
    made = sts.assume_role(RoleArn=arn, RoleSessionName="now", Policy=narrow)
    narrowed = session_of(plane, made["Credentials"]).client("s3")
    assert narrowed.get_object(Bucket="ann-data", Key="train/rows.csv")
    assert code(narrowed.get_object, **PLACE) == "AccessDenied"
    assert code(narrowed.put_object, **PLACE) == "AccessDenied"


def test_who_may_not_assume_a_role(plane: Plane, ann: Person, bob: Person):
    arn = role(plane, "Anns", allow("s3:*"), principal={"AWS": f"arn:aws:iam::{ACCOUNT}:user/ann"})
    sts = bob.client("sts")
    for wanted in (arn, f"arn:aws:iam::{ACCOUNT}:role/Never", ROLE):
        assert code(sts.assume_role, RoleArn=wanted, RoleSessionName="now") == "AccessDenied"
    long = {"RoleArn": arn, "RoleSessionName": "ab", "DurationSeconds": 7200}
    assert code(ann.client("sts").assume_role, **long) == "ValidationError"
    root = role(plane, "Shared", allow("s3:*"), principal={"AWS": ACCOUNT})
    assert code(sts.assume_role, RoleArn=root, RoleSessionName="now") == "AccessDenied"
    plane.client("iam").put_user_policy(
        UserName="bob", PolicyName="may", PolicyDocument=document(allow("sts:AssumeRole", root))
    )
    assert code(sts.assume_role, RoleArn=root, RoleSessionName="now") == ""


def test_sessions_of_sessions(plane: Plane, ann: Person, temporary: dict):
    again = session_of(plane, temporary).client("sts")
    assert code(again.get_session_token) == "AccessDenied"
    assert again.get_caller_identity()["Arn"] == f"arn:aws:iam::{ACCOUNT}:user/ann"
    assert AWS


@pytest.mark.parametrize("version", ["s3", "s3v4"])
def test_what_a_presigned_address_has_signed_must_be_sent(plane: Plane, version: str):
    s3 = client(plane, KEY, SECRET, None, signature_version=version)
    plane.client("s3").create_bucket(Bucket=f"signed-{version}")
    place = {"Bucket": f"signed-{version}", "Key": "k"}
    url = s3.generate_presigned_url("put_object", Params={**place, "ContentType": "text/csv"})

    def put(headers: dict[str, str]) -> tuple[int, bytes]:
        parts = urlsplit(url)
        connection = HTTPConnection(parts.netloc, timeout=30)
        connection.request("PUT", f"{parts.path}?{parts.query}", b"1,2", headers)
        answer = connection.getresponse()
        found = answer.status, answer.read()
        connection.close()
        return found

    for wrong in ({}, {"Content-Type": "text/plain"}):
        status, body = put(wrong)
        assert (status, b"SignatureDoesNotMatch" in body) == (403, True)
    assert put({"Content-Type": "text/csv"})[0] == 200
    assert plane.client("s3").head_object(**place)["ContentType"] == "text/csv"

"""Several people on one Studio: credentials of jobs, endpoints, keys that are revoked."""

import json
import os
import sqlite3
import sys
from pathlib import Path

import boto3
import flow
import pytest
from botocore.config import Config
from botocore.exceptions import ClientError
from studios import run_studio
from waiting import eventually

PYTHON = f"python:{sys.version_info.major}.{sys.version_info.minor}"
ACCOUNT = "000000000000"
LOOK = """
import boto3, json, os
from botocore.exceptions import ClientError

def attempt(call, **arguments):
    try:
        return call(**arguments) and "done"
    except ClientError as error:
        return error.response["Error"]["Code"]

session = boto3.Session()
held = session.get_credentials().get_frozen_credentials()
s3, region = session.client("s3"), session.region_name
found = {
    "identity": session.client("sts").get_caller_identity()["Arn"],
    "region": region,
    "own": attempt(s3.put_object, Bucket="ann-team", Key="from-job", Body=b"x"),
    "other": attempt(s3.get_object, Bucket="owners-team", Key="k"),
    "user": attempt(session.client("iam").create_user, UserName="mallory"),
    "describe": attempt(session.client("sagemaker").describe_training_job,
                        TrainingJobName="ann-look"),
    "keys": [held.access_key, held.secret_key, held.token],
    "token": os.environ["AWS_CONTAINER_AUTHORIZATION_TOKEN"],
    "environ": os.environ["SECRET_TOKEN"],
}
s3.put_object(Bucket="ann-team", Key="look.json", Body=json.dumps(found))
"""


def person(studio, keys: dict):
    """Makes boto3 clients of whoever has these credentials."""
    session = boto3.Session(**keys, region_name=studio.env["AWS_DEFAULT_REGION"])

    def client(service: str):
        url = studio.router_url if service == "sagemaker-runtime" else studio.url
        config = Config(retries={"total_max_attempts": 1})
        return session.client(service, endpoint_url=url, config=config)

    return client


def added(studio, name: str, *options: str):
    told = run_studio("user", "add", name, "--home", studio.home, *options, env=studio.env)
    values = dict(line.split("=", 1) for line in told.split())
    return person(studio, {name.lower(): value for name, value in values.items()})


def over(client, load_test: str) -> dict | None:
    """The load test, once it has ended."""
    told = client.describe_load_test(LoadTestName=load_test)
    return None if told["LoadTestStatus"] == "InProgress" else told


def code(call, **arguments) -> str:
    try:
        call(**arguments)
    except ClientError as error:
        return error.response["Error"]["Code"]
    return ""


@pytest.fixture(scope="module", name="ann")
def ann_fixture(studio):
    studio.client("s3").create_bucket(Bucket="owners-team")
    studio.client("s3").put_object(Bucket="owners-team", Key="k", Body=b"secret")
    ann = added(studio, "ann")
    ann("s3").create_bucket(Bucket="ann-team")
    ann("s3").put_object(Bucket="ann-team", Key="train/rows.csv", Body=flow.ROWS)
    ann("s3").put_object(Bucket="ann-team", Key="code/look.py", Body=LOOK)
    return ann


def looking(name: str, **more) -> dict:
    return flow.training(
        name,
        "ann-team",
        AlgorithmSpecification={
            "TrainingImage": PYTHON,
            "TrainingInputMode": "File",
            "ContainerEntrypoint": ["python3", "/opt/ml/input/data/code/look.py"],
        },
        InputDataConfig=[flow.channel("s3://ann-team/code", "code")],
        Environment={"SECRET_TOKEN": "canary-of-the-environment"},
        **more,
    )


@pytest.fixture(scope="module", name="found")
def found_fixture(ann):
    ann("sagemaker").create_training_job(**looking("ann-look"))
    done = flow.ended(ann("sagemaker"), "ann-look")
    assert done["TrainingJobStatus"] == "Completed", done.get("FailureReason")
    return json.loads(ann("s3").get_object(Bucket="ann-team", Key="look.json")["Body"].read())


def test_a20_a_job_acts_as_its_role_for_the_one_who_made_it(found):
    assert found["identity"] == (
        f"arn:aws:sts::{ACCOUNT}:assumed-role/StudioExecutionRole/SageMaker"
    )
    assert found["region"] == "us-east-1"
    assert (found["own"], found["describe"]) == ("done", "done")
    assert (found["other"], found["user"]) == ("AccessDenied", "AccessDenied")


def test_a20_its_credentials_die_with_it(studio, found):
    names = ("aws_access_key_id", "aws_secret_access_key", "aws_session_token")
    stolen = person(studio, dict(zip(names, found["keys"], strict=True)))
    last = eventually(lambda: code(stolen("s3").list_buckets))
    assert last == "ExpiredToken"
    assert code(stolen("sts").get_caller_identity) == "ExpiredToken"
    call = {"EndpointName": "none", "Body": b""}
    assert code(stolen("sagemaker-runtime").invoke_endpoint, **call) in (
        "ExpiredTokenException",
        "UnrecognizedClientException",
    )


def test_a52_its_secrets_are_nowhere(studio, ann, found):
    described = str(ann("sagemaker").describe_training_job(TrainingJobName="ann-look"))
    assert "canary-of-the-environment" in described
    secrets = [*found["keys"][1:], found["token"]]
    assert not [it for it in secrets if it in described]
    kept = b"".join(path.read_bytes() for path in studio.home.glob("studio.db*"))
    logged = b"".join(path.read_bytes() for path in (studio.home / "logs").iterdir())
    for secret in secrets:
        assert secret.encode() not in kept
    for secret in (*secrets, "canary-of-the-environment"):
        assert secret.encode() not in logged
    owner = json.loads((studio.home / "credentials.json").read_text())["secret_access_key"]
    assert owner.encode() not in kept
    assert owner.encode() not in logged


def test_what_lies_in_the_home_is_the_owners_alone(studio, found):
    readable = [
        path
        for path in (*studio.home.iterdir(), *studio.home.glob("router/*"))
        if path.is_file() and path.stat().st_mode & 0o077
        if path.name in ("credentials.json", "secret.key", "table.json")
    ]
    assert not readable
    specs = [*studio.home.glob("runs/*/spec.json")]
    assert specs
    assert not [path for path in specs if path.stat().st_mode & 0o077]


def test_a55_no_secret_on_a_command_line(studio, found):
    owner = json.loads((studio.home / "credentials.json").read_text())["secret_access_key"]
    for process in Path("/proc").iterdir():
        if process.name.isdigit() and int(process.name) != os.getpid():
            try:
                said = (process / "cmdline").read_bytes()
            except OSError:
                continue
            assert owner.encode() not in said
            assert found["token"].encode() not in said


def test_a_token_is_good_for_its_run_alone(studio, ann, found):
    import requests

    for path, token in {
        "other": found["token"],
        "": found["token"],
        "../health": "",
    }.items():
        url = f"{studio.url}/_studio/credentials/{path}"
        answer = requests.get(url, headers={"Authorization": token}, timeout=10)
        assert answer.status_code in (403, 404) or b"AccessKeyId" not in answer.content
        assert b"AccessKeyId" not in answer.content


def test_a_role_may_do_less(studio, ann):
    """The platform reads and writes as the role: what that may not, the job dies of."""
    iam, owner = studio.client("iam"), studio.client("sagemaker")
    reads = {"Effect": "Allow", "Action": ["s3:Get*", "s3:List*"], "Resource": "*"}
    trust = {
        "Effect": "Allow",
        "Principal": {"Service": "sagemaker.amazonaws.com"},
        "Action": "sts:AssumeRole",
    }
    arns = {}
    for name, statement in {
        "TeamReader": reads,
        "TeamNothing": {**reads, "Action": "s3:Put*"},
    }.items():
        document = {"Version": "2012-10-17", "Statement": [trust]}
        made = iam.create_role(RoleName=name, AssumeRolePolicyDocument=json.dumps(document))
        document["Statement"] = [statement]
        iam.put_role_policy(RoleName=name, PolicyName="own", PolicyDocument=json.dumps(document))
        arns[name] = made["Role"]["Arn"]
    studio.client("s3").put_object(Bucket="owners-team", Key="train/rows.csv", Body=flow.ROWS)
    for name, arn in arns.items():
        owner.create_training_job(**flow.training(name, "owners-team", RoleArn=arn))
    unread = flow.ended(owner, "TeamNothing")
    assert unread["TrainingJobStatus"] == "Failed"
    assert "s3:ListBucket" in unread["FailureReason"]
    unwritten = flow.ended(owner, "TeamReader")
    assert unwritten["TrainingJobStatus"] == "Failed"
    assert "s3:PutObject" in unwritten["FailureReason"]
    assert code(studio.client("s3").head_object, Bucket="owners-team", Key="out") == "404"


def test_a19_a56_endpoints_answer_whom_policies_let(studio, ann):
    sagemaker = ann("sagemaker")
    sagemaker.create_training_job(**flow.training("ann-model", "ann-team"))
    artifact = flow.ended(sagemaker, "ann-model")["ModelArtifacts"]["S3ModelArtifacts"]
    flow.configure(sagemaker, "ann-team", artifact)
    sagemaker.create_endpoint(EndpointName="ann-team", EndpointConfigName="ann-team")
    assert flow.settled(sagemaker, "ann-team")["EndpointStatus"] == "InService"
    call = {"EndpointName": "ann-team", "Body": b"1,2", "ContentType": "text/csv"}
    assert ann("sagemaker-runtime").invoke_endpoint(**call)["Body"].read()
    assert studio.client("sagemaker-runtime").invoke_endpoint(**call)["Body"].read()
    load = {"LoadTestName": "team", "EndpointName": "ann-team", "Body": b"1,2"}
    ann("studio").start_load_test(
        **load, RequestsPerSecond=50, DurationInSeconds=1, ContentType="text/csv"
    )
    told = eventually(lambda: over(ann("studio"), "team"))
    assert (told["LoadTestStatus"], told["Requested"]) == ("Completed", 50)
    assert told["Answered"] + told["Failed"] == 50
    assert {it["Kind"] for it in told["Errors"]} <= {"NotSent"}
    assert 0 < told["Latency"]["P50"] <= told["Latency"]["P99"]
    bob = added(studio, "bob")
    assert code(bob("sagemaker-runtime").invoke_endpoint, **call) == "AccessDeniedException"
    absent = {**call, "EndpointName": "none"}
    assert code(bob("sagemaker-runtime").invoke_endpoint, **absent) == "AccessDeniedException"
    arn = f"arn:aws:sagemaker:us-east-1:{ACCOUNT}:endpoint/ann-team"
    statement = {"Effect": "Allow", "Action": "sagemaker:InvokeEndpoint", "Resource": arn}
    policy = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
    studio.client("iam").put_user_policy(UserName="bob", PolicyName="asks", PolicyDocument=policy)
    assert bob("sagemaker-runtime").invoke_endpoint(**call)["Body"].read()
    held = bob("sts").get_session_token()["Credentials"]
    names = ("AccessKeyId", "SecretAccessKey", "SessionToken")
    keys = ("aws_access_key_id", "aws_secret_access_key", "aws_session_token")
    brief = person(studio, {key: held[name] for key, name in zip(keys, names, strict=True)})
    assert brief("sagemaker-runtime").invoke_endpoint(**call)["Body"].read()
    bare = person(studio, {key: held[name] for key, name in zip(keys[:2], names[:2], strict=True)})
    refused = code(bare("sagemaker-runtime").invoke_endpoint, **call)
    assert refused == "UnrecognizedClientException"
    run_studio("user", "remove", "bob", "--yes", "--home", studio.home, env=studio.env)
    for client in (bob, brief):
        invoke = client("sagemaker-runtime").invoke_endpoint
        eventually(lambda invoke=invoke: code(invoke, **call))
        assert code(client("s3").list_buckets) in ("InvalidAccessKeyId", "ExpiredToken")
    assert ann("sagemaker-runtime").invoke_endpoint(**call)["Body"].read()
    sagemaker.delete_endpoint(EndpointName="ann-team")


def test_users_and_keys_on_the_command_line(studio):
    home = ("--home", studio.home)
    told = json.loads(run_studio("env", "--format", "json", "--user", "ann", *home, env=studio.env))
    assert "STUDIO_HOME" not in told
    keys = {name.lower(): told[name] for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY")}
    assert person(studio, keys)("sts").get_caller_identity()["Arn"].endswith(":user/ann")
    assert "ann" in run_studio("user", "list", *home, env=studio.env)
    assert told["AWS_ACCESS_KEY_ID"] in run_studio("key", "list", "ann", *home, env=studio.env)
    assert told["AWS_SECRET_ACCESS_KEY"] not in run_studio(
        "key", "list", "ann", *home, env=studio.env
    )
    run_studio("key", "revoke", "ann", told["AWS_ACCESS_KEY_ID"], *home, env=studio.env)
    assert code(person(studio, keys)("sts").get_caller_identity) == "InvalidClientTokenId"
    with pytest.raises(AssertionError, match="already exists"):
        run_studio("user", "add", "ann", *home, env=studio.env)
    with pytest.raises(AssertionError, match="cannot be found"):
        run_studio("key", "create", "nobody", *home, env=studio.env)


def test_credentials_of_a_run_that_ended_beside_a_crash(start_studio):
    """The end of a run is stored, then its credentials end: a crash between leaves none behind."""
    studio = start_studio("crash")
    s3, sagemaker = studio.client("s3"), studio.client("sagemaker")
    s3.create_bucket(Bucket="ann-team")
    s3.put_object(Bucket="ann-team", Key="code/look.py", Body=LOOK)
    sagemaker.create_training_job(**looking("ann-look"))
    assert flow.ended(sagemaker, "ann-look")["TrainingJobStatus"] == "Completed"
    keys = json.loads(s3.get_object(Bucket="ann-team", Key="look.json")["Body"].read())["keys"]
    names = ("aws_access_key_id", "aws_secret_access_key", "aws_session_token")
    stolen = person(studio, dict(zip(names, keys, strict=True)))
    run_studio("stop", "--home", studio.home, env=studio.env)
    with sqlite3.connect(studio.home / "studio.db") as database:
        database.execute("UPDATE access_key SET revoked_at = NULL")
    database.close()
    run_studio("serve", "--home", studio.home, "--detach", env=studio.env)
    assert code(stolen("s3").list_buckets) == "ExpiredToken"

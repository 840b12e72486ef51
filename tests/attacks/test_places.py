"""Names that lead elsewhere, addresses that lead out: nothing is read, written or called."""

import contextlib
import io
import json
import os
import socket
import tarfile
import threading
from collections.abc import Iterator
from typing import Any
from urllib.parse import quote

import pytest
from botocore.exceptions import ClientError
from hostile import Port, Signer, nothing_happens, refused, untouched
from studios import RunningStudio, run_studio

ROLE = "arn:aws:iam::000000000000:role/StudioExecutionRole"
XGBOOST = "683313688378.dkr.ecr.us-east-1.amazonaws.com/sagemaker-xgboost:1.7-1"


@pytest.mark.parametrize(
    "key",
    [
        "a/../../etc/passwd", "../../../etc/passwd", "./x", "a//b", "/x", "//x", "x/", ".", "..",
        "con", "a.", "a ", " a", "a\\..\\b", "%2e%2e/x", "a\nb", "\u202egpj.exe", "x" * 1024,
    ],
)  # fmt: skip
def test_a37_keys_are_opaque(
    studio: RunningStudio, ports: dict[str, Port], owner: Signer, key: str
):
    """Stored and listed byte for byte under exactly this name, and nowhere else."""
    path = f"/castle/{quote(key, safe='/~._-')}"
    assert owner.ask(ports["plain"], "PUT", path, key.encode(), "s3").status == 200
    answer = owner.ask(ports["plain"], "GET", path, service="s3")
    assert (answer.status, answer.body) == (200, key.encode())
    s3 = studio.client("s3")
    assert key in [it["Key"] for it in s3.list_objects_v2(Bucket="castle")["Contents"]]
    assert not [it for it in studio.home.rglob("*") if it.name in ("passwd", "gpj.exe")]
    s3.delete_object(Bucket="castle", Key=key)


@pytest.mark.parametrize(
    ("key", "code"),
    [
        ("x" * 1025, "KeyTooLongError"),
        ("%C3%A9" * 513, "KeyTooLongError"),
        ("a%00b", "InvalidURI"),
        ("a%ff", "InvalidURI"),
        ("%ed%a0%80", "InvalidURI"),
    ],
)
def test_a37_keys_that_are_none(
    studio: RunningStudio, ports: dict[str, Port], owner: Signer, key: str, code: str
):
    with untouched(studio):
        for method in ("PUT", "GET", "DELETE"):
            refused(owner.ask(ports["plain"], method, f"/castle/{key}", b"", "s3"), 400, code=code)


LEADING_OUT = [
    "/_studio/health/../../etc/passwd",
    "/_studio/../credentials.json",
    "/_studio/%2e%2e/credentials.json",
    "/_studio/%252e%252e%252fcredentials.json",
    "/_studio/..;/credentials.json",
    "/_studio/credentials/../../credentials.json",
    "/_studio/credentials/..%2f..%2fcredentials.json",
    "/_studio/credentials/%00",
    "/_studio/credentials//etc/passwd",
    "/endpoints/../../etc/passwd/invocations",
    "/endpoints/%2e%2e%2f%2e%2e%2fx/invocations",
    "/?path=../../credentials.json",
    "/?path=file:///etc/passwd",
    "/?path=\\\\host\\share",
    "/service/../operation/../../etc/passwd",
    "//etc/passwd",
    "/etc/passwd",
]


@pytest.mark.parametrize("path", LEADING_OUT)
def test_a39_paths_that_lead_out(
    studio: RunningStudio, ports: dict[str, Port], owner: Signer, path: str
):
    secret = studio.env["AWS_SECRET_ACCESS_KEY"].encode()
    for door in ("plain", "router"):
        for service in ("sagemaker", "s3", ""):
            port = ports[door]
            answer = (
                owner.ask(port, "GET", path, service=service) if service else port.ask("GET", path)
            )
            refused(answer, 400, 403, 404, 405)
            assert b"root:" not in answer.raw
            assert secret not in answer.raw


def test_a40_a_sibling_of_the_home(studio: RunningStudio, ports: dict[str, Port], owner: Signer):
    """CVE-2026-35397: a folder whose name begins as the root's does is not inside of it."""
    for folder in (studio.home, studio.home / "s3", studio.home / "s3" / "blobs"):
        sibling = folder.with_name(folder.name + "-secret")
        sibling.mkdir()
        (sibling / "canary").write_text("canary")
        try:
            for up in ("", "../", "../../", "../../../"):
                key = f"{up}{sibling.name}/canary"
                for path in (f"/castle/{key}", f"/castle/{quote(key, safe='')}"):
                    answer = owner.ask(ports["plain"], "GET", path, service="s3")
                    refused(answer, 404, code="NoSuchKey")
        finally:
            (sibling / "canary").unlink()
            sibling.rmdir()


def test_a41_links_in_the_store_are_not_followed(
    studio: RunningStudio, ports: dict[str, Port], owner: Signer, tmp_path
):
    """A blob that somebody replaced by a link is damage; what it leads to is never told."""
    s3 = studio.client("s3")
    secret = tmp_path / "secret"
    for size in (6, 3 << 20):
        content = os.urandom(size)
        before = set((studio.home / "s3" / "blobs").rglob("*"))
        s3.put_object(Bucket="castle", Key="linked", Body=content)
        (blob,) = set((studio.home / "s3" / "blobs").rglob("*")) - before
        secret.write_bytes(content)  # of the right size and even content: a link is a link
        blob.unlink()
        blob.symlink_to(secret)
        answer = owner.ask(ports["plain"], "GET", "/castle/linked", service="s3")
        assert answer.status in (404, 500), answer.raw[:300]
        assert content[:6] not in answer.body
        s3.delete_object(Bucket="castle", Key="linked")
        assert secret.read_bytes() == content


NO_PLACES = [
    "file:///etc/passwd",
    "/etc/passwd",
    "s3://../x",
    "s3:///x",
    "s3://castle/../../etc/passwd",
    "S3://castle/k",
    "s3://castle\n/k",
    "http://169.254.169.254/latest/meta-data/",
    "http://{canary}/",
    "http://[::1]:{port}/",
    "http://0:{port}/",
    "http://0x7f000001:{port}/",
    "http://2130706433:{port}/",
    "http://localhost:{port}/",
    "https://{canary}/model.tar.gz",
    "https://s3.amazonaws.com@{canary}/model.tar.gz",
    "https://castle.s3.amazonaws.com@{canary}/k",
    "https://castle.s3.amazonaws.com.evil.example/k",
    "https://{canary}/#.s3.amazonaws.com/k",
    "https://{canary}\\.s3.amazonaws.com/k",
    "https://evil.example/castle.s3.amazonaws.com/k",
    "gopher://{canary}/_",
    "ftp://{canary}/x",
    "s3://{canary}/k",
    "//{canary}/k",
]


class Canary:
    """Listens on this machine; whoever is talked into calling is counted."""

    def __init__(self) -> None:
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port = self.listener.getsockname()[1]
        self.calls = 0
        self._thread = threading.Thread(target=self._accept)
        self._thread.start()

    @property
    def address(self) -> str:
        return f"127.0.0.1:{self.port}"

    def close(self) -> None:
        self.calls -= 1
        socket.create_connection(("127.0.0.1", self.port)).close()
        self._thread.join()
        self.listener.close()

    def _accept(self) -> None:
        while self.calls >= 0:
            connection, _ = self.listener.accept()
            connection.close()
            self.calls += 1 if self.calls >= 0 else 0


@pytest.fixture(scope="module")
def canary() -> Iterator[Canary]:
    made = Canary()
    yield made
    made.close()


def job(name: str, **more: Any) -> dict[str, Any]:
    source = {"S3DataType": "S3Prefix", "S3Uri": "s3://castle/k"}
    return {
        "TrainingJobName": name,
        "AlgorithmSpecification": {"TrainingImage": XGBOOST, "TrainingInputMode": "File"},
        "RoleArn": ROLE,
        "InputDataConfig": [{"ChannelName": "train", "DataSource": {"S3DataSource": source}}],
        "OutputDataConfig": {"S3OutputPath": "s3://castle/out"},
        "ResourceConfig": {"InstanceType": "ml.m5.large", "InstanceCount": 1, "VolumeSizeInGB": 1},
        "StoppingCondition": {"MaxRuntimeInSeconds": 60},
        **more,
    }


def requests_to(uri: str) -> Iterator[tuple[str, dict[str, Any]]]:
    """Every operation that takes an address, with this one."""
    s3 = {"S3DataType": "S3Prefix", "S3Uri": uri}
    channel = {"ChannelName": "train", "DataSource": {"S3DataSource": s3}}
    yield "CreateTrainingJob", job("lured", InputDataConfig=[channel])
    yield "CreateTrainingJob", job("lured", OutputDataConfig={"S3OutputPath": uri})
    yield "CreateTrainingJob", job("lured", CheckpointConfig={"S3Uri": uri})
    data = {"S3Uri": uri, "S3DataType": "S3Object", "CompressionType": "Gzip"}
    for container in (
        {"Image": XGBOOST, "ModelDataUrl": uri},
        {"Image": XGBOOST, "ModelDataSource": {"S3DataSource": data}},
    ):
        model = {"ModelName": "lured", "ExecutionRoleArn": ROLE, "PrimaryContainer": container}
        yield "CreateModel", {**model, "Tags": [{"Key": "trusted", "Value": "true"}]}


@pytest.mark.parametrize("uri", NO_PLACES)
def test_a42_a45_a46_addresses_that_are_none_of_ours(
    studio: RunningStudio, ports: dict[str, Port], owner: Signer, canary: Canary, uri: str
):
    """Only buckets of this store are known places; nothing goes out to ask, tag or no tag."""
    address = uri.format(canary=canary.address, port=canary.port)
    with nothing_happens(studio.home):
        for operation, document in requests_to(address):
            if address.startswith("s3://castle/") and operation == "CreateTrainingJob":
                continue  # a key like any other
            answer = owner.call(ports["plain"], operation, document)
            refused(answer, 400, code="ValidationException")
    assert canary.calls == 0


def test_a45_what_the_store_is_told_to_fetch(
    studio: RunningStudio, ports: dict[str, Port], owner: Signer, canary: Canary
):
    port, where = ports["plain"], canary.address
    with untouched(studio):
        for source in (f"http://{where}/x", f"{where}/x", f"//{where}/x", "../../etc/passwd"):
            headers = {"x-amz-copy-source": source}
            answer = owner.ask(port, "PUT", "/castle/copy", b"", "s3", headers=headers)
            refused(answer, 400, 404)
        answer = owner.ask(port, "POST", f"http://{where}/", b"", "s3")
        assert answer.status in (400, 403)
    # Redirects of forms and names of images are told to others, never gone to.
    images = [f"{where}/sagemaker-xgboost:latest", f"http://{where}/x:1", f"{where}/evil:1"]
    for image in images[1:]:
        algorithm = {"TrainingImage": image, "TrainingInputMode": "File"}
        request = job("lured", AlgorithmSpecification=algorithm)
        refused(owner.call(port, "CreateTrainingJob", request), 400, code="ValidationException")
    assert canary.calls == 0


def test_a45_manifests_lead_nowhere_else(studio: RunningStudio, canary: Canary):
    """What a manifest names is judged as late as it is read: then the job fails."""
    s3, sagemaker = studio.client("s3"), studio.client("sagemaker")
    for name, prefix in (("http", f"http://{canary.address}/"), ("file", "file:///etc/")):
        manifest = json.dumps([{"prefix": prefix}, "passwd"])
        s3.put_object(Bucket="castle", Key=f"{name}.manifest", Body=manifest)
        source = {"S3DataType": "ManifestFile", "S3Uri": f"s3://castle/{name}.manifest"}
        channel = {"ChannelName": "train", "DataSource": {"S3DataSource": source}}
        sagemaker.create_training_job(**job(f"manifest-{name}", InputDataConfig=[channel]))
        waiter = sagemaker.get_waiter("training_job_completed_or_stopped")
        with contextlib.suppress(Exception):
            waiter.wait(TrainingJobName=f"manifest-{name}", WaiterConfig={"Delay": 0.2})
        ended = sagemaker.describe_training_job(TrainingJobName=f"manifest-{name}")
        assert ended["TrainingJobStatus"] == "Failed"
        assert "is not a valid manifest" in ended["FailureReason"]
    assert canary.calls == 0


def test_a46_hosted_addresses_are_names_of_buckets(ports: dict[str, Port], owner: Signer):
    """The https form names a bucket here, whatever follows it in the path."""
    for path in ("../../etc/passwd", "%2e%2e/x", "k?versionId=1&x=http://evil", "k%00"):
        container = {"Image": XGBOOST, "ModelDataUrl": f"https://castle.s3.amazonaws.com/{path}"}
        model = {"ModelName": "hosted", "ExecutionRoleArn": ROLE, "PrimaryContainer": container}
        answer = owner.call(ports["plain"], "CreateModel", model)
        if answer.status == 200:  # the query of an address is no part of the key
            owner.call(ports["plain"], "DeleteModel", {"ModelName": "hosted"})
        else:
            refused(answer, 400, code="ValidationException")


def archive(name: str) -> bytes:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w:gz") as tar:
        member = tarfile.TarInfo(name)
        member.size = 1
        tar.addfile(member, io.BytesIO(b"x"))
    return buffer.getvalue()


def test_a43_one_key_is_judged_and_read(
    studio: RunningStudio, ports: dict[str, Port], owner: Signer
):
    """CVE-2026-42882: whoever may read `pub/` alone reads nothing else, however it is spelled."""
    told = run_studio("user", "add", "reader", "--home", studio.home, env=studio.env)
    keys = dict(line.split("=", 1) for line in told.split())
    reader = Signer(keys["AWS_ACCESS_KEY_ID"], keys["AWS_SECRET_ACCESS_KEY"])
    allow = {"Effect": "Allow", "Action": "s3:*", "Resource": "arn:aws:s3:::castle/pub/*"}
    document = json.dumps({"Version": "2012-10-17", "Statement": [allow]})
    iam, s3 = studio.client("iam"), studio.client("s3")
    for it in iam.list_attached_user_policies(UserName="reader")["AttachedPolicies"]:
        iam.detach_user_policy(UserName="reader", PolicyArn=it["PolicyArn"])
    iam.put_user_policy(UserName="reader", PolicyName="pub", PolicyDocument=document)
    s3.put_object(Bucket="castle", Key="pub/k", Body=b"public")
    s3.put_object(Bucket="castle", Key="priv/k", Body=b"private")
    port = ports["plain"]
    assert reader.ask(port, "GET", "/castle/pub/k", service="s3").body == b"public"
    for path in (
        "/castle/priv/k",
        "/castle/pub/../priv/k",
        "/castle/pub/%2e%2e/priv/k",
        "/castle/pub%2F..%2Fpriv/k",
        "/castle/pub/..%2fpriv%2fk",
        "/castle%2Fpriv%2Fk",
        "/castle/%70riv/k",
        "/castle//priv/k",
        "/pub/../castle/priv/k",
        "/castle/pub/%252e%252e/priv/k",
        "/castle/priv/k?x=/castle/pub/k",
    ):
        answer = reader.ask(port, "GET", path, service="s3")
        refused(answer, 400, 403, 404)
        assert b"private" not in answer.raw
        copy = {"x-amz-copy-source": path}
        answer = reader.ask(port, "PUT", "/castle/pub/copy", b"", "s3", headers=copy)
        refused(answer, 400, 403, 404)
    with pytest.raises(ClientError):
        s3.head_object(Bucket="castle", Key="pub/copy")

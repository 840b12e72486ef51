"""Secrets: in no log, no answer, no address; dead once revoked; nobody else's to read."""

import json
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ClientError
from hostile import Answer, Port, Signer, refused, untouched
from people import Somebody, unprivileged_fixture
from plane import KEY, SECRET, Plane
from studios import RunningStudio, run_studio
from waiting import eventually

from studio.api import registry
from studio.s3 import gateway as s3_gateway

__all__ = ["unprivileged_fixture"]

CANARY = "canary-7f3a"
FORM = {"Content-Type": "application/x-www-form-urlencoded"}
registry.load()
OPERATIONS = sorted((it.service, it.name) for it in registry.all_operations())


def logs(home: Path) -> bytes:
    return b"".join(path.read_bytes() for path in (home / "logs").iterdir())


def test_a53_faults_tell_nothing(
    plane: Plane, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
):
    """Every operation, made to fail, with canaries in headers, query and body."""

    def broken(_ctx: Any, _request: Any) -> Any:
        raise RuntimeError("a fault")

    owner, port = Signer(KEY, SECRET), Port("127.0.0.1", plane.port)
    worn = {"Cookie": f"session={CANARY}", "X-Api-Key": CANARY, "Referer": f"http://a/?t={CANARY}"}
    failed = 0
    for service, name in OPERATIONS:
        found = registry.find(service, name)
        replaced = registry.Operation(service, name, broken)
        assert found is not None
        with monkeypatch.context() as patch:
            patch.setitem(registry._OPERATIONS, (service, name), replaced)
            patch.setattr("studio.api.access.authorized", lambda ctx, _operation, _request: ctx)
            patch.setattr("studio.wire.protocols.read_json_request", lambda _model, _body: {})
            patch.setattr("studio.wire.protocols.read_query_request", lambda _model, _form: {})
            answer = faulty(owner, port, service, name, worn)
        failed += answer.status == 500
        refused(answer, 500)
        assert CANARY.encode() not in answer.raw
    assert failed == len(OPERATIONS) > 60
    said = "".join(capfd.readouterr())
    assert said.count("RuntimeError: a fault") == failed
    for secret in (CANARY, SECRET, "AWS4-HMAC", "Signature="):
        assert secret not in said


def faulty(owner: Signer, port: Port, service: str, name: str, worn: dict[str, str]) -> Answer:
    targets = {"sagemaker": "SageMaker", "logs": "Logs_20140328"}
    document = json.dumps({"Unknown": CANARY}).encode()
    if service in targets:
        target = {"X-Amz-Target": f"{targets[service]}.{name}", **worn}
        target["Content-Type"] = "application/x-amz-json-1.1"
        return owner.ask(port, body=document, service=service, headers=target)
    body = f"Action={name}&Password={CANARY}".encode()
    scope = {"cloudwatch": "monitoring"}.get(service, service)
    return owner.ask(port, body=body, service=scope, headers={**FORM, **worn})


def test_a53_faults_of_the_store_tell_nothing(
    plane: Plane, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
):
    def broken(*_: Any, **__: Any) -> Any:
        raise RuntimeError("a fault")

    owner, port = Signer(KEY, SECRET), Port("127.0.0.1", plane.port)
    monkeypatch.setattr(s3_gateway, "Call", broken)
    worn = {"Cookie": f"session={CANARY}", "x-amz-meta-secret": CANARY}
    for method, path in (
        ("PUT", "/a-bucket"),
        ("PUT", "/bee/k"),
        ("GET", "/bee/k"),
        ("DELETE", "/bee"),
    ):
        answer = owner.ask(port, method, path, CANARY.encode(), "s3", headers=worn)
        assert answer.status in (404, 500)
        assert CANARY.encode() not in answer.raw
    said = "".join(capfd.readouterr())
    assert "RuntimeError: a fault" in said
    for secret in (CANARY, SECRET, "AWS4-HMAC", "Signature="):
        assert secret not in said


@pytest.mark.parametrize("door", ["plain", "tls", "router"])
def test_a54_tokens_in_addresses(
    studio: RunningStudio, ports: dict[str, Port], owner: Signer, door: str
):
    """No token in an address opens anything; none gets into a log, nor into a Referer."""
    port = ports[door]
    secret = studio.env["AWS_SECRET_ACCESS_KEY"]
    with untouched(studio):
        for name in ("token", "access_token", "X-Amz-Security-Token", "api_key", "password"):
            for path in ("/", "/castle/k", "/endpoints/e/invocations", "/_studio/credentials/x"):
                for value in (CANARY, secret):
                    for method in ("GET", "POST", "DELETE"):
                        answer = port.ask(method, f"{path}?{name}={value}")
                        refused(answer, 400, 401, 403, 404, 405)
                        assert value.encode() not in answer.raw
    answer = owner.call(ports["plain"], "ListModels", {})
    assert answer.headers["referrer-policy"] == "no-referrer"
    assert (
        owner.ask(ports["plain"], "GET", "/castle/k", service="s3").headers["referrer-policy"]
        == "no-referrer"
    )
    said = logs(studio.home)
    assert CANARY.encode() not in said
    assert secret.encode() not in said


def added(studio: RunningStudio, name: str) -> Signer:
    told = run_studio("user", "add", name, "--home", studio.home, env=studio.env)
    keys = dict(line.split("=", 1) for line in told.split())
    return Signer(keys["AWS_ACCESS_KEY_ID"], keys["AWS_SECRET_ACCESS_KEY"])


LOOK = """
import json, os, sys
home, pids, secret = sys.argv[2], sys.argv[3].split(","), sys.argv[4]
seen = []
def read(path):
    try:
        with open(path, "rb") as file:
            seen.append((path, secret.encode() in file.read()))
    except OSError:
        pass
for pid in pids:
    for name in ("environ", "mem", "maps", "fd"):
        read(f"/proc/{pid}/{name}")
for pid in filter(str.isdigit, os.listdir("/proc")):
    for name in ("cmdline", "status"):
        try:
            with open(f"/proc/{pid}/{name}", "rb") as file:
                if secret.encode() in file.read() and pid != str(os.getpid()):
                    seen.append((pid, True))
        except OSError:
            pass
for folder, _, names in os.walk(home):
    for name in names:
        read(os.path.join(folder, name))
print(json.dumps(seen))
"""


@pytest.mark.root
def test_a55_another_user_of_the_machine(studio: RunningStudio, unprivileged: Somebody):
    """Neither the memory, variables and arguments of processes, nor the files of the home."""
    pids = [
        str(json.loads((studio.home / name).read_text())["pid"])
        for name in ("pid.json", "router/pid.json")
    ]
    if Path(f"/proc/{pids[0]}").stat().st_uid != 0:
        pytest.skip("SKIPPED LOUDLY: only root can start a process of another user")
    # In a file: as an argument the secret would be found, being its own.
    secret = studio.env["AWS_SECRET_ACCESS_KEY"][:20]
    code = LOOK.replace("sys.argv[4]", repr(secret))
    seen = json.loads(unprivileged.run(code, studio.home, ",".join(pids)))
    assert seen == []


def test_a56_a_key_that_is_revoked(studio: RunningStudio, ports: dict[str, Port], owner: Signer):
    """Dead at once at the control plane, soon at the router; so are the sessions it made."""
    told = added(studio, "leaver")

    def codes() -> tuple[str, str, str]:
        invoked = told.ask(ports["router"], path="/endpoints/e/invocations", body=b"1")
        listed = told.ask(ports["plain"], "GET", "/", service="s3")
        return told.call(ports["plain"], "ListModels", {}).code, listed.code, invoked.code

    eventually(lambda: codes()[2] in ("AccessDeniedException", "ValidationError"))
    assert codes()[:2] == ("", "")
    run_studio("key", "revoke", "leaver", told.key, "--home", studio.home, env=studio.env)
    assert codes()[:2] == ("UnrecognizedClientException", "InvalidAccessKeyId")
    eventually(lambda: codes()[2] == "UnrecognizedClientException")


def test_a52_variables_are_told_to_their_owner_alone(studio: RunningStudio, ports: dict[str, Port]):
    """What a model's variables hold is in the answer to its owner, in no list and in no log."""
    secret = f"{CANARY}-of-a-model"
    sagemaker = studio.client("sagemaker")
    container = {
        "Image": "683313688378.dkr.ecr.us-east-1.amazonaws.com/sagemaker-xgboost:1.7-1",
        "Environment": {"DB_PASSWORD": secret, "API_TOKEN": secret},
    }
    role = "arn:aws:iam::000000000000:role/StudioExecutionRole"
    sagemaker.create_model(ModelName="keeper", PrimaryContainer=container, ExecutionRoleArn=role)
    described = sagemaker.describe_model(ModelName="keeper")
    assert described["PrimaryContainer"]["Environment"]["DB_PASSWORD"] == secret
    assert secret not in str(sagemaker.list_models())
    other = added(studio, "nosy")
    answer = other.call(ports["plain"], "DescribeModel", {"ModelName": "keeper"})
    refused(answer, 400, 403)
    absent = other.call(ports["plain"], "DescribeModel", {"ModelName": "absent"})
    assert answer.body.replace(b"keeper", b"absent") == absent.body
    with pytest.raises(ClientError):
        sagemaker.create_model(
            ModelName="keeper", PrimaryContainer=container, ExecutionRoleArn=role
        )
    assert secret.encode() not in logs(studio.home)
    sagemaker.delete_model(ModelName="keeper")

"""Several control planes of one home: one leads, the others hand on, and one takes its place."""

import http.client
import io
import json
import os
import random
import signal
import tarfile
from contextlib import closing
from urllib.parse import urlsplit

import pytest
from chaos import planes
from chaos.house import BUCKET, ROLE, STARTED, kill, shell
from chaos.invariants import rows
from flows.flow import settled
from listening import ear
from studios import run_studio
from waiting import PATIENCE_SECONDS, eventually

from studio import leadership
from studio.db import lease, migrate
from studio.db.failures import Unavailable
from studio.db.session import Database

FIRST, SECOND = 0, 1
MODEL = {
    "ExecutionRoleArn": ROLE,
    "PrimaryContainer": {
        "Image": "683313688378.dkr.ecr.us-east-1.amazonaws.com/sagemaker-xgboost:1.7-1"
    },
}


@pytest.fixture(scope="module")
def home(postgres, tmp_path_factory):
    folder = tmp_path_factory.mktemp("planes") / "home"
    with planes.planes(folder, postgres.database(), 2, random.Random(1)) as made:
        yield made


def health(port: int, method: str = "GET") -> dict:
    with closing(http.client.HTTPConnection("127.0.0.1", port, timeout=30)) as connection:
        connection.request(method, "/_studio/health")
        answer = connection.getresponse()
        assert answer.status == 200
        return json.loads(answer.read() or "{}")


def leads_at(home, port: int) -> bool:
    return "standby_of" not in health(port)


def first_leads(home) -> None:
    """As at the start: the other one stands by, at a port of its own."""
    home.start_all()
    if home.leader != home.planes[FIRST].pid:
        home.strike(signal.SIGTERM)
        home.start_all()
    eventually(lambda: len(leadership.standbys(home.home)) == 1)


def client_at(home, port: int, service: str):
    return home.new_client(service, f"http://127.0.0.1:{port}", retries={"max_attempts": 4})


def test_who_stands_by_says_so_and_hands_on_everything(home):
    first, second = home.ports
    assert health(first) == {"status": "ready"}
    assert health(second) == {"status": "ready", "standby_of": f"http://127.0.0.1:{first}"}
    assert health(second, "HEAD") == {}
    known = json.loads(run_studio("status", "--json", "--home", home.home, env=home.env))
    assert (known["pid"], known["url"]) == (home.leader, f"http://127.0.0.1:{first}")
    assert [it["ports"] for it in known["standbys"]] == [[second]]
    told = run_studio("status", "--home", home.home, env=home.env)
    assert f"standby process {known['standbys'][0]['pid']}" in told
    body = os.urandom(3_000_000)
    s3 = client_at(home, second, "s3")
    s3.create_bucket(Bucket="by-the-second")
    s3.put_object(Bucket="by-the-second", Key="k", Body=body)
    assert (
        client_at(home, first, "s3").get_object(Bucket="by-the-second", Key="k")["Body"].read()
        == body
    )


def test_events_come_through_who_stands_by(home):
    keys = json.loads((home.home / "credentials.json").read_text())
    url = f"http://127.0.0.1:{home.ports[SECOND]}"
    with ear(url, keys["access_key_id"], keys["secret_access_key"]) as heard:
        home.call("create_model", ModelName="heard", **MODEL)
        heard.wait(lambda it: it.data.get("Name") == "heard")


def test_a_stranger_as_host_is_refused_by_whoever_leads(home):
    with closing(http.client.HTTPConnection("127.0.0.1", home.ports[SECOND], timeout=30)) as line:
        line.request("GET", "/", headers={"Host": f"evil.example:{home.ports[SECOND]}"})
        assert line.getresponse().status == 421


def test_a_leader_that_is_killed_is_replaced_and_its_job_goes_on(home):
    first, second = home.ports
    first_leads(home)
    home.create_job("goes-on", *shell("exec sleep 600"))  # a shell would say how that ended
    eventually(lambda: home.lines("goes-on") == [STARTED])
    home.strike(signal.SIGKILL)
    assert leads_at(home, second)
    # Whoever leads has the address that everybody knows, beside its own.
    known = json.loads(run_studio("status", "--json", "--home", home.home, env=home.env))
    assert urlsplit(known["url"]).port == json.loads((home.home / "port").read_text()) == first
    assert leads_at(home, first)
    home.start_all()  # who comes back stands by, also when its port is the leader's now
    eventually(lambda: len(leadership.standbys(home.home)) == 1)
    assert home.describe("goes-on")["TrainingJobStatus"] == "InProgress"
    home.call("stop_training_job", TrainingJobName="goes-on")
    assert home.ended("goes-on")["TrainingJobStatus"] == "Stopped"
    assert home.lines("goes-on") == [STARTED]
    [row] = [it for it in rows(home.home, home.database_url) if it.name == "goes-on"]
    assert len(row.runs) == 1


def test_a_leader_that_is_paused_is_replaced_and_never_acts_again(home):
    home.start_all()
    eventually(lambda: len(leadership.standbys(home.home)) == 1)
    paused = home.leader
    home.call("create_model", ModelName="before", **MODEL)
    home.strike(signal.SIGSTOP)
    process = next(it for it in home.planes if it.pid == paused)
    assert process.wait(PATIENCE_SECONDS) == -signal.SIGKILL
    assert not kill(paused, signal.SIGCONT)
    home.start_all()
    assert home.call("describe_model", ModelName="before")["ModelName"] == "before"


ECHO = b"""
def model_fn(model_dir):
    pass

def transform_fn(model, body, content_type, accept):
    return body, content_type
"""


def serve_echo(home) -> None:
    """An endpoint `echo` that answers with what it was asked."""
    archive = io.BytesIO()
    with tarfile.open(fileobj=archive, mode="w:gz") as tar:
        member = tarfile.TarInfo("code/inference.py")
        member.size = len(ECHO)
        tar.addfile(member, io.BytesIO(ECHO))
    home.put("echo.tar.gz", archive.getvalue())
    image = "683313688378.dkr.ecr.us-east-1.amazonaws.com/sagemaker-scikit-learn:1.2-1-cpu-py3"
    container = {"Image": image, "ModelDataUrl": f"s3://{BUCKET}/echo.tar.gz"}
    container["Environment"] = {"SAGEMAKER_MODEL_SERVER_WORKERS": "1"}
    variant = {"VariantName": "AllTraffic", "ModelName": "echo", "InstanceType": "ml.m5.large"}
    home.call("create_model", ModelName="echo", ExecutionRoleArn=ROLE, PrimaryContainer=container)
    home.call(
        "create_endpoint_config",
        EndpointConfigName="echo",
        ProductionVariants=[{**variant, "InitialInstanceCount": 1}],
    )
    home.call("create_endpoint", EndpointName="echo", EndpointConfigName="echo")
    assert settled(home.client("sagemaker"), "echo")["EndpointStatus"] == "InService"


def echoed(home, port: int) -> bool:
    body = os.urandom(1_000_000)
    url = f"http://127.0.0.1:{port}"
    once = home.new_client("sagemaker-runtime", url, retries={"total_max_attempts": 1})
    answer = once.invoke_endpoint(
        EndpointName="echo", Body=body, ContentType="application/octet-stream"
    )
    return answer["Body"].read() == body


def test_invocations_come_through_whoever_stands_by_or_leads(home):
    first_leads(home)
    serve_echo(home)
    assert [echoed(home, port) for port in home.ports] == [True, True]
    home.planes[FIRST].send_signal(signal.SIGSTOP)
    assert echoed(home, home.ports[SECOND])  # the router does not notice who leads
    home.planes[FIRST].kill()
    home.planes[FIRST].wait(PATIENCE_SECONDS)
    assert echoed(home, home.ports[SECOND])
    head = {"Host": f"127.0.0.1:{home.ports[SECOND]}"}
    with closing(http.client.HTTPConnection("127.0.0.1", home.ports[SECOND], timeout=30)) as line:
        line.request("POST", "/endpoints/echo/invocations", b"x", head)
        answer = line.getresponse()
        assert (answer.status, answer.headers["Connection"], answer.read()[:0]) == (
            403,
            "close",
            b"",
        )
    home.start_all()
    assert [echoed(home, port) for port in home.ports] == [True, True]


def test_stop_ends_all_of_them(home):
    home.start_all()
    eventually(lambda: len(leadership.standbys(home.home)) == 1)
    assert "has stopped" in run_studio("stop", "--home", home.home, env=home.env)
    assert [it.wait(PATIENCE_SECONDS) for it in home.planes] == [0, 0]
    assert list((home.home / "planes").iterdir()) == []


def test_who_has_been_deposed_writes_no_more(postgres):
    """Its connection was lost; when it has the lock again, somebody else has led meanwhile."""
    url = postgres.emptied()
    deposed: list[str] = []
    one = Database(url)
    migrate.upgrade(one)
    mine = one.write(lambda it: lease.take(it, {"pid": 1}))
    one.fence(lease.fence(mine, lambda: deposed.append("one")))
    assert one.write(lambda it: lease.renew(it, mine))
    lease.end_sessions(url)
    other = Database(url)
    theirs = other.write(lambda it: lease.take(it, {"pid": 2}))
    assert theirs > mine
    other.close()
    with pytest.raises(Unavailable, match="another control plane leads"):
        one.write(lambda it: None)
    assert deposed == ["one"]
    one.close()


def test_who_has_lost_the_connection_alone_goes_on(postgres):
    url = postgres.emptied()
    one = Database(url)
    migrate.upgrade(one)
    mine = one.write(lambda it: lease.take(it, {"pid": 1}))
    one.fence(lease.fence(mine, pytest.fail))
    lease.end_sessions(url)
    assert one.write(lambda it: lease.renew(it, mine))
    one.close()

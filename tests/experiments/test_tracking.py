"""`studio.tracking` in programs of their own, against a control plane: nothing is lost or doubled,
however either of them ends, and nothing ever stops the training."""

import json
import os
import signal
import subprocess
import sys

import numpy as np
import pytest
from waiting import eventually

from studio.environment import models_folder

ROOT = str(models_folder().parents[2])


@pytest.fixture
def env(plane, tmp_path) -> dict[str, str]:
    kept = {name: value for name, value in os.environ.items() if not name.startswith("AWS_")}
    return {
        **kept,
        "AWS_ENDPOINT_URL": plane.url,
        "AWS_ACCESS_KEY_ID": "AKIASTUDIOTEST000001",
        "AWS_SECRET_ACCESS_KEY": "a secret for tests",
        "AWS_REGION": "us-east-1",
        "PYTHONPATH": ROOT,
        "STUDIO_SPOOL": str(tmp_path / "spool"),
    }


def program(env, code: str) -> subprocess.Popen:
    return subprocess.Popen(
        [sys.executable, "-c", code],
        env=env,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def ran(env, code: str) -> tuple[int, str, str]:
    process = program(env, code)
    said, errors = process.communicate(timeout=120)
    return process.returncode, said, errors


def steps(plane, component: str, metric: str = "loss") -> list[float]:
    found = plane.client("studio").get_trial_component_series(
        TrialComponentNames=[component], MetricNames=[metric], MaxPoints=100_000
    )["Series"]
    return np.frombuffer(found[0]["X"]).tolist() if found else []


def described(plane, component: str) -> dict:
    return plane.client("sagemaker").describe_trial_component(TrialComponentName=component)


def test_the_life_of_a_run(plane, env, tmp_path):
    table = tmp_path / "table.csv"
    table.write_text("a,b\n1,2\n")
    code = f"""
import math
from studio import tracking
with tracking.start("Churn", "first", {{"depth": 6, "kind": "tree", "deep": True}}) as run:
    for step in range(2000):
        run.log_metric("loss", 1 / (step + 1), step)
    run.log_metrics({{"nan": math.nan, "big": 1e308, "<b>'\\"ä": 1}})
    run.log_metric("wrong", "no number")
    run.log_artifact({str(table)!r}, "table", step=3)
"""
    status, _, errors = ran(env, code)
    assert status == 0
    assert "metric 'wrong' is not logged" in errors
    assert steps(plane, "Churn-first") == [float(step) for step in range(2000)]
    found = described(plane, "Churn-first")
    assert found["Status"]["PrimaryStatus"] == "Completed"
    assert found["Parameters"] == {
        "depth": {"NumberValue": 6.0},
        "kind": {"StringValue": "tree"},
        "deep": {"StringValue": "True"},
    }
    assert {it["MetricName"] for it in found["Metrics"]} == {"loss", "nan", "big", "<b>'\"ä"}
    artifact = found["OutputArtifacts"]["table/3"]
    bucket, _, key = artifact["Value"].removeprefix("s3://").partition("/")
    body = plane.client("s3").get_object(Bucket=bucket, Key=key)["Body"].read()
    assert (artifact["MediaType"], body) == ("text/csv", table.read_bytes())
    listed = plane.client("sagemaker").list_trial_components(ExperimentName="Churn")
    assert [it["TrialComponentName"] for it in listed["TrialComponentSummaries"]] == ["Churn-first"]
    assert list((tmp_path / "spool").iterdir()) == []


def test_a_run_that_fails_says_why(plane, env):
    code = "from studio import tracking\ntracking.start(name='fails')\n1 / 0"
    status, _, errors = ran(env, code)
    assert (status, "ZeroDivisionError" in errors) == (1, True)
    found = described(plane, "fails")["Status"]
    assert (found["PrimaryStatus"], found["Message"]) == (
        "Failed",
        "ZeroDivisionError: division by zero",
    )


def test_what_aws_would_refuse_costs_nothing_else(plane, env):
    code = """
from studio import tracking
many = {f"p{number}": number for number in range(301)}
odd = {"long" * 100: 1, "prompt": "a\\nb\\ud800"}
with tracking.start("Größe", "lr=0.1, 大", odd | many) as run:
    run.log_metric("n" * 10_001, 1, 0)
    run.log_metric("half \\ud800", 1, 0)
    run.log_metric("", 1, 0)
    run.log_metric("loss", 0.5, 0)
    run.log_metric("<b>" + "é" * 9_997, 0.25, 0)
    run.finish("Failed", "first line\\nsecond")
    print(run.name)
"""
    status, said, errors = ran(env, code)
    assert status == 0, errors
    assert "refused" not in errors
    assert "parameter 'longlong" in errors
    assert max(map(len, errors.splitlines())) < 500
    found = described(plane, said.strip())
    assert found["DisplayName"] == "lr=0.1, 大"
    assert len(found["Parameters"]) == 302
    assert found["Parameters"]["prompt"] == {"StringValue": "a\\nb?"}
    assert found["Status"]["Message"] == "first line\\nsecond"
    counts = {it["MetricName"]: it["Count"] for it in found["Metrics"]}
    assert counts == {"loss": 1, "<b>" + "é" * 9_997: 1}


@pytest.mark.parametrize("end", ["os._exit(3)", "os.kill(os.getpid(), 9)"])
def test_what_a_killed_program_said_is_sent_by_the_next_and_once(plane, env, end):
    name = "exits" if "exit" in end else "killed"
    code = f"""
import os, time
from studio import tracking
run = tracking.start(name={name!r})
for step in range(500):
    run.log_metric("loss", step, step)
run.flush()
for step in range(500, 3000):
    run.log_metric("loss", step, step)
{end}
"""
    status, _, _ = ran(env, code)
    assert status in (3, -signal.SIGKILL)
    code = "from studio import tracking\nwith tracking.start(name='next') as run: pass"
    assert ran(env, code)[0] == 0

    def whole():
        ran(env, code)
        return len(steps(plane, name)) == 3000

    eventually(whole, lambda: len(steps(plane, name)))
    assert steps(plane, name) == [float(step) for step in range(3000)]


def test_a_server_that_is_away_stops_nobody(env, tmp_path):
    away = {**env, "AWS_ENDPOINT_URL": "http://127.0.0.1:9"}
    code = """
import time
from studio import tracking
run = tracking.start("Away", "one", {"a": 1})
for step in range(1000):
    run.log_metric("loss", step, step)
tracking._FLUSH_SECONDS = 0.1
run.finish()
"""
    status, _, errors = ran(away, code)
    assert status == 0
    assert "the next run on this machine does it" in errors
    (left,) = (tmp_path / "spool").glob("*.jsonl")
    assert left.read_bytes().count(b"MetricName") == 1000


def test_in_a_job_metrics_go_to_the_file_of_the_runner(env, tmp_path):
    folder = tmp_path / "metrics"
    arn = "arn:aws:sagemaker:us-east-1:000000000000:training-job/a"
    job = {**env, "TRAINING_JOB_ARN": arn, "SAGEMAKER_METRICS_DIRECTORY": str(folder)}
    status, _, _ = ran(job, "import studio\nstudio.log_metric('loss', 0.5, 3)")
    assert status == 0
    (file,) = folder.iterdir()
    assert file.suffix == ".json"
    assert '"MetricName": "loss", "Value": 0.5' in file.read_text()


def test_the_import_brings_nothing_heavy(env):
    code = "import sys; from studio import tracking; print('\\n'.join(sys.modules))"
    _, said, _ = ran(env, code)
    heavy = {"numpy", "boto3", "botocore", "sqlalchemy", "http.client", "ssl", "tornado"}
    assert not heavy & set(said.split())


def test_what_no_policy_allows_is_said_once_and_stops_nothing(plane, env, tmp_path):
    (tmp_path / "file.txt").write_text("text")
    code = f"""
from studio import tracking
run = tracking.start(name="größe")
run.log_parameters({{"depth": 6}})
run.log_parameters({{"eta": 0.1}})
run.log_artifact({str(tmp_path / "file.txt")!r})
for step in range(3):
    run.log_metric("loss", 0.5, step)
assert run.flush(60)
print(run.name)
"""
    refused = ["studio:UpdateTrialComponents", "sagemaker:UpdateTrialComponent", "s3:PutObject"]
    status, said, errors = ran(env | _key_of_one_without(plane, refused), code)
    assert status == 0, errors
    assert steps(plane, said.strip()) == [0, 1, 2]
    assert errors.count("not authorized to perform: studio:UpdateTrialComponents") == 1, errors
    assert errors.count("not authorized to perform: sagemaker:UpdateTrialComponent ") == 1, errors
    assert errors.count("is not told by Upload") == 1, errors
    assert list((tmp_path / "spool").iterdir()) == []


def _key_of_one_without(plane, actions: list[str]) -> dict[str, str]:
    iam = plane.client("iam")
    allow = {"Effect": "Allow", "Action": "*", "Resource": "*"}
    deny = {"Effect": "Deny", "Action": actions, "Resource": "*"}
    policy = json.dumps({"Version": "2012-10-17", "Statement": [allow, deny]})
    iam.create_user(UserName="narrow")
    iam.put_user_policy(UserName="narrow", PolicyName="own", PolicyDocument=policy)
    key = iam.create_access_key(UserName="narrow")["AccessKey"]
    return {
        "AWS_ACCESS_KEY_ID": key["AccessKeyId"],
        "AWS_SECRET_ACCESS_KEY": key["SecretAccessKey"],
    }

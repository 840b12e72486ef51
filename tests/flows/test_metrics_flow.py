"""Metrics through the whole system: what a job prints and takes, what an endpoint is asked."""

import subprocess
import sys
from datetime import UTC, datetime, timedelta

import flow
import pytest
from botocore.exceptions import ClientError
from studios import ROOT
from test_docs import run_blocks
from test_survival import ended, job, murder, persistently, revive
from waiting import eventually

NAME = "measured"
SDK = ROOT / ".venv-sdk" / "bin" / "python"
ANALYTICS = """
from sagemaker.analytics import TrainingJobAnalytics
frame = TrainingJobAnalytics("measured", ["train:logloss"]).dataframe()
assert list(frame.columns) == ["timestamp", "metric_name", "value"], frame
assert set(frame["metric_name"]) == {"train:logloss"}
assert 0 < frame["value"].iloc[0] < 0.7, frame
assert len(TrainingJobAnalytics("measured").dataframe()) >= 1
"""
CHATTY = """
import time
for number in range(300):
    print(f"loss={number / 7:.6f};", flush=True)
    time.sleep(0.02)
"""


def summed(studio, namespace: str, name: str, statistic: str = "Sum", **dimensions: str) -> float:
    now = datetime.now(UTC)
    found = studio.client("cloudwatch").get_metric_statistics(
        Namespace=namespace,
        MetricName=name,
        Dimensions=[{"Name": key, "Value": value} for key, value in dimensions.items()],
        StartTime=now - timedelta(minutes=30),
        EndTime=now + timedelta(minutes=1),
        Period=60,
        Statistics=[statistic],
    )
    return sum(point[statistic] for point in found["Datapoints"])


@pytest.fixture(scope="module")
def measured(studio):
    """A job and an endpoint `measured`; it was invoked twelve times, twice in vain."""
    sagemaker, s3 = studio.client("sagemaker"), studio.client("s3")
    s3.create_bucket(Bucket=NAME)
    s3.put_object(Bucket=NAME, Key="train/rows.csv", Body=flow.ROWS)
    parameters = {"num_round": "20", "objective": "binary:logistic", "eval_metric": "logloss"}
    sagemaker.create_training_job(**flow.training(NAME, NAME, HyperParameters=parameters))
    done = flow.ended(sagemaker, NAME)
    assert done["TrainingJobStatus"] == "Completed", done
    flow.configure(sagemaker, NAME, done["ModelArtifacts"]["S3ModelArtifacts"])
    sagemaker.create_endpoint(EndpointName=NAME, EndpointConfigName=NAME)
    assert flow.settled(sagemaker, NAME)["EndpointStatus"] == "InService"
    runtime = studio.client("sagemaker-runtime")
    for _ in range(10):
        runtime.invoke_endpoint(EndpointName=NAME, ContentType="text/csv", Body=b"1,2")
    for _ in range(2):
        with pytest.raises(ClientError):
            runtime.invoke_endpoint(EndpointName=NAME, ContentType="text/plain", Body=b"what?")
    yield studio
    sagemaker.delete_endpoint(EndpointName=NAME)
    eventually(lambda: flow.gone(sagemaker, NAME))


def endpoint_sum(studio, name: str, statistic: str = "Sum") -> float:
    of = {"EndpointName": NAME, "VariantName": "AllTraffic"}
    return summed(studio, "AWS/SageMaker", name, statistic, **of)


def test_the_code_about_deployments_prints_what_happened(measured):
    page = ROOT / "docs" / "how-to" / "deploy-a-model.md"
    assert run_blocks(sys.executable, page, measured).splitlines() == [
        "StartServers Completed",
        "AwaitHealth Completed",
        "MoveTraffic Completed",
        "TrainingData ['text/csv']",
    ]


def test_invocations_are_seen(measured):
    eventually(lambda: endpoint_sum(measured, "Invocations") == 12)
    assert endpoint_sum(measured, "InvocationsPerInstance") == 12
    errors = ("Invocation4XXErrors", "Invocation5XXErrors", "InvocationModelErrors")
    assert [endpoint_sum(measured, name) for name in errors] == [2, 0, 2]
    assert endpoint_sum(measured, "ModelLatency", "SampleCount") == 12
    assert endpoint_sum(measured, "OverheadLatency", "Minimum") > 0


def test_a_job_prints_its_metrics_once(measured):
    job = {"TrainingJobName": NAME}
    count = summed(measured, "/aws/sagemaker/TrainingJobs", "train:logloss", "SampleCount", **job)
    assert count == 20


def test_what_a_job_and_a_server_take_of_the_machine(measured):
    host = {"Host": f"{NAME}/algo-1"}
    namespace = "/aws/sagemaker/TrainingJobs"
    for name in ("CPUUtilization", "MemoryUtilization", "DiskUtilization"):
        assert summed(measured, namespace, name, "Maximum", **host) > 0, name
    server = {"EndpointName": NAME, "VariantName": "AllTraffic"}
    namespace = "/aws/sagemaker/Endpoints"
    eventually(lambda: summed(measured, namespace, "MemoryUtilization", "Maximum", **server))


@pytest.mark.skipif(not SDK.exists(), reason="`make setup` makes .venv-sdk")
def test_analytics_of_the_sdk(measured):
    done = subprocess.run(
        [SDK, "-c", ANALYTICS], env=measured.env, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr


def test_the_code_of_the_page_runs(measured):
    eventually(lambda: endpoint_sum(measured, "Invocations") == 12)
    page = ROOT / "docs" / "how-to" / "metrics.md"
    values, listed, invocations, latency = run_blocks(sys.executable, page, measured).splitlines()
    assert values == "20.0 values"
    assert listed == "['CPUUtilization', 'DiskUtilization', 'MemoryUtilization']"
    assert invocations == "Invocations Sum 12.0"
    assert float(latency.removeprefix("ModelLatency p90 ")) > 0


def test_kills_neither_lose_nor_double_values(start_studio):
    studio = start_studio()
    s3, sagemaker = studio.client("s3"), studio.client("sagemaker")
    s3.create_bucket(Bucket="survival")
    s3.put_object(Bucket="survival", Key="code/chatty.py", Body=CHATTY.encode())
    request = job("chatty", "chatty")
    definition = {"Name": "loss", "Regex": "loss=([0-9.]+);"}
    request["AlgorithmSpecification"]["MetricDefinitions"] = [definition]
    sagemaker.create_training_job(**request)
    of_job = {"TrainingJobName": "chatty"}

    def count() -> float:
        call = {"namespace": "/aws/sagemaker/TrainingJobs", "name": "loss", **of_job}
        return persistently(summed, studio=studio, statistic="SampleCount", **call)

    for kill in range(1, 3):
        eventually(lambda least=kill: count() > 40 * least)
        mine = [{"MetricName": "acknowledged", "Value": 1.0}]
        studio.client("cloudwatch").put_metric_data(Namespace="team", MetricData=mine)
        murder(studio)
        revive(studio)
        assert summed(studio, "team", "acknowledged") == kill
    assert ended(studio, "chatty")["TrainingJobStatus"] == "Completed"
    assert count() == 300

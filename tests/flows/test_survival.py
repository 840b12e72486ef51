"""`kill -9` of the control plane or the router: nothing is lost, nothing happens twice."""

import json
import os
import random
import signal
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path

import pytest
from botocore.exceptions import BotoCoreError, ClientError
from studios import run_studio
from waiting import PATIENCE_SECONDS, eventually

from studio.api.panel_cold_starts import PHASES
from studio.serving import waking

ROLE = "arn:aws:iam::000000000000:role/StudioExecutionRole"
PYTHON = f"python:{sys.version_info.major}.{sys.version_info.minor}"
XGBOOST = "683313688378.dkr.ecr.us-east-1.amazonaws.com/sagemaker-xgboost:1.7-1"
LINES = 40
SCRIPTS = {
    "count": f"""
import pathlib, time
print("started", flush=True)
for number in range({LINES}):
    print("line", number, flush=True)
    time.sleep(0.05)
pathlib.Path("/opt/ml/model/done").write_text("yes")
""",
    "once": "print('started')",
    "forever": "import time; print('started', flush=True); time.sleep(1000)",
}


def identity(studio) -> dict:
    return json.loads((studio.home / "pid.json").read_text())


def murder(studio) -> None:
    os.kill(identity(studio)["pid"], signal.SIGKILL)


def revive(studio) -> None:
    run_studio("serve", "--home", studio.home, "--detach", env=studio.env)


def persistently(call, **request):
    """What a client does whose server may be away for a moment."""
    deadline = time.monotonic() + PATIENCE_SECONDS
    while True:
        try:
            return call(**request)
        except (BotoCoreError, ConnectionError) as error:
            if time.monotonic() > deadline:
                raise AssertionError("the control plane never came back") from error
            time.sleep(0.05)


def channel(name: str) -> dict:
    source = {"S3DataType": "S3Prefix", "S3Uri": f"s3://survival/{name}"}
    return {
        "ChannelName": name,
        "ContentType": "text/csv",
        "DataSource": {"S3DataSource": source},
    }


def job(name: str, script: str = "count", **values) -> dict:
    return {
        "TrainingJobName": name,
        "AlgorithmSpecification": {
            "TrainingImage": PYTHON,
            "TrainingInputMode": "File",
            "ContainerEntrypoint": ["python3", f"/opt/ml/input/data/code/{script}.py"],
        },
        "InputDataConfig": [channel("code")],
        "RoleArn": ROLE,
        "OutputDataConfig": {"S3OutputPath": "s3://survival/out"},
        "ResourceConfig": {
            "InstanceType": "ml.m5.large",
            "InstanceCount": 1,
            "VolumeSizeInGB": 1,
        },
        "StoppingCondition": {"MaxRuntimeInSeconds": 300},
        **values,
    }


def ended(studio, name: str) -> dict:
    def look() -> dict | None:
        found = persistently(studio.client("sagemaker").describe_training_job, TrainingJobName=name)
        return found if found["TrainingJobStatus"] in ("Completed", "Failed", "Stopped") else None

    return eventually(look)


def log_lines(studio, name: str) -> list[str]:
    group = "/aws/sagemaker/TrainingJobs"
    client = studio.client("logs")
    streams = client.describe_log_streams(logGroupName=group, logStreamNamePrefix=f"{name}/")
    assert len(streams["logStreams"]) == 1
    stream = streams["logStreams"][0]["logStreamName"]
    events = client.get_log_events(logGroupName=group, logStreamName=stream, startFromHead=True)
    return [event["message"] for event in events["events"]]


@pytest.fixture
def studio_to_kill(start_studio):
    studio = start_studio(cpu_slots="8", job_stop_seconds="3")
    studio.client("s3").create_bucket(Bucket="survival")
    for name, text in SCRIPTS.items():
        studio.client("s3").put_object(Bucket="survival", Key=f"code/{name}.py", Body=text)
    return studio


def test_jobs_and_objects_survive_kills_of_the_control_plane(studio_to_kill):
    studio = studio_to_kill
    chance = random.Random(7)
    names = [f"survivor-{number}" for number in range(5)]
    for name in names:
        studio.client("sagemaker").create_training_job(**job(name))
    acknowledged = {}
    for round_ in range(5):
        deadline = time.monotonic() + chance.uniform(0.0, 0.4)
        while time.monotonic() < deadline:
            key = f"key-{round_}-{len(acknowledged)}"
            body = os.urandom(chance.choice([0, 10, 5000]))
            studio.client("s3").put_object(Bucket="survival", Key=key, Body=body)
            acknowledged[key] = body
        murder(studio)
        revive(studio)
    for name in names:
        found = ended(studio, name)
        assert found["TrainingJobStatus"] == "Completed", found
        assert log_lines(studio, name) == ["started", *(f"line {n}" for n in range(LINES))]
        listing = studio.client("s3").list_objects_v2(Bucket="survival", Prefix=f"out/{name}/")
        assert [each["Key"] for each in listing["Contents"]] == [f"out/{name}/output/model.tar.gz"]
    for key, body in acknowledged.items():
        stored = studio.client("s3").get_object(Bucket="survival", Key=key)
        assert stored["Body"].read() == body


def test_a_job_created_at_the_moment_of_a_kill_exists_once_or_not_at_all(studio_to_kill):
    studio = studio_to_kill
    for number in range(4):
        name = f"moment-{number}"
        studio.client("sagemaker").create_training_job(**job(name, "once"))
        murder(studio)
        revive(studio)
        assert ended(studio, name)["TrainingJobStatus"] == "Completed"
        assert log_lines(studio, name) == ["started"]


def test_stop_and_runtime_limits_hold_across_a_kill(studio_to_kill):
    studio = studio_to_kill
    sagemaker = studio.client("sagemaker")
    limit = {"MaxRuntimeInSeconds": 4}
    sagemaker.create_training_job(**job("stopped", "forever"))
    sagemaker.create_training_job(**job("limited", "forever", StoppingCondition=limit))
    time.sleep(1)
    sagemaker.stop_training_job(TrainingJobName="stopped")
    murder(studio)
    revive(studio)
    assert ended(studio, "stopped")["SecondaryStatus"] == "Stopped"
    found = ended(studio, "limited")
    assert (found["TrainingJobStatus"], found["SecondaryStatus"]) == (
        "Stopped",
        "MaxRuntimeExceeded",
    )


def test_an_endpoint_serves_while_the_control_plane_is_dead(studio_to_kill):
    studio = studio_to_kill
    sagemaker, runtime = studio.client("sagemaker"), studio.client("sagemaker-runtime")
    rows = b"".join(b"%d,%d\n" % (n % 2, n) for n in range(50))
    studio.client("s3").put_object(Bucket="survival", Key="train/rows.csv", Body=rows)
    algorithm = {"TrainingImage": XGBOOST, "TrainingInputMode": "File"}
    sagemaker.create_training_job(
        **job(
            "model",
            AlgorithmSpecification=algorithm,
            InputDataConfig=[channel("train")],
            HyperParameters={"num_round": "2"},
        )
    )
    artifact = ended(studio, "model")["ModelArtifacts"]["S3ModelArtifacts"]
    container = {"Image": XGBOOST, "ModelDataUrl": artifact}
    sagemaker.create_model(ModelName="m", PrimaryContainer=container, ExecutionRoleArn=ROLE)
    variant = {
        "VariantName": "AllTraffic",
        "ModelName": "m",
        "InstanceType": "ml.m5.large",
        "InitialInstanceCount": 1,
    }
    sagemaker.create_endpoint_config(EndpointConfigName="c", ProductionVariants=[variant])
    sagemaker.create_endpoint(EndpointName="e", EndpointConfigName="c")
    eventually(lambda: status(sagemaker) == "InService")

    def predict() -> bytes:
        answer = runtime.invoke_endpoint(EndpointName="e", ContentType="text/csv", Body=b"3")
        return answer["Body"].read()

    expected = predict()
    murder(studio)
    assert predict() == expected
    revive(studio)
    assert predict() == expected
    assert status(studio.client("sagemaker")) == "InService"

    router = json.loads((studio.home / "router" / "pid.json").read_text())
    os.kill(router["pid"], signal.SIGKILL)
    eventually(lambda: persistently(predict) == expected)

    server = next(studio.home.glob("runs/*serve*/pid.json")).parent
    mark = f"STUDIO_RUN_ID={server.name}".encode()
    for process in Path("/proc").glob("[0-9]*"):
        if mark in environment(process):
            os.kill(int(process.name), signal.SIGKILL)
    eventually(lambda: answers(predict) == expected)
    assert len(list(studio.home.glob("runs/*serve*"))) == 2

    put_to_sleep(studio)
    wakes_once_the_control_plane_is_back(studio, predict, expected)

    sagemaker.delete_endpoint(EndpointName="e")
    eventually(lambda: status(sagemaker) is None)


def wakes_once_the_control_plane_is_back(studio, predict, expected) -> None:
    """Nobody wakes what sleeps while the control plane is dead: a request waits."""
    murder(studio)
    with ThreadPoolExecutor(1) as pool:
        answer = pool.submit(predict)
        eventually(lambda: waking.read(studio.home).get("e/AllTraffic", {}).get("Asked"))
        assert not answer.done()
        revive(studio)
        assert answer.result() == expected
    start = eventually(lambda: cold_start(studio))
    assert [it["Name"] for it in start["Phases"]] == list(PHASES)
    assert [it["EndTime"] for it in start["Phases"]][-1] == start["EndTime"]


def put_to_sleep(studio) -> None:
    """Make the endpoint a serverless one that has had no requests for a while."""
    sagemaker = studio.client("sagemaker")
    arn = sagemaker.describe_endpoint(EndpointName="e")["EndpointArn"]
    sagemaker.add_tags(ResourceArn=arn, Tags=[{"Key": "studio:idle-seconds", "Value": "1"}])
    size = {"MemorySizeInMB": 1024, "MaxConcurrency": 2}
    variant = {"VariantName": "AllTraffic", "ModelName": "m", "ServerlessConfig": size}
    sagemaker.create_endpoint_config(EndpointConfigName="s", ProductionVariants=[variant])
    sagemaker.update_endpoint(EndpointName="e", EndpointConfigName="s")
    eventually(lambda: status(sagemaker) == "InService")
    deployment = partial(studio.client("studio").describe_deployment, EndpointName="e")
    eventually(lambda: all("EndTime" in it for it in deployment()["Servers"]))
    described = sagemaker.describe_endpoint(EndpointName="e")
    assert described["EndpointStatus"] == "InService"
    assert described["ProductionVariants"][0]["CurrentServerlessConfig"] == size


def cold_start(studio) -> dict | None:
    """The first one of the endpoint, once it is over."""
    found = studio.client("studio").describe_deployment(EndpointName="e")["ColdStarts"]
    return found[-1] if found and "EndTime" in found[-1] else None


def answers(predict) -> bytes | None:
    try:
        return predict()
    except (ClientError, BotoCoreError):
        return None


def environment(process: Path) -> list[bytes]:
    try:
        return (process / "environ").read_bytes().split(b"\0")
    except OSError:
        return []


def status(sagemaker) -> str | None:
    try:
        return sagemaker.describe_endpoint(EndpointName="e")["EndpointStatus"]
    except ClientError:
        return None

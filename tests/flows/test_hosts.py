"""Jobs of several hosts: names, addresses, data and logs of each, one end for all."""

import io
import json
import os
import signal
import subprocess
import sys
import tarfile
import time

import flow
import pytest
from botocore.exceptions import ClientError
from studios import ROOT, run_studio
from waiting import PATIENCE_SECONDS, eventually

from studio.runners import sandbox

SDK = ROOT / ".venv-sdk" / "bin" / "python"
PYTHON = f"python:{sys.version_info.major}.{sys.version_info.minor}"
SCRIPTS = {
    # Every host listens on the same port of its own address and tells its rank to the first.
    "talk": """
import json, os, pathlib, socket, sys, time
config = json.load(open("/opt/ml/input/config/resourceconfig.json"))
me, hosts = config["current_host"], config["hosts"]
assert socket.gethostname() == me == os.environ["HOSTNAME"] == os.environ["CURRENT_HOST"]
listener = socket.create_server((socket.gethostbyname(me), 7777))
for peer in hosts:
    for attempt in range(2400):
        try:
            socket.create_connection((peer, 7777)).sendall(me.encode())
            break
        except ConnectionRefusedError:
            time.sleep(0.05)
    else:
        sys.exit(f"{peer} never listened")
heard = sorted(listener.accept()[0].recv(100).decode() for _ in hosts)
shard = sorted(it.name for it in pathlib.Path("/opt/ml/input/data/train").glob("*"))
print(f"{me} heard {heard} and has {shard}", flush=True)
print("loss=" + me.removeprefix("algo-"), flush=True)
model = pathlib.Path("/opt/ml/model")
(model / f"{me}.txt").write_text(me)
(model / "both.txt").write_text(me)
if me == "algo-2":
    (pathlib.Path("/opt/ml/output/data") / "eval.txt").write_text("0.5")
""",
    "fail": """
import json, pathlib, sys, time
me = json.load(open("/opt/ml/input/config/resourceconfig.json"))["current_host"]
pathlib.Path("/opt/ml/model/partial").write_text(me)
print("started", flush=True)
if me == "algo-2":
    raise ValueError("the shard is empty")
time.sleep(1000)
""",
    "forever": "import time; print('started', flush=True); time.sleep(1000)",
    "once": "import time; print('started', flush=True); time.sleep(1)",
    "groups": """
import json, pathlib
config = json.load(open("/opt/ml/input/config/resourceconfig.json"))
channels = sorted(it.name for it in pathlib.Path("/opt/ml/input/data").glob("*/*"))
print(config["current_group_name"], config["current_instance_type"], channels, flush=True)
""",
}


@pytest.fixture(scope="module")
def lab(studio):
    assert sandbox.available(), "install bubblewrap and allow user namespaces"
    studio.client("s3").create_bucket(Bucket="hosts")
    upload(studio)
    return studio


def upload(studio) -> None:
    s3 = studio.client("s3")
    for name, text in SCRIPTS.items():
        s3.put_object(Bucket="hosts", Key=f"code/{name}/main.py", Body=text)
    for number in range(5):
        s3.put_object(Bucket="hosts", Key=f"train/part-{number}", Body=b"1,2\n")


def job(name: str, script: str, count: int = 2, **values) -> dict:
    channel = flow.channel("s3://hosts/train")
    channel["DataSource"]["S3DataSource"]["S3DataDistributionType"] = "ShardedByS3Key"
    return flow.training(
        name,
        "hosts",
        **{
            "AlgorithmSpecification": {
                "TrainingImage": PYTHON,
                "TrainingInputMode": "File",
                "ContainerEntrypoint": ["python3", "/opt/ml/input/data/code/main.py"],
                "MetricDefinitions": [{"Name": "loss", "Regex": r"loss=(\d)"}],
            },
            "InputDataConfig": [flow.channel(f"s3://hosts/code/{script}", "code"), channel],
            "ResourceConfig": {
                "InstanceType": "ml.m5.large",
                "InstanceCount": count,
                "VolumeSizeInGB": 1,
            },
            **values,
        },
    )


def said(studio, name: str) -> dict[str, list[str]]:
    """What each host said."""
    group = "/aws/sagemaker/TrainingJobs"
    logs = studio.client("logs")
    found = logs.describe_log_streams(logGroupName=group, logStreamNamePrefix=f"{name}/")
    return {
        it["logStreamName"].split("/")[1].rpartition("-")[0]: [
            event["message"]
            for event in logs.get_log_events(
                logGroupName=group, logStreamName=it["logStreamName"], startFromHead=True
            )["events"]
        ]
        for it in found["logStreams"]
    }


def archive(studio, name: str, which: str) -> dict[str, str]:
    body = studio.client("s3").get_object(Bucket="hosts", Key=f"out/{name}/output/{which}")["Body"]
    with tarfile.open(fileobj=io.BytesIO(body.read())) as tar:
        return {it.name: tar.extractfile(it).read().decode() for it in tar if it.isreg()}


def test_hosts_find_each_other_by_name_and_share_the_data_and_the_model(lab):
    sagemaker = lab.client("sagemaker")
    sagemaker.create_training_job(**job("talk", "talk", 3))
    done = flow.ended(sagemaker, "talk")
    lines = said(lab, "talk")
    assert done["TrainingJobStatus"] == "Completed", (done.get("FailureReason"), lines)
    heard = ["algo-1", "algo-2", "algo-3"]
    shards = [["part-0", "part-3"], ["part-1", "part-4"], ["part-2"]]
    for me, shard in zip(heard, shards, strict=True):
        assert lines[me][0] == f"{me} heard {heard} and has {shard}"
    own = {f"{me}.txt": me for me in heard}
    assert archive(lab, "talk", "model.tar.gz") == {**own, "both.txt": "algo-1"}
    assert archive(lab, "talk", "output.tar.gz") == {"eval.txt": "0.5"}
    stages = [each["Status"] for each in done["SecondaryStatusTransitions"]]
    assert [it for it in stages if it != "Pending"] == [
        "Starting",
        "Downloading",
        "Training",
        "Uploading",
        "Completed",
    ]
    assert done["FinalMetricDataList"][0]["Value"] in (1.0, 2.0, 3.0)


def test_the_first_host_that_fails_is_named_and_ends_the_others(lab):
    sagemaker = lab.client("sagemaker")
    sagemaker.create_training_job(**job("fail", "fail", 2))
    done = flow.ended(sagemaker, "fail")
    assert done["TrainingJobStatus"] == "Failed"
    reason = "AlgorithmError: algo-2: ValueError: the shard is empty, exit code: 1"
    assert done["FailureReason"] == reason
    found = lab.client("s3").list_objects_v2(Bucket="hosts", Prefix="out/fail/")
    assert found["KeyCount"] == 0


@pytest.mark.parametrize("how", ["stop", "time"])
def test_a_stop_and_the_time_limit_end_all_hosts(lab, how):
    sagemaker = lab.client("sagemaker")
    name = f"ended-by-{how}"
    seconds = 1 if how == "time" else 600
    limit = {"StoppingCondition": {"MaxRuntimeInSeconds": seconds}}
    sagemaker.create_training_job(**job(name, "forever", 2, **limit))
    if how == "stop":
        eventually(lambda: list(said(lab, name).values()) == [["started"]] * 2)
        sagemaker.stop_training_job(TrainingJobName=name)
    done = flow.ended(sagemaker, name)
    secondary = {"stop": "Stopped", "time": "MaxRuntimeExceeded"}[how]
    assert (done["TrainingJobStatus"], done["SecondaryStatus"]) == ("Stopped", secondary)


def test_instance_groups_have_hosts_and_channels_of_their_own(lab):
    sagemaker = lab.client("sagemaker")
    groups = [
        {"InstanceType": "ml.c5.large", "InstanceCount": 1, "InstanceGroupName": "data"},
        {"InstanceType": "ml.m5.large", "InstanceCount": 1, "InstanceGroupName": "deep"},
    ]
    request = job("groups", "groups", ResourceConfig={"InstanceGroups": groups})
    request["InputDataConfig"][1]["DataSource"]["S3DataSource"]["InstanceGroupNames"] = ["deep"]
    sagemaker.create_training_job(**request)
    done = flow.ended(sagemaker, "groups")
    assert done["TrainingJobStatus"] == "Completed", done.get("FailureReason")
    parts = [f"part-{number}" for number in range(5)]
    assert said(lab, "groups") == {
        "algo-1": ["data ml.c5.large ['main.py']"],
        "algo-2": [f"deep ml.m5.large {['main.py', *parts]}"],
    }


def test_a_host_that_the_platform_loses_is_named(lab):
    sagemaker = lab.client("sagemaker")
    sagemaker.create_training_job(**job("lost", "forever", 2))
    eventually(lambda: list(said(lab, "lost").values()) == [["started"]] * 2)
    (folder,) = [
        it
        for it in (lab.home / "runs").glob("*-algo-2")
        if json.loads((it / "spec.json").read_text())["env"]["TRAINING_JOB_NAME"] == "lost"
    ]
    os.kill(json.loads((folder / "pid.json").read_text())["pid"], signal.SIGKILL)
    done = flow.ended(sagemaker, "lost")
    assert done["TrainingJobStatus"] == "Failed"
    assert done["FailureReason"].startswith("InternalServerError: algo-2: The process")


FIT = """
from sagemaker.estimator import Estimator
estimator = Estimator(
    "python:latest", "arn:aws:iam::000000000000:role/StudioExecutionRole", instance_count=2,
    instance_type="ml.m5.large", output_path="s3://hosts/out", base_job_name="sdk-hosts",
    container_entry_point=["python3", "/opt/ml/input/data/code/main.py"],
)
estimator.fit({"code": "s3://hosts/code/once"}, logs=True)
"""


@pytest.mark.skipif(not SDK.exists(), reason="`make setup` makes .venv-sdk")
def test_the_sdk_shows_the_log_of_every_host(lab):
    done = subprocess.run(
        [SDK, "-c", FIT],
        env=lab.env,
        capture_output=True,
        text=True,
        timeout=PATIENCE_SECONDS,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-3000:]
    # Each stream has a colour of its own.
    lines = [line for line in done.stdout.splitlines() if "started" in line]
    assert len(lines) == len(set(lines)) == 2, done.stdout


GROUP = {"InstanceType": "ml.m5.large", "InstanceCount": 1, "InstanceGroupName": "g"}
SINGLE = {"InstanceType": "ml.m5.large", "VolumeSizeInGB": 1}


@pytest.mark.parametrize(
    ("resources", "code", "text"),
    [
        ({**SINGLE, "InstanceCount": 21}, "ResourceLimitExceeded", "request delta of 21"),
        ({**SINGLE, "InstanceCount": 0}, "ValidationException", "at least 1"),
        ({"InstanceGroups": [GROUP, GROUP]}, "ValidationException", "unique"),
        ({"InstanceGroups": [GROUP], **SINGLE}, "ValidationException", "cannot be used with"),
        ({"InstanceType": "ml.m5.large"}, "ValidationException", "are required"),
    ],
)
def test_hosts_that_cannot_be_are_refused(lab, resources, code, text):
    sagemaker = lab.client("sagemaker")
    with pytest.raises(ClientError, match=text) as refused:
        sagemaker.create_training_job(**job("never", "once", ResourceConfig=resources))
    assert refused.value.response["Error"]["Code"] == code


def test_channels_of_groups_that_are_not_there_are_refused(lab):
    request = job("never", "once")
    request["InputDataConfig"][1]["DataSource"]["S3DataSource"]["InstanceGroupNames"] = ["deep"]
    with pytest.raises(ClientError, match="no instance group is called deep"):
        lab.client("sagemaker").create_training_job(**request)


def test_without_a_sandbox_several_hosts_are_refused(start_studio):
    studio = start_studio(sandbox="never")
    studio.client("s3").create_bucket(Bucket="hosts")
    upload(studio)
    sagemaker = studio.client("sagemaker")
    with pytest.raises(ClientError, match="InstanceCount above 1 needs bubblewrap"):
        sagemaker.create_training_job(**job("no", "once"))
    with pytest.raises(ClientError, match="EnableNetworkIsolation needs bubblewrap"):
        sagemaker.create_training_job(**job("no", "once", 1, EnableNetworkIsolation=True))


def kill(studio) -> None:
    os.kill(json.loads((studio.home / "pid.json").read_text())["pid"], signal.SIGKILL)


def revive(studio) -> None:
    run_studio("serve", "--home", studio.home, "--detach", env=studio.env)


def test_kills_of_the_control_plane_start_no_host_twice(start_studio):
    studio = start_studio(cpu_slots="6")
    studio.client("s3").create_bucket(Bucket="hosts")
    upload(studio)
    names = [f"kill-{number}" for number in range(2)]
    for number, name in enumerate(names):
        studio.client("sagemaker").create_training_job(**job(name, "once", 3))
        time.sleep(0.15 * number)
        kill(studio)
        revive(studio)
    for name in names:
        done = flow.ended(studio.client("sagemaker"), name)
        assert done["TrainingJobStatus"] == "Completed", done.get("FailureReason")
        assert said(studio, name) == {f"algo-{n}": ["started"] for n in (1, 2, 3)}
    # The time limit holds while nobody is there to look.
    limit = {"StoppingCondition": {"MaxRuntimeInSeconds": 6}}
    sagemaker = studio.client("sagemaker")
    sagemaker.create_training_job(**job("limited", "forever", 2, **limit))
    eventually(lambda: list(said(studio, "limited").values()) == [["started"]] * 2)
    kill(studio)
    runs = [
        run
        for run in (studio.home / "runs").iterdir()
        if "forever" in (run / "spec.json").read_text()
    ]
    eventually(lambda: all((run / "exit.json").exists() for run in runs))
    exits = [json.loads((run / "exit.json").read_text()) for run in runs]
    assert [each["reason"] for each in exits] == ["MaxRuntimeExceeded"] * 2
    revive(studio)
    assert flow.ended(sagemaker, "limited")["SecondaryStatus"] == "MaxRuntimeExceeded"

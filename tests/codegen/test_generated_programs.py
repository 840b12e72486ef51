"""The code that panels offer to copy does what it says.

The programs are what the frontend writes: its own tests compare them, these run them.
"""

import contextlib
import json
import subprocess
import sys
from pathlib import Path

import pytest
import yaml
from studios import ROOT

PROGRAMS = Path(__file__).parent / "programs"
ASKED = json.loads((PROGRAMS / "train_json.json").read_text())
# How each form spells a name of its own, and how the newest SDK leaves it to AWS.
NAMED = ("TrainingJobName", "CheckpointConfig")


def command(form: str, what: str) -> list[str]:
    if form == "cli":
        return ["bash", "-eu", str(PROGRAMS / f"{what}_cli.sh")]
    generation = {"sdk2": ".venv-sdk", "sdk3": ".venv-sdk3"}.get(form)
    python = ROOT / generation / "bin" / "python" if generation else Path(sys.executable)
    if not python.exists():
        pytest.skip("`make setup` makes the environments of the SDKs")
    return [str(python), str(PROGRAMS / f"{what}_{form}.py")]


@pytest.fixture(scope="module", name="run")
def run_fixture(studio, tmp_path_factory):
    """`run(form, what)`: run a program to its end, in a folder of its own."""
    s3 = studio.client("s3")
    with contextlib.suppress(s3.exceptions.BucketAlreadyOwnedByYou):
        s3.create_bucket(Bucket="generated-code")
    rows = "".join(f"{2 * i},{i}\n" for i in range(20))
    s3.put_object(Bucket="generated-code", Key="train/rows.csv", Body=rows.encode())
    folder = tmp_path_factory.mktemp("generated")
    path = f"{Path(sys.executable).parent}:{studio.env['PATH']}"

    def run(form: str, what: str) -> None:
        done = subprocess.run(
            command(form, what),
            env={**studio.env, "HOME": str(folder), "PATH": path},
            cwd=folder,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=280,
            check=False,
        )
        assert done.returncode == 0, done.stdout[-2000:] + done.stderr[-2000:]

    return run


@pytest.fixture(scope="module", name="model_data")
def model_data_fixture(studio, run):
    """What the programs that deploy something need: the model of the first one that trains."""
    run("boto3", "train")
    job = studio.client("sagemaker").describe_training_job(TrainingJobName="generated-boto3")
    assert job["TrainingJobStatus"] == "Completed", job.get("FailureReason")


def test_boto3_trains(studio, model_data):
    assert request(studio, "generated-boto3") == asked()


@pytest.mark.parametrize("form", ["cli", "sdk2", "sdk3"])
def test_others_train_the_same(studio, run, form):
    run(form, "train")
    client = studio.client("sagemaker")
    found = client.list_training_jobs(NameContains=f"generated-{form}")["TrainingJobSummaries"]
    name = found[0]["TrainingJobName"]
    client.get_waiter("training_job_completed_or_stopped").wait(
        TrainingJobName=name, WaiterConfig={"Delay": 1, "MaxAttempts": 100}
    )
    assert request(studio, name) == asked()


def test_yaml_and_json_are_the_request():
    for name in ("train", "deploy"):
        text = (PROGRAMS / f"{name}_json.json").read_text().replace("-json", "-yaml")
        assert yaml.safe_load((PROGRAMS / f"{name}_yaml.yaml").read_text()) == json.loads(text)


@pytest.mark.parametrize("form", ["boto3", "cli", "sdk2"])
def test_programs_deploy(studio, run, model_data, form):
    run(form, "deploy")
    client, name = studio.client("sagemaker"), f"generated-{form}"
    client.get_waiter("endpoint_in_service").wait(
        EndpointName=name, WaiterConfig={"Delay": 1, "MaxAttempts": 100}
    )
    answer = studio.client("sagemaker-runtime").invoke_endpoint(
        EndpointName=name, Body=b"7", ContentType="text/csv"
    )
    assert 5 < float(answer["Body"].read()) < 25
    client.delete_endpoint(EndpointName=name)


def asked() -> dict:
    return {name: value for name, value in ASKED.items() if name not in NAMED}


def request(studio, name: str) -> dict:
    """What was asked of a job, in the form of the request."""
    client = studio.client("sagemaker")
    job = client.describe_training_job(TrainingJobName=name)
    assert job["TrainingJobStatus"] == "Completed", job.get("FailureReason")
    tags = client.list_tags(ResourceArn=job["TrainingJobArn"])["Tags"]
    algorithm = job["AlgorithmSpecification"]
    told = {member: job[member] for member in asked() if member in job}
    return {
        **told,
        "AlgorithmSpecification": {it: algorithm[it] for it in ASKED["AlgorithmSpecification"]},
        "OutputDataConfig": {"S3OutputPath": job["OutputDataConfig"]["S3OutputPath"]},
        "InputDataConfig": [plain(channel) for channel in job["InputDataConfig"]],
        "Tags": [tag for tag in tags if not tag["Key"].startswith(("sagemaker", "studio"))],
    }


def plain(channel: dict) -> dict:
    """Without what the SDKs say although it goes without saying."""
    usual = {"InputMode": "File", "CompressionType": "None", "RecordWrapperType": "None"}
    return {name: value for name, value in channel.items() if usual.get(name) != value}

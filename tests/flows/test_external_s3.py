"""A control plane whose objects lie in another S3: here, that of a second Studio."""

import json
import sys
import time

import boto3
import pytest
from studios import run_studio

PYTHON = f"python:{sys.version_info.major}.{sys.version_info.minor}"
ROLE = "arn:aws:iam::000000000000:role/StudioExecutionRole"
SCRIPT = """
import pathlib
text = pathlib.Path("/opt/ml/input/data/code/note.txt").read_text()
pathlib.Path("/opt/ml/model/copy.txt").write_text(text)
"""


@pytest.fixture
def pair(start_studio, tmp_path):
    """(the Studio that holds the objects, the client of SageMaker at the one that runs jobs)."""
    objects = start_studio("objects")
    home = tmp_path / "runner"
    home.mkdir()
    keys = tmp_path / "keys"
    keys.write_text(
        "[outside]\n"
        f"aws_access_key_id = {objects.env['AWS_ACCESS_KEY_ID']}\n"
        f"aws_secret_access_key = {objects.env['AWS_SECRET_ACCESS_KEY']}\n"
    )
    (home / "studio.toml").write_text(f's3_endpoint = "{objects.url}"\ns3_profile = "outside"\n')
    hidden = ("AWS_", "STUDIO_")
    env = {name: value for name, value in objects.env.items() if not name.startswith(hidden)}
    env["AWS_SHARED_CREDENTIALS_FILE"] = str(keys)
    run_studio("serve", "--home", home, "--detach", env=env)
    try:
        yield objects, json.loads(run_studio("env", "--format", "json", "--home", home, env=env))
    finally:
        run_studio("stop", "--all", "--home", home, env=env)


def test_a_job_reads_and_writes_the_external_s3(pair):
    objects, told = pair
    assert told["AWS_ENDPOINT_URL_S3"] == objects.url
    s3 = objects.client("s3")
    s3.create_bucket(Bucket="outside")
    s3.put_object(Bucket="outside", Key="code/job.py", Body=SCRIPT.encode())
    s3.put_object(Bucket="outside", Key="code/note.txt", Body=b"from afar")
    client = boto3.client(
        "sagemaker",
        endpoint_url=told["AWS_ENDPOINT_URL"],
        region_name="us-east-1",
        aws_access_key_id=told["AWS_ACCESS_KEY_ID"],
        aws_secret_access_key=told["AWS_SECRET_ACCESS_KEY"],
    )
    assert finished(client, "afar", "s3://outside/code")["TrainingJobStatus"] == "Completed"
    listing = s3.list_objects_v2(Bucket="outside", Prefix="out/")
    assert [each["Key"] for each in listing["Contents"]] == ["out/afar/output/model.tar.gz"]
    missing = finished(client, "nothing", "s3://no-such-bucket/code")
    assert missing["TrainingJobStatus"] == "Failed"
    assert "No S3 objects found" in missing["FailureReason"]
    lost = finished(client, "lost", "s3://outside/code", output="s3://no-such-bucket/out")
    assert lost["TrainingJobStatus"] == "Failed"
    assert "could not be stored" in lost["FailureReason"]


def finished(client, name: str, code: str, output: str = "s3://outside/out") -> dict:
    source = {"S3DataType": "S3Prefix", "S3Uri": code}
    client.create_training_job(
        TrainingJobName=name,
        AlgorithmSpecification={
            "TrainingImage": PYTHON,
            "TrainingInputMode": "File",
            "ContainerEntrypoint": ["python3", "/opt/ml/input/data/code/job.py"],
        },
        RoleArn=ROLE,
        InputDataConfig=[{"ChannelName": "code", "DataSource": {"S3DataSource": source}}],
        OutputDataConfig={"S3OutputPath": output},
        ResourceConfig={"InstanceType": "ml.m5.large", "InstanceCount": 1, "VolumeSizeInGB": 1},
        StoppingCondition={"MaxRuntimeInSeconds": 60},
    )
    deadline = time.monotonic() + 90
    while time.monotonic() < deadline:
        job = client.describe_training_job(TrainingJobName=name)
        if job["TrainingJobStatus"] != "InProgress":
            return job
        time.sleep(0.1)
    raise AssertionError(job)

"""A control plane whose objects lie in another S3: here, that of a second Studio."""

import sys

import outside
from waiting import eventually

PYTHON = f"python:{sys.version_info.major}.{sys.version_info.minor}"
ROLE = "arn:aws:iam::000000000000:role/StudioExecutionRole"
SCRIPT = """
import pathlib
text = pathlib.Path("/opt/ml/input/data/code/note.txt").read_text()
pathlib.Path("/opt/ml/model/copy.txt").write_text(text)
"""


def test_a_job_reads_and_writes_the_external_s3(tmp_path):
    with outside.running(tmp_path, "http") as pair:
        s3, client = pair.client("s3"), pair.client("sagemaker")
        s3.create_bucket(Bucket="outside")
        s3.put_object(Bucket="outside", Key="code/job.py", Body=SCRIPT.encode())
        s3.put_object(Bucket="outside", Key="code/note.txt", Body=b"from afar")
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

    def look() -> dict | None:
        job = client.describe_training_job(TrainingJobName=name)
        return job if job["TrainingJobStatus"] != "InProgress" else None

    return eventually(look)

"""A control plane whose objects lie in another S3: here, that of a second Studio."""

import sys

import outside
from chaos.updates import SKLEARN, packed
from waiting import eventually

PYTHON = f"python:{sys.version_info.major}.{sys.version_info.minor}"
ROLE = "arn:aws:iam::000000000000:role/StudioExecutionRole"
SCRIPT = """
import pathlib
text = pathlib.Path("/opt/ml/input/data/code/note.txt").read_text()
pathlib.Path("/opt/ml/model/copy.txt").write_text(text)
"""

HANDLERS = b"""
def model_fn(model_dir): pass
def transform_fn(model, body, content_type, accept): return b"from " + body, "text/plain"
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
        transformed = outside_transform(s3, client)
        assert transformed["TransformJobStatus"] == "Completed", transformed
        found = s3.get_object(Bucket="outside", Key="transformed/a.out")
        assert found["Body"].read() == b"from afar"


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


def outside_transform(s3, client) -> dict:
    """A transform whose model, file and output all lie there."""
    s3.put_object(Bucket="outside", Key="model.tar.gz", Body=packed(HANDLERS))
    s3.put_object(Bucket="outside", Key="in/a", Body=b"afar")
    container = {"Image": SKLEARN, "ModelDataUrl": "s3://outside/model.tar.gz"}
    container["Environment"] = {"SAGEMAKER_MODEL_SERVER_WORKERS": "1"}
    client.create_model(ModelName="afar", PrimaryContainer=container, ExecutionRoleArn=ROLE)
    source = {"S3DataType": "S3Prefix", "S3Uri": "s3://outside/in/"}
    client.create_transform_job(
        TransformJobName="afar",
        ModelName="afar",
        TransformInput={"DataSource": {"S3DataSource": source}, "ContentType": "text/plain"},
        TransformOutput={"S3OutputPath": "s3://outside/transformed"},
        TransformResources={"InstanceType": "ml.m5.large", "InstanceCount": 1},
    )

    def look() -> dict | None:
        job = client.describe_transform_job(TransformJobName="afar")
        return job if job["TransformJobStatus"] != "InProgress" else None

    return eventually(look)

"""The two tutorials with the AWS command line alone, its waiters included."""

import json

import flow
import pytest
import tutorials
from aws_cli import CommandLine, command_line


@pytest.fixture
def aws(studio, tmp_path):
    with command_line(studio.env, tmp_path) as made:
        yield Tutorial(made)


class Tutorial:
    """What a tutorial does with `aws`: each command succeeds."""

    def __init__(self, aws: CommandLine) -> None:
        self._aws = aws
        self.folder = aws.folder

    def __call__(self, *arguments: object, ok: bool = True) -> str:
        done = self._aws.run(*arguments)
        assert (done.returncode == 0) is ok, done.stderr
        return done.stdout if ok else done.stderr

    def json(self, *arguments: object) -> dict:
        return json.loads(self(*arguments, "--output", "json"))

    def submit(self, operation: str, request: dict) -> dict:
        return self.json("sagemaker", operation, "--cli-input-json", json.dumps(request))


def train_deploy_predict(aws, request, content_type, accept) -> bytes:
    """The answer of the endpoint to the file `test.csv`."""
    name = request["TrainingJobName"]
    aws.submit("create-training-job", request)
    aws("sagemaker", "wait", "training-job-completed-or-stopped", "--training-job-name", name)
    job = aws.json("sagemaker", "describe-training-job", "--training-job-name", name)
    assert job["TrainingJobStatus"] == "Completed", job.get("FailureReason")
    container = {
        "Image": request["AlgorithmSpecification"]["TrainingImage"],
        "ModelDataUrl": job["ModelArtifacts"]["S3ModelArtifacts"],
    }
    model = {"ModelName": name, "ExecutionRoleArn": flow.ROLE, "PrimaryContainer": container}
    aws.submit("create-model", model)
    variant = f"VariantName=All,ModelName={name},InstanceType=ml.m4.xlarge,InitialInstanceCount=1"
    config = ("--endpoint-config-name", name)
    aws("sagemaker", "create-endpoint-config", *config, "--production-variants", variant)
    aws("sagemaker", "create-endpoint", "--endpoint-name", name, *config)
    aws("sagemaker", "wait", "endpoint-in-service", "--endpoint-name", name)
    kinds = ("--content-type", content_type, "--accept", accept)
    body = ("--body", "fileb://test.csv", "answer")
    aws("sagemaker-runtime", "invoke-endpoint", "--endpoint-name", name, *kinds, *body)
    return (aws.folder / "answer").read_bytes()


def clean_up(aws, name) -> None:
    aws("sagemaker", "delete-endpoint", "--endpoint-name", name)
    aws("sagemaker", "wait", "endpoint-deleted", "--endpoint-name", name)
    aws("sagemaker", "delete-endpoint-config", "--endpoint-config-name", name)
    aws("sagemaker", "delete-model", "--model-name", name)
    aws("s3", "rb", f"s3://{name}", "--force")
    assert "NoSuchBucket" in aws("s3", "ls", f"s3://{name}", ok=False)


def test_bank(aws, tmp_path):
    name = "bank-cli"
    train, labels, features = tutorials.bank()
    (tmp_path / "train.csv").write_bytes(train)
    (tmp_path / "test.csv").write_bytes(features)
    aws("s3", "mb", f"s3://{name}")
    aws("s3", "cp", "train.csv", f"s3://{name}/train/")
    request = flow.training(name, name, HyperParameters=tutorials.BANK_PARAMETERS)
    answer = train_deploy_predict(aws, request, "text/csv", "text/csv").decode()
    tutorials.assert_customers([float(line) for line in answer.replace(",", "\n").split()], labels)
    log = aws("logs", "filter-log-events", "--log-group-name", "/aws/sagemaker/TrainingJobs",
              "--log-stream-name-prefix", f"{name}/", "--output", "text")  # fmt: skip
    assert "[49]" in log
    clean_up(aws, name)


def test_salary(aws, tmp_path):
    name = "salary-cli"
    train, years, actual = tutorials.salary()
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "salary.recordio").write_bytes(train)
    (tmp_path / "test.csv").write_text("\n".join(map(str, years)))
    aws("s3", "mb", f"s3://{name}")
    aws("s3", "sync", "data", f"s3://{name}/train")
    request = flow.training(
        name,
        name,
        AlgorithmSpecification={"TrainingImage": tutorials.LINEAR, "TrainingInputMode": "File"},
        HyperParameters=tutorials.SALARY_PARAMETERS,
        InputDataConfig=[
            flow.channel(f"s3://{name}/train", content_type="application/x-recordio-protobuf")
        ],
    )
    answer = json.loads(train_deploy_predict(aws, request, "text/csv", "application/json"))
    tutorials.assert_salaries([each["score"] for each in answer["predictions"]], actual)
    clean_up(aws, name)

"""Bad input through the whole system: the right error, nothing lost, nothing left behind."""

import io
import tarfile

import pytest
from botocore.exceptions import ClientError
from flow import ROLE, ROWS, XGBOOST, channel, configure, ended, settled, training

REGISTRY = "683313688378.dkr.ecr.us-east-1.amazonaws.com"
LINEAR = "382416733822.dkr.ecr.us-east-1.amazonaws.com/linear-learner:1"
HYPERPARAMETERS = {"num_round": "2", "objective": "binary:logistic"}


@pytest.fixture(scope="module")
def bucket(studio):
    s3 = studio.client("s3")
    s3.create_bucket(Bucket="bad-input")
    s3.put_object(Bucket="bad-input", Key="train/rows.csv", Body=ROWS)
    return "bad-input"


def request(name: str, **values) -> dict:
    return training(name, "bad-input", **values)


def refusal(call, **values) -> dict:
    with pytest.raises(ClientError) as caught:
        call(**values)
    return caught.value.response["Error"]


def test_all_violations_at_once(studio, bucket):
    error = refusal(
        studio.client("sagemaker", parameter_validation=False).create_training_job,
        **request("x" * 70 + "!", RoleArn="nobody"),
    )
    assert error["Code"] == "ValidationException"
    assert "validation errors detected" in error["Message"]
    for member in ("trainingJobName", "roleArn"):
        assert f"at '{member}' failed to satisfy constraint" in error["Message"]


def test_a13_names_are_unique_and_missing_ones_are_named(studio, bucket):
    sagemaker = studio.client("sagemaker")
    sagemaker.create_training_job(**request("bad-twice"))
    assert refusal(sagemaker.create_training_job, **request("bad-twice"))["Code"] == "ResourceInUse"
    assert ended(sagemaker, "bad-twice")["TrainingJobStatus"] == "Completed"
    for call, values, text in (
        (sagemaker.describe_model, {"ModelName": "none"}, "Could not find model"),
        (sagemaker.describe_endpoint, {"EndpointName": "none"}, "Could not find endpoint"),
        (sagemaker.delete_endpoint, {"EndpointName": "none"}, "Could not find endpoint"),
        (
            sagemaker.describe_endpoint_config,
            {"EndpointConfigName": "none"},
            "Could not find endpoint configuration",
        ),
        (
            sagemaker.create_endpoint,
            {"EndpointName": "e", "EndpointConfigName": "none"},
            "Could not find endpoint configuration",
        ),
    ):
        error = refusal(call, **values)
        assert error["Code"] == "ValidationException"
        assert text in error["Message"]
    error = refusal(sagemaker.describe_training_job, TrainingJobName="none")
    assert "Requested resource not found." in error["Message"]


@pytest.mark.parametrize("image", [f"{REGISTRY}/sagemaker-xgboost:99", "tensorflow:2", "-v/:/host"])
def test_unknown_images_are_refused(studio, bucket, image):
    sagemaker = studio.client("sagemaker")
    algorithm = {"TrainingImage": image, "TrainingInputMode": "File"}
    error = refusal(
        sagemaker.create_training_job, **request("bad-image", AlgorithmSpecification=algorithm)
    )
    assert error["Code"] == "ValidationException"
    assert image in error["Message"]
    model = {"ModelName": "bad-image", "PrimaryContainer": {"Image": image}}
    assert image in refusal(sagemaker.create_model, ExecutionRoleArn=ROLE, **model)["Message"]
    assert "bad-image" not in str(sagemaker.list_training_jobs(NameContains="bad-image"))


@pytest.mark.parametrize(
    "member",
    [
        {"VpcConfig": {"SecurityGroupIds": ["sg-1"], "Subnets": ["subnet-1"]}},
        {
            "EnableNetworkIsolation": True,
            "ResourceConfig": {**request("x")["ResourceConfig"], "InstanceCount": 2},
        },
    ],
)
def test_what_is_not_executed_is_refused_not_ignored(studio, bucket, member):
    error = refusal(studio.client("sagemaker").create_training_job, **request("bad-yet", **member))
    assert error["Code"] == "ValidationException"
    assert next(iter(member)) in error["Message"]


@pytest.mark.parametrize("uri", ["s3://bad-input/nothing", "s3://no-such-bucket/train"])
def test_a_channel_without_objects_fails_the_job(studio, bucket, uri):
    sagemaker = studio.client("sagemaker")
    name = f"bad-channel-{abs(hash(uri))}"
    sagemaker.create_training_job(**request(name, InputDataConfig=[channel(uri)]))
    job = ended(sagemaker, name)
    assert job["TrainingJobStatus"] == "Failed"
    assert f'ClientError: No S3 objects found under S3 URL "{uri}"' in job["FailureReason"]


BAD_DATA = {
    "header": (b"y,a,b\n" + ROWS, XGBOOST, HYPERPARAMETERS, "header"),
    "text": (ROWS + b"1,two,3\n", XGBOOST, HYPERPARAMETERS, "two"),
    "label": (ROWS + b"7,1,3\n", XGBOOST, HYPERPARAMETERS, "abel"),
    "unknown": (ROWS, XGBOOST, {**HYPERPARAMETERS, "colour": "red"}, "colour"),
    "ill-typed": (ROWS, XGBOOST, {**HYPERPARAMETERS, "max_depth": "deep"}, "max_depth"),
    "missing": (ROWS, XGBOOST, {"objective": "binary:logistic"}, "num_round"),
    "linear": (ROWS, LINEAR, {"predictor_type": "oracle"}, "predictor_type"),
    "linear-label": (
        ROWS + b"7,1,3\n",
        LINEAR,
        {"predictor_type": "binary_classifier", "mini_batch_size": "10"},
        "label",
    ),
}


@pytest.mark.parametrize("case", BAD_DATA)
def test_bad_data_fails_the_job_with_a_client_error_that_names_it(studio, bucket, case):
    data, image, hyperparameters, named = BAD_DATA[case]
    sagemaker = studio.client("sagemaker")
    studio.client("s3").put_object(Bucket=bucket, Key=f"{case}/rows.csv", Body=data)
    algorithm = {"TrainingImage": image, "TrainingInputMode": "File"}
    sagemaker.create_training_job(
        **request(
            f"bad-{case}",
            AlgorithmSpecification=algorithm,
            HyperParameters=hyperparameters,
            InputDataConfig=[channel(f"s3://{bucket}/{case}")],
        )
    )
    job = ended(sagemaker, f"bad-{case}")
    assert job["TrainingJobStatus"] == "Failed"
    assert job["FailureReason"].startswith("ClientError")
    assert named in job["FailureReason"]


@pytest.fixture(scope="module")
def endpoint(studio, bucket):
    sagemaker = studio.client("sagemaker")
    sagemaker.create_training_job(**request("bad-served"))
    job = ended(sagemaker, "bad-served")
    deploy(sagemaker, "bad-served", job["ModelArtifacts"]["S3ModelArtifacts"])
    assert settled(sagemaker, "bad-served")["EndpointStatus"] == "InService"
    yield "bad-served"
    sagemaker.delete_endpoint(EndpointName="bad-served")


def deploy(sagemaker, name: str, artifact: str) -> None:
    configure(sagemaker, name, artifact)
    sagemaker.create_endpoint(EndpointName=name, EndpointConfigName=name)


def test_bad_rows_are_model_errors_that_say_why(studio, endpoint):
    runtime = studio.client("sagemaker-runtime")
    for content_type, body, status, named in (
        ("text/csv", b"1", 400, "2"),
        ("text/csv", b"a,b", 400, "a"),
        ("application/x-unknown", b"1,2", 415, "application/x-unknown"),
    ):
        with pytest.raises(ClientError) as caught:
            runtime.invoke_endpoint(EndpointName=endpoint, ContentType=content_type, Body=body)
        response = caught.value.response
        assert response["Error"]["Code"] == "ModelError"
        assert response["ResponseMetadata"]["HTTPStatusCode"] == 424
        assert response["OriginalStatusCode"] == status
        assert named in response["OriginalMessage"]
    good = runtime.invoke_endpoint(EndpointName=endpoint, ContentType="text/csv", Body=b"3,6")
    assert 0.0 <= float(good["Body"].read()) <= 1.0


def test_too_large_a_payload_is_refused(studio, endpoint):
    runtime = studio.client("sagemaker-runtime")
    body = b"1" * (6 * 2**20 + 1)
    with pytest.raises(ClientError) as caught:
        runtime.invoke_endpoint(EndpointName=endpoint, ContentType="text/csv", Body=body)
    assert caught.value.response["ResponseMetadata"]["HTTPStatusCode"] == 413


def test_an_unknown_endpoint_is_named(studio):
    runtime = studio.client("sagemaker-runtime")
    with pytest.raises(ClientError, match="Endpoint nowhere of account 000000000000 not found"):
        runtime.invoke_endpoint(EndpointName="nowhere", Body=b"1")


def archive(name: str, data: bytes = b"x") -> bytes:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w:gz") as tar:
        member = tarfile.TarInfo(name)
        member.size = len(data)
        tar.addfile(member, io.BytesIO(data))
    return buffer.getvalue()


@pytest.mark.parametrize("case", ["traversal", "absolute", "garbage", "empty"])
def test_a_hostile_model_fails_the_endpoint_and_leaves_nothing(studio, bucket, tmp_path, case):
    target = tmp_path / "escaped"
    content = {
        "traversal": archive("../../../../../../../../../../" + str(target)),
        "absolute": archive(str(target)),
        "garbage": b"this is no archive",
        "empty": b"",
    }[case]
    studio.client("s3").put_object(Bucket=bucket, Key=f"hostile/{case}.tar.gz", Body=content)
    sagemaker = studio.client("sagemaker")
    deploy(sagemaker, f"bad-model-{case}", f"s3://{bucket}/hostile/{case}.tar.gz")
    found = settled(sagemaker, f"bad-model-{case}")
    assert found["EndpointStatus"] == "Failed"
    assert "ClientError" in found["FailureReason"]
    assert not target.exists()
    sagemaker.delete_endpoint(EndpointName=f"bad-model-{case}")


def test_a31_an_artifact_that_was_replaced_is_not_served(studio, bucket):
    s3, sagemaker = studio.client("s3"), studio.client("sagemaker")
    etag = s3.put_object(Bucket=bucket, Key="pinned.tar.gz", Body=b"first")["ETag"]
    source = {
        "S3Uri": f"s3://{bucket}/pinned.tar.gz",
        "S3DataType": "S3Object",
        "CompressionType": "Gzip",
        "ETag": etag,
    }
    container = {"Image": XGBOOST, "ModelDataSource": {"S3DataSource": source}}
    model = {"ExecutionRoleArn": ROLE, "PrimaryContainer": container}
    sagemaker.create_model(ModelName="bad-pinned-model", **model)
    configure(sagemaker, "bad-pinned", source["S3Uri"], ModelName="bad-pinned-model")
    s3.put_object(Bucket=bucket, Key="pinned.tar.gz", Body=b"second")
    sagemaker.create_endpoint(EndpointName="bad-pinned", EndpointConfigName="bad-pinned")
    found = settled(sagemaker, "bad-pinned")
    assert found["EndpointStatus"] == "Failed"
    assert "ClientError: Artifact digest changed" in found["FailureReason"]
    sagemaker.delete_endpoint(EndpointName="bad-pinned")
    error = refusal(sagemaker.create_model, ModelName="bad-pinned-again", **model)
    assert "Artifact digest changed" in error["Message"]


def test_model_data_must_exist(studio, bucket):
    container = {"Image": XGBOOST, "ModelDataUrl": f"s3://{bucket}/none.tar.gz"}
    error = refusal(
        studio.client("sagemaker").create_model,
        ModelName="bad-no-data",
        PrimaryContainer=container,
        ExecutionRoleArn=ROLE,
    )
    assert "Could not find model data at s3://bad-input/none.tar.gz" in error["Message"]

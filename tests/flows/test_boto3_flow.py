"""The two tutorials with boto3 alone, on Studio's own S3 and on an external one over https."""

import json

import flow
import pytest
import tutorials
from botocore.exceptions import ClientError
from waiting import eventually


def train_and_deploy(studio, name, request) -> None:
    """Leaves an endpoint `name` in service; the artifact is where AWS puts it."""
    sagemaker = studio.client("sagemaker")
    sagemaker.create_training_job(**request)
    job = flow.ended(sagemaker, name)
    assert job["TrainingJobStatus"] == "Completed", job.get("FailureReason")
    artifact = f"s3://{name}/output/{name}/output/model.tar.gz"
    assert job["ModelArtifacts"]["S3ModelArtifacts"] == artifact
    image = request["AlgorithmSpecification"]["TrainingImage"]
    sagemaker.create_model(
        ModelName=name,
        ExecutionRoleArn=flow.ROLE,
        PrimaryContainer={"Image": image, "ModelDataUrl": artifact},
    )
    variant = {
        "VariantName": "AllTraffic",
        "ModelName": name,
        "InstanceType": "ml.m4.xlarge",
        "InitialInstanceCount": 1,
    }
    sagemaker.create_endpoint_config(EndpointConfigName=name, ProductionVariants=[variant])
    sagemaker.create_endpoint(EndpointName=name, EndpointConfigName=name)
    endpoint = flow.settled(sagemaker, name)
    assert endpoint["EndpointStatus"] == "InService", endpoint.get("FailureReason")
    sample = studio.client("studio").get_sample_request(EndpointName=name)
    assert sample["Origin"] == "TrainingData"
    for each in sample["Samples"]:
        studio.client("sagemaker-runtime").invoke_endpoint(EndpointName=name, **each)


def clean_up(studio, name) -> None:
    sagemaker, s3 = studio.client("sagemaker"), studio.client("s3")
    sagemaker.delete_endpoint(EndpointName=name)
    assert eventually(lambda: flow.gone(sagemaker, name))
    sagemaker.delete_endpoint_config(EndpointConfigName=name)
    sagemaker.delete_model(ModelName=name)
    runtime = studio.client("sagemaker-runtime")
    with pytest.raises(ClientError, match=f"Endpoint {name} .*not found"):
        runtime.invoke_endpoint(EndpointName=name, ContentType="text/csv", Body=b"1")
    listed = s3.list_objects_v2(Bucket=name)["Contents"]
    s3.delete_objects(Bucket=name, Delete={"Objects": [{"Key": it["Key"]} for it in listed]})
    s3.delete_bucket(Bucket=name)


def test_bank(anywhere):
    studio = anywhere
    name = "bank-boto3"
    train, labels, features = tutorials.bank()
    s3 = studio.client("s3")
    s3.create_bucket(Bucket=name)
    s3.put_object(Bucket=name, Key="train/train.csv", Body=train)
    request = flow.training(
        name,
        name,
        HyperParameters=tutorials.BANK_PARAMETERS,
        OutputDataConfig={"S3OutputPath": f"s3://{name}/output"},
    )
    train_and_deploy(studio, name, request)
    answer = studio.client("sagemaker-runtime").invoke_endpoint(
        EndpointName=name, ContentType="text/csv", Body=features
    )
    assert answer["ContentType"] == "text/csv; charset=utf-8"
    assert answer["InvokedProductionVariant"] == "AllTraffic"
    text = answer["Body"].read().decode()
    tutorials.assert_customers([float(line) for line in text.replace(",", "\n").split()], labels)
    clean_up(studio, name)


def test_salary(anywhere):
    studio = anywhere
    name = "salary-boto3"
    train, years, actual = tutorials.salary()
    s3 = studio.client("s3")
    s3.create_bucket(Bucket=name)
    s3.put_object(Bucket=name, Key="train/salary.recordio", Body=train)
    request = flow.training(
        name,
        name,
        AlgorithmSpecification={"TrainingImage": tutorials.LINEAR, "TrainingInputMode": "File"},
        HyperParameters=tutorials.SALARY_PARAMETERS,
        InputDataConfig=[
            flow.channel(f"s3://{name}/train", content_type="application/x-recordio-protobuf")
        ],
        OutputDataConfig={"S3OutputPath": f"s3://{name}/output"},
    )
    train_and_deploy(studio, name, request)
    answer = studio.client("sagemaker-runtime").invoke_endpoint(
        EndpointName=name,
        ContentType="text/csv",
        Accept="application/json",
        Body="\n".join(map(str, years)),
    )
    predictions = json.loads(answer["Body"].read())["predictions"]
    tutorials.assert_salaries([each["score"] for each in predictions], actual)
    clean_up(studio, name)

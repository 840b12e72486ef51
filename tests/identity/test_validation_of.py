"""Whoever asks whether a job could be made learns no more than whoever tries."""

import pytest
from botocore.exceptions import ClientError
from people_of import IMAGE, ROLE, user

DATA = "InputDataConfig[0].DataSource.S3DataSource.S3Uri"


def faults(person, uri, **more):
    source = {"S3DataType": "S3Prefix", "S3Uri": uri}
    request = {
        "TrainingJobName": "asked",
        "RoleArn": ROLE,
        "AlgorithmSpecification": {"TrainingImage": IMAGE, "TrainingInputMode": "File"},
        "HyperParameters": {"num_round": "5"},
        "InputDataConfig": [
            {
                "ChannelName": "train",
                "ContentType": "text/csv",
                "DataSource": {"S3DataSource": source},
            }
        ],
        "OutputDataConfig": {"S3OutputPath": "s3://asked-by-ann/output"},
        "ResourceConfig": {
            "InstanceType": "ml.m5.large",
            "InstanceCount": 1,
            "VolumeSizeInGB": 1,
        },
        "StoppingCondition": {"MaxRuntimeInSeconds": 60},
    }
    answer = person.client("studio").validate_training_job(Request=request | more)
    return {fault["Path"]: fault["Message"] for fault in answer["Faults"]}


@pytest.fixture(scope="module", name="ann")
def ann_fixture(plane):
    ann = user(plane, "ann-asks", "AmazonSageMakerFullAccess", "AmazonS3FullAccess")
    ann.client("s3").create_bucket(Bucket="asked-by-ann")
    ann.client("s3").put_object(Bucket="asked-by-ann", Key="a.csv", Body=b"1,2")
    owner = plane.client("s3")
    owner.create_bucket(Bucket="of-the-owner")
    owner.put_object(Bucket="of-the-owner", Key="a.csv", Body=b"1,2")
    return ann


def test_ones_own_data_are_looked_at(ann):
    assert faults(ann, "s3://asked-by-ann/a") == {}
    assert list(faults(ann, "s3://asked-by-ann/b")) == [DATA]


def test_what_is_half_written_is_looked_at(ann):
    told = faults(ann, "s3://asked-by-ann/a", Tags=[{}], TrainingJobName="\0")
    assert list(told) == ["TrainingJobName", "Tags[0].Key", "Tags[0].Value"]


def test_others_data_are_not(ann):
    for key in ("a.csv", "b.csv"):
        [(path, message)] = faults(ann, f"s3://of-the-owner/{key}").items()
        assert path == ""
        assert "not authorized to perform: s3:GetObject" in message


def test_a_policy_is_needed(plane):
    bob = user(plane, "bob-asks", "AmazonS3FullAccess")
    with pytest.raises(ClientError, match="studio:ValidateTrainingJob"):
        faults(bob, "s3://asked-by-ann/a")


def processing_faults(person, uri, **more):
    place = {"LocalPath": "/opt/ml/processing/in", "S3DataType": "S3Prefix", "S3InputMode": "File"}
    cluster = {"InstanceType": "ml.m5.large", "InstanceCount": 1, "VolumeSizeInGB": 1}
    request = {
        "ProcessingJobName": "asked",
        "RoleArn": ROLE,
        "AppSpecification": {"ImageUri": "python:latest", "ContainerEntrypoint": ["true"]},
        "ProcessingInputs": [{"InputName": "in", "S3Input": {"S3Uri": uri, **place}}],
        "ProcessingResources": {"ClusterConfig": cluster},
    }
    answer = person.client("studio").validate_processing_job(Request=request | more)
    return {fault["Path"]: fault["Message"] for fault in answer["Faults"]}


def test_a_processing_job_is_looked_at_as_it_would_be_made(ann):
    assert processing_faults(ann, "s3://asked-by-ann/a") == {}
    assert list(processing_faults(ann, "s3://asked-by-ann/b")) == [
        "ProcessingInputs[0].S3Input.S3Uri"
    ]
    place = {"S3Uri": "s3://nowhere-at-all/o", "LocalPath": "/tmp", "S3UploadMode": "EndOfJob"}
    wrong = processing_faults(
        ann,
        "s3://asked-by-ann/a",
        AppSpecification={"ImageUri": "python:latest"},
        ProcessingOutputConfig={"Outputs": [{"OutputName": "o", "S3Output": place}]},
    )
    assert list(wrong) == ["AppSpecification", "ProcessingOutputConfig"]
    assert "ContainerEntrypoint" in wrong["AppSpecification"]
    assert list(processing_faults(ann, "s3://of-the-owner/a.csv")) == [""]
    answer = ann.client("studio").validate_processing_job(Request={"AppSpecification": {}})
    assert "AppSpecification.ImageUri" in {it["Path"] for it in answer["Faults"]}

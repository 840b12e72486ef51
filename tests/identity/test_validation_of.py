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

"""What a container finds under /opt/ml when it starts, in AWS's own form."""

import json

from studio.container import layout

ARN = "arn:aws:sagemaker:us-east-1:000000000000:training-job/job"
REQUEST = {
    "TrainingJobName": "job",
    "AlgorithmSpecification": {"TrainingImage": "image", "TrainingInputMode": "File"},
    "HyperParameters": {"epochs": "5", "loss": '"absolute"'},
    "InputDataConfig": [
        {
            "ChannelName": "train",
            "ContentType": "text/csv",
            "DataSource": {
                "S3DataSource": {
                    "S3DataType": "S3Prefix",
                    "S3Uri": "s3://bucket/train",
                    "S3DataDistributionType": "ShardedByS3Key",
                }
            },
        },
        {
            "ChannelName": "code",
            "InputMode": "FastFile",
            "RecordWrapperType": "RecordIO",
            "DataSource": {"S3DataSource": {"S3DataType": "S3Prefix", "S3Uri": "s3://bucket/c"}},
        },
    ],
    "ResourceConfig": {"InstanceType": "ml.m5.xlarge", "InstanceCount": 1},
    "Environment": {"TOKEN": "canary-of-a-secret", "AWS_REGION": "eu-west-1"},
    "Tags": [{"Key": "k", "Value": "canary-of-a-tag"}],
}


def read(request=REQUEST, **host) -> dict:
    files = layout.training_files(request, ARN, **host)
    return {path.removeprefix("input/config/"): json.loads(text) for path, text in files.items()}


def test_hyperparameters_are_a_flat_map_of_strings():
    assert read()["hyperparameters.json"] == {"epochs": "5", "loss": '"absolute"'}
    bare = {name: REQUEST[name] for name in REQUEST if name not in ("HyperParameters",)}
    assert read(bare)["hyperparameters.json"] == {}


def test_channels():
    assert read()["inputdataconfig.json"] == {
        "train": {
            "ContentType": "text/csv",
            "TrainingInputMode": "File",
            "S3DistributionType": "ShardedByS3Key",
            "RecordWrapperType": "None",
        },
        "code": {
            "TrainingInputMode": "FastFile",
            "S3DistributionType": "FullyReplicated",
            "RecordWrapperType": "RecordIO",
        },
    }
    bare = {name: REQUEST[name] for name in REQUEST if name not in ("InputDataConfig",)}
    assert read(bare)["inputdataconfig.json"] == {}


def test_resources_of_one_host_and_of_several():
    instance = "ml.m5.xlarge"
    group = {"instance_group_name": "homogeneousCluster", "instance_type": instance}
    assert read()["resourceconfig.json"] == {
        "current_host": "algo-1",
        "current_instance_type": instance,
        "current_group_name": "homogeneousCluster",
        "hosts": ["algo-1"],
        "instance_groups": [{**group, "hosts": ["algo-1"]}],
        "network_interface_name": "lo",
    }
    ten = {**REQUEST, "ResourceConfig": {"InstanceType": instance, "InstanceCount": 10}}
    found = read(ten, host="algo-2")["resourceconfig.json"]
    assert found["current_host"] == "algo-2"
    assert found["hosts"][:3] == ["algo-1", "algo-10", "algo-2"]
    assert len(found["hosts"]) == 10


def test_resources_of_instance_groups():
    config = {
        "InstanceGroups": [
            {"InstanceType": "ml.c5.large", "InstanceCount": 2, "InstanceGroupName": "data"},
            {"InstanceType": "ml.p3.2xlarge", "InstanceCount": 1, "InstanceGroupName": "deep"},
        ]
    }
    found = read({**REQUEST, "ResourceConfig": config}, host="algo-3")["resourceconfig.json"]
    assert found["current_group_name"] == "deep"
    assert found["current_instance_type"] == "ml.p3.2xlarge"
    assert found["hosts"] == ["algo-1", "algo-2", "algo-3"]
    assert found["instance_groups"] == [
        {
            "instance_group_name": "data",
            "instance_type": "ml.c5.large",
            "hosts": ["algo-1", "algo-2"],
        },
        {"instance_group_name": "deep", "instance_type": "ml.p3.2xlarge", "hosts": ["algo-3"]},
    ]


def test_no_file_spreads_variables_or_tags():
    texts = layout.training_files(REQUEST, ARN).values()
    assert not any("canary" in text for text in texts)
    assert read()["trainingjobconfig.json"]["TrainingJobArn"] == ARN


def test_variables_of_the_request_win():
    assert layout.training_env(REQUEST, ARN, "us-east-1") == {
        "TRAINING_JOB_NAME": "job",
        "TRAINING_JOB_ARN": ARN,
        "AWS_REGION": "eu-west-1",
        "CURRENT_HOST": "algo-1",
        "SAGEMAKER_METRICS_DIRECTORY": "/opt/ml/output/metrics/sagemaker",
        "TOKEN": "canary-of-a-secret",
    }
    assert layout.serving_env({"Environment": {"A": "b"}}, "us-east-1") == {
        "AWS_REGION": "us-east-1",
        "A": "b",
    }

"""What the form of a new training job asks: the algorithms, and what is wrong with a request."""

import boto3
import pytest
from botocore.config import Config
from botocore.exceptions import ClientError
from plane import KEY, SECRET

from studio.api import images

ROLE = "arn:aws:iam::000000000000:role/StudioExecutionRole"
XGBOOST = "683313688378.dkr.ecr.us-east-1.amazonaws.com/sagemaker-xgboost:1.7-1"


def job(**changes):
    request = {
        "TrainingJobName": "asked",
        "RoleArn": ROLE,
        "AlgorithmSpecification": {"TrainingImage": XGBOOST, "TrainingInputMode": "File"},
        "HyperParameters": {"num_round": "5"},
        "InputDataConfig": [channel("train")],
        "OutputDataConfig": {"S3OutputPath": "s3://panel-data/output"},
        "ResourceConfig": {
            "InstanceType": "ml.m5.large",
            "InstanceCount": 1,
            "VolumeSizeInGB": 1,
        },
        "StoppingCondition": {"MaxRuntimeInSeconds": 60},
    }
    return {name: value for name, value in {**request, **changes}.items() if value is not None}


def channel(name, uri="s3://panel-data/train", content_type="text/csv"):
    source = {"S3DataType": "S3Prefix", "S3Uri": uri, "S3DataDistributionType": "FullyReplicated"}
    return {
        "ChannelName": name,
        "DataSource": {"S3DataSource": source},
        "ContentType": content_type,
    }


@pytest.fixture(scope="module", name="ask")
def ask_fixture(plane):
    s3 = plane.client("s3")
    s3.create_bucket(Bucket="panel-data")
    s3.put_object(Bucket="panel-data", Key="train/a.csv", Body=b"1,2\n")
    client = plane.client("studio")

    def ask(**changes):
        faults = client.validate_training_job(Request=job(**changes))["Faults"]
        return {fault["Path"]: fault["Message"] for fault in faults}

    return ask


def test_every_algorithm_tells_what_it_can_be_told(plane):
    client = plane.client("studio")
    names = [it["AlgorithmName"] for it in client.list_algorithms()["Algorithms"]]
    assert names == [image.name for image in images.algorithms()]
    for name in names:
        told = client.describe_algorithm(AlgorithmName=name)
        again = client.describe_algorithm(TrainingImage=told["TrainingImage"])
        assert again["HyperParameters"] == told["HyperParameters"]
        assert told["TrainingChannels"][0]["IsRequired"]
        assert any(f"/{it}:" in told["TrainingImage"] for it in told["Repositories"])
        assert [row["Name"] for row in told["HyperParameters"] if not row["Description"]] == []
        named = {row["Name"]: row for row in told["HyperParameters"]}
        for row in named.values():
            condition = row.get("When")
            assert condition is None or set(condition["Values"]) <= valid(named[condition["Name"]])


def valid(row):
    return {"true", "false"} if row["Type"] == "boolean" else {*row["Values"], *row["Words"]}


def test_a_row_of_a_table(plane):
    told = plane.client("studio").describe_algorithm(AlgorithmName="xgboost")
    rows = {row["Name"]: row for row in told["HyperParameters"]}
    assert rows["eta"] == {
        "Name": "eta",
        "Aliases": ["learning_rate"],
        "Description": "Shrinkage of each step.",
        "Type": "float",
        "Values": [],
        "Words": [],
        "Range": {"MinValue": 0, "MaxValue": 1, "IsMinExcluded": False, "IsMaxExcluded": False},
        "Valid": "[0, 1]",
        "DefaultValue": "0.3",
        "IsRequired": False,
        "IsCommon": True,
        "IsTunable": True,
        "IsOpen": False,
    }
    assert rows["num_class"]["When"]["Values"] == ["multi:softmax", "multi:softprob"]
    assert rows["save_model_on_termination"]["DefaultValue"] == "false"
    assert "MaxValue" not in rows["num_round"]["Range"]


def test_an_algorithm_that_is_none(plane):
    with pytest.raises(ClientError, match="There are: kmeans, linear-learner, xgboost"):
        plane.client("studio").describe_algorithm(AlgorithmName="blazing")


def test_instance_types_are_what_the_machine_gives(plane):
    client = plane.client("studio")
    offered = client.describe_instance_types()["InstanceTypes"]
    amounts = [(it["Cpus"], it["Gpus"]) for it in offered]
    assert len(set(amounts)) == len(amounts)
    assert offered[0]["InstanceType"] == "ml.m5.large"
    total = client.describe_capacity()["Cpus"]["Total"]
    [asked] = client.describe_instance_types(InstanceTypes=["ml.c5.18xlarge"])["InstanceTypes"]
    assert asked == {"InstanceType": "ml.c5.18xlarge", "Cpus": min(72, total), "Gpus": 0}


def test_defaults_are_those_of_the_sdk(plane):
    told = plane.client("studio").describe_defaults()
    assert told["RoleArn"] == ROLE
    assert told["Bucket"] == f"sagemaker-{told['Region']}-{told['Account']}"


def test_nothing_is_wrong_and_nothing_is_made(plane, ask):
    assert ask() == {}
    assert plane.client("sagemaker").list_training_jobs()["TrainingJobSummaries"] == []


def test_faults_of_every_kind_are_told_at_once(ask):
    told = ask(
        TrainingJobName="no spaces",
        HyperParameters={"eta": "7", "objective": "multi:softmax", "depth": "3"},
        InputDataConfig=[channel("train", content_type="image/png"), channel("valid")],
        StoppingCondition={"MaxRuntimeInSeconds": 60, "MaxWaitTimeInSeconds": 60},
        RoleArn=None,
    )
    assert "regular expression" in told["TrainingJobName"]
    assert "must not be null" in told["RoleArn"]
    assert told["HyperParameters.eta"] == "Hyperparameter eta: 7 is not in [0, 1]"
    assert "Missing required" in told["HyperParameters.num_round"]
    assert "Extraneous" in told["HyperParameters.depth"]
    assert "not an accepted ContentType" in told["InputDataConfig[0].ContentType"]
    assert told["InputDataConfig"] == "Extraneous channel found: valid"
    assert "EnableManagedSpotTraining" in told["StoppingCondition.MaxWaitTimeInSeconds"]


def test_rules_between_hyperparameters_name_theirs(ask):
    told = ask(HyperParameters={"num_round": "1", "objective": "multi:softmax"})
    assert list(told) == ["HyperParameters.num_class"]


@pytest.mark.parametrize(
    ("changes", "path"),
    [
        (
            {"AlgorithmSpecification": {"TrainingImage": "none:1", "TrainingInputMode": "File"}},
            "AlgorithmSpecification.TrainingImage",
        ),
        (
            {
                "AlgorithmSpecification": {
                    "TrainingImage": "python:latest",
                    "TrainingInputMode": "File",
                }
            },
            "AlgorithmSpecification.ContainerEntrypoint",
        ),
        ({"OutputDataConfig": {"S3OutputPath": "here"}}, "OutputDataConfig.S3OutputPath"),
        ({"OutputDataConfig": {"S3OutputPath": "https://a/b"}}, "OutputDataConfig.S3OutputPath"),
        ({"RoleArn": f"{ROLE}-of-nobody"}, "RoleArn"),
        ({"Environment": {"A": "\0"}}, "Environment"),
        ({"Tags": [{"Key": ""}]}, "Tags[0].Key"),
    ],
)
def test_each_fault_has_its_place_and_is_the_engines(plane, ask, changes, path):
    told = ask(**changes)
    assert path in told, told
    config = Config(parameter_validation=False, retries={"total_max_attempts": 1})
    keys = {"aws_access_key_id": KEY, "aws_secret_access_key": SECRET}
    client = boto3.client("sagemaker", "us-east-1", endpoint_url=plane.url, config=config, **keys)
    with pytest.raises(ClientError) as refused:
        client.create_training_job(**job(**changes))
    assert told[path] in refused.value.response["Error"]["Message"]


OPTIONAL = ("HyperParameters", "InputDataConfig", "AlgorithmSpecification", "StoppingCondition")


@pytest.mark.parametrize("member", [*job(), "TrainingImage", "TrainingInputMode", "S3Uri"])
def test_a_request_that_somebody_is_still_writing(ask, member):
    told = ask(**{**dict.fromkeys(job()), **without(job(), member)})
    assert member in OPTIONAL or any(path.endswith(member) for path in told), told


def without(document, name):
    """The document with no member of that name, however deep."""
    if isinstance(document, list):
        return [without(item, name) for item in document]
    if not isinstance(document, dict):
        return document
    return {key: without(value, name) for key, value in document.items() if key != name}


WEIRD = ("", "\0", "https://a/b", -1, [], [{}])


def test_no_request_is_too_strange_to_be_looked_at(plane):
    client = plane.client("studio")
    whole = job(Tags=[{"Key": "a", "Value": "b"}], Environment={"A": "B"}, CheckpointConfig={})
    for path in list(paths(whole)):
        for value in WEIRD:
            told = client.validate_training_job(Request=replaced(whole, path, value))
            assert all(fault["Message"] for fault in told["Faults"])


def paths(document, path=()):
    if path:
        yield path
    items = enumerate(document) if isinstance(document, list) else ()
    for key, item in document.items() if isinstance(document, dict) else items:
        yield from paths(item, (*path, key))


def replaced(document, path, value):
    if not path:
        return value
    copy = list(document) if isinstance(document, list) else dict(document)
    copy[path[0]] = replaced(copy[path[0]], path[1:], value)
    return copy


def test_a_value_of_a_wrong_type(ask):
    assert list(ask(HyperParameters=5)) == ["HyperParameters"]


@pytest.mark.parametrize("uri", ["s3://panel-data/none", "s3://no-such-bucket/none"])
def test_data_that_are_not_there(ask, uri):
    told = ask(InputDataConfig=[channel("train", uri)])
    assert list(told) == ["InputDataConfig[0].DataSource.S3DataSource.S3Uri"]


def test_a_place_for_the_output(ask):
    told = ask(OutputDataConfig={"S3OutputPath": "s3://no-such-bucket/output"})
    assert told == {"OutputDataConfig.S3OutputPath": "The bucket no-such-bucket does not exist."}
    usual = "s3://sagemaker-us-east-1-000000000000/output"
    assert ask(OutputDataConfig={"S3OutputPath": usual}) == {}


def test_a_name_that_is_taken(plane, ask):
    plane.client("sagemaker").create_training_job(**job(TrainingJobName="first"))
    told = ask(TrainingJobName="first")
    assert "must be unique" in told["TrainingJobName"]

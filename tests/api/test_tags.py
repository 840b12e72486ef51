"""Tags: on every kind that is stored, at creation and after it, within AWS's limits."""

import pytest
from botocore.exceptions import ClientError
from test_client_texts import CONFIG, ENDPOINT, JOB, MODEL


def tags(**values):
    return [{"Key": key, "Value": value} for key, value in values.items()]


CREATE = {
    "create_model": (MODEL, "ModelName", "ModelArn"),
    "create_endpoint_config": (CONFIG, "EndpointConfigName", "EndpointConfigArn"),
    "create_endpoint": (ENDPOINT, "EndpointName", "EndpointArn"),
    "create_training_job": (JOB, "TrainingJobName", "TrainingJobArn"),
}


@pytest.fixture(scope="module")
def arns(plane):
    """One resource of each kind, with a tag from the start."""
    sagemaker = plane.client("sagemaker")
    return {
        operation: getattr(sagemaker, operation)(**request, Tags=tags(first="1"))[member]
        for operation, (request, _name, member) in CREATE.items()
    }


@pytest.fixture(scope="module")
def sagemaker(plane):
    return plane.client("sagemaker")


@pytest.mark.parametrize("operation", CREATE)
def test_tags_come_and_go(sagemaker, arns, operation):
    arn = arns[operation]
    assert sagemaker.list_tags(ResourceArn=arn)["Tags"] == tags(first="1")
    answer = sagemaker.add_tags(ResourceArn=arn, Tags=tags(first="2", second=""))
    assert answer["Tags"] == tags(first="2", second="")
    sagemaker.delete_tags(ResourceArn=arn, TagKeys=["first", "unheard"])
    assert sagemaker.list_tags(ResourceArn=arn)["Tags"] == tags(second="")
    sagemaker.delete_tags(ResourceArn=arn, TagKeys=["second"])


def test_fifty_tags_and_no_more(sagemaker, arns):
    arn = arns["create_model"]
    sagemaker.add_tags(ResourceArn=arn, Tags=tags(**{f"k{n}": "v" for n in range(50)}))
    with pytest.raises(ClientError, match="maximum number of tags"):
        sagemaker.add_tags(ResourceArn=arn, Tags=tags(more="v"))
    assert len(sagemaker.list_tags(ResourceArn=arn)["Tags"]) == 50
    pages = list(sagemaker.get_paginator("list_tags").paginate(ResourceArn=arn))
    assert [len(page["Tags"]) for page in pages] == [50]
    sagemaker.delete_tags(ResourceArn=arn, TagKeys=[f"k{n}" for n in range(50)])


@pytest.mark.parametrize(
    ("operation", "request_", "text"),
    [
        ("add_tags", {"Tags": tags(**{"aws:x": "1"})}, "reserved"),
        ("add_tags", {"Tags": tags(**{"AWS:x": "1"})}, "reserved"),
        ("delete_tags", {"TagKeys": ["aws:x"]}, "reserved"),
        ("add_tags", {"Tags": tags(**{"k" * 129: "1"})}, "128"),
        ("add_tags", {"Tags": tags(k="v" * 257)}, "256"),
        ("add_tags", {"Tags": tags(**{"no#": "1"})}, "pattern"),
        ("list_tags", {"NextToken": "x"}, "NextToken"),
    ],
)
def test_refusals(sagemaker, arns, operation, request_, text):
    arn = arns["create_endpoint"]
    with pytest.raises(ClientError, match=text) as caught:
        getattr(sagemaker, operation)(ResourceArn=arn, **request_)
    assert caught.value.response["Error"]["Code"] == "ValidationException"
    assert sagemaker.list_tags(ResourceArn=arn)["Tags"] in (tags(first="1"), [])


def test_a_reserved_tag_makes_no_resource(sagemaker):
    request = {**MODEL, "ModelName": "reserved", "Tags": tags(**{"aws:x": "1"})}
    with pytest.raises(ClientError, match="reserved"):
        sagemaker.create_model(**request)
    with pytest.raises(ClientError, match="Could not find"):
        sagemaker.describe_model(ModelName="reserved")

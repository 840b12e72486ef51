"""Identity, as boto3 and `get_execution_role()` ask for it."""

import re

import pytest
from botocore.exceptions import ClientError
from plane import Plane


def test_identity_is_an_assumed_role(plane: Plane):
    answer = plane.client("sts").get_caller_identity()
    assert answer["Account"] == "000000000000"
    assert answer["Arn"] == "arn:aws:sts::000000000000:assumed-role/StudioExecutionRole/studio"
    assert re.fullmatch(r"AROA[A-Z2-7]{17}:studio", answer["UserId"])
    assert answer["ResponseMetadata"]["RequestId"]


def test_role_of_the_identity_is_trusted_by_sagemaker(plane: Plane):
    arn = plane.client("sts").get_caller_identity()["Arn"]
    # What sagemaker.session.Session.get_caller_identity_arn does with it.
    role = re.sub(r"^(.+)sts::(\d+):assumed-role/(.+?)/.*$", r"\1iam::\2:role/\3", arn)
    found = plane.client("iam").get_role(RoleName=role.rpartition("/")[2])["Role"]
    assert found["Arn"] == role
    statement = found["AssumeRolePolicyDocument"]["Statement"][0]
    assert statement["Principal"]["Service"] == "sagemaker.amazonaws.com"
    assert statement["Effect"] == "Allow"


@pytest.mark.parametrize("region", ["eu-west-1", "us-east-1"])
def test_global_services_answer_clients_of_any_region(plane: Plane, region: str):
    assert plane.client("sts", region_name=region).get_caller_identity()
    assert plane.client("iam", region_name=region).get_role(RoleName="StudioExecutionRole")


def test_unknown_role(plane: Plane):
    iam = plane.client("iam")
    with pytest.raises(iam.exceptions.NoSuchEntityException) as caught:
        iam.get_role(RoleName="Nobody")
    error = caught.value.response
    assert error["Error"]["Message"] == "The role with name Nobody cannot be found."
    assert error["ResponseMetadata"]["HTTPStatusCode"] == 404


def test_role_name_is_validated_in_the_query_services_words(plane: Plane):
    with pytest.raises(ClientError) as caught:
        plane.client("iam").get_role(RoleName="a<b>")
    error = caught.value.response["Error"]
    assert error["Code"] == "ValidationError"
    assert "Value 'a<b>' at 'roleName' failed to satisfy constraint" in error["Message"]


def test_other_operations_are_named(plane: Plane):
    for service, call in (("sts", "get_federation_token"), ("iam", "list_mfa_devices")):
        with pytest.raises(ClientError) as caught:
            getattr(plane.client(service), call)(**({"Name": "ann"} if service == "sts" else {}))
        error = caught.value.response["Error"]
        assert error["Code"] == "UnknownOperationException"
        assert f"{service}:" in error["Message"]


def test_wrong_key_in_the_query_services_words(plane: Plane):
    for change, code in (
        ({"aws_access_key_id": "AKIANOBODY0000000000"}, "InvalidClientTokenId"),
        ({"aws_secret_access_key": "wrong"}, "SignatureDoesNotMatch"),
    ):
        with pytest.raises(ClientError) as caught:
            plane.client("sts", **change).get_caller_identity()
        assert caught.value.response["Error"]["Code"] == code
        assert caught.value.response["ResponseMetadata"]["HTTPStatusCode"] == 403

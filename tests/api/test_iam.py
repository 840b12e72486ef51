"""IAM as boto3 asks it: roles, users, policies, keys, simulation, and AWS's errors."""

import json
from typing import Any

import pytest
from botocore.exceptions import ClientError
from plane import Plane

ACCOUNT = "000000000000"
AWS = "arn:aws:iam::aws:policy/"


def document(action: Any = "s3:*", resource: Any = "*", effect: str = "Allow") -> str:
    statement = {"Effect": effect, "Action": action, "Resource": resource}
    return json.dumps({"Version": "2012-10-17", "Statement": [statement]})


def trust(service: str = "sagemaker.amazonaws.com") -> str:
    statement = {"Effect": "Allow", "Principal": {"Service": service}, "Action": "sts:AssumeRole"}
    return json.dumps({"Version": "2012-10-17", "Statement": [statement]})


@pytest.fixture(name="iam")
def iam_fixture(plane: Plane) -> Any:
    return plane.client("iam")


def error(call: Any, **arguments: Any) -> tuple[str, int, str]:
    with pytest.raises(ClientError) as caught:
        call(**arguments)
    answer = caught.value.response
    status = answer["ResponseMetadata"]["HTTPStatusCode"]
    return answer["Error"]["Code"], status, answer["Error"]["Message"]


def test_the_life_of_a_role(iam: Any):
    made = iam.create_role(
        RoleName="life",
        AssumeRolePolicyDocument=trust(),
        Description="first",
        MaxSessionDuration=7200,
        Tags=[{"Key": "team", "Value": "a"}],
    )["Role"]
    assert made["Arn"] == f"arn:aws:iam::{ACCOUNT}:role/life"
    assert made["RoleId"].startswith("AROA")
    assert len(made["RoleId"]) == 21
    assert iam.get_role(RoleName="life")["Role"] == made
    assert made["AssumeRolePolicyDocument"]["Statement"][0]["Action"] == "sts:AssumeRole"
    iam.update_role(RoleName="life", Description="second", MaxSessionDuration=3600)
    iam.update_assume_role_policy(RoleName="life", PolicyDocument=trust("lambda.amazonaws.com"))
    iam.tag_role(RoleName="life", Tags=[{"Key": "cost", "Value": "1"}])
    iam.untag_role(RoleName="life", TagKeys=["team"])
    changed = iam.get_role(RoleName="life")["Role"]
    assert (changed["Description"], changed["MaxSessionDuration"]) == ("second", 3600)
    assert "lambda" in str(changed["AssumeRolePolicyDocument"])
    assert iam.list_role_tags(RoleName="life")["Tags"] == [{"Key": "cost", "Value": "1"}]
    iam.delete_role(RoleName="life")
    assert error(iam.get_role, RoleName="life")[:2] == ("NoSuchEntity", 404)


def test_the_role_of_the_home_is_there_and_stays(iam: Any):
    role = iam.get_role(RoleName="StudioExecutionRole")["Role"]
    assert role["MaxSessionDuration"] == 43_200
    assert "StudioExecutionRole" in [it["RoleName"] for it in iam.list_roles()["Roles"]]
    assert error(iam.delete_role, RoleName="StudioExecutionRole")[0] == "UnmodifiableEntity"


def test_errors_of_roles(iam: Any):
    iam.create_role(RoleName="twice", AssumeRolePolicyDocument=trust())
    again = {"RoleName": "twice", "AssumeRolePolicyDocument": trust()}
    assert error(iam.create_role, **again) == (
        "EntityAlreadyExists",
        409,
        "Role with name twice already exists.",
    )
    for wrong in ("{", document(), trust().replace("Action", "Deed")):
        code, status, _ = error(iam.create_role, RoleName="wrong", AssumeRolePolicyDocument=wrong)
        assert (code, status) == ("MalformedPolicyDocument", 400)
    assert error(iam.get_role, RoleName="wrong")[0] == "NoSuchEntity"
    iam.put_role_policy(RoleName="twice", PolicyName="p", PolicyDocument=document())
    assert error(iam.delete_role, RoleName="twice")[:2] == ("DeleteConflict", 409)
    iam.delete_role_policy(RoleName="twice", PolicyName="p")
    iam.attach_role_policy(RoleName="twice", PolicyArn=AWS + "AmazonS3FullAccess")
    assert error(iam.delete_role, RoleName="twice")[:2] == ("DeleteConflict", 409)


@pytest.mark.parametrize("kind", ["role", "user"])
def test_policies_of_roles_and_users(iam: Any, kind: str):
    name = {f"{kind.capitalize()}Name": f"policies-{kind}"}
    if kind == "role":
        iam.create_role(**name, AssumeRolePolicyDocument=trust())
    else:
        iam.create_user(**name)

    def call(operation: str, **arguments: Any) -> Any:
        return getattr(iam, operation.replace("KIND", kind))(**name, **arguments)

    call("put_KIND_policy", PolicyName="a", PolicyDocument=document())
    call("put_KIND_policy", PolicyName="b", PolicyDocument=document("s3:Get*"))
    assert call("list_KIND_policies")["PolicyNames"] == ["a", "b"]
    found = call("get_KIND_policy", PolicyName="b")["PolicyDocument"]
    assert found == json.loads(document("s3:Get*"))
    first = call("list_KIND_policies", MaxItems=1)
    assert (first["PolicyNames"], first["IsTruncated"]) == (["a"], True)
    rest = call("list_KIND_policies", Marker=first["Marker"])
    assert rest["PolicyNames"] == ["b"]
    call("delete_KIND_policy", PolicyName="a")
    with pytest.raises(ClientError, match="cannot be found"):
        call("get_KIND_policy", PolicyName="a")
    with pytest.raises(ClientError, match="MalformedPolicyDocument"):
        call("put_KIND_policy", PolicyName="a", PolicyDocument='{"Statement": 1}')
    many = [f"s3:Get{n}" for n in range(900)]
    with pytest.raises(ClientError, match="LimitExceeded"):
        call("put_KIND_policy", PolicyName="a", PolicyDocument=document(many))
    call("attach_KIND_policy", PolicyArn=AWS + "AmazonS3ReadOnlyAccess")
    call("attach_KIND_policy", PolicyArn=AWS + "AmazonS3ReadOnlyAccess")
    attached = call("list_attached_KIND_policies")["AttachedPolicies"]
    assert [it["PolicyName"] for it in attached] == ["AmazonS3ReadOnlyAccess"]
    with pytest.raises(ClientError, match="NoSuchEntity"):
        call("attach_KIND_policy", PolicyArn=AWS + "Nothing")
    call("detach_KIND_policy", PolicyArn=AWS + "AmazonS3ReadOnlyAccess")
    with pytest.raises(ClientError, match="NoSuchEntity"):
        call("detach_KIND_policy", PolicyArn=AWS + "AmazonS3ReadOnlyAccess")


def test_managed_policies(iam: Any):
    made = iam.create_policy(PolicyName="own", PolicyDocument=document(), Path="/team/")["Policy"]
    arn = made["Arn"]
    assert arn == f"arn:aws:iam::{ACCOUNT}:policy/team/own"
    assert iam.get_policy(PolicyArn=arn)["Policy"]["PolicyName"] == "own"
    version = iam.get_policy_version(PolicyArn=arn, VersionId="v1")["PolicyVersion"]
    assert version["Document"] == json.loads(document())
    assert error(iam.get_policy_version, PolicyArn=arn, VersionId="v2")[0] == "NoSuchEntity"
    known = {it["PolicyName"] for it in iam.list_policies()["Policies"]}
    assert {"own", "AmazonSageMakerFullAccess", "AdministratorAccess"} <= known
    assert {it["PolicyName"] for it in iam.list_policies(Scope="Local")["Policies"]} == {"own"}
    iam.create_user(UserName="holder")
    iam.attach_user_policy(UserName="holder", PolicyArn=arn)
    assert error(iam.delete_policy, PolicyArn=arn)[:2] == ("DeleteConflict", 409)
    iam.detach_user_policy(UserName="holder", PolicyArn=arn)
    iam.delete_policy(PolicyArn=arn)
    assert error(iam.get_policy, PolicyArn=arn)[0] == "NoSuchEntity"


def test_users_and_their_keys(plane: Plane, iam: Any):
    made = iam.create_user(UserName="ann", Tags=[{"Key": "a", "Value": "b"}])["User"]
    assert made["Arn"] == f"arn:aws:iam::{ACCOUNT}:user/ann"
    assert made["UserId"].startswith("AIDA")
    assert error(iam.create_user, UserName="ann")[:2] == ("EntityAlreadyExists", 409)
    first = iam.create_access_key(UserName="ann")["AccessKey"]
    second = iam.create_access_key(UserName="ann")["AccessKey"]
    assert error(iam.create_access_key, UserName="ann")[:2] == ("LimitExceeded", 409)
    keys = {
        "aws_access_key_id": first["AccessKeyId"],
        "aws_secret_access_key": first["SecretAccessKey"],
    }
    sts = plane.client("sts", **keys)
    assert sts.get_caller_identity()["Arn"] == made["Arn"]
    assert sts.get_caller_identity()["UserId"] == made["UserId"]
    listed = iam.list_access_keys(UserName="ann")["AccessKeyMetadata"]
    assert {it["AccessKeyId"] for it in listed} == {first["AccessKeyId"], second["AccessKeyId"]}
    assert first["SecretAccessKey"] not in str(listed)
    off = {"UserName": "ann", "AccessKeyId": first["AccessKeyId"]}
    iam.update_access_key(**off, Status="Inactive")
    assert error(sts.get_caller_identity)[:2] == ("InvalidClientTokenId", 403)
    iam.update_access_key(**off, Status="Active")
    assert sts.get_caller_identity()
    assert error(iam.delete_user, UserName="ann")[:2] == ("DeleteConflict", 409)
    for key in (first, second):
        iam.delete_access_key(UserName="ann", AccessKeyId=key["AccessKeyId"])
    assert error(sts.get_caller_identity)[:2] == ("InvalidClientTokenId", 403)
    assert error(iam.delete_access_key, **off)[0] == "NoSuchEntity"
    iam.delete_user(UserName="ann")
    assert error(iam.get_user, UserName="ann")[0] == "NoSuchEntity"
    assert error(iam.get_user)[0] == "ValidationError"


def test_lists_come_in_pages(iam: Any):
    for number in range(7):
        iam.create_user(UserName=f"page-{number}", Path="/pages/")
    pages = iam.get_paginator("list_users").paginate(
        PathPrefix="/pages/", PaginationConfig={"PageSize": 3}
    )
    found = [[it["UserName"] for it in page["Users"]] for page in pages]
    assert [len(page) for page in found] == [3, 3, 1]
    assert [name for page in found for name in page] == [f"page-{number}" for number in range(7)]
    assert error(iam.list_users, Marker="?")[0] == "ValidationError"


def test_simulation_of_a_principal(iam: Any):
    role = iam.get_role(RoleName="StudioExecutionRole")["Role"]["Arn"]
    actions = [
        "sagemaker:CreateTrainingJob",
        "s3:PutObject",
        "logs:PutLogEvents",
        "ec2:RunInstances",
    ]
    pages = iam.get_paginator("simulate_principal_policy").paginate(
        PolicySourceArn=role, ActionNames=actions, PaginationConfig={"PageSize": 3}
    )
    results = [it for page in pages for it in page["EvaluationResults"]]
    assert [it["EvalActionName"] for it in results] == actions
    assert [it["EvalDecision"] for it in results] == ["allowed"] * 3 + ["implicitDeny"]
    bucket = "arn:aws:s3:::some-bucket/*"
    once = iam.simulate_principal_policy(
        PolicySourceArn=role, ActionNames=["s3:PutObject"], ResourceArns=[bucket]
    )["EvaluationResults"]
    assert [(it["EvalResourceName"], it["EvalDecision"]) for it in once] == [(bucket, "allowed")]
    unknown = f"arn:aws:iam::{ACCOUNT}:role/Nobody"
    wrong = {"PolicySourceArn": unknown, "ActionNames": actions}
    assert error(iam.simulate_principal_policy, **wrong)[:2] == ("NoSuchEntity", 404)
    wrong["PolicySourceArn"] = "arn:aws:s3:::not-a-principal"
    assert error(iam.simulate_principal_policy, **wrong)[0] == "InvalidInput"


def test_simulation_with_context_and_denial(iam: Any):
    condition = {"StringEquals": {"iam:PassedToService": "sagemaker.amazonaws.com"}}
    statement = {"Effect": "Allow", "Action": "iam:PassRole", "Resource": "*"}
    text = json.dumps({"Version": "2012-10-17", "Statement": {**statement, "Condition": condition}})
    asked = {"PolicyInputList": [text], "ActionNames": ["iam:PassRole"]}
    result = iam.simulate_custom_policy(**asked)["EvaluationResults"][0]
    assert result["EvalDecision"] == "implicitDeny"
    assert result["MissingContextValues"] == ["iam:passedtoservice"]
    entry = {
        "ContextKeyName": "iam:PassedToService",
        "ContextKeyValues": ["sagemaker.amazonaws.com"],
        "ContextKeyType": "string",
    }
    result = iam.simulate_custom_policy(**asked, ContextEntries=[entry])["EvaluationResults"][0]
    assert result["EvalDecision"] == "allowed"
    denial = document("iam:*", effect="Deny")
    asked["PolicyInputList"].append(denial)
    result = iam.simulate_custom_policy(**asked, ContextEntries=[entry])["EvaluationResults"][0]
    assert result["EvalDecision"] == "explicitDeny"


def test_a_policy_counts_from_the_next_call_on(plane: Plane, iam: Any):
    iam.create_user(UserName="quick")
    key = iam.create_access_key(UserName="quick")["AccessKey"]
    sagemaker = plane.client(
        "sagemaker",
        aws_access_key_id=key["AccessKeyId"],
        aws_secret_access_key=key["SecretAccessKey"],
    )
    for _ in range(3):
        assert error(sagemaker.list_models)[:2] == ("AccessDeniedException", 403)
        text = document("sagemaker:ListModels")
        iam.put_user_policy(UserName="quick", PolicyName="p", PolicyDocument=text)
        assert sagemaker.list_models()["Models"] == []
        iam.delete_user_policy(UserName="quick", PolicyName="p")
    _, _, text = error(sagemaker.list_models)
    assert f"User: arn:aws:iam::{ACCOUNT}:user/quick is not authorized" in text
    assert "because no identity-based policy allows the sagemaker:ListModels action" in text

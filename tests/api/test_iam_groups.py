"""Groups of users, versions of policies and tags; what a group allows its members may do."""

import json
from typing import Any

import pytest
from botocore.exceptions import ClientError
from plane import Plane

ACCOUNT = "000000000000"


def document(action: str = "iam:ListUsers") -> str:
    statement = {"Effect": "Allow", "Action": action, "Resource": "*"}
    return json.dumps({"Version": "2012-10-17", "Statement": [statement]})


@pytest.fixture(name="iam")
def iam_fixture(plane: Plane) -> Any:
    return plane.client("iam")


def error(call: Any, **arguments: Any) -> tuple[str, str]:
    with pytest.raises(ClientError) as caught:
        call(**arguments)
    return caught.value.response["Error"]["Code"], caught.value.response["Error"]["Message"]


def member(plane: Plane, iam: Any, name: str) -> Any:
    """An IAM client of a new user."""
    iam.create_user(UserName=name)
    key = iam.create_access_key(UserName=name)["AccessKey"]
    return plane.client(
        "iam",
        aws_access_key_id=key["AccessKeyId"],
        aws_secret_access_key=key["SecretAccessKey"],
    )


def test_members_may_do_what_their_group_may(plane: Plane, iam: Any):
    ann = member(plane, iam, "ann")
    iam.create_group(GroupName="readers")
    iam.put_group_policy(GroupName="readers", PolicyName="p", PolicyDocument=document())
    assert error(ann.list_users)[0] == "AccessDenied"
    iam.add_user_to_group(GroupName="readers", UserName="ann")
    assert ann.list_users()["Users"]
    iam.update_group(GroupName="readers", NewGroupName="lookers", NewPath="/team/")
    assert ann.list_users()["Users"]
    (group,) = iam.list_groups_for_user(UserName="ann")["Groups"]
    assert group["Arn"] == f"arn:aws:iam::{ACCOUNT}:group/team/lookers"
    iam.remove_user_from_group(GroupName="lookers", UserName="ann")
    assert error(ann.list_users)[0] == "AccessDenied"
    assert error(ann.add_user_to_group, GroupName="lookers", UserName="ann")[0] == "AccessDenied"


def test_a_simulation_knows_the_groups(iam: Any):
    made = iam.create_user(UserName="sim")["User"]
    iam.create_group(GroupName="sims")
    iam.put_group_policy(GroupName="sims", PolicyName="p", PolicyDocument=document("s3:GetObject"))
    iam.add_user_to_group(GroupName="sims", UserName="sim")
    asked = {"PolicySourceArn": made["Arn"], "ActionNames": ["s3:GetObject", "s3:PutObject"]}
    results = iam.simulate_principal_policy(**asked)["EvaluationResults"]
    assert [it["EvalDecision"] for it in results] == ["allowed", "implicitDeny"]


def test_the_life_of_a_group(iam: Any):
    made = iam.create_group(GroupName="life")["Group"]
    assert made["GroupId"].startswith("AGPA")
    for name in ("life-b", "life-a"):
        iam.create_user(UserName=name)
        iam.add_user_to_group(GroupName="life", UserName=name)
        iam.add_user_to_group(GroupName="life", UserName=name)
    first = iam.get_group(GroupName="life", MaxItems=1)
    assert [it["UserName"] for it in first["Users"]] == ["life-a"]
    rest = iam.get_group(GroupName="life", Marker=first["Marker"])
    assert [it["UserName"] for it in rest["Users"]] == ["life-b"]
    assert error(iam.delete_group, GroupName="life")[0] == "DeleteConflict"
    assert error(iam.delete_user, UserName="life-a")[0] == "DeleteConflict"
    for name in ("life-b", "life-a"):
        iam.remove_user_from_group(GroupName="life", UserName=name)
        iam.delete_user(UserName=name)
    iam.delete_group(GroupName="life")
    assert iam.create_group(GroupName="life")["Group"]["GroupId"] != made["GroupId"]


def test_errors_of_groups(iam: Any):
    iam.create_group(GroupName="one")
    iam.create_group(GroupName="two")
    taken = ("EntityAlreadyExists", "Group with name two already exists.")
    assert error(iam.create_group, GroupName="two") == taken
    assert error(iam.update_group, GroupName="one", NewGroupName="two") == taken
    missing = ("NoSuchEntity", "The group with name three cannot be found.")
    assert error(iam.get_group, GroupName="three") == missing
    assert error(iam.update_group, GroupName="three", NewGroupName="four") == missing
    iam.create_user(UserName="lone")
    assert error(iam.add_user_to_group, GroupName="three", UserName="lone") == missing
    told = error(iam.remove_user_from_group, GroupName="one", UserName="lone")
    assert told == ("NoSuchEntity", "User lone not in group one")


def test_versions_of_a_policy(plane: Plane, iam: Any):
    bob = member(plane, iam, "bob")
    arn = iam.create_policy(PolicyName="grown", PolicyDocument=document("s3:*"))["Policy"]["Arn"]
    iam.attach_user_policy(UserName="bob", PolicyArn=arn)
    assert error(bob.list_users)[0] == "AccessDenied"
    made = iam.create_policy_version(PolicyArn=arn, PolicyDocument=document(), SetAsDefault=True)
    assert (made["PolicyVersion"]["VersionId"], made["PolicyVersion"]["IsDefaultVersion"]) == (
        "v2",
        True,
    )
    assert bob.list_users()["Users"]
    iam.set_default_policy_version(PolicyArn=arn, VersionId="v1")
    assert error(bob.list_users)[0] == "AccessDenied"
    assert error(iam.delete_policy_version, PolicyArn=arn, VersionId="v1")[0] == "DeleteConflict"
    assert error(iam.delete_policy_version, PolicyArn=arn, VersionId="v7")[0] == "NoSuchEntity"
    iam.delete_policy_version(PolicyArn=arn, VersionId="v2")
    for number in range(3, 7):
        told = iam.create_policy_version(PolicyArn=arn, PolicyDocument=document())
        assert told["PolicyVersion"]["VersionId"] == f"v{number}"
    full = {"PolicyArn": arn, "PolicyDocument": document()}
    assert error(iam.create_policy_version, **full)[0] == "LimitExceeded"
    listed = iam.list_policy_versions(PolicyArn=arn)["Versions"]
    assert [it["VersionId"] for it in listed] == ["v6", "v5", "v4", "v3", "v1"]
    aws = "arn:aws:iam::aws:policy/AmazonS3FullAccess"
    assert error(iam.create_policy_version, **{**full, "PolicyArn": aws})[0] == "AccessDenied"


def test_what_a_policy_is_attached_to(iam: Any):
    arn = iam.create_policy(PolicyName="held", PolicyDocument=document())["Policy"]["Arn"]
    iam.create_user(UserName="holder-u")
    iam.create_group(GroupName="holder-g")
    iam.attach_user_policy(UserName="holder-u", PolicyArn=arn)
    iam.attach_group_policy(GroupName="holder-g", PolicyArn=arn)
    assert iam.get_policy(PolicyArn=arn)["Policy"]["AttachmentCount"] == 2
    found = iam.list_entities_for_policy(PolicyArn=arn)
    assert [it["UserName"] for it in found["PolicyUsers"]] == ["holder-u"]
    assert [it["GroupName"] for it in found["PolicyGroups"]] == ["holder-g"]
    only = iam.list_entities_for_policy(PolicyArn=arn, EntityFilter="Group")
    assert (only["PolicyUsers"], len(only["PolicyGroups"])) == ([], 1)
    assert error(iam.delete_policy, PolicyArn=arn)[0] == "DeleteConflict"


def test_lists_say_less_than_get(iam: Any):
    tags = [{"Key": "k", "Value": "v"}]
    policy = {"PolicyName": "less", "PolicyDocument": document(), "Path": "/less/"}
    made = iam.create_policy(**policy, Description="d", Tags=tags)["Policy"]
    assert "Description" not in made
    assert iam.get_policy(PolicyArn=made["Arn"])["Policy"]["Description"] == "d"
    (listed,) = iam.list_policies(PathPrefix="/less/")["Policies"]
    assert not {"Description", "Tags"} & listed.keys()
    iam.create_user(UserName="less", Path="/less/", Tags=tags)
    (user,) = iam.list_users(PathPrefix="/less/")["Users"]
    assert "Tags" not in user


@pytest.mark.parametrize("kind", ["user", "policy"])
def test_tags(iam: Any, kind: str):
    if kind == "user":
        iam.create_user(UserName="tagged")
        named = {"UserName": "tagged"}
    else:
        made = iam.create_policy(PolicyName="tagged", PolicyDocument=document())["Policy"]
        named = {"PolicyArn": made["Arn"]}
    tag, untag = getattr(iam, f"tag_{kind}"), getattr(iam, f"untag_{kind}")
    listed = getattr(iam, f"list_{kind}_tags")
    tag(**named, Tags=[{"Key": "Team", "Value": "a"}, {"Key": "cost", "Value": ""}])
    tag(**named, Tags=[{"Key": "team", "Value": "b"}])
    first = listed(**named, MaxItems=1)
    assert first["Tags"] == [{"Key": "cost", "Value": ""}]
    assert listed(**named, Marker=first["Marker"])["Tags"] == [{"Key": "team", "Value": "b"}]
    twice = [{"Key": "a", "Value": ""}, {"Key": "A", "Value": ""}]
    assert error(tag, **named, Tags=twice) == (
        "InvalidInput",
        "Duplicate tag keys found. Please note that Tag keys are case insensitive.",
    )
    untag(**named, TagKeys=["TEAM"])
    assert [it["Key"] for it in listed(**named)["Tags"]] == ["cost"]


def statement(**changes: Any) -> dict[str, Any]:
    return {"Effect": "Allow", "Action": "s3:GetObject", "Resource": "*"} | changes


ARN = "arn:aws:s3:::b"
DATED = {"DateLessThan": {"aws:CurrentTime": "soon"}}


@pytest.mark.parametrize(
    ("policy", "said"),
    [
        (statement(Effect="Perhaps"), "Syntax errors in policy."),
        (statement(Colour="red"), "Syntax errors in policy."),
        (statement(NotAction="s3:*"), "Syntax errors in policy."),
        (statement(Condition={"Like": {"a": "b"}}), "Syntax errors in policy."),
        (statement(Effect="allow"), "The policy failed legacy parsing"),
        (statement(Resource="arn:aws:s3::b"), "The policy failed legacy parsing"),
        (statement(Condition=DATED, Action=[]), "The policy failed legacy parsing"),
        (statement(Resource="b"), 'Resource b must be in ARN format or "*".'),
        (statement(Resource=[ARN, "x:y:z"]), 'Partition "y" is not valid for resource'),
        (statement(Resource="arn:aws:s3:us-east-1::b"), "can not contain region information."),
        (statement(Resource="arn:aws:iam:::b"), "IAM resource path must either be"),
        (statement(Action=[]), "Policy statement must contain actions."),
        (statement(Resource=[]), "Policy statement must contain resources."),
        (statement(Action="GetObject"), "must be prefaced by a vendor"),
        (statement(Action="s3:Get:Object"), "Actions/Condition can contain only one colon."),
        (statement(Action="s 3:GetObject"), "Vendor s 3 is not valid"),
    ],
)
def test_what_iam_says_of_a_bad_policy(iam: Any, policy: dict[str, Any], said: str):
    text = json.dumps({"Version": "2012-10-17", "Statement": policy})
    code, message = error(iam.create_policy, PolicyName="bad", PolicyDocument=text)
    assert code == "MalformedPolicyDocument"
    assert said in message


def test_managed_policies_are_of_todays_version(iam: Any):
    old = json.dumps({"Version": "2008-10-17", "Statement": statement()})
    code, said = error(iam.create_policy, PolicyName="old", PolicyDocument=old)
    assert code == "MalformedPolicyDocument"
    assert said == "Policy document must be version 2012-10-17 or greater."
    iam.create_user(UserName="old")
    iam.put_user_policy(UserName="old", PolicyName="old", PolicyDocument=old)


def test_a_trust_policy_is_about_assuming(iam: Any):
    trust = {"Effect": "Allow", "Principal": {"AWS": ACCOUNT}, "Action": "s3:GetObject"}
    text = json.dumps({"Version": "2012-10-17", "Statement": trust})
    code, said = error(iam.create_role, RoleName="bad", AssumeRolePolicyDocument=text)
    assert code == "MalformedPolicyDocument"
    assert said == "AssumeRole policy may only specify STS AssumeRole actions."


def test_users_may_be_let_change_their_own_keys(plane: Plane, iam: Any):
    eve = member(plane, iam, "eve")
    own = {
        "Effect": "Allow",
        "Action": ["iam:*AccessKey*", "iam:GetUser"],
        "Resource": "arn:aws:iam::*:user/${aws:username}",
    }
    text = json.dumps({"Version": "2012-10-17", "Statement": own})
    iam.put_user_policy(UserName="eve", PolicyName="own", PolicyDocument=text)
    made = eve.create_access_key()["AccessKey"]
    assert made["UserName"] == eve.get_user()["User"]["UserName"] == "eve"
    eve.update_access_key(AccessKeyId=made["AccessKeyId"], Status="Inactive")
    eve.delete_access_key(AccessKeyId=made["AccessKeyId"])
    assert len(eve.list_access_keys()["AccessKeyMetadata"]) == 1
    assert error(eve.list_access_keys, UserName="ann")[0] == "AccessDenied"


def test_whose_a_key_is(plane: Plane, iam: Any):
    iam.create_user(UserName="keyed")
    key = iam.create_access_key(UserName="keyed")["AccessKey"]["AccessKeyId"]
    sts = plane.client("sts")
    assert sts.get_access_key_info(AccessKeyId=key)["Account"] == ACCOUNT
    unknown = {"AccessKeyId": "AKIA" + "X" * 16}
    assert error(sts.get_access_key_info, **unknown)[0] == "ValidationError"

"""The model registry: groups, versions, approval, aliases, and models made of versions."""

from concurrent.futures import ThreadPoolExecutor

import plane as planes
import pytest
from botocore.exceptions import ClientError
from test_client_texts import IMAGE, ROLE

from studio.db import resources

ARN = "arn:aws:sagemaker:us-east-1:000000000000:"
BUCKET = "registry-data"
DATA = f"s3://{BUCKET}/model.tar.gz"
SPEC = {
    "Containers": [{"Image": IMAGE, "ModelDataUrl": DATA, "Environment": {"DEPTH": "3"}}],
    "SupportedContentTypes": ["text/csv"],
    "SupportedResponseMIMETypes": ["text/csv"],
}


@pytest.fixture(name="plane", scope="module", params=["sqlite", "postgresql"])
def plane_fixture(request, tmp_path_factory):
    changes = {}
    if request.param == "postgresql":
        changes["database_url"] = request.getfixturevalue("postgres").database()
    with planes.running(tmp_path_factory.mktemp("home"), **changes) as running:
        s3 = running.client("s3")
        s3.create_bucket(Bucket=BUCKET)
        s3.put_object(Bucket=BUCKET, Key="model.tar.gz", Body=b"x")
        yield running


@pytest.fixture(scope="module", name="sagemaker")
def sagemaker_fixture(plane):
    return plane.client("sagemaker")


def version(sagemaker, group: str, **more) -> str:
    """ARN of a new version; the group is made if there is none."""
    found = sagemaker.list_model_package_groups(NameContains=group)
    if not found["ModelPackageGroupSummaryList"]:
        sagemaker.create_model_package_group(ModelPackageGroupName=group)
    request = {"ModelPackageGroupName": group, "InferenceSpecification": SPEC}
    return sagemaker.create_model_package(**(request | more))["ModelPackageArn"]


def model_of(sagemaker, name: str, arn: str, **more) -> dict:
    container = {"ModelPackageName": arn, **more}
    request = {"PrimaryContainer": container, "ExecutionRoleArn": ROLE}
    return sagemaker.create_model(ModelName=name, **request)


def error(call, **request) -> tuple[str, str]:
    with pytest.raises(ClientError) as caught:
        call(**request)
    return caught.value.response["Error"]["Code"], caught.value.response["Error"]["Message"]


def test_a_group_through_its_life(sagemaker):
    tags = [{"Key": "team", "Value": "risk"}]
    arn = sagemaker.create_model_package_group(
        ModelPackageGroupName="life", ModelPackageGroupDescription="of churn", Tags=tags
    )["ModelPackageGroupArn"]
    assert arn == f"{ARN}model-package-group/life"
    found = sagemaker.describe_model_package_group(ModelPackageGroupName=arn)
    assert found["ModelPackageGroupName"] == "life"
    assert found["ModelPackageGroupDescription"] == "of churn"
    assert found["ModelPackageGroupStatus"] == "Completed"
    assert found["CreatedBy"]["IamIdentity"]["Arn"]
    code, text = error(sagemaker.create_model_package_group, ModelPackageGroupName="life")
    assert (code, "already exists" in text) == ("ValidationException", True)
    sought = {"Name": "ModelPackageGroupName", "Operator": "Equals", "Value": "life"}
    searched = sagemaker.search(
        Resource="ModelPackageGroup", SearchExpression={"Filters": [sought]}
    )
    assert [it["ModelPackageGroup"]["Tags"] for it in searched["Results"]] == [tags]
    version(sagemaker, "life")
    code, _ = error(sagemaker.delete_model_package_group, ModelPackageGroupName="life")
    assert code == "ConflictException"
    sagemaker.delete_model_package(ModelPackageName="life/1")
    sagemaker.delete_model_package_group(ModelPackageGroupName="life")
    code, text = error(sagemaker.describe_model_package_group, ModelPackageGroupName="life")
    assert (code, text) == ("ValidationException", f"ModelPackageGroup {arn} does not exist.")


def test_the_policy_of_a_group_is_kept(sagemaker):
    sagemaker.create_model_package_group(ModelPackageGroupName="shared")
    named = {"ModelPackageGroupName": "shared"}
    _, text = error(sagemaker.get_model_package_group_policy, **named)
    assert text.startswith("Cannot find resource policy")
    code, _ = error(sagemaker.put_model_package_group_policy, ResourcePolicy="{", **named)
    assert code == "ValidationException"
    policy = '{"Version": "2012-10-17", "Statement": []}'
    sagemaker.put_model_package_group_policy(ResourcePolicy=policy, **named)
    assert sagemaker.get_model_package_group_policy(**named)["ResourcePolicy"] == policy
    sagemaker.delete_model_package_group_policy(**named)
    assert error(sagemaker.delete_model_package_group_policy, **named)[0] == "ValidationException"


def test_versions_are_numbered_and_a_number_is_given_once(sagemaker):
    arns = [version(sagemaker, "counted") for _ in range(2)]
    assert arns == [f"{ARN}model-package/counted/{number}" for number in (1, 2)]
    sagemaker.delete_model_package(ModelPackageName=arns[1])
    assert version(sagemaker, "counted").endswith("/3")
    with ThreadPoolExecutor(6) as pool:
        together = list(pool.map(lambda _: version(sagemaker, "counted"), range(6)))
    assert sorted(together) == [f"{ARN}model-package/counted/{number}" for number in range(4, 10)]
    first = sagemaker.list_model_packages(ModelPackageGroupName="counted", MaxResults=3)
    rest = sagemaker.list_model_packages(
        ModelPackageGroupName="counted", NextToken=first["NextToken"], MaxResults=100
    )
    listed = first["ModelPackageSummaryList"] + rest["ModelPackageSummaryList"]
    assert sorted(it["ModelPackageVersion"] for it in listed) == [1, *range(3, 10)]


def test_a_repeated_registration_makes_one_version(sagemaker):
    arns = {version(sagemaker, "repeated", ClientToken="once") for _ in range(2)}
    assert arns == {f"{ARN}model-package/repeated/1"}


def test_what_is_told_of_a_version(sagemaker):
    metrics = {
        "ModelQuality": {"Statistics": {"ContentType": "application/json", "S3Uri": "s3://m/q"}}
    }
    arn = version(
        sagemaker,
        "told",
        ModelPackageDescription="the first",
        ModelMetrics=metrics,
        DriftCheckBaselines={"ModelQuality": metrics["ModelQuality"]},
        CustomerMetadataProperties={"owner": "ann", "gone": "soon"},
        MetadataProperties={"CommitId": "c0ffee"},
        ModelLifeCycle={"Stage": "Development", "StageStatus": "Open"},
        ModelCard={"ModelCardContent": "{}", "ModelCardStatus": "Draft"},
        Domain="MACHINE_LEARNING",
        Task="CLASSIFICATION",
        SkipModelValidation="All",
        Tags=[{"Key": "team", "Value": "risk"}],
    )
    found = sagemaker.describe_model_package(ModelPackageName="told/1")
    assert (found["ModelPackageArn"], found["ModelPackageName"]) == (arn, "told/1")
    assert (found["ModelPackageGroupName"], found["ModelPackageVersion"]) == ("told", 1)
    assert found["ModelApprovalStatus"] == "PendingManualApproval"
    assert found["ModelPackageStatus"] == "Completed"
    assert found["ModelPackageStatusDetails"]["ValidationStatuses"] == []
    assert found["ModelMetrics"] == metrics
    assert found["InferenceSpecification"]["Containers"][0]["ModelDataETag"]
    short = sagemaker.describe_model_package(ModelPackageName=arn, IncludedData="MetadataOnly")
    assert short["ModelCard"] == {"ModelCardStatus": "Draft"}
    sagemaker.update_model_package(
        ModelPackageArn=arn,
        ModelApprovalStatus="Approved",
        ApprovalDescription="good enough",
        CustomerMetadataProperties={"owner": "bob"},
        CustomerMetadataPropertiesToRemove=["gone"],
        ModelLifeCycle={"Stage": "Production", "StageStatus": "Open"},
        AdditionalInferenceSpecificationsToAdd=[{"Name": "small", **SPEC}],
    )
    changed = sagemaker.describe_model_package(ModelPackageName=arn)
    assert changed["ModelApprovalStatus"] == "Approved"
    assert changed["ApprovalDescription"] == "good enough"
    assert changed["CustomerMetadataProperties"] == {"owner": "bob"}
    assert changed["ModelLifeCycle"]["Stage"] == "Production"
    assert changed["LastModifiedTime"] > found["LastModifiedTime"]
    assert changed["LastModifiedBy"]["IamIdentity"]["Arn"]
    again = [{"Name": "small", **SPEC}]
    code, text = error(
        sagemaker.update_model_package,
        ModelPackageArn=arn,
        AdditionalInferenceSpecificationsToAdd=again,
    )
    assert (code, "small" in text) == ("ValidationException", True)
    batch = sagemaker.batch_describe_model_package(ModelPackageArnList=[arn, f"{arn}9"])
    assert list(batch["ModelPackageSummaries"]) == [arn]
    assert batch["BatchDescribeModelPackageErrorMap"][f"{arn}9"]["ErrorCode"]


def test_lists_and_searches_tell_versions_apart(sagemaker):
    for status in ("Approved", "Rejected"):
        version(sagemaker, "apart", ModelApprovalStatus=status)
    plain = {"Containers": [{"Image": IMAGE, "ModelDataUrl": DATA}]}
    sagemaker.create_model_package(ModelPackageName="alone", InferenceSpecification=plain)

    def listed(**request) -> set[str]:
        found = sagemaker.list_model_packages(MaxResults=100, **request)
        return {it["ModelPackageArn"] for it in found["ModelPackageSummaryList"]}

    alone, first = f"{ARN}model-package/alone", f"{ARN}model-package/apart/1"
    assert listed() == {alone}
    assert listed(ModelPackageGroupName="apart", ModelApprovalStatus="Approved") == {first}
    assert alone not in listed(ModelPackageType="Versioned")
    assert {alone, first} <= listed(ModelPackageType="Both")
    filters = [
        {"Name": "ModelPackageGroupName", "Operator": "Equals", "Value": "apart"},
        {"Name": "ModelApprovalStatus", "Operator": "Equals", "Value": "Rejected"},
    ]
    found = sagemaker.search(Resource="ModelPackage", SearchExpression={"Filters": filters})
    assert [it["ModelPackage"]["ModelPackageVersion"] for it in found["Results"]] == [2]
    code, _ = error(
        sagemaker.update_model_package, ModelPackageArn=alone, ModelApprovalStatus="Approved"
    )
    assert code == "ValidationException"


def test_what_is_refused(sagemaker):
    create = sagemaker.create_model_package
    group = {"ModelPackageGroupName": "refused"}
    version(sagemaker, "refused")
    both = error(create, ModelPackageName="x", **group)[1]
    assert both.startswith("Both ModelPackageName and ModelPackageGroupName")
    assert error(create, InferenceSpecification=SPEC)[1] == "Missing ARN."
    text = error(create, ModelPackageName="x", InferenceSpecification=SPEC)[1]
    assert text.startswith("Environment variable map cannot be specified")
    text = error(create, ModelPackageGroupName="none-such", InferenceSpecification=SPEC)[1]
    assert text == f"ModelPackageGroup {ARN}model-package-group/none-such does not exist."
    lost = {"Containers": [{"Image": IMAGE, "ModelDataUrl": f"s3://{BUCKET}/none"}]}
    assert "Could not find model data" in error(create, InferenceSpecification=lost, **group)[1]
    missing = f"ModelPackage {ARN}model-package/refused/7 does not exist."
    assert error(sagemaker.describe_model_package, ModelPackageName="refused/7")[1] == missing
    foreign = "arn:aws:sagemaker:us-east-1:111111111111:model-package/refused/1"
    text = error(sagemaker.describe_model_package, ModelPackageName=foreign)[1]
    assert text == f"ModelPackage {foreign} does not exist."


def test_only_approved_versions_become_models(sagemaker):
    arn = version(sagemaker, "gate")
    for status in ("PendingManualApproval", "Rejected"):
        sagemaker.update_model_package(ModelPackageArn=arn, ModelApprovalStatus=status)
        with pytest.raises(ClientError, match=f"ModelApprovalStatus is {status}"):
            model_of(sagemaker, "gate", arn)
    sagemaker.update_model_package(ModelPackageArn=arn, ModelApprovalStatus="Approved")
    model_of(sagemaker, "gate", arn, Environment={"EXTRA": "1"})
    described = sagemaker.describe_model(ModelName="gate")["PrimaryContainer"]
    assert described == {"ModelPackageName": arn, "Environment": {"EXTRA": "1"}}


def test_an_endpoint_serves_what_was_approved(plane, sagemaker):
    arn = version(sagemaker, "pinned", ModelApprovalStatus="Approved")
    model_of(sagemaker, "pinned", arn, Environment={"EXTRA": "1"})
    sagemaker.delete_model_package(ModelPackageName=arn)
    variant = {"VariantName": "v", "ModelName": "pinned", "InstanceType": "ml.m5.large"}
    variant["InitialInstanceCount"] = 1
    sagemaker.create_endpoint_config(EndpointConfigName="pinned", ProductionVariants=[variant])
    sagemaker.create_endpoint(EndpointName="pinned", EndpointConfigName="pinned")
    with plane.context.db.read() as connection:
        found = resources.find(connection, "000000000000", "us-east-1", "endpoint", "pinned")
    [container] = found.state["Deployments"][0]["Models"]["pinned"]["Containers"]
    assert (container["Image"], container["ModelDataUrl"]) == (IMAGE, DATA)
    assert container["Environment"] == {"DEPTH": "3", "EXTRA": "1"}
    assert container["ModelDataETag"]


def test_an_artifact_that_changed_is_not_deployed(plane, sagemaker):
    s3 = plane.client("s3")
    s3.put_object(Bucket=BUCKET, Key="changing.tar.gz", Body=b"approved")
    uri = f"s3://{BUCKET}/changing.tar.gz"
    spec = {"Containers": [{"Image": IMAGE, "ModelDataUrl": uri}]}
    approved = {"InferenceSpecification": spec, "ModelApprovalStatus": "Approved"}
    arn = version(sagemaker, "changing", **approved)
    s3.put_object(Bucket=BUCKET, Key="changing.tar.gz", Body=b"another")
    with pytest.raises(ClientError, match="Artifact digest changed"):
        model_of(sagemaker, "changing", arn)


def test_a_package_of_what_there_is(sagemaker):
    container = {"Image": IMAGE, "ModelDataUrl": DATA}
    model = sagemaker.create_model(
        ModelName="source", PrimaryContainer=container, ExecutionRoleArn=ROLE
    )["ModelArn"]
    sagemaker.create_model_package_group(ModelPackageGroupName="copies")
    of = {"ModelPackageGroupName": "copies"}
    first = sagemaker.create_model_package(SourceUri=model, **of)["ModelPackageArn"]
    second = sagemaker.create_model_package(SourceUri=first, **of)["ModelPackageArn"]
    for arn in (first, second):
        found = sagemaker.describe_model_package(ModelPackageName=arn)
        [copied] = found["InferenceSpecification"]["Containers"]
        assert container.items() <= copied.items()


def test_an_alias_is_a_tag_that_names_a_version(sagemaker):
    group = f"{ARN}model-package-group/aliased"
    arns = [version(sagemaker, "aliased") for _ in range(2)]
    champion = {"Key": "studio:alias:champion", "Value": "1"}
    sagemaker.add_tags(ResourceArn=group, Tags=[champion])
    for wrong in ({"Value": "9"}, {"Value": "one"}, {"Key": "studio:alias:9 lives"}):
        code, _ = error(sagemaker.add_tags, ResourceArn=group, Tags=[champion | wrong])
        assert code == "ValidationException"
    assert sagemaker.list_tags(ResourceArn=group)["Tags"] == [champion]
    code, text = error(sagemaker.delete_model_package, ModelPackageName=arns[0])
    assert (code, "champion" in text) == ("ConflictException", True)
    sagemaker.add_tags(ResourceArn=group, Tags=[champion | {"Value": "2"}])
    sagemaker.delete_model_package(ModelPackageName=arns[0])
    # What else changes of the group is not held up by the aliases that it has.
    version(sagemaker, "aliased")

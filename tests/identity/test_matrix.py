"""Every operation that is registered, by everybody who may and may not have it done."""

import copy
import re
from typing import Any

import boto3
import botocore.session
import pytest
from botocore import UNSIGNED, xform_name
from botocore.config import Config
from botocore.exceptions import ClientError
from botocore.model import ListShape, MapShape, Shape, StructureShape
from people_of import (
    ACCOUNT,
    Person,
    allow,
    document,
    equip,
    register,
    role,
    session,
    track,
    trust,
    user,
)
from plane import Plane
from sqlalchemy import select

from studio.api import registry
from studio.db.tables import RESOURCE
from studio.identity import principals
from studio.wire import models, rest

VERSION = f"arn:aws:sagemaker:us-east-1:{ACCOUNT}:model-package/ann-group/1"

registry.load()
OPERATIONS = [f"{it.service}:{it.name}" for it in registry.all_operations()]
FREE = {"sts:GetCallerIdentity", "sts:GetSessionToken", "sts:AssumeRole"}
DENIED = {"AccessDeniedException", "AccessDenied"}
SAMPLES = {
    "TrainingJobName": "ann-job",
    "ModelName": "ann-model",
    "EndpointName": "ann-endpoint",
    "EndpointConfigName": "ann-config",
    "ExperimentName": "ann-experiment",
    "TrialName": "ann-trial",
    "TrialComponentName": "ann-component",
    "ModelPackageGroupName": "ann-group",
    "ModelPackageName": VERSION,
    "ModelPackageArn": VERSION,
    "ModelPackageArnList": [VERSION],
    "ActionName": "ann-action",
    "ContextName": "ann-context",
    "ArtifactArn": f"arn:aws:sagemaker:us-east-1:{ACCOUNT}:artifact/ann-artifact",
    "SourceArn": f"arn:aws:sagemaker:us-east-1:{ACCOUNT}:action/ann-action",
    "DestinationArn": f"arn:aws:sagemaker:us-east-1:{ACCOUNT}:context/ann-context",
    "ResourceArn": f"arn:aws:sagemaker:us-east-1:{ACCOUNT}:training-job/ann-job",
    "RoleArn": f"arn:aws:iam::{ACCOUNT}:role/StudioExecutionRole",
    "PolicyArn": "arn:aws:iam::aws:policy/AmazonS3FullAccess",
    "PolicySourceArn": f"arn:aws:iam::{ACCOUNT}:user/ann",
    "PolicyDocument": trust({"Service": "sagemaker.amazonaws.com"}),
    "AssumeRolePolicyDocument": trust({"Service": "sagemaker.amazonaws.com"}),
    "AccessKeyId": "AKIA" + "A" * 16,
    "RoleName": "ann-role",
    "VersionId": "v1",
    "RoleSessionName": "ann-session",
    "UserName": "ann",
    "logGroupName": "/aws/sagemaker/TrainingJobs",
    "logStreamName": "ann-job/algo-1-1",
    "Resource": "TrainingJob",
    "S3OutputPath": "s3://ann-data/out",
    "S3Uri": "s3://ann-data/train",
    "InstanceType": "ml.m5.large",
    "MaxRuntimeInSeconds": 60,
    "Period": 60,
    "ScheduleExpression": "rate(1 day)",
    "ServiceNamespace": "sagemaker",
    "ResourceId": "endpoint/ann-endpoint/variant/A",
    "ScalableDimension": "sagemaker:variant:DesiredInstanceCount",
    "TopicArn": f"arn:aws:sns:us-east-1:{ACCOUNT}:ann-topic",
    "SubscriptionArn": f"arn:aws:sns:us-east-1:{ACCOUNT}:ann-topic:{'0' * 36}",
    "ResourceARN": (
        f"arn:aws:application-autoscaling:us-east-1:{ACCOUNT}:scalable-target/ann-target"
    ),
}


def request_of(operation: str, **changes: Any) -> dict:
    """The smallest request that the model takes, about Ann's things."""
    service, _, name = operation.partition(":")
    shape = models.service_model(service).operation_model(name).input_shape
    found = sample(shape, "") if shape else {}
    return {**found, **{key: value for key, value in changes.items() if key in found}}


def sample(shape: Shape, name: str) -> Any:
    choice = getattr(shape, "enum", None)
    if name in SAMPLES and SAMPLES[name] in (choice or [SAMPLES[name]]):
        return SAMPLES[name]
    match shape:
        case StructureShape():
            return {
                each: sample(shape.members[each], each)
                for each in shape.members
                if each in shape.required_members or each in ("RoleName", "UserName")
            }
        case ListShape():
            return [sample(shape.member, name.removesuffix("s"))]
        case MapShape():
            return {"key": "value"} if shape.metadata.get("min") else {}
    if shape.type_name == "timestamp":
        return 1_700_000_000
    if shape.type_name in ("integer", "long", "double", "float"):
        return shape.metadata.get("min", 1)
    if shape.type_name == "boolean":
        return True
    if choice:
        return choice[0]
    return "ann-thing"


def ask(client: Any, operation: str, request: dict) -> tuple[str, str]:
    """(code, text): of the error, or ("", the whole answer)."""
    method = getattr(client, xform_name(operation.partition(":")[2]))
    try:
        answer = method(**request)
    except ClientError as error:
        return error.response["Error"]["Code"], error.response["Error"]["Message"]
    return "", str({key: value for key, value in answer.items() if key != "ResponseMetadata"})


@pytest.fixture(scope="module", name="people")
def people_fixture(plane: Plane) -> dict[str, Person]:
    full = ("AmazonSageMakerFullAccess", "AmazonS3FullAccess", "IAMFullAccess")
    people = {"ann": user(plane, "ann", *full), "bob": user(plane, "bob", *full)}
    people["bare"] = user(plane, "bare")
    equip(people["ann"], "ann")
    register(people["ann"], "ann")
    track(people["ann"], "ann")
    role(plane, "ann-role")
    keys, now = plane.context.identity.keys, plane.context.now()
    who = principals.user(ACCOUNT, "ann")

    def made(principal: Any, at: int) -> Person:
        it = keys.start_session(principal, 900, at)
        told = (it.access_key_id, it.secret_access_key, it.session_token)
        names = ("AccessKeyId", "SecretAccessKey", "SessionToken")
        return session(plane, dict(zip(names, told, strict=True)))

    people["expired"] = made(who, now - 901_000)
    people["wrong role"] = made(principals.role_session(ACCOUNT, "ann-role", "s", "ann"), now)
    return people


def rows(plane: Plane) -> list[Any]:
    with plane.context.db.read() as connection:
        return connection.execute(select(RESOURCE).order_by(RESOURCE.c.id)).all()


def test_the_samples_are_good_requests(plane: Plane, people: dict[str, Person]):
    """Else the matrix would test validation: nothing of what Ann sees or lists is refused so."""
    for operation in OPERATIONS:
        service, _, name = operation.partition(":")
        if name.startswith(("Describe", "List", "Get", "Search", "Filter")):
            code, text = ask(people["ann"].client(service), operation, request_of(operation))
            assert not re.search("validation error|Serialization", code + text), (operation, text)


@pytest.mark.parametrize("operation", OPERATIONS)
def test_a01_a16_nobody_without_right_has_anything_done(
    plane: Plane, people: dict[str, Person], operation: str
):
    service, before = operation.partition(":")[0], rows(plane)
    request = request_of(operation)
    anonymous = boto3.client(
        service,
        endpoint_url=plane.url,
        region_name="us-east-1",
        config=Config(signature_version=UNSIGNED, retries={"total_max_attempts": 1}),
    )
    code, _ = ask(anonymous, operation, request)
    if service in rest.SERVICES:
        assert code  # a path without a signature is S3's
    else:
        assert code in ("MissingAuthenticationTokenException", "MissingAuthenticationToken")
    code, _ = ask(people["expired"].client(service), operation, request)
    assert code in ("ExpiredTokenException", "ExpiredToken")
    if operation not in FREE:
        for name in ("bare", "wrong role"):
            code, text = ask(people[name].client(service), operation, request)
            assert code in DENIED, (name, text)
            assert "is not authorized to perform" in text
    assert rows(plane) == before


@pytest.mark.parametrize(
    "operation",
    [
        it
        for it in OPERATIONS
        # Everybody has artifacts of their own, also of one and the same URI.
        if it.startswith(("sagemaker:", "logs:", "application-autoscaling:"))
        and it != "sagemaker:CreateArtifact"
    ],
)
def test_a16_another_user_learns_and_changes_nothing(
    plane: Plane, people: dict[str, Person], operation: str
):
    """Bob may do everything with his own: Ann's things are to him as if they were not there."""
    service, before = operation.partition(":")[0], rows(plane)
    client = people["bob"].client(service)
    request = request_of(operation)
    code, text = ask(client, operation, request)
    if ":Create" in operation:
        assert code, text
    else:
        absent = {
            name: [it.replace("ann-", "zzz-") for it in value]
            if name.endswith("List")
            else value.replace("ann-", "zzz-")
            for name, value in request.items()
            if isinstance(value, str) or name.endswith("List")
        }
        other_code, other = ask(client, operation, {**request, **absent})
        assert (code, text) == (other_code, other.replace("zzz-", "ann-"))
        # What was asked for may come back, as what there is not.
        told = text.replace(VERSION, "") if not code else ""
        assert "ann-" not in told
    assert rows(plane) == before


def test_what_ann_does_herself_is_done(people: dict[str, Person]):
    sagemaker = people["ann"].client("sagemaker")
    for kind in ("TrainingJob", "Model", "EndpointConfig", "Endpoint"):
        found = ask(sagemaker, f"sagemaker:Describe{kind}", request_of(f"sagemaker:Describe{kind}"))
        assert found[0] == ""
        assert "ann-" in ask(sagemaker, f"sagemaker:List{kind}s", {})[1]


def test_the_owner_of_the_home_sees_everything(plane: Plane, people: dict[str, Person]):
    for kind in ("TrainingJob", "Model", "EndpointConfig", "Endpoint"):
        owner = plane.client("sagemaker")
        operation = f"sagemaker:Describe{kind}"
        assert ask(owner, operation, request_of(operation))[0] == ""
        assert "ann-" in ask(owner, f"sagemaker:List{kind}s", {})[1]


def test_a_policy_that_names_a_thing_shares_it(plane: Plane, people: dict[str, Person]):
    arn = f"arn:aws:sagemaker:us-east-1:{ACCOUNT}:model/ann-*"
    carl = user(plane, "carl", policy=document(allow("sagemaker:DescribeModel", arn)))
    assert carl.client("sagemaker").describe_model(ModelName="ann-model")["ModelName"]
    code, _ = ask(carl.client("sagemaker"), "sagemaker:DeleteModel", {"ModelName": "ann-model"})
    assert code in DENIED
    wide = document(allow("sagemaker:DescribeModel", arn), allow("sagemaker:*"))
    plane.client("iam").put_user_policy(UserName="carl", PolicyName="own", PolicyDocument=wide)
    assert carl.client("sagemaker").describe_model(ModelName="ann-model")["ModelName"]
    code, text = ask(carl.client("sagemaker"), "sagemaker:DeleteModel", {"ModelName": "ann-model"})
    assert (code, "Could not find" in text) == ("ValidationException", True)


@pytest.mark.parametrize("protocol", ["query", "json", "smithy-rpc-v2-cbor"])
def test_every_protocol_leads_through_the_same_door(
    plane: Plane, people: dict[str, Person], protocol: str
):
    made = botocore.session.Session()
    loader = made.get_component("data_loader")
    load = loader.load_service_model

    def only(service: str, kind: str, *more: Any, **named: Any) -> Any:
        model = copy.deepcopy(load(service, kind, *more, **named))
        if (service, kind) == ("cloudwatch", "service-2"):
            model["metadata"] |= {"protocol": protocol, "protocols": [protocol]}
            if protocol == "query":
                del model["metadata"]["awsQueryCompatible"]
        return model

    loader.load_service_model = only
    session_of_model = boto3.Session(botocore_session=made)

    def client(name: str) -> Any:
        keys = people[name].keys
        return session_of_model.client(
            "cloudwatch", endpoint_url=plane.url, region_name="us-east-1", **keys
        )

    metric = {"Namespace": "N", "MetricData": [{"MetricName": "m", "Value": 1.0}]}
    for name, codes in (("bare", DENIED), ("expired", {"ExpiredTokenException", "ExpiredToken"})):
        assert ask(client(name), "cloudwatch:PutMetricData", metric)[0] in codes
        assert ask(client(name), "cloudwatch:ListMetrics", {})[0] in codes
    assert ask(client("ann"), "cloudwatch:PutMetricData", metric)[0] == ""


def test_an_administrator_reaches_everything(plane: Plane, people: dict[str, Person]):
    root = user(plane, "root-of-all", "AdministratorAccess")
    assert root.client("sagemaker").describe_model(ModelName="ann-model")
    assert "ann-" in str(root.client("sagemaker").list_models()["Models"])
    assert root.client("s3").get_object(Bucket="ann-data", Key="model.tar.gz")["Body"].read()


def test_every_operation_of_the_sample_is_known():

    assert len(OPERATIONS) > 60

"""Keys of applications: whose they are, what they may, and that nobody finds one on the disk."""

import hashlib
import json
from datetime import UTC, datetime, timedelta

import pytest
from botocore.exceptions import ClientError
from people_of import allow, document, equip, user
from plane import Plane

from studio.api import application_keys
from studio.serving import usage
from studio.serving.outside import AccessLog

ARN = "arn:aws:sagemaker:us-east-1:000000000000:endpoint/ann-endpoint"


@pytest.fixture(scope="module", name="ann")
def ann_fixture(plane: Plane):
    ann = user(plane, "ann", "AmazonSageMakerFullAccess", "AmazonS3FullAccess")
    equip(ann, "ann")
    return ann


@pytest.fixture(scope="module", name="bob")
def bob_fixture(plane: Plane):
    return user(plane, "bob", "AmazonSageMakerFullAccess")


def told(plane: Plane, name: str):
    """What the router is told of a key, with its digest."""
    context = plane.context
    found = application_keys.outside(context.settings, context.db, context.identity.authority)
    return next((digest, it) for digest, it in found.keys.items() if it.name == name)


def make(person, name: str, **more) -> str:
    return person.client("studio").create_application_key(
        ApplicationKeyName=name, EndpointNames=["ann-endpoint"], **more
    )["ApplicationKey"]


def refused(code: str, call, **request) -> str:
    said = {"Code": "nothing"}
    try:
        call(**request)
    except ClientError as error:
        said = error.response["Error"]
    assert said["Code"] == code
    return said["Message"]


def test_a71_a_key_is_told_once_and_is_nowhere_on_the_disk(plane, ann):
    end = datetime.now(UTC).replace(microsecond=0) + timedelta(days=1)
    secret = make(
        ann, "shop", RateLimit={"RequestsPerSecond": 5, "Burst": 10}, ExpirationTime=end,
        Quota={"Requests": 1000, "Period": "Week"}, AllowedOrigins=["https://app.example.com"],
    )  # fmt: skip
    assert len(secret) > 40
    for path in plane.home.rglob("*"):
        assert not path.is_file() or secret.encode() not in path.read_bytes()
    digest, key = told(plane, "shop")
    assert digest == hashlib.sha256(secret.encode()).hexdigest()
    assert (key.endpoints, key.rate, key.burst) == (("ann-endpoint",), 5, 10)
    assert (key.quota, key.period) == (1000, "Week")
    assert key.expires_at == int(end.timestamp() * 1000)
    shown = ann.client("studio").describe_application_key(ApplicationKeyName="shop")
    assert secret.startswith(shown["KeyPrefix"])
    assert (shown["ApplicationKeyStatus"], shown["Used"], shown["Remaining"]) == ("Active", 0, 1000)
    assert shown["CreatedBy"].endswith(":user/ann")


def test_a71_keys_are_their_makers_and_may_what_these_may(plane, ann, bob):
    make(ann, "mine")
    studio = bob.client("studio")
    assert studio.list_application_keys()["ApplicationKeys"] == []
    missing = "There is no application key mine."
    for call in (studio.describe_application_key, studio.delete_application_key):
        assert refused("ResourceNotFound", call, ApplicationKeyName="mine") == missing
    text = refused(
        "ValidationException", studio.create_application_key,
        ApplicationKeyName="theft", EndpointNames=["ann-endpoint"],
    )  # fmt: skip
    assert "Could not find endpoint" in text
    deny = {**allow("sagemaker:InvokeEndpoint", ARN), "Effect": "Deny"}
    iam = plane.client("iam")
    iam.put_user_policy(UserName="ann", PolicyName="no", PolicyDocument=document(deny))
    assert told(plane, "mine")[1].endpoints == ()
    refused("AccessDeniedException", lambda: make(ann, "more"))
    iam.delete_user_policy(UserName="ann", PolicyName="no")
    assert told(plane, "mine")[1].endpoints == ("ann-endpoint",)


def test_a71_who_is_called_as_somebody_who_was_deleted_is_somebody_else(plane, ann):
    make(user(plane, "dora", "AdministratorAccess"), "doras")
    assert told(plane, "doras")[1].endpoints == ("ann-endpoint",)
    iam, dora = plane.client("iam"), {"UserName": "dora"}
    for key in iam.list_access_keys(**dora)["AccessKeyMetadata"]:
        iam.delete_access_key(**dora, AccessKeyId=key["AccessKeyId"])
    for policy in iam.list_attached_user_policies(**dora)["AttachedPolicies"]:
        iam.detach_user_policy(**dora, PolicyArn=policy["PolicyArn"])
    iam.delete_user(**dora)
    assert told(plane, "doras")[1].endpoints == ()
    user(plane, "dora", "AdministratorAccess")
    assert told(plane, "doras")[1].endpoints == ()


def test_a_change_leaves_the_key_and_a_deleted_one_is_no_more(plane, ann):
    make(ann, "short", Quota={"Requests": 1, "Period": "Day"})
    studio, before = ann.client("studio"), told(plane, "short")
    studio.update_application_key(ApplicationKeyName="short", EndpointNames=["ann-endpoint"])
    after = told(plane, "short")
    assert (after[0], after[1].id, after[1].quota) == (before[0], before[1].id, 0)
    studio.delete_application_key(ApplicationKeyName="short")
    with pytest.raises(StopIteration):
        told(plane, "short")
    refused(
        "ResourceNotFound", studio.update_application_key,
        ApplicationKeyName="short", EndpointNames=["ann-endpoint"],
    )  # fmt: skip


def test_a_call_that_is_repeated_tells_a_key_that_is_good(plane, ann):
    studio = ann.client("studio")

    def same(params, context, **_):
        context.setdefault("retries", {})["invocation-id"] = "the-same"

    studio.meta.events.register("before-call.studio", same)
    request = {"ApplicationKeyName": "again", "EndpointNames": ["ann-endpoint"]}
    studio.create_application_key(**request)
    second = studio.create_application_key(**request)["ApplicationKey"]
    studio.meta.events.unregister("before-call.studio", same)
    assert told(plane, "again")[0] == hashlib.sha256(second.encode()).hexdigest()
    refused("ResourceInUse", studio.create_application_key, **request)


@pytest.mark.parametrize(
    "wrong",
    [
        {"AllowedOrigins": ["https://app.example.com/path"]},
        {"AllowedOrigins": ["javascript:alert(1)"]},
        {"AllowedOrigins": ["https://a.example\r\nX: y"]},
        {"ExpirationTime": 1},
        {"Quota": {"Requests": 1, "Period": "Year"}},
        {"EndpointNames": ["none"]},
    ],
)
def test_nonsense_is_refused(ann, wrong):
    request = {"ApplicationKeyName": "wrong", "EndpointNames": ["ann-endpoint"], **wrong}
    refused("ValidationException", ann.client("studio").create_application_key, **request)


def test_the_use_of_a_key_is_told_by_days(plane, ann):
    make(ann, "used", Quota={"Requests": 5, "Period": "Month"})
    now = plane.context.now() / 1000
    uses = usage.Uses({usage.today(now): [3, 2, 1]}, int(now * 1000))
    book = usage.Book({told(plane, "used")[1].id: uses})
    usage.path(plane.home).parent.mkdir(exist_ok=True)
    usage.path(plane.home).write_text(json.dumps(book.document(usage.today(now))))
    studio = ann.client("studio")
    answer = studio.describe_application_key_usage(ApplicationKeyName="used")
    [day] = answer["Days"]
    assert (day["Requests"], day["Throttled"], day["OverQuota"]) == (3, 2, 1)
    assert (answer["Used"], answer["Remaining"]) == (3, 2)
    assert answer["ResetTime"] > datetime.now(UTC)
    listed = studio.list_application_keys(EndpointName="ann-endpoint")["ApplicationKeys"]
    assert next(it["Used"] for it in listed if it["ApplicationKeyName"] == "used") == 3
    make(ann, "a-first")
    page = studio.list_application_keys(MaxResults=1)
    assert [it["ApplicationKeyName"] for it in page["ApplicationKeys"]] == ["a-first"]
    rest = studio.list_application_keys(NextToken=page["NextToken"])["ApplicationKeys"]
    assert len(rest) == len(studio.list_application_keys()["ApplicationKeys"]) - 1


def test_an_endpoint_is_described_as_openapi_has_it(ann):
    told = ann.client("studio").describe_endpoint_api(
        EndpointName="ann-endpoint", Url="https://models.example.com/"
    )
    assert told["Url"] == "https://models.example.com/endpoints/ann-endpoint/invocations"
    spec = json.loads(told["Document"])
    validator = pytest.importorskip("openapi_spec_validator")
    validator.OpenAPIV31SpecValidator(spec).validate()
    content = spec["paths"]["/endpoints/ann-endpoint/invocations"]["post"]["requestBody"]["content"]
    assert list(content) == told["ContentTypes"] != []


def test_a_tag_says_whose_requests_are_logged(plane, ann):
    sagemaker, context = ann.client("sagemaker"), plane.context

    def logged():
        outside = application_keys.outside(context.settings, context.db, context.identity.authority)
        return [log.days for log in outside.logged.values() if isinstance(log, AccessLog)]

    for value, days in (("on", [30]), ("7", [7]), ("off", [])):
        tag = {"Key": "studio:access-log", "Value": value}
        sagemaker.add_tags(ResourceArn=ARN, Tags=[tag])
        assert logged() == days
    for value in ("yes", "0", "-1", "99999"):
        tag = {"Key": "studio:access-log", "Value": value}
        refused("ValidationException", sagemaker.add_tags, ResourceArn=ARN, Tags=[tag])

"""Search as boto3 calls it, over jobs, models and endpoints that are stored."""

import itertools
from dataclasses import replace

import plane as planes
import pytest
from botocore.exceptions import ClientError
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from studio.api.search import pages
from studio.db import resources

IMAGE = "683313688378.dkr.ecr.us-east-1.amazonaws.com/sagemaker-xgboost:1.7-1"
ROLE = "arn:aws:iam::000000000000:role/StudioExecutionRole"
URI = "s3://bucket/{}/data"

# name: hyperparameters, tags, channels, status, metrics
JOBS = {
    "a": ({"eta": "0.1", "depth": "5"}, {"team": "red"}, ["train"], "Completed", {"auc": 0.9}),
    "b": ({"eta": "0.25", "depth": "5.7"}, {"team": "blue"}, ["train", "val"], "Failed", {}),
    "c": ({"eta": "3", "depth": "deep"}, {}, ["val"], "Completed", {"auc": 0.5, "rmse": 2}),
    "d": ({"eta": "1e-3", "depth": "-2"}, {"team": "red", "x.y": "1"}, [], "Stopped", {"auc": 1}),
    "e": ({}, {"Team": "red"}, ["train"], "InProgress", {}),
}


@pytest.fixture(scope="module", params=["sqlite", "postgresql"])
def plane(request, tmp_path_factory):
    """A control plane with either database."""
    url = ""
    if request.param == "postgresql":
        url = request.getfixturevalue("postgres").database()
    with planes.running(tmp_path_factory.mktemp("home"), database_url=url) as running:
        yield running


@pytest.fixture(scope="module")
def sagemaker(plane):
    client = plane.client("sagemaker")
    for name, (hyperparameters, tags, channels, *_rest) in JOBS.items():
        client.create_training_job(
            TrainingJobName=name,
            AlgorithmSpecification={"TrainingImage": IMAGE, "TrainingInputMode": "File"},
            RoleArn=ROLE,
            HyperParameters=hyperparameters,
            **({"InputDataConfig": [channel(it, name) for it in channels]} if channels else {}),
            OutputDataConfig={"S3OutputPath": f"s3://bucket/{name}"},
            ResourceConfig={
                "InstanceType": "ml.m5.large",
                "InstanceCount": 1,
                "VolumeSizeInGB": 1 + ord(name),
            },
            StoppingCondition={"MaxRuntimeInSeconds": 600},
            EnableInterContainerTrafficEncryption=name == "a",
            Tags=[{"Key": key, "Value": value} for key, value in tags.items()],
        )
    finish(plane)
    for name in ("m-1", "m-2"):
        client.create_model(
            ModelName=name, PrimaryContainer={"Image": IMAGE}, ExecutionRoleArn=ROLE
        )
    variant = {"VariantName": "v", "ModelName": "m-1", "InstanceType": "ml.m5.large"}
    variant["InitialInstanceCount"] = 1
    client.create_endpoint_config(EndpointConfigName="c", ProductionVariants=[variant])
    tags = [{"Key": "stage", "Value": "test"}]
    client.create_endpoint(EndpointName="e-1", EndpointConfigName="c", Tags=tags)
    return client


def channel(name, job):
    source = {"S3DataType": "S3Prefix", "S3Uri": URI.format(f"{job}-{name}")}
    return {
        "ChannelName": name,
        "ContentType": "text/csv",
        "DataSource": {"S3DataSource": source},
    }


def finish(plane):
    """As the reconciler would: statuses, metrics, times."""
    db = plane.context.db
    with db.read() as connection:
        rows = {row.name: row for row in resources.of_kind(connection, "training-job")}
    for position, (name, (*_, status, metrics)) in enumerate(JOBS.items()):
        final = [
            {"MetricName": metric, "Value": value, "Timestamp": 0}
            for metric, value in metrics.items()
        ]
        state = {**rows[name].state, "FinalMetricDataList": final}
        at = 1_700_000_000_000 + position * 1000
        changed = replace(
            rows[name], status=status, state=state, created_at=at, modified_at=at - 2000 * position
        )
        db.write(lambda connection, changed=changed: resources.update(connection, changed))


def found(sagemaker, expression=None, resource="TrainingJob", **request):
    if expression is not None:
        request["SearchExpression"] = expression
    answer = sagemaker.search(Resource=resource, **request)
    return [next(iter(each.values())) for each in answer["Results"]]


def names(sagemaker, expression=None, **request):
    return "".join(sorted(it["TrainingJobName"] for it in found(sagemaker, expression, **request)))


def one(name, operator=None, value=None):
    given = {"Name": name, "Operator": operator, "Value": value}
    return {"Filters": [{key: it for key, it in given.items() if it is not None}]}


@pytest.mark.parametrize(
    ("name", "operator", "value", "expected"),
    [
        ("TrainingJobName", None, "a", "a"),
        ("trainingjobname", "Equals", "a", "a"),
        ("TrainingJobName", "Equals", "A", ""),
        ("TrainingJobName", "NotEquals", "a", "bcde"),
        ("TrainingJobName", "In", "a, c,x", "ac"),
        ("TrainingJobStatus", "Contains", "ed", "abcd"),
        ("TrainingJobStatus", "Equals", "Completed", "ac"),
        ("TrainingJobArn", "Contains", ":training-job/b", "b"),
        ("OutputDataConfig.S3OutputPath", "Equals", "s3://bucket/c", "c"),
        ("AlgorithmSpecification.TrainingImage", "Contains", "xgboost", "abcde"),
        ("InputDataConfig.ChannelName", "Equals", "train", "abe"),
        ("InputDataConfig.ChannelName", "NotEquals", "train", "c"),
        ("InputDataConfig", "Exists", None, "abce"),
        ("InputDataConfig", "NotExists", None, "d"),
        ("InputDataConfig.DataSource.S3DataSource.S3Uri", "Contains", "b-val", "b"),
        ("ResourceConfig.VolumeSizeInGB", "GreaterThan", "100", "de"),
        ("ResourceConfig.VolumeSizeInGB", "LessThanOrEqualTo", "98.5", "a"),
        ("EnableInterContainerTrafficEncryption", "Equals", "true", "a"),
        ("EnableInterContainerTrafficEncryption", "NotEquals", "True", "bcde"),
        # what is missing satisfies nothing but NotExists
        ("HyperParameters.eta", "Exists", None, "abcd"),
        ("HyperParameters.eta", "NotExists", None, "e"),
        ("HyperParameters.eta", "NotEquals", "0.1", "bcd"),
        ("FailureReason", "NotEquals", "x", ""),
        # decimals compare as decimals with a decimal, as integers with an integer
        ("HyperParameters.eta", "LessThan", "0.5", "abd"),
        ("HyperParameters.eta", "Equals", "0.10", "a"),
        ("HyperParameters.eta", "Equals", "0", "abd"),
        ("HyperParameters.eta", "GreaterThanOrEqualTo", "3.0", "c"),
        ("HyperParameters.depth", "Equals", "5", "ab"),
        ("HyperParameters.depth", "Equals", "5.7", "b"),
        ("HyperParameters.depth", "Equals", "deep", "c"),
        ("HyperParameters.depth", "LessThan", "0", "d"),
        ("HyperParameters.depth", "NotEquals", "5", "cd"),
        ("HyperParameters.depth", "Contains", "5", "ab"),
        ("HyperParameters.depth", "In", "deep,-2", "cd"),
        ("HyperParameters.unheard", "Exists", None, ""),
        ("Metrics.auc", "GreaterThan", "0.5", "ad"),
        ("Metrics.auc", "Equals", "1", "d"),
        ("Metrics.rmse", "Exists", None, "c"),
        ("Metrics.auc", "NotExists", None, "be"),
        ("Tags.team", "Equals", "red", "ad"),
        ("Tags.team", "NotEquals", "red", "b"),
        ("Tags.team", "Exists", None, "abd"),
        ("Tags.Team", "NotExists", None, "abcd"),
        ("Tags.x.y", "Equals", "1", "d"),
        ("CreationTime", "GreaterThan", "2023-11-14T22:13:22", "de"),
        ("CreationTime", "LessThanOrEqualTo", "2023-11-14T22:13:21+00:00", "ab"),
        ("LastModifiedTime", "LessThan", "2023-11-14T22:13:18", "de"),
        ("LastModifiedTime", "Equals", "2023-11-14T22:13:20", "a"),
    ],
)
def test_filters(sagemaker, name, operator, value, expected):
    expression = one(name, operator, value)
    assert names(sagemaker, expression) == expected
    # Below an Or nothing is asked of the database: it must not make a difference.
    assert names(sagemaker, {"Operator": "Or", "SubExpressions": [expression]}) == expected


def test_expressions(sagemaker):
    red, done = one("Tags.team", None, "red"), one("TrainingJobStatus", None, "Completed")
    assert names(sagemaker, {"SubExpressions": [red, done]}) == "a"
    assert names(sagemaker, {"Operator": "Or", "SubExpressions": [red, done]}) == "acd"
    both = red["Filters"] + done["Filters"]
    assert names(sagemaker, {"Filters": both}) == "a"
    assert names(sagemaker, {"Filters": both, "Operator": "Or"}) == "acd"
    either = {"Filters": both, "Operator": "Or"}
    late = one("CreationTime", "GreaterThan", "2023-11-14T22:13:20")
    assert names(sagemaker, {"SubExpressions": [either, late]}) == "cd"


def test_nested_filters_are_about_one_object(sagemaker):
    def nested(channel_name, uri):
        return {
            "NestedFilters": [
                {
                    "NestedPropertyName": "InputDataConfig",
                    "Filters": [
                        {"Name": "InputDataConfig.ChannelName", "Value": channel_name},
                        {
                            "Name": "InputDataConfig.DataSource.S3DataSource.S3Uri",
                            "Operator": "Contains",
                            "Value": uri,
                        },
                    ],
                }
            ]
        }

    assert names(sagemaker, nested("train", "-train/")) == "abe"
    assert names(sagemaker, nested("val", "-train/")) == ""
    assert names(sagemaker, nested("val", "b-val/")) == "b"


@pytest.mark.parametrize(
    ("sort", "ascending"),
    [
        ("TrainingJobName", "abcde"),
        ("CreationTime", "abcde"),
        ("LastModifiedTime", "edcba"),
        ("ResourceConfig.VolumeSizeInGB", "abcde"),
        ("HyperParameters.eta", "dabc"),
        ("Metrics.auc", "cad"),
        ("TrainingJobStatus", "acbed"),
    ],
)
@pytest.mark.parametrize("size", [1, 2, 100])
def test_sorted_pages(sagemaker, sort, ascending, size):
    for order in ("Ascending", "Descending"):
        seen = []
        for page in sagemaker.get_paginator("search").paginate(
            Resource="TrainingJob",
            SortBy=sort,
            SortOrder=order,
            PaginationConfig={"PageSize": size},
        ):
            assert len(page["Results"]) <= size
            seen += [each["TrainingJob"]["TrainingJobName"] for each in page["Results"]]
        assert sorted(seen) == list("abcde")
        known = "".join(name for name in seen if name in ascending)
        assert known == (ascending if order == "Ascending" else ascending[::-1])
        # Those that have no such value come last in either order.
        assert set(seen[: len(ascending)]) == set(ascending)


def test_the_newest_change_comes_first_and_ten_are_a_page(sagemaker):
    answer = sagemaker.search(Resource="TrainingJob")
    assert [it["TrainingJob"]["TrainingJobName"] for it in answer["Results"]] == list("abcde")
    assert answer["TotalHits"] == {"Value": 5, "Relation": "EqualTo"}
    first = sagemaker.search(Resource="TrainingJob", MaxResults=2)
    assert first["TotalHits"] == {"Value": 3, "Relation": "GreaterThanOrEqualTo"}


def test_a_search_that_finds_little_goes_on_by_its_token(sagemaker, monkeypatch):
    monkeypatch.setattr(pages, "SCANNED", 2)
    paginator = sagemaker.get_paginator("search").paginate(
        Resource="TrainingJob", SearchExpression=one("HyperParameters.eta", "NotExists")
    )
    sizes = [len(page["Results"]) for page in paginator]
    assert sizes == [0, 0, 1]


def test_documents_are_those_of_describe(sagemaker):
    (job,) = found(sagemaker, one("TrainingJobName", None, "a"))
    described = sagemaker.describe_training_job(TrainingJobName="a")
    assert job.pop("Tags") == [{"Key": "team", "Value": "red"}]
    assert job.items() <= described.items()
    assert {"HyperParameters", "SecondaryStatusTransitions", "ModelArtifacts"} <= job.keys()


def test_models_and_endpoints(sagemaker):
    first, second = sorted(
        found(sagemaker, resource="Model"), key=lambda it: it["Model"]["ModelName"]
    )
    assert [it["EndpointName"] for it in first["Endpoints"]] == ["e-1"]
    assert second["Endpoints"] == []
    for name in ("ModelName", "Model.ModelName"):
        (model,) = found(sagemaker, one(name, None, "m-2"), resource="Model")
        assert model["Model"]["ModelName"] == "m-2"
    (model,) = found(sagemaker, one("Endpoints.EndpointName", None, "e-1"), resource="Model")
    assert model["Model"]["ModelName"] == "m-1"
    (endpoint,) = found(sagemaker, one("Tags.stage", None, "test"), resource="Endpoint")
    assert (endpoint["EndpointName"], endpoint["EndpointStatus"]) == ("e-1", "Creating")


@pytest.mark.parametrize("resource", ["FeatureGroup", "Pipeline", "Image"])
def test_kinds_of_which_nothing_is_stored(sagemaker, resource):
    assert found(sagemaker, one("Anything", None, "x"), resource=resource) == []


def deep(levels):
    expression = one("TrainingJobName", "Exists")
    for _ in range(levels):
        expression = {"SubExpressions": [expression]}
    return expression


MANY = [{"Name": "TrainingJobName", "Operator": "Exists"}] * 21
CONTAINS = one("TrainingJobName", "Contains", "a")


@pytest.mark.parametrize(
    ("request_", "text"),
    [
        ({"SearchExpression": one("Unheard", None, "x")}, "Unknown property name: Unheard"),
        ({"SearchExpression": one("RoleArn.x", None, "x")}, "Unknown property name"),
        ({"SortBy": "Unheard"}, "Unknown property name: Unheard"),
        ({"SortBy": "InputDataConfig"}, "cannot be sorted"),
        ({"SearchExpression": {"Operator": "Or"}}, "at least one"),
        ({"SearchExpression": {"Filters": MANY}}, "less than or equal to 20"),
        ({"SearchExpression": {"Filters": MANY[:20], "SubExpressions": [CONTAINS]}}, "20"),
        ({"SearchExpression": deep(50)}, "50"),
        ({"SearchExpression": {"SubExpressions": [CONTAINS, CONTAINS]}}, "usage limit of 1"),
        ({"SearchExpression": one("TrainingJobName", "GreaterThan", "a")}, "not supported"),
        ({"SearchExpression": one("HyperParameters.eta", "LessThan", "x")}, "not supported"),
        ({"SearchExpression": one("InputDataConfig", "Equals", "x")}, "not supported"),
        ({"SearchExpression": one("CreationTime", "Equals", "yesterday")}, "ISO 8601"),
        ({"SearchExpression": one("Metrics.auc", "Equals", "high")}, "not a number"),
        ({"SearchExpression": one("Metrics.auc", "Contains", "1")}, "not supported"),
        ({"SearchExpression": one("TrainingJobName", "Equals")}, "needs a Value"),
        ({"SearchExpression": one("TrainingJobName", "Like", "x")}, "enum value set"),
        ({"CrossAccountFilterOption": "CrossAccount"}, "CrossAccount"),
        ({"VisibilityConditions": [{"Key": "a", "Value": "b"}]}, "VisibilityConditions"),
        ({"NextToken": "bm8="}, "NextToken"),
        ({"MaxResults": 101}, "less than or equal to 100"),
        ({"Resource": "Nothing"}, "enum value set"),
    ],
)
def test_refusals(sagemaker, request_, text):
    with pytest.raises(ClientError) as caught:
        sagemaker.search(**({"Resource": "TrainingJob"} | request_))
    error = caught.value.response["Error"]
    assert error["Code"] == "ValidationException"
    assert text in error["Message"]


def test_tokens_belong_to_their_search(sagemaker):
    for sort in ("CreationTime", "Metrics.auc"):
        request = {"Resource": "TrainingJob", "SortBy": sort, "MaxResults": 1}
        token = sagemaker.search(**request)["NextToken"]
        with pytest.raises(ClientError, match="NextToken"):
            sagemaker.search(**(request | {"SortOrder": "Ascending"}), NextToken=token)
        with pytest.raises(ClientError, match="NextToken"):
            sagemaker.search(
                **request, NextToken=token, SearchExpression=one("TrainingJobName", "Exists")
            )


def test_suggestions(sagemaker):
    def suggested(hint=None):
        query = {} if hint is None else {"SuggestionQuery": {"PropertyNameQuery": {}}}
        if hint is not None:
            query["SuggestionQuery"]["PropertyNameQuery"]["PropertyNameHint"] = hint
        answer = sagemaker.get_search_suggestions(Resource="TrainingJob", **query)
        return [it["PropertyName"] for it in answer["PropertyNameSuggestions"]]

    assert suggested("e") == ["HyperParameters.eta"]
    assert suggested("TEAM") == ["Tags.Team", "Tags.team"]
    assert suggested("metrics.") == ["Metrics.auc", "Metrics.rmse"]
    assert len(suggested()) == 7
    assert suggested("zzz") == []


NAMES = [
    "TrainingJobName",
    "HyperParameters.eta",
    "Metrics.auc",
    "Tags.team",
    "CreationTime",
    "InputDataConfig",
    "ResourceConfig.VolumeSizeInGB",
    "EnableManagedSpotTraining",
    "SecondaryStatusTransitions.Status",
    "Environment.X.Y",
    "..",
    "\0",
]
OPERATORS = [
    "Equals",
    "NotEquals",
    "GreaterThan",
    "LessThan",
    "Contains",
    "Exists",
    "NotExists",
    "In",
]
VALUES = ["1", "0.5", "9" * 900, "1e999", "-1e-999", "nan", "true", "2023-01-01", "9999-12-31", "é"]
FILTERS = st.fixed_dictionaries(
    {"Name": st.sampled_from(NAMES), "Operator": st.sampled_from(OPERATORS)},
    optional={"Value": st.sampled_from(VALUES)},
)
SORTS = st.none() | st.sampled_from(NAMES)


@settings(max_examples=150, suppress_health_check=[HealthCheck.too_slow])
@given(filters=st.lists(FILTERS, min_size=1, max_size=3), sort=SORTS, either=st.booleans())
def test_no_expression_is_an_internal_error(sagemaker, filters, sort, either):
    expression = {"Filters": filters, "Operator": "Or" if either else "And"}
    request = {"Resource": "TrainingJob", "SearchExpression": expression, "MaxResults": 1}
    if sort:
        request["SortBy"] = sort
    code = "ValidationException"
    try:
        for _page in itertools.islice(sagemaker.get_paginator("search").paginate(**request), 6):
            pass
    except ClientError as error:
        code = error.response["Error"]["Code"]
    assert code == "ValidationException"

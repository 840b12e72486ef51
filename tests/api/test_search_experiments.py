"""Search over experiments, trials and trial components: what SDKs and notebooks ask."""

import plane as planes
import pytest
from botocore.exceptions import ClientError
from identity.people_of import user
from sqlalchemy import select

from studio.db.experiment_tables import COMPONENT
from studio.experiments import series

IMAGE = "683313688378.dkr.ecr.us-east-1.amazonaws.com/sagemaker-xgboost:1.7-1"
RISING = {"SortBy": "CreationTime", "SortOrder": "Ascending"}
ALL = [f"c{number}" for number in range(6)]


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
    """c0 to c5, of which c5 is in no trial and has no metrics."""
    client = plane.client("sagemaker")
    client.create_experiment(ExperimentName="e", Description="all of them")
    for trial in ("t1", "t2"):
        client.create_trial(TrialName=trial, ExperimentName="e")
    for number, name in enumerate(ALL):
        client.create_trial_component(
            TrialComponentName=name,
            DisplayName="Training" if number % 2 else "Preprocessing",
            Parameters={
                "lr": {"NumberValue": number / 10},
                "depth": {"StringValue": str(number)},
                "opt.kind": {"StringValue": f"adam{number}"},
            },
            InputArtifacts={"data": {"Value": f"s3://b/{number}", "MediaType": "text/csv"}},
            Tags=[{"Key": "team", "Value": "risk" if number < 3 else "ads"}],
            **({"Status": {"PrimaryStatus": "Completed"}} if number < 4 else {}),
        )
        if name != "c5":
            client.associate_trial_component(
                TrialComponentName=name, TrialName=f"t{number % 2 + 1}"
            )
    with plane.context.db.read() as connection:
        rows = connection.execute(select(COMPONENT.c.name, COMPONENT.c.number))
        numbers = {row.name: row.number for row in rows}
    for number, name in enumerate(ALL[:5]):
        points = series.points([(step, step * 1000, float(number + step)) for step in range(10)])
        batches = [series.Batch("val:loss.a", points)]
        plane.context.db.write(lambda c, n=numbers[name], b=batches: series.arrive(c, n, b))
    return client


def search(client, *filters, resource="ExperimentTrialComponent", **more):
    expression = {"Filters": [named(*each) for each in filters]} if filters else None
    request = {"SearchExpression": expression} if expression else {}
    return client.search(Resource=resource, **{**RISING, **request, **more})["Results"]


def named(name, operator="Equals", value=None):
    given = {} if value is None else {"Value": value}
    return {"Name": name, "Operator": operator, **given}


def names(client, *filters, **more):
    found = search(client, *filters, **more)
    return [it["TrialComponent"]["TrialComponentName"] for it in found]


@pytest.mark.parametrize(
    ("filter_", "expected"),
    [
        (("TrialComponentName", "Equals", "c1"), "1"),
        (("TrialComponentName", "Contains", "c"), "012345"),
        (("DisplayName", "Equals", "Training"), "135"),
        (("Parents.TrialName", "Equals", "t1"), "024"),
        (("Parents.TrialName", "NotEquals", "t1"), "13"),
        (("Parents.ExperimentName", "Equals", "e"), "01234"),
        (("Parents.ExperimentName", "Equals", "none"), ""),
        (("Parents", "NotExists"), "5"),
        (("Parameters.lr", "GreaterThan", "0.2"), "345"),
        (("parameters.lr", "LessThanOrEqualTo", "0.1"), "01"),
        (("Parameters.lr.NumberValue", "GreaterThan", "0.2"), "345"),
        (("Parameters.lr", "In", "0.1,0.3"), "13"),
        (("Parameters.lr", "NotEquals", "0.1"), "02345"),
        (("Parameters.depth", "GreaterThan", "3"), "45"),
        (("Parameters.opt.kind", "Equals", "adam3"), "3"),
        (("Parameters.opt.kind.StringValue", "Contains", "m4"), "4"),
        (("Parameters.none", "Exists"), ""),
        (("Metrics.val:loss.a.max", "GreaterThan", "11.5"), "34"),
        (("metrics.val:loss.a.min", "LessThan", "2"), "01"),
        (("Metrics.val:loss.a", "LessThan", "11"), "01"),
        (("Metrics.val:loss.a.count", "Equals", "10"), "01234"),
        (("Metrics.val:loss.a.avg", "GreaterThanOrEqualTo", "6.5"), "234"),
        (("Metrics.val:loss.a.stddev", "GreaterThan", "3"), "01234"),
        (("Metrics.val:loss.a", "NotExists"), "5"),
        (("Status.PrimaryStatus", "Equals", "Completed"), "0123"),
        (("Status.PrimaryStatus", "NotEquals", "Completed"), ""),
        (("Status.PrimaryStatus", "NotExists"), "45"),
        (("Tags.team", "Equals", "ads"), "345"),
        (("InputArtifacts.data", "Exists"), "012345"),
        (("InputArtifacts.data.Value", "Equals", "s3://b/3"), "3"),
        (("CreationTime", "LessThan", "2020-01-01"), ""),
        (("CreatedBy.IamIdentity.Arn", "Contains", "role/"), "012345"),
    ],
)
def test_filters(sagemaker, filter_, expected):
    assert names(sagemaker, filter_) == [f"c{it}" for it in expected]


def test_filters_together(sagemaker):
    risk, second = ("Tags.team", "Equals", "risk"), ("Parents.TrialName", "Equals", "t2")
    assert names(sagemaker, risk, second) == ["c1"]
    either = {"Filters": [named(*risk), named(*second)], "Operator": "Or"}
    assert names(sagemaker, SearchExpression=either) == ["c0", "c1", "c2", "c3"]
    inner = {"Filters": [named("Parameters.lr", "LessThan", "0.25")]}
    both = {"SubExpressions": [either, inner], "Filters": [named("DisplayName", value="Training")]}
    assert names(sagemaker, SearchExpression=both) == ["c1"]


def test_one_and_the_same_entry_satisfies_nested_filters(sagemaker):
    def nested(above, **values):
        filters = [named(f"{above}.{name}", *each) for name, each in values.items()]
        return {"NestedFilters": [{"NestedPropertyName": above, "Filters": filters}]}

    loss = nested("Metrics", MetricName=("Equals", "val:loss.a"), Max=("GreaterThan", "11.5"))
    assert names(sagemaker, SearchExpression=loss) == ["c3", "c4"]
    place = nested("Parents", TrialName=("Equals", "t1"), ExperimentName=("Equals", "e"))
    assert names(sagemaker, SearchExpression=place) == ["c0", "c2", "c4"]
    other = nested("Parents", TrialName=("Equals", "t1"), ExperimentName=("Equals", "f"))
    assert names(sagemaker, SearchExpression=other) == []


@pytest.mark.parametrize(
    ("by", "expected"),
    [
        ("metrics.val:loss.a.max", "432105"),
        ("Parameters.lr", "543210"),
        ("Parameters.opt.kind", "543210"),
        ("TrialComponentName", "543210"),
    ],
)
def test_sorting_by_anything_page_by_page(sagemaker, by, expected):
    pages = sagemaker.get_paginator("search").paginate(
        Resource="ExperimentTrialComponent",
        SortBy=by,
        SortOrder="Descending",
        PaginationConfig={"PageSize": 4},
    )
    found = [it["TrialComponent"]["TrialComponentName"] for page in pages for it in page["Results"]]
    assert found == [f"c{it}" for it in expected]


def test_a_component_is_told_whole(sagemaker):
    (found,) = search(sagemaker, ("TrialComponentName", "Equals", "c3"))
    component = found["TrialComponent"]
    described = sagemaker.describe_trial_component(TrialComponentName="c3")
    described.pop("ResponseMetadata")
    assert {name: component[name] for name in described} == described
    assert component["Parents"] == [{"TrialName": "t2", "ExperimentName": "e"}]
    assert component["Tags"] == [{"Key": "team", "Value": "ads"}]
    assert component["OutputArtifacts"] == {}
    (metric,) = component["Metrics"]
    assert (metric["MetricName"], metric["Last"]) == ("val:loss.a", 12.0)


def test_experiments_and_trials(sagemaker):
    (found,) = search(sagemaker, ("Description", "Contains", "all"), resource="Experiment")
    assert found["Experiment"]["ExperimentName"] == "e"
    of = ("ExperimentName", "Equals", "e")
    first, second = search(sagemaker, of, resource="ExperimentTrial")
    summaries = first["Trial"]["TrialComponentSummaries"]
    assert [it["TrialComponentName"] for it in summaries] == ["c0", "c2", "c4"]
    held = ("TrialComponentSummaries.TrialComponentName", "Equals", "c1")
    assert search(sagemaker, held, resource="ExperimentTrial") == [second]
    assert search(sagemaker, ("ExperimentName", "Equals", "f"), resource="ExperimentTrial") == []


def test_jobs_by_their_experiment(sagemaker):
    for number in range(2):
        sagemaker.create_training_job(
            TrainingJobName=f"job-{number}",
            AlgorithmSpecification={"TrainingImage": IMAGE, "TrainingInputMode": "File"},
            RoleArn="arn:aws:iam::000000000000:role/StudioExecutionRole",
            OutputDataConfig={"S3OutputPath": "s3://bucket/out"},
            ResourceConfig={
                "InstanceType": "ml.m5.large",
                "InstanceCount": 1,
                "VolumeSizeInGB": 1,
            },
            StoppingCondition={"MaxRuntimeInSeconds": 600},
            **({"ExperimentConfig": {"ExperimentName": "e", "TrialName": "t1"}} if number else {}),
        )
    of = ("ExperimentConfig.ExperimentName", "Equals", "e")
    (found,) = search(sagemaker, of, resource="TrainingJob")
    assert found["TrainingJob"]["TrainingJobName"] == "job-1"


def test_suggestions(sagemaker):
    def suggested(hint):
        query = {"PropertyNameQuery": {"PropertyNameHint": hint}}
        found = sagemaker.get_search_suggestions(
            Resource="ExperimentTrialComponent", SuggestionQuery=query
        )
        return [it["PropertyName"] for it in found["PropertyNameSuggestions"]]

    assert {"Parameters.lr", "Parameters.opt.kind"} <= set(suggested("param"))
    assert suggested("metrics.v") == ["Metrics.val:loss.a"]
    assert suggested("team") == ["Tags.team"]


@pytest.mark.parametrize(
    ("filter_", "text"),
    [
        (("Metrics.val:loss.a", "Equals", "much"), "not a number"),
        (("Metrics.val:loss.a", "Contains", "1"), "not supported"),
        (("Parents.Nothing", "Equals", "x"), "Unknown property"),
        (("Parameters", "Equals", "x"), "not supported"),
    ],
)
def test_what_cannot_be_compared(sagemaker, filter_, text):
    with pytest.raises(ClientError, match=text):
        search(sagemaker, filter_)


def test_users_find_their_own(plane, sagemaker):
    ann = user(plane, "ann", "AmazonSageMakerFullAccess").client("sagemaker")
    ann.create_trial_component(TrialComponentName="hers")
    assert names(ann) == ["hers"]
    assert names(ann, ("Parents.TrialName", "Equals", "t1")) == []
    ann.delete_trial_component(TrialComponentName="hers")

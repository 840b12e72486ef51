"""Experiments, trials and trial components as boto3 calls them, and what is stored of them."""

import json

import plane as planes
import pytest
from botocore.exceptions import ClientError
from identity.people_of import user
from sqlalchemy import select

from studio.db.experiment_tables import COMPONENT, FIELD, MEMBERSHIP, SUMMARY, TRIAL, VALUE
from studio.experiments import components, series

ARN = "arn:aws:sagemaker:us-east-1:000000000000:"
LR = {"lr": {"NumberValue": 0.1}}


@pytest.fixture(scope="module", params=["sqlite", "postgresql"])
def plane(request, tmp_path_factory):
    """A control plane with either database."""
    url = ""
    if request.param == "postgresql":
        url = request.getfixturevalue("postgres").database()
    with planes.running(tmp_path_factory.mktemp("home"), database_url=url) as running:
        yield running


@pytest.fixture
def sagemaker(plane):
    client = plane.client("sagemaker")
    yield client
    empty(client)


def empty(client):
    """Delete everything of the family, in the order that AWS wants."""
    for trial in listed(client, "trials", "TrialSummaries"):
        for each in listed(client, "trial_components", "TrialComponentSummaries", TrialName=trial):
            client.disassociate_trial_component(TrialComponentName=each, TrialName=trial)
        client.delete_trial(TrialName=trial)
    for name in listed(client, "trial_components", "TrialComponentSummaries"):
        client.delete_trial_component(TrialComponentName=name)
    for name in listed(client, "experiments", "ExperimentSummaries"):
        client.delete_experiment(ExperimentName=name)


def listed(client, what, member, **filters):
    pages = client.get_paginator(f"list_{what}").paginate(**filters)
    name = member.removesuffix("Summaries") + "Name"
    return [it[name] for page in pages for it in page[member]]


def component(client, name, trial=None, **request):
    arn = client.create_trial_component(TrialComponentName=name, **request)["TrialComponentArn"]
    if trial:
        client.associate_trial_component(TrialComponentName=name, TrialName=trial)
    return arn


def trials(client, *names, experiment="e"):
    client.create_experiment(ExperimentName=experiment)
    for name in names:
        client.create_trial(TrialName=name, ExperimentName=experiment)


def refused(call, code, text, **request):
    with pytest.raises(ClientError) as caught:
        call(**request)
    error = caught.value.response["Error"]
    assert error["Code"] == code
    assert text in error["Message"]


def values(plane, name):
    """What queries see of a component: {(kind, field): number or text}."""
    with plane.context.db.read() as connection:
        number = connection.execute(
            select(COMPONENT.c.number).where(COMPONENT.c.name == name)
        ).scalar_one()
        found = select(FIELD.c.kind, FIELD.c.name, VALUE.c.number, VALUE.c.text).join(
            VALUE, VALUE.c.id == FIELD.c.id * 2**32 + number
        )
        rows = connection.execute(found)
        return {(kind, field): text if n is None else n for kind, field, n, text in rows}


def row(plane, name):
    with plane.context.db.read() as connection:
        query = select(COMPONENT).where(COMPONENT.c.name == name)
        return connection.execute(query).one()


def count(plane, table):
    with plane.context.db.read() as connection:
        return len(connection.execute(select(table)).all())


def test_experiments_and_trials(sagemaker):
    made = sagemaker.create_experiment(ExperimentName="Fraud", Description="d")
    assert made["ExperimentArn"] == f"{ARN}experiment/Fraud"
    sagemaker.update_experiment(ExperimentName="Fraud", DisplayName="Frauds")
    found = sagemaker.describe_experiment(ExperimentName="Fraud")
    assert (found["DisplayName"], found["Description"]) == ("Frauds", "d")
    assert found["CreatedBy"]["IamIdentity"]["Arn"].endswith(":role/StudioExecutionRole")
    assert found["LastModifiedTime"] >= found["CreationTime"]
    metadata = {"CommitId": "abc", "Repository": "r"}
    made = sagemaker.create_trial(
        TrialName="t", ExperimentName="Fraud", MetadataProperties=metadata
    )
    assert made["TrialArn"] == f"{ARN}experiment-trial/t"
    sagemaker.update_trial(TrialName="t", DisplayName="T")
    trial = sagemaker.describe_trial(TrialName="t")
    assert (trial["ExperimentName"], trial["DisplayName"]) == ("Fraud", "T")
    assert trial["MetadataProperties"] == metadata
    (summary,) = sagemaker.list_trials()["TrialSummaries"]
    assert summary["DisplayName"] == "T"


def test_a_component_is_told_as_it_was_made(sagemaker):
    request = {
        "DisplayName": "Training",
        "Status": {"PrimaryStatus": "InProgress", "Message": "at work"},
        "Parameters": {
            "lr": {"NumberValue": 1e308},
            "depth": {"StringValue": "7"},
            "<b>ü\u2028": {"StringValue": "<script>'\u0000"},
        },
        "InputArtifacts": {"data": {"MediaType": "text/csv", "Value": "s3://b/k"}},
        "OutputArtifacts": {"model": {"Value": "s3://b/m"}},
        "MetadataProperties": {"CommitId": "abc"},
    }
    arn = component(sagemaker, "c", **request, StartTime=1_700_000_000, EndTime=1_700_000_060)
    assert arn == f"{ARN}experiment-trial-component/c"
    for name in ("c", arn):
        found = sagemaker.describe_trial_component(TrialComponentName=name)
        assert {key: found[key] for key in request} == request
        assert (found["EndTime"] - found["StartTime"]).total_seconds() == 60
        assert found["Metrics"] == []
    (summary,) = sagemaker.list_trial_components()["TrialComponentSummaries"]
    assert summary["Status"] == request["Status"]
    assert summary["DisplayName"] == "Training"
    sagemaker.create_trial_component(TrialComponentName="bare")
    found = sagemaker.describe_trial_component(TrialComponentName="bare")
    assert found["DisplayName"] == "bare"
    assert [found[it] for it in ("Parameters", "InputArtifacts", "OutputArtifacts")] == [{}] * 3


def test_an_update_merges(sagemaker, plane):
    component(
        sagemaker,
        "c",
        Parameters={**LR, "old": {"StringValue": "x"}},
        InputArtifacts={"a": {"Value": "1"}, "b": {"Value": "2"}},
        Tags=[{"Key": "team", "Value": "risk"}],
    )
    sagemaker.update_trial_component(
        TrialComponentName="c",
        DisplayName="C",
        Status={"PrimaryStatus": "Completed"},
        Parameters={"lr": {"StringValue": "small"}, "new": {"NumberValue": 2}},
        ParametersToRemove=["old", "never"],
        InputArtifacts={"a": {"Value": "3"}},
        InputArtifactsToRemove=["b"],
        OutputArtifacts={"o": {"Value": "4"}},
    )
    found = sagemaker.describe_trial_component(TrialComponentName="c")
    assert found["Parameters"] == {"lr": {"StringValue": "small"}, "new": {"NumberValue": 2.0}}
    assert found["InputArtifacts"] == {"a": {"Value": "3"}}
    assert found["OutputArtifacts"] == {"o": {"Value": "4"}}
    assert values(plane, "c") == {
        ("parameter", "lr"): "small",
        ("parameter", "new"): 2.0,
        ("tag", "team"): "risk",
    }
    stored = row(plane, "c")
    assert (stored.display_name, stored.status) == ("C", "Completed")


def test_limits_are_kept_over_several_updates(sagemaker):
    def parameters(first, count):
        return {f"p{number}": {"NumberValue": 1} for number in range(first, first + count)}

    component(sagemaker, "c", Parameters=parameters(0, 300))
    update = sagemaker.update_trial_component
    for first in range(300, 1_800, 300):
        update(TrialComponentName="c", Parameters=parameters(first, 300))
    update(TrialComponentName="c", Parameters=parameters(1_800, 200))
    text = "would have 2001 Parameters; 2000 is the maximum"
    more = parameters(2_000, 1)
    refused(update, "ValidationException", text, TrialComponentName="c", Parameters=more)
    update(TrialComponentName="c", Parameters=more, ParametersToRemove=["p0"])
    many = {f"a{number}": {"Value": "v"} for number in range(61)}
    refused(update, "ValidationException", "60", TrialComponentName="c", InputArtifacts=many)


def test_tags_are_values(sagemaker, plane):
    arn = component(sagemaker, "c", Tags=[{"Key": "a", "Value": "1"}, {"Key": "b", "Value": "2"}])
    sagemaker.add_tags(ResourceArn=arn, Tags=[{"Key": "a", "Value": "ü"}])
    sagemaker.delete_tags(ResourceArn=arn, TagKeys=["b"])
    assert sagemaker.list_tags(ResourceArn=arn)["Tags"] == [{"Key": "a", "Value": "ü"}]
    assert values(plane, "c") == {("tag", "a"): "ü"}
    sagemaker.create_experiment(ExperimentName="e", Tags=[{"Key": "k", "Value": "v"}])
    found = sagemaker.list_tags(ResourceArn=f"{ARN}experiment/e")["Tags"]
    assert found == [{"Key": "k", "Value": "v"}]


def test_what_does_not_exist(sagemaker):
    trials(sagemaker, "t")
    component(sagemaker, "c")
    code = "ResourceNotFound"
    for name, noun, argument in (
        ("experiment", "Experiment", "ExperimentName"),
        ("trial", "Trial", "TrialName"),
        ("trial_component", "TrialComponent", "TrialComponentName"),
    ):
        for verb in ("describe", "update", "delete"):
            call = getattr(sagemaker, f"{verb}_{name}")
            refused(call, code, f"{noun} '{ARN}", **{argument: "no"})
    refused(
        sagemaker.create_trial, code, "experiment/no' does not", TrialName="x", ExperimentName="no"
    )
    for verb in ("associate", "disassociate"):
        call = getattr(sagemaker, f"{verb}_trial_component")
        refused(call, code, "Trial '", TrialComponentName="c", TrialName="no")
        refused(call, code, "TrialComponent '", TrialComponentName="no", TrialName="t")
    refused(sagemaker.list_trials, code, "Experiment", ExperimentName="no")
    refused(sagemaker.list_trials, code, "TrialComponent", TrialComponentName="no")
    refused(sagemaker.list_trial_components, code, "Trial '", TrialName="no")


def test_names_are_unique_and_free_again_after_deletion(sagemaker):
    trials(sagemaker, "t")
    component(sagemaker, "c")
    taken = "ValidationException"
    refused(sagemaker.create_experiment, taken, "(e) already exists", ExperimentName="e")
    refused(sagemaker.create_trial, taken, "(t) already exists", TrialName="t", ExperimentName="e")
    refused(sagemaker.create_trial_component, taken, "(c) already exists", TrialComponentName="c")
    empty(sagemaker)
    trials(sagemaker, "t")
    component(sagemaker, "c", Parameters=LR)
    assert sagemaker.describe_trial_component(TrialComponentName="c")["Parameters"] == LR


def test_what_is_linked_is_not_deleted(sagemaker, plane):
    trials(sagemaker, "t")
    component(sagemaker, "c", "t")
    code = "ValidationException"
    refused(
        sagemaker.delete_trial_component,
        code,
        f"TrialComponent '{ARN}experiment-trial-component/c' is linked to 1 or more trials and "
        "cannot be deleted",
        TrialComponentName="c",
    )
    refused(sagemaker.delete_trial, code, "cannot be deleted", TrialName="t")
    refused(sagemaker.delete_experiment, code, "cannot be deleted", ExperimentName="e")
    assert values(plane, "c") == {}
    assert count(plane, MEMBERSHIP) == 1
    empty(sagemaker)
    assert [count(plane, it) for it in (COMPONENT, MEMBERSHIP, TRIAL, VALUE)] == [0] * 4


def test_associations_are_made_once(sagemaker, plane):
    trials(sagemaker, "t", "u")
    component(sagemaker, "c", "t")
    sagemaker.associate_trial_component(TrialComponentName="c", TrialName="t")
    sagemaker.associate_trial_component(TrialComponentName="c", TrialName="u")
    assert count(plane, MEMBERSHIP) == 2
    with plane.context.db.read() as connection:
        (parents,) = components.parents(connection, [row(plane, "c").resource_id]).values()
    assert [(it.trial, it.experiment) for it in parents] == [("t", "e"), ("u", "e")]
    for _ in range(2):
        sagemaker.disassociate_trial_component(TrialComponentName="c", TrialName="t")
    assert listed(sagemaker, "trials", "TrialSummaries", TrialComponentName="c") == ["u"]


def test_lists_are_filtered_sorted_and_paged(sagemaker):
    trials(sagemaker, "t1", "t2")
    trials(sagemaker, "o", experiment="other")
    for number in range(7):
        component(sagemaker, f"c{number}", f"t{number % 2 + 1}")
    component(sagemaker, "alone")

    def found(**filters):
        return listed(sagemaker, "trial_components", "TrialComponentSummaries", **filters)

    rising = {
        "SortBy": "CreationTime",
        "SortOrder": "Ascending",
        "PaginationConfig": {"PageSize": 2},
    }
    assert found(TrialName="t1", **rising) == ["c0", "c2", "c4", "c6"]
    assert found(ExperimentName="e", **rising) == [f"c{number}" for number in range(7)]
    assert found(ExperimentName="other") == []
    assert found(SortBy="Name", SortOrder="Descending")[:2] == ["c6", "c5"]
    assert found()[0] == "alone"
    assert listed(sagemaker, "trials", "TrialSummaries", ExperimentName="e") == ["t2", "t1"]
    assert listed(sagemaker, "trials", "TrialSummaries", TrialComponentName="c3") == ["t2"]
    assert listed(sagemaker, "experiments", "ExperimentSummaries") == ["other", "e"]
    created = sagemaker.describe_trial_component(TrialComponentName="c3")["CreationTime"]
    assert set(found(CreatedAfter=created)) >= {"c3", "c6", "alone"}
    assert "alone" not in found(CreatedBefore=created)
    page = sagemaker.list_trial_components(TrialName="t1", MaxResults=2)
    refused(
        sagemaker.list_trial_components,
        "ValidationException",
        "NextToken",
        TrialName="t2",
        MaxResults=2,
        NextToken=page["NextToken"],
    )


def test_names_that_no_entity_may_have(sagemaker):
    create = sagemaker.create_trial_component
    for name in ("x" * 121, "-x", "a b", "<b>", "ü", ""):
        with pytest.raises(Exception, match=r"ValidationException|Invalid length"):
            create(TrialComponentName=name)
    refused(
        create,
        "ValidationException",
        "length less than or equal to 320",
        TrialComponentName="c",
        Parameters={"k" * 10_000: {"NumberValue": 1}},
    )


def test_a_repeated_call_is_carried_out_once(sagemaker):
    """The second attempt of a call whose answer was lost: the id of the call is the same."""

    def same(context, **_more):
        context.setdefault("retries", {})["invocation-id"] = "the-same"

    trials(sagemaker, "t")
    sagemaker.meta.events.register("before-call.sagemaker", same)
    try:
        for _ in range(2):
            component(sagemaker, "c", Parameters=LR)
            sagemaker.create_trial(TrialName="u", ExperimentName="e")
        for _ in range(2):
            sagemaker.update_trial_component(
                TrialComponentName="c", Status={"PrimaryStatus": "Completed"}
            )
        for _ in range(2):
            sagemaker.delete_trial_component(TrialComponentName="c")
    finally:
        sagemaker.meta.events.unregister("before-call.sagemaker", same)


def test_metrics_are_told_and_go_with_their_component(sagemaker, plane):
    component(sagemaker, "c")
    number = row(plane, "c").number
    points = series.points([(step, 1000 + step, value) for step, value in enumerate([3, 1, 2])])
    batches = [
        series.Batch("val/loss", points),
        series.Batch("odd", series.points([(0, 1000, float("nan"))])),
    ]
    plane.context.db.write(lambda connection: series.arrive(connection, number, batches))
    odd, loss = sagemaker.describe_trial_component(TrialComponentName="c")["Metrics"]
    assert loss.pop("TimeStamp").timestamp() == 1.002
    assert loss == {
        "MetricName": "val/loss",
        "SourceArn": f"{ARN}experiment-trial-component/c",
        "Min": 1.0,
        "Max": 3.0,
        "Avg": 2.0,
        "Last": 2.0,
        "Count": 3,
        "StdDev": 1.0,
    }
    assert (odd["MetricName"], odd["Count"], "Last" in odd) == ("odd", 1, False)
    sagemaker.delete_trial_component(TrialComponentName="c")
    assert count(plane, SUMMARY) == 0


def test_users_see_their_own(plane, sagemaker):
    trials(sagemaker, "t")
    component(sagemaker, "c", "t")
    ann = user(plane, "ann", "AmazonSageMakerFullAccess").client("sagemaker")
    trials(ann, "of-ann", experiment="hers")
    component(ann, "hers", "of-ann")
    assert listed(ann, "trial_components", "TrialComponentSummaries") == ["hers"]
    assert row(plane, "hers").owner == "ann"
    described = ann.describe_trial_component(TrialComponentName="hers")
    assert described["CreatedBy"]["UserProfileName"] == "ann"
    code = "ResourceNotFound"
    refused(ann.describe_trial_component, code, "does not exist", TrialComponentName="c")
    refused(ann.delete_experiment, code, "does not exist", ExperimentName="e")
    join = {"TrialComponentName": "hers", "TrialName": "t"}
    refused(ann.associate_trial_component, code, "does not exist", **join)
    policy = json.dumps(
        {
            "Version": "2012-10-17",
            "Statement": {
                "Effect": "Allow",
                "Action": ["sagemaker:DescribeTrial", "sagemaker:Disassociate*"],
                "Resource": [f"{ARN}experiment-trial/t", f"{ARN}experiment-trial-component/c"],
            },
        }
    )
    bob = user(plane, "bob", policy=policy).client("sagemaker")
    assert bob.describe_trial(TrialName="t")["TrialName"] == "t"
    bob.disassociate_trial_component(TrialComponentName="c", TrialName="t")
    refused(bob.describe_experiment, "AccessDeniedException", "not auth", ExperimentName="e")


def test_the_table_tells_how_much_an_experiment_holds(sagemaker, plane):
    for name in ("full", "empty"):
        sagemaker.create_experiment(ExperimentName=name, DisplayName=f"the-{name}-one")
    for trial in ("t1", "t2", "t3"):
        sagemaker.create_trial(TrialName=trial, ExperimentName="full")
    for component, trials in {"a": ("t1", "t2"), "b": ("t1",), "c": ()}.items():
        sagemaker.create_trial_component(TrialComponentName=component)
        for trial in trials:
            sagemaker.associate_trial_component(TrialComponentName=component, TrialName=trial)
    client = plane.client("studio")
    answer = client.query_resources(Kind="experiment", SortBy="Name")
    told = [(it["DisplayName"], it["Trials"], it["TrialComponents"]) for it in answer["Rows"]]
    assert told == [("the-full-one", 3, 2), ("the-empty-one", 0, 0)]
    counts = {it["Kind"]: it["Total"] for it in client.count_resources()["Counts"]}
    assert counts["experiment"] == 2

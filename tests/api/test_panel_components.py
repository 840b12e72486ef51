"""Many trial components at once: described, marked, tagged, moved between trials, deleted."""

import plane as planes
import pytest
from botocore.exceptions import ClientError
from identity.people_of import user
from sqlalchemy import func, select

from studio.db.experiment_tables import COMPONENT, MEMBERSHIP, VALUE
from studio.experiments import series

ARN = "arn:aws:sagemaker:us-east-1:000000000000:experiment-trial-component/"


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
    client.create_experiment(ExperimentName="e")
    for trial in ("old", "new"):
        client.create_trial(TrialName=trial, ExperimentName="e")
    return client


@pytest.fixture
def studio(plane, sagemaker):
    """Six components, the even ones in a trial."""
    client = plane.client("studio")
    for number in range(6):
        name = f"c{number}"
        sagemaker.create_trial_component(
            TrialComponentName=name,
            Parameters={"n": {"NumberValue": number}, "kind": {"StringValue": "<b>"}},
            Tags=[{"Key": "team", "Value": "risk"}],
        )
        if number % 2 == 0:
            sagemaker.associate_trial_component(TrialComponentName=name, TrialName="old")
    yield client
    client.delete_trial_components(Query="")
    assert counted(plane, COMPONENT) == counted(plane, VALUE) == counted(plane, MEMBERSHIP) == 0


def counted(plane, table):
    with plane.context.db.read() as connection:
        return connection.execute(select(func.count()).select_from(table)).scalar_one()


def described(client, *names):
    return client.describe_trial_components(Names=names)["TrialComponents"]


def matching(client, query):
    found = client.query_trial_components(Query=query, SortBy=[{"Field": "name"}])
    return found["Names"]


def test_all_that_is_known(plane, sagemaker, studio):
    sagemaker.update_trial_component(
        TrialComponentName="c2",
        DisplayName="Two",
        Status={"PrimaryStatus": "Failed", "Message": "why"},
        OutputArtifacts={"model": {"Value": "s3://b/m", "MediaType": "a/b"}},
    )
    with plane.context.db.read() as connection:
        which = select(COMPONENT.c.number).where(COMPONENT.c.name == "c2")
        number = connection.execute(which).scalar_one()
    points = series.points([(5, 1_000, 2.0), (7, 2_000, 4.0), (9, 3_000, float("inf"))])
    batch = series.Batch("loss", points)
    plane.context.db.write(lambda connection: series.arrive(connection, number, [batch]))
    answer = studio.describe_trial_components(Names=["c2", "none", "c1"])
    assert answer["Missing"] == ["none"]
    two, one = answer["TrialComponents"]
    assert (one["Name"], one["Trials"], one["Metrics"], one["Status"]) == ("c1", [], [], "")
    assert (two["Arn"], two["DisplayName"]) == (f"{ARN}c2", "Two")
    assert (two["Status"], two["StatusMessage"]) == ("Failed", "why")
    assert two["Trials"] == [{"TrialName": "old", "ExperimentName": "e"}]
    assert two["Parameters"] == {"n": {"NumberValue": 2.0}, "kind": {"StringValue": "<b>"}}
    assert two["OutputArtifacts"]["model"] == {"Value": "s3://b/m", "MediaType": "a/b"}
    assert two["Tags"] == [{"Key": "team", "Value": "risk"}]
    (loss,) = two["Metrics"]
    assert loss.pop("LastTime").timestamp() == 3
    assert loss == {
        "MetricName": "loss",
        "Count": 3,
        "Finite": 2,
        "LastStep": 9,
        "Minimum": 2.0,
        "MinimumStep": 5,
        "Maximum": 4.0,
        "MaximumStep": 7,
        "Mean": 3.0,
        "StdDev": pytest.approx(2**0.5),
    }


def test_curves_and_tables_that_sdks_log_are_artifacts(sagemaker, studio):
    def logged(name, kind, uri, source="", destination=""):
        artifact = sagemaker.create_artifact(
            ArtifactName=name, ArtifactType=kind, Source={"SourceUri": uri}
        )["ArtifactArn"]
        sagemaker.add_association(
            SourceArn=source or artifact, DestinationArn=destination or artifact
        )

    sagemaker.update_trial_component(
        TrialComponentName="c0", OutputArtifacts={"roc": {"Value": "s3://b/own"}}
    )
    logged("roc", "ROCCurve", "s3://b/c0/roc.json", source=f"{ARN}c0")
    logged("matrix", "ConfusionMatrix", "s3://b/c0/matrix.json", source=f"{ARN}c0")
    logged("rows", "Table", "s3://b/rows.json", destination=f"{ARN}c0")
    logged("image", "Image", "registry/image", destination=f"{ARN}c0")
    zero, one = described(studio, "c0", "c1")
    assert zero["OutputArtifacts"] == {
        "roc": {"Value": "s3://b/own"},
        "matrix": {"Value": "s3://b/c0/matrix.json", "MediaType": "application/json"},
    }
    assert zero["InputArtifacts"] == {
        "rows": {"Value": "s3://b/rows.json", "MediaType": "application/json"}
    }
    assert one["InputArtifacts"] == one["OutputArtifacts"] == {}


def test_marks_and_tags(studio):
    answer = studio.update_trial_components(
        Names=["c0", "c1", "none", "c0"],
        Starred=True,
        Color="#00ff7f",
        Note="# <b>a note</b>",
        AddTags=[{"Key": "best", "Value": "yes"}],
        RemoveTags=["team"],
    )
    assert (answer["Changed"], answer["Failed"]) == (2, 1)
    (error,) = answer["Errors"]
    assert (error["Name"], error["Code"]) == ("none", "ResourceNotFound")
    zero, two = described(studio, "c0", "c2")
    assert (zero["Starred"], zero["Color"], zero["Note"]) == (True, "#00ff7f", "# <b>a note</b>")
    assert zero["Tags"] == [{"Key": "best", "Value": "yes"}]
    assert (two["Starred"], two["Color"], two["Note"]) == (False, "", "")
    assert matching(studio, 'starred and tag.best == "yes"') == ["c0", "c1"]
    assert matching(studio, 'tag.team == "risk"') == ["c2", "c3", "c4", "c5"]
    studio.update_trial_components(Names=["c0"], Starred=False, Note="")
    (zero,) = described(studio, "c0")
    assert (zero["Starred"], zero["Color"], zero["Note"]) == (False, "#00ff7f", "")
    assert zero["LastModifiedTime"] == zero["CreationTime"]


def test_one_that_cannot_be_changed_holds_up_no_other(sagemaker, studio):
    full = [{"Key": f"k{number}", "Value": ""} for number in range(49)]
    sagemaker.add_tags(ResourceArn=f"{ARN}c1", Tags=full)
    answer = studio.update_trial_components(
        Query="param.n < 3", Starred=True, AddTags=[{"Key": "one more", "Value": ""}]
    )
    assert (answer["Changed"], answer["Failed"]) == (2, 1)
    (error,) = answer["Errors"]
    assert (error["Name"], error["Message"]) == (
        "c1",
        "The maximum number of tags per resource is 50.",
    )
    assert matching(studio, "starred") == ["c0", "c2"]


def test_from_one_trial_to_another(studio):
    move = {"AddToTrial": "new", "RemoveFromTrial": "old"}
    for _ in range(2):
        assert studio.update_trial_components(Names=["c0", "c1"], **move)["Changed"] == 2
    assert matching(studio, 'trial == "new"') == ["c0", "c1"]
    assert matching(studio, 'trial == "old"') == ["c2", "c4"]
    with pytest.raises(ClientError, match="ResourceNotFound"):
        studio.update_trial_components(Names=["c0"], AddToTrial="none")


def test_deleting_takes_them_out_of_their_trials(studio):
    answer = studio.delete_trial_components(Query="param.n >= 2")
    assert (answer["Deleted"], answer["Failed"]) == (4, 0)
    assert matching(studio, "") == ["c0", "c1"]


@pytest.mark.parametrize(
    ("request_", "text"),
    [
        ({}, "Exactly one"),
        ({"Names": ["c0"], "Query": ""}, "Exactly one"),
        ({"Query": "param.n >"}, "characters 8 to 9"),
        ({"Query": "not param.m > 1"}, "No trial component has param.m"),
        ({"Names": ["c0"], "Color": "red"}, "pattern"),
        ({"Names": ["c0"], "AddTags": [{"Key": "aws:x", "Value": ""}]}, "reserved"),
    ],
)
def test_what_makes_no_sense_changes_nothing(studio, request_, text):
    with pytest.raises(ClientError, match=text):
        studio.update_trial_components(Starred=True, **request_)
    assert matching(studio, "starred") == []


def test_users_reach_only_their_own(plane, studio):
    ann = user(plane, "ann", "AmazonSageMakerFullAccess").client("studio")
    assert ann.describe_trial_components(Names=["c0"])["Missing"] == ["c0"]
    assert ann.delete_trial_components(Names=["c0"])["Failed"] == 1
    assert ann.delete_trial_components(Query="")["Deleted"] == 0
    assert len(matching(studio, "")) == 6


def test_thousands_in_one_call(plane, sagemaker, studio):
    names = [f"many-{number}" for number in range(210)]
    for name in names:
        sagemaker.create_trial_component(TrialComponentName=name)
    answer = studio.update_trial_components(Names=names, AddTags=[{"Key": "k", "Value": "v"}])
    assert answer["Changed"] == 210
    assert studio.query_trial_components(Query='tag.k == "v"', Limit=0)["Matched"] == 210
    answer = studio.delete_trial_components(Names=[*names, *(f"no-{it}" for it in range(150))])
    assert (answer["Deleted"], answer["Failed"], len(answer["Errors"])) == (210, 150, 100)

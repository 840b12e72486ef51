"""What jobs, models and endpoints leave in lineage by themselves."""

from dataclasses import replace

import pytest
from test_client_texts import IMAGE, JOB, ROLE

from studio.api import lineage_tracks
from studio.db import migrate, resources
from studio.db.resources import Resource
from studio.db.session import Database
from studio.db.tables import RESOURCE
from studio.experiments import lineage

ARN = "arn:aws:sagemaker:us-east-1:000000000000:"
BUCKET = "tracks-data"
OUT = f"s3://{BUCKET}/out"


@pytest.fixture(scope="module", name="sagemaker")
def sagemaker_fixture(plane):
    s3 = plane.client("s3")
    s3.create_bucket(Bucket=BUCKET)
    for key in ("train.csv", "test.csv", "out/tracked/output/model.tar.gz"):
        s3.put_object(Bucket=BUCKET, Key=key, Body=b"x")
    return plane.client("sagemaker")


def channel(name: str, uri: str) -> dict:
    source = {"S3DataType": "S3Prefix", "S3Uri": uri}
    return {"ChannelName": name, "DataSource": {"S3DataSource": source}}


def trained(plane, sagemaker, name: str, status: str = "Completed") -> None:
    """A training job that has ended."""
    channels = [channel("train", f"s3://{BUCKET}/train.csv")]
    channels += [channel("validation", f"s3://{BUCKET}/test.csv")]
    channels += [channel("again", f"s3://{BUCKET}/train.csv")]
    request = {"TrainingJobName": name, "OutputDataConfig": {"S3OutputPath": OUT}}
    sagemaker.create_training_job(**JOB | request, InputDataConfig=channels)
    stored(
        plane,
        "training-job",
        name,
        lambda it: replace(it, status=status, state={**it.state, "Stored": True}),
    )


def stored(plane, kind: str, name: str, to) -> None:
    def store(connection):
        found = resources.find(connection, "000000000000", "us-east-1", kind, name)
        assert resources.update(connection, to(found)) is not None

    plane.context.db.write(store)


def deployed(sagemaker, name: str, uri: str) -> str:
    container = {"Image": IMAGE, "ModelDataUrl": uri}
    sagemaker.create_model(ModelName=name, PrimaryContainer=container, ExecutionRoleArn=ROLE)
    variant = {
        "VariantName": "v",
        "ModelName": name,
        "InstanceType": "ml.m5.large",
        "InitialInstanceCount": 1,
    }
    sagemaker.create_endpoint_config(EndpointConfigName=name, ProductionVariants=[variant])
    return sagemaker.create_endpoint(EndpointName=name, EndpointConfigName=name)["EndpointArn"]


def walked(sagemaker, start: str, direction: str) -> list[tuple[str, str]]:
    found = sagemaker.query_lineage(StartArns=[start], Direction=direction)
    return sorted((it["LineageType"], it["Type"]) for it in found["Vertices"])


def test_from_data_to_the_endpoint_and_back(plane, sagemaker):
    trained(plane, sagemaker, "tracked")
    endpoint = deployed(sagemaker, "tracked", f"{OUT}/tracked/output/model.tar.gz")
    [context] = sagemaker.list_contexts(SourceUri=endpoint)["ContextSummaries"]
    assert walked(sagemaker, context["ContextArn"], "Ascendants") == [
        ("Action", "ModelDeployment"),
        ("Artifact", "DataSet"),
        ("Artifact", "DataSet"),
        ("Artifact", "Image"),
        ("Artifact", "Model"),
        ("Artifact", "Model"),
        ("Context", "Endpoint"),
        ("TrialComponent", "TrainingJob"),
    ]
    uri = f"s3://{BUCKET}/train.csv"
    [data] = sagemaker.list_artifacts(SourceUri=uri)["ArtifactSummaries"]
    found = sagemaker.query_lineage(StartArns=[data["ArtifactArn"]], Direction="Descendants")
    assert context["ContextArn"] in {it["Arn"] for it in found["Vertices"]}
    [edge] = sagemaker.list_associations(SourceArn=data["ArtifactArn"])["AssociationSummaries"]
    assert edge["AssociationType"] == "ContributedTo"
    assert edge["DestinationType"] == "SageMakerTrainingJob"
    [model] = sagemaker.list_artifacts(SourceUri=f"{OUT}/tracked/output/model.tar.gz")[
        "ArtifactSummaries"
    ]
    [made] = sagemaker.list_associations(DestinationArn=model["ArtifactArn"])[
        "AssociationSummaries"
    ]
    assert made["AssociationType"] == "Produced"


def test_a_version_lies_between_the_artifact_and_its_model(plane, sagemaker):
    trained(plane, sagemaker, "registered")
    uri = f"{OUT}/tracked/output/model.tar.gz"
    sagemaker.create_model_package_group(ModelPackageGroupName="tracked")
    arn = sagemaker.create_model_package(
        ModelPackageGroupName="tracked",
        InferenceSpecification={"Containers": [{"Image": IMAGE, "ModelDataUrl": uri}]},
    )["ModelPackageArn"]
    [package] = sagemaker.list_artifacts(SourceUri=arn)["ArtifactSummaries"]
    assert walked(sagemaker, package["ArtifactArn"], "Descendants") == [
        ("Action", "Approval"),
        ("Artifact", "Model"),
        ("Context", "ModelGroup"),
    ]
    sagemaker.update_model_package(
        ModelPackageArn=arn, ModelApprovalStatus="Approved", ApprovalDescription="good"
    )
    [action] = sagemaker.list_actions(SourceUri=arn, ActionType="Approval")["ActionSummaries"]
    approval = sagemaker.describe_action(ActionName=action["ActionName"])
    said = {"ModelApprovalStatus": "Approved", "ApprovalDescription": "good"}
    assert (approval["Status"], approval["Properties"]) == ("Completed", said)
    container = {"ModelPackageName": arn}
    made = sagemaker.create_model(
        ModelName="of-package", PrimaryContainer=container, ExecutionRoleArn=ROLE
    )["ModelArn"]
    [model] = sagemaker.list_artifacts(SourceUri=made)["ArtifactSummaries"]
    before = {
        it["SourceArn"]
        for it in sagemaker.list_associations(DestinationArn=model["ArtifactArn"])[
            "AssociationSummaries"
        ]
    }
    assert {package["ArtifactArn"], action["ActionArn"]} <= before


def test_what_failed_made_no_model(plane, sagemaker):
    trained(plane, sagemaker, "in-vain", "Failed")
    component = f"{ARN}experiment-trial-component/in-vain-aws-training-job"
    assert walked(sagemaker, component, "Descendants") == [("TrialComponent", "TrainingJob")]


def test_an_update_is_another_deployment_and_a_new_endpoint_another_context(plane, sagemaker):
    first = deployed(sagemaker, "again", f"{OUT}/tracked/output/model.tar.gz")

    def served(it):
        change = {"Generation": 1, "Rescaled": False, "Outcome": "Completed"}
        return replace(it, status="InService", state={**it.state, "Past": [change], "Active": 1})

    stored(plane, "endpoint", "again", served)
    sagemaker.update_endpoint(EndpointName="again", EndpointConfigName="tracked")
    listed = sagemaker.list_actions(SourceUri=first, SortBy="Name", SortOrder="Ascending")
    assert [it["Status"] for it in listed["ActionSummaries"]] == ["Completed", "InProgress"]
    [context] = sagemaker.list_contexts(SourceUri=first)["ContextSummaries"]
    ends = sagemaker.list_associations(DestinationArn=context["ContextArn"])
    assert {it["SourceType"] for it in ends["AssociationSummaries"]} == {"ModelDeployment"}
    assert len(ends["AssociationSummaries"]) == 2

    gone = {"deleted_at": plane.context.now(), "due_at": None}
    stored(plane, "endpoint", "again", lambda it: replace(it, **gone))
    sagemaker.create_endpoint(EndpointName="again", EndpointConfigName="tracked")
    assert len(sagemaker.list_contexts(SourceUri=first)["ContextSummaries"]) == 2


def test_what_is_told_again_is_there_once(plane, sagemaker):
    trained(plane, sagemaker, "twice")
    with plane.context.db.read() as connection:
        found = resources.find(connection, "000000000000", "us-east-1", "training-job", "twice")
    component = f"{ARN}experiment-trial-component/twice-aws-training-job"
    before = walked(sagemaker, component, "Both")
    plane.context.db.write(lambda connection: lineage_tracks.of_job(connection, found))
    assert walked(sagemaker, component, "Both") == before


def test_an_older_home_gets_its_lineage_once(database_url):
    db = Database(database_url)
    migrate.upgrade(db)
    container = {"Image": IMAGE, "ModelDataUrl": "s3://b/old/model.tar.gz"}
    model = {"ModelName": "old", "PrimaryContainer": container, "ExecutionRoleArn": ROLE}
    arn = f"{ARN}model/old"
    old = Resource("0" * 12, "us-east-1", "model", "old", arn, "InService", model, 1, 1)
    variants = {"Generation": 1, "Variants": [], "Models": {"old": model}}
    state = {"Deployments": [variants], "Active": 1}
    endpoint = replace(
        old, id="e" * 32, kind="endpoint", arn=f"{ARN}endpoint/old", spec={}, state=state
    )

    def before(connection):
        for it in (old, endpoint):
            connection.execute(RESOURCE.insert().values({**vars(it)}))

    db.write(before)
    lineage_tracks.adopt(db)
    lineage_tracks.adopt(db)
    with db.read() as connection:
        [context] = resources.of_kind(connection, "context")
        scope = {"account": "0" * 12, "region": "us-east-1"}
        walk = lineage.walk(connection, scope, [context.arn], "Ascendants", 10, 100)
    # The deployment, the model, its data and its image.
    assert sorted(walk.depths.values()) == [0, 1, 2, 2, 2]
    db.close()

"""Version 2's classes of lineage, by hand and along what a job and an endpoint left."""

import time

import boto3
import sagemaker
import tutorial_data
from sagemaker import image_uris
from sagemaker.lineage.action import Action
from sagemaker.lineage.artifact import Artifact, DatasetArtifact, ModelArtifact
from sagemaker.lineage.association import Association
from sagemaker.lineage.context import Context, EndpointContext
from sagemaker.lineage.lineage_trial_component import LineageTrialComponent
from sagemaker.lineage.query import (
    LineageEntityEnum,
    LineageFilter,
    LineageQuery,
    LineageQueryDirectionEnum,
    LineageSourceEnum,
)
from sagemaker.lineage.visualizer import LineageTableVisualizer

session = sagemaker.Session()
role = sagemaker.get_execution_role(session)
client = session.sagemaker_client
bucket = session.default_bucket()
here = {"sagemaker_session": session}


def by_hand() -> list[str]:
    """Create, load, save, tag, list, associate, delete."""
    data = Artifact.create(
        artifact_name="by-hand",
        artifact_type="DataSet",
        source_uri="s3://by-hand/data",
        properties={"rows": "10"},
        **here,
    )
    data.properties["more"] = "1"
    data.save()
    data.set_tag({"Key": "team", "Value": "risk"})
    step = Action.create(
        action_name="by-hand", action_type="Clean", source_uri="s3://by-hand/clean.py", **here
    )
    place = Context.create(
        context_name="by-hand", context_type="Place", source_uri="s3://by-hand/place", **here
    )
    Association.create(data.artifact_arn, step.action_arn, "ContributedTo", **here)
    Association.create(step.action_arn, place.context_arn, "AssociatedWith", **here)
    found = [Artifact.load(data.artifact_arn, **here).properties["more"]]
    found += [it.artifact_arn for it in Artifact.list(source_uri="s3://by-hand/data", **here)]
    found += [it.destination_name for it in Association.list(source_arn=data.artifact_arn, **here)]
    found += [it.action_name for it in place.actions(LineageQueryDirectionEnum.ASCENDANTS)]
    for each in (data, step, place):
        each.delete(disassociate=True)
    return [*found[:1], *found[2:]]


def trained() -> str:
    train, _, _ = tutorial_data.bank(500)
    boto3.resource("s3").Object(bucket, "lineage/train.csv").put(Body=train)
    channel = {
        "ChannelName": "train",
        "ContentType": "text/csv",
        "DataSource": {
            "S3DataSource": {"S3DataType": "S3Prefix", "S3Uri": f"s3://{bucket}/lineage/train.csv"}
        },
    }
    image = image_uris.retrieve("xgboost", session.boto_region_name, "1.7-1")
    client.create_training_job(
        TrainingJobName="lineage-sdk",
        AlgorithmSpecification={"TrainingImage": image, "TrainingInputMode": "File"},
        RoleArn=role,
        InputDataConfig=[channel],
        OutputDataConfig={"S3OutputPath": f"s3://{bucket}/lineage/out"},
        ResourceConfig={"InstanceType": "ml.m5.large", "InstanceCount": 1, "VolumeSizeInGB": 1},
        StoppingCondition={"MaxRuntimeInSeconds": 600},
        HyperParameters={"num_round": "2", "objective": "binary:logistic"},
    )
    while True:
        job = client.describe_training_job(TrainingJobName="lineage-sdk")
        if job["TrainingJobStatus"] == "Completed":
            break
        time.sleep(0.3)
    data = job["ModelArtifacts"]["S3ModelArtifacts"]
    container = {"Image": image, "ModelDataUrl": data}
    client.create_model(ModelName="lineage-sdk", PrimaryContainer=container, ExecutionRoleArn=role)
    variant = {
        "VariantName": "v",
        "ModelName": "lineage-sdk",
        "InstanceType": "ml.m5.large",
        "InitialInstanceCount": 1,
    }
    client.create_endpoint_config(EndpointConfigName="lineage-sdk", ProductionVariants=[variant])
    made = client.create_endpoint(EndpointName="lineage-sdk", EndpointConfigName="lineage-sdk")
    return made["EndpointArn"]


hand = by_hand()
endpoint_arn = trained()
[summary] = Context.list(source_uri=endpoint_arn, **here)
endpoint = EndpointContext.load(summary.context_name, **here)
[data] = endpoint.dataset_artifacts()
result = LineageQuery(session).query(
    start_arns=[endpoint.context_arn],
    query_filter=LineageFilter(
        entities=[LineageEntityEnum.ARTIFACT], sources=[LineageSourceEnum.MODEL]
    ),
    direction=LineageQueryDirectionEnum.ASCENDANTS,
    include_edges=False,
)
models = [vertex.to_lineage_object() for vertex in result.vertices]
[tar] = [model for model in models if model.source.source_uri.endswith("model.tar.gz")]
[deployed] = ModelArtifact.load(tar.artifact_arn, **here).endpoints()
component = LineageTrialComponent.load("lineage-sdk-aws-training-job", **here)
contexts = DatasetArtifact.load(data.artifact_arn, **here).endpoint_contexts()
table = LineageTableVisualizer(session).show(training_job_name="lineage-sdk")
while client.describe_endpoint(EndpointName="lineage-sdk")["EndpointStatus"] == "Creating":
    time.sleep(0.3)
client.delete_endpoint(EndpointName="lineage-sdk")
tutorial_data.tell(
    hand=hand,
    data=data.source.source_uri,
    jobs=endpoint.training_job_arns(),
    models=sorted(type(model).__name__ for model in models),
    deployed=deployed.destination_arn == endpoint.context_arn,
    contexts=[it.context_arn == endpoint.context_arn for it in contexts],
    component_data=[it.source.source_uri for it in component.dataset_artifacts()],
    component_models=len(component.models()),
    table=sorted(map(list, table[["Direction", "Type", "Association Type"]].values)),
)

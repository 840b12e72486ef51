"""Users, sessions and things of theirs, on a control plane's port in this process."""

import json
from dataclasses import dataclass, field
from typing import Any

from plane import Plane

ACCOUNT = "000000000000"
ROLE = f"arn:aws:iam::{ACCOUNT}:role/StudioExecutionRole"
IMAGE = "683313688378.dkr.ecr.us-east-1.amazonaws.com/sagemaker-xgboost:1.7-1"
AWS = "arn:aws:iam::aws:policy/"
SAGEMAKER_TRUST = {"Service": "sagemaker.amazonaws.com"}


@dataclass(frozen=True)
class Person:
    """Somebody with credentials; `client` makes boto3 clients that use them."""

    plane: Plane
    keys: dict[str, str]
    clients: dict[str, Any] = field(default_factory=dict, repr=False)

    def client(self, service: str) -> Any:
        if service not in self.clients:
            self.clients[service] = self.plane.client(service, **self.keys)
        return self.clients[service]


def document(*statements: dict) -> str:
    return json.dumps({"Version": "2012-10-17", "Statement": list(statements)})


def allow(action: Any, resource: Any = "*", **more: Any) -> dict:
    return {"Effect": "Allow", "Action": action, "Resource": resource, **more}


def trust(principal: Any) -> str:
    statement = {"Effect": "Allow", "Principal": principal, "Action": "sts:AssumeRole"}
    return document(statement)


def user(plane: Plane, name: str, *attached: str, policy: str = "") -> Person:
    """A new user with a key, managed policies by their names, and a policy of its own."""
    iam = plane.client("iam")
    iam.create_user(UserName=name)
    for each in attached:
        iam.attach_user_policy(UserName=name, PolicyArn=AWS + each)
    if policy:
        iam.put_user_policy(UserName=name, PolicyName="own", PolicyDocument=policy)
    made = iam.create_access_key(UserName=name)["AccessKey"]
    return Person(
        plane,
        {
            "aws_access_key_id": made["AccessKeyId"],
            "aws_secret_access_key": made["SecretAccessKey"],
        },
    )


def role(plane: Plane, name: str, *statements: dict, principal: Any = None) -> str:
    """ARN of a new role with one policy."""
    iam = plane.client("iam")
    whom = principal or SAGEMAKER_TRUST
    made = iam.create_role(RoleName=name, AssumeRolePolicyDocument=trust(whom))["Role"]
    if statements:
        text = document(*statements)
        iam.put_role_policy(RoleName=name, PolicyName="own", PolicyDocument=text)
    return made["Arn"]


def session(plane: Plane, credentials: dict) -> Person:
    """Whoever has these credentials of STS."""
    return Person(
        plane,
        {
            "aws_access_key_id": credentials["AccessKeyId"],
            "aws_secret_access_key": credentials["SecretAccessKey"],
            "aws_session_token": credentials["SessionToken"],
        },
    )


def job(name: str, bucket: str, **more: Any) -> dict:
    """A CreateTrainingJob request."""
    source = {"S3DataType": "S3Prefix", "S3Uri": f"s3://{bucket}/train"}
    return {
        "TrainingJobName": name,
        "AlgorithmSpecification": {"TrainingImage": IMAGE, "TrainingInputMode": "File"},
        "RoleArn": ROLE,
        "InputDataConfig": [{"ChannelName": "train", "DataSource": {"S3DataSource": source}}],
        "OutputDataConfig": {"S3OutputPath": f"s3://{bucket}/out"},
        "ResourceConfig": {"InstanceType": "ml.m5.large", "InstanceCount": 1, "VolumeSizeInGB": 5},
        "StoppingCondition": {"MaxRuntimeInSeconds": 600},
        **more,
    }


def model(name: str, bucket: str, **more: Any) -> dict:
    """A CreateModel request."""
    container = {"Image": IMAGE, "ModelDataUrl": f"s3://{bucket}/model.tar.gz"}
    return {"ModelName": name, "PrimaryContainer": container, "ExecutionRoleArn": ROLE, **more}


def equip(person: Person, name: str) -> None:
    """A bucket, a job, a model, a configuration and an endpoint, all called `<name>-...`."""
    s3, sagemaker = person.client("s3"), person.client("sagemaker")
    s3.create_bucket(Bucket=f"{name}-data")
    s3.put_object(Bucket=f"{name}-data", Key="model.tar.gz", Body=b"model")
    s3.put_object(Bucket=f"{name}-data", Key="train/rows.csv", Body=b"1,2\n")
    sagemaker.create_training_job(**job(f"{name}-job", f"{name}-data"))
    sagemaker.create_model(**model(f"{name}-model", f"{name}-data"))
    variant = {
        "VariantName": "A",
        "ModelName": f"{name}-model",
        "InstanceType": "ml.m5.large",
        "InitialInstanceCount": 1,
    }
    sagemaker.create_endpoint_config(
        EndpointConfigName=f"{name}-config", ProductionVariants=[variant]
    )
    sagemaker.create_endpoint(EndpointName=f"{name}-endpoint", EndpointConfigName=f"{name}-config")


def track(person: Person, name: str) -> None:
    """An experiment, a trial, a component in it, an action and a context, called `<name>-...`."""
    sagemaker = person.client("sagemaker")
    sagemaker.create_experiment(ExperimentName=f"{name}-experiment")
    sagemaker.create_trial(TrialName=f"{name}-trial", ExperimentName=f"{name}-experiment")
    sagemaker.create_trial_component(TrialComponentName=f"{name}-component")
    sagemaker.associate_trial_component(
        TrialName=f"{name}-trial", TrialComponentName=f"{name}-component"
    )
    source = {"SourceUri": f"s3://{name}-data/train"}
    sagemaker.create_action(ActionName=f"{name}-action", ActionType="a", Source=source)
    sagemaker.create_context(ContextName=f"{name}-context", ContextType="a", Source=source)


def register(person: Person, name: str) -> None:
    """A group of model packages with one version, of the model of `equip`."""
    sagemaker = person.client("sagemaker")
    sagemaker.create_model_package_group(ModelPackageGroupName=f"{name}-group")
    container = {"Image": IMAGE, "ModelDataUrl": f"s3://{name}-data/model.tar.gz"}
    sagemaker.create_model_package(
        ModelPackageGroupName=f"{name}-group",
        InferenceSpecification={
            "Containers": [container],
            "SupportedContentTypes": ["text/csv"],
            "SupportedResponseMIMETypes": ["text/csv"],
        },
    )

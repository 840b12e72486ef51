"""What AWS's own clients read in answers: codes, fragments of texts, members that must be there.

One line a fact; the comment says who reads it. SDK is the `sagemaker` package.
"""

import json
import urllib.request

import pytest
from botocore.exceptions import ClientError

IMAGE = "683313688378.dkr.ecr.us-east-1.amazonaws.com/sagemaker-xgboost:1.7-1"
ROLE = "arn:aws:iam::000000000000:role/StudioExecutionRole"
ARN = "arn:aws:sagemaker:us-east-1:000000000000:"

JOB = {
    "TrainingJobName": "there",
    "AlgorithmSpecification": {"TrainingImage": IMAGE, "TrainingInputMode": "File"},
    "RoleArn": ROLE,
    "OutputDataConfig": {"S3OutputPath": "s3://bucket/out"},
    "ResourceConfig": {"InstanceType": "ml.m5.large", "InstanceCount": 1, "VolumeSizeInGB": 1},
    "StoppingCondition": {"MaxRuntimeInSeconds": 600},
    "HyperParameters": {"eta": "0.1"},
}
MODEL = {
    "ModelName": "there",
    "PrimaryContainer": {"Image": IMAGE},
    "ExecutionRoleArn": ROLE,
}
CONFIG = {
    "EndpointConfigName": "there",
    "ProductionVariants": [
        {
            "VariantName": "AllTraffic",
            "ModelName": "there",
            "InstanceType": "ml.m5.large",
            "InitialInstanceCount": 1,
        }
    ],
}
ENDPOINT = {"EndpointName": "there", "EndpointConfigName": "there"}

NONE = {name: {name: "none"} for name in ("TrainingJobName", "ModelName", "EndpointConfigName")}
NO_JOB, NO_MODEL, NO_CONFIG = NONE.values()
NO_ENDPOINT = {"EndpointName": "none"}
NO_GROUP = {"logGroupName": "/aws/sagemaker/Other", "logStreamName": "x"}

ERRORS = [
    # v1 and v2 look for the words before they create; waiters for the code
    ("describe_endpoint", NO_ENDPOINT, "ValidationException", "Could not find"),
    ("describe_endpoint_config", NO_CONFIG, "ValidationException", "Could not find"),
    ("describe_model", NO_MODEL, "ValidationException", "Could not find"),
    ("delete_endpoint", NO_ENDPOINT, "ValidationException", "Could not find"),
    ("delete_endpoint_config", NO_CONFIG, "ValidationException", "Could not find"),
    ("delete_model", NO_MODEL, "ValidationException", "Could not find"),
    ("update_endpoint", {**ENDPOINT, **NO_ENDPOINT}, "ValidationException", "Could not find"),
    # pipelines and the experiments SDK catch this class
    ("describe_training_job", NO_JOB, "ValidationException", "Requested resource not found."),
    ("stop_training_job", NO_JOB, "ValidationException", "Requested resource not found."),
    ("delete_training_job", NO_JOB, "ValidationException", "Requested resource not found."),
    # v1 and v2 then go on with what is there
    ("create_model", MODEL, "ValidationException", "Cannot create already existing model"),
    ("create_endpoint_config", CONFIG, "ValidationException", "Cannot create already existing"),
    ("create_endpoint", ENDPOINT, "ValidationException", "Cannot create already existing"),
    ("create_training_job", JOB, "ResourceInUse", "already exists"),
    # references
    ("create_endpoint", {**NO_ENDPOINT, **NO_CONFIG}, "ValidationException", "Could not find"),
    # what is busy
    ("update_endpoint", ENDPOINT, "ValidationException", "Cannot update in-progress endpoint"),
    ("delete_training_job", {"TrainingJobName": "there"}, "ResourceInUse", "InProgress"),
    # tags
    ("list_tags", {"ResourceArn": ARN + "model/none"}, "ValidationException", "none"),
]


@pytest.fixture(scope="module")
def clients(plane):
    names = ("sagemaker", "logs", "s3", "sts", "iam")
    clients = {name: plane.client(name) for name in names}
    sagemaker = clients["sagemaker"]
    clients["s3"].create_bucket(Bucket="bucket")
    sagemaker.create_training_job(**JOB)
    sagemaker.create_model(**MODEL)
    sagemaker.create_endpoint_config(**CONFIG)
    sagemaker.create_endpoint(**ENDPOINT)
    return clients


def refusal(call, request):
    with pytest.raises(ClientError) as caught:
        call(**request)
    return caught.value.response


@pytest.mark.parametrize(("operation", "request_", "code", "text"), ERRORS)
def test_errors(clients, operation, request_, code, text):
    response = refusal(getattr(clients["sagemaker"], operation), request_)
    assert response["Error"]["Code"] == code
    assert text in response["Error"]["Message"]
    assert response["ResponseMetadata"]["HTTPStatusCode"] == 400


@pytest.mark.parametrize(
    ("service", "operation", "request_", "code", "status"),
    [
        # log pollers print dots until the group is there
        ("logs", "get_log_events", NO_GROUP, "ResourceNotFoundException", 400),
        # default_bucket() creates the bucket on exactly this
        ("s3", "head_bucket", {"Bucket": "no-such-bucket"}, "404", 404),
        ("s3", "head_object", {"Bucket": "bucket", "Key": "none"}, "404", 404),
        # monitors and asynchronous predictors poll for an object
        ("s3", "get_object", {"Bucket": "bucket", "Key": "none"}, "NoSuchKey", 404),
        ("iam", "get_role", {"RoleName": "none"}, "NoSuchEntity", 404),
        # an operation that is not executed must not be retried
        ("sagemaker", "list_hubs", {}, "UnknownOperationException", 400),
    ],
)
def test_errors_of_neighbours(clients, service, operation, request_, code, status):
    response = refusal(getattr(clients[service], operation), request_)
    assert response["Error"]["Code"] == code
    assert response["ResponseMetadata"]["HTTPStatusCode"] == status


DESCRIBED = [
    # Estimator.attach: a KeyError without KmsKeyId
    ("describe_training_job", "TrainingJobName", "OutputDataConfig.KmsKeyId"),
    ("describe_training_job", "TrainingJobName", "OutputDataConfig.S3OutputPath"),
    ("describe_training_job", "TrainingJobName", "AlgorithmSpecification.TrainingImage"),
    ("describe_training_job", "TrainingJobName", "AlgorithmSpecification.TrainingInputMode"),
    # attach() of a built-in algorithm's estimator
    ("describe_training_job", "TrainingJobName", "AlgorithmSpecification.MetricDefinitions"),
    ("describe_training_job", "TrainingJobName", "HyperParameters.eta"),
    ("describe_training_job", "TrainingJobName", "LastModifiedTime"),
    ("describe_training_job", "TrainingJobName", "ModelArtifacts"),
    ("describe_training_job", "TrainingJobName", "ResourceConfig.InstanceCount"),
    ("describe_training_job", "TrainingJobName", "ResourceConfig.InstanceType"),
    ("describe_training_job", "TrainingJobName", "ResourceConfig.VolumeSizeInGB"),
    ("describe_training_job", "TrainingJobName", "RoleArn"),
    # wait() prints these as they come
    ("describe_training_job", "TrainingJobName", "SecondaryStatus"),
    ("describe_training_job", "TrainingJobName", "SecondaryStatusTransitions.0.Status"),
    ("describe_training_job", "TrainingJobName", "SecondaryStatusTransitions.0.StartTime"),
    ("describe_training_job", "TrainingJobName", "SecondaryStatusTransitions.0.StatusMessage"),
    ("describe_training_job", "TrainingJobName", "StoppingCondition.MaxRuntimeInSeconds"),
    ("describe_training_job", "TrainingJobName", "TrainingJobArn"),
    ("describe_training_job", "TrainingJobName", "TrainingJobName"),
    ("describe_training_job", "TrainingJobName", "TrainingJobStatus"),
    ("describe_training_job", "TrainingJobName", "CreationTime"),
    ("describe_model", "ModelName", "ModelArn"),
    ("describe_model", "ModelName", "ExecutionRoleArn"),
    ("describe_model", "ModelName", "PrimaryContainer.Image"),
    ("describe_model", "ModelName", "CreationTime"),
    # update_data_capture_config copies the configuration
    ("describe_endpoint_config", "EndpointConfigName", "EndpointConfigArn"),
    ("describe_endpoint_config", "EndpointConfigName", "ProductionVariants.0.ModelName"),
    (
        "describe_endpoint_config",
        "EndpointConfigName",
        "ProductionVariants.0.InitialVariantWeight",
    ),
    ("describe_endpoint_config", "EndpointConfigName", "CreationTime"),
    ("describe_endpoint", "EndpointName", "EndpointArn"),
    ("describe_endpoint", "EndpointName", "EndpointConfigName"),
    ("describe_endpoint", "EndpointName", "EndpointStatus"),
    ("describe_endpoint", "EndpointName", "CreationTime"),
    ("describe_endpoint", "EndpointName", "LastModifiedTime"),
]


@pytest.mark.parametrize(("operation", "name", "path"), DESCRIBED)
def test_members_that_clients_read(clients, operation, name, path):
    value = getattr(clients["sagemaker"], operation)(**{name: "there"})
    for step in path.split("."):
        value = value[int(step) if step.isdigit() else step]


@pytest.mark.parametrize(
    ("operation", "member", "fields"),
    [
        # `get_all` of the v3 SDK describes each by its name
        ("list_training_jobs", "TrainingJobSummaries", "TrainingJobName TrainingJobArn"),
        ("list_models", "Models", "ModelName ModelArn CreationTime"),
        ("list_endpoint_configs", "EndpointConfigs", "EndpointConfigName EndpointConfigArn"),
        ("list_endpoints", "Endpoints", "EndpointName EndpointArn EndpointStatus"),
    ],
)
def test_members_of_summaries(clients, operation, member, fields):
    (summary,) = getattr(clients["sagemaker"], operation)()[member]
    assert set(fields.split()) <= summary.keys()


def test_waiters_end_as_aws_lets_them(clients):
    """EndpointDeleted succeeds on this ValidationException, and on nothing else."""
    waiter = clients["sagemaker"].get_waiter("endpoint_deleted")
    waiter.wait(EndpointName="none", WaiterConfig={"Delay": 1, "MaxAttempts": 1})


def test_the_code_of_an_error_is_in_the_body_and_times_are_numbers(plane, clients):
    """botocore reads no header of JSON services; typed SDKs want epoch seconds."""
    seen = []
    sagemaker = clients["sagemaker"]
    record = lambda http_response, **_: seen.append(http_response.content)  # noqa: E731
    sagemaker.meta.events.register("after-call.sagemaker", record)
    refusal(sagemaker.describe_model, NO_MODEL)
    created = sagemaker.describe_model(ModelName="there")["CreationTime"]
    sagemaker.meta.events.unregister("after-call.sagemaker", record)
    error, answer = map(json.loads, seen)
    assert error["__type"] == "ValidationException"
    assert "Could not find" in error["message"]
    assert answer["CreationTime"] == pytest.approx(created.timestamp(), abs=0.001)


def test_an_identity_that_sdks_take_for_a_role(clients):
    """get_execution_role(): an assumed role whose role exists and SageMaker may assume."""
    arn = clients["sts"].get_caller_identity()["Arn"]
    role = clients["iam"].get_role(RoleName=arn.split("/")[1])["Role"]
    assert ":role/" in role["Arn"]
    assert "sagemaker.amazonaws.com" in json.dumps(role["AssumeRolePolicyDocument"])


def test_health_needs_no_signature(plane):
    with urllib.request.urlopen(f"{plane.url}/_studio/health") as answer:
        assert answer.status == 200

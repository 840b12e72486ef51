"""Jobs, models and endpoints as boto3 sees them: lists, pages, tags, stop, delete, update."""

import contextlib
import threading
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import ClassVar

import flow
import pytest
from botocore.exceptions import ClientError
from waiting import eventually


@pytest.fixture(scope="module")
def bucket(studio):
    studio.client("s3").create_bucket(Bucket="operations")
    studio.client("s3").put_object(Bucket="operations", Key="train/rows.csv", Body=flow.ROWS)
    return "operations"


@pytest.fixture(scope="module")
def artifact(studio, bucket):
    sagemaker = studio.client("sagemaker")
    sagemaker.create_training_job(**flow.training("ops-model", bucket))
    return flow.ended(sagemaker, "ops-model")["ModelArtifacts"]["S3ModelArtifacts"]


def test_describe_adds_what_aws_adds(studio, artifact):
    job = studio.client("sagemaker").describe_training_job(TrainingJobName="ops-model")
    assert job["OutputDataConfig"]["KmsKeyId"] == ""
    assert [each["Status"] for each in job["SecondaryStatusTransitions"]] == [
        "Starting",
        "Downloading",
        "Training",
        "Uploading",
        "Completed",
    ]
    assert job["TrainingStartTime"] <= job["TrainingEndTime"]
    assert job["TrainingTimeInSeconds"] == job["BillableTimeInSeconds"]
    assert job["SecondaryStatus"] == "Completed"
    assert {each["MetricName"] for each in job["FinalMetricDataList"]} == {"train:logloss"}
    names = {each["Name"] for each in job["AlgorithmSpecification"]["MetricDefinitions"]}
    assert "validation:auc" in names


def test_lists_page_and_filter(studio, bucket):
    sagemaker = studio.client("sagemaker")
    nothing = {
        "TrainingImage": "python:latest",
        "TrainingInputMode": "File",
        "ContainerEntrypoint": ["true"],
    }
    for number in range(5):
        job = flow.training(f"listed-{number}", bucket, AlgorithmSpecification=nothing)
        sagemaker.create_training_job(**job)
    for number in range(5):
        flow.ended(sagemaker, f"listed-{number}")
    pages = sagemaker.get_paginator("list_training_jobs").paginate(
        NameContains="listed", SortBy="Name", PaginationConfig={"PageSize": 2}
    )
    found = [[job["TrainingJobName"] for job in page["TrainingJobSummaries"]] for page in pages]
    assert found == [["listed-0", "listed-1"], ["listed-2", "listed-3"], ["listed-4"]]
    completed = sagemaker.list_training_jobs(StatusEquals="Completed", MaxResults=100)
    assert len(completed["TrainingJobSummaries"]) >= 5
    none = sagemaker.list_training_jobs(StatusEquals="Failed", NameContains="listed")
    assert none["TrainingJobSummaries"] == []


def test_tags(studio, artifact):
    sagemaker = studio.client("sagemaker")
    arn = sagemaker.describe_training_job(TrainingJobName="ops-model")["TrainingJobArn"]
    sagemaker.add_tags(ResourceArn=arn, Tags=[{"Key": "team", "Value": "a"}])
    sagemaker.add_tags(
        ResourceArn=arn, Tags=[{"Key": "team", "Value": "b"}, {"Key": "x", "Value": ""}]
    )
    assert sagemaker.list_tags(ResourceArn=arn)["Tags"] == [
        {"Key": "team", "Value": "b"},
        {"Key": "x", "Value": ""},
    ]
    sagemaker.delete_tags(ResourceArn=arn, TagKeys=["team"])
    assert sagemaker.list_tags(ResourceArn=arn)["Tags"] == [{"Key": "x", "Value": ""}]
    with pytest.raises(ClientError, match="Could not find"):
        sagemaker.list_tags(ResourceArn=arn + "-no")


def test_stop_then_delete_then_use_the_name_again(studio, bucket):
    sagemaker = studio.client("sagemaker")
    rounds = {"num_round": "1000000", "objective": "binary:logistic"}
    request = flow.training("stopped", bucket, HyperParameters=rounds)
    sagemaker.create_training_job(**request)
    with pytest.raises(ClientError, match="ResourceInUse"):
        sagemaker.delete_training_job(TrainingJobName="stopped")
    eventually(
        lambda: (
            sagemaker.describe_training_job(TrainingJobName="stopped")["SecondaryStatus"]
            == "Training"
        )
    )
    sagemaker.stop_training_job(TrainingJobName="stopped")
    job = flow.ended(sagemaker, "stopped")
    assert (job["TrainingJobStatus"], job["SecondaryStatus"]) == ("Stopped", "Stopped")
    with pytest.raises(ClientError, match="is in status Stopped"):
        sagemaker.stop_training_job(TrainingJobName="stopped")
    sagemaker.delete_training_job(TrainingJobName="stopped")
    with pytest.raises(ClientError, match=r"Requested resource not found\."):
        sagemaker.describe_training_job(TrainingJobName="stopped")
    sagemaker.create_training_job(**{**request, "HyperParameters": {"num_round": "1"}})
    assert flow.ended(sagemaker, "stopped")["TrainingJobStatus"] == "Completed"


def test_an_update_under_load_loses_no_request(studio, artifact):
    sagemaker = studio.client("sagemaker")
    others = servers(studio)  # of other tests' endpoints
    flow.configure(sagemaker, "blue", artifact)
    flow.configure(sagemaker, "green", artifact, VariantName="Green", InitialInstanceCount=2)
    sagemaker.create_endpoint(EndpointName="updated", EndpointConfigName="blue")
    assert flow.settled(sagemaker, "updated")["EndpointStatus"] == "InService"
    seen: set[str] = set()
    with asking(studio, "updated", seen) as failures:
        eventually(lambda: "AllTraffic" in seen)
        sagemaker.update_endpoint(EndpointName="updated", EndpointConfigName="green")
        with pytest.raises(ClientError, match="Cannot update in-progress endpoint"):
            sagemaker.update_endpoint(EndpointName="updated", EndpointConfigName="blue")
        pending = sagemaker.describe_endpoint(EndpointName="updated")
        if pending["EndpointStatus"] == "Updating":
            assert pending["EndpointConfigName"] == "blue"
            assert pending["PendingDeploymentSummary"]["EndpointConfigName"] == "green"
        found = flow.settled(sagemaker, "updated")
        assert found["EndpointConfigName"] == "green"
        assert found["ProductionVariants"][0]["CurrentInstanceCount"] == 2
        eventually(lambda: "Green" in seen)
        eventually(lambda: len(servers(studio) - others) == 2)
        for count in (3, 1, 2):
            rescale(sagemaker, "updated", DesiredInstanceCount=count, DesiredWeight=count / 2)
            eventually(lambda: len(servers(studio) - others) == count)  # noqa: B023  called at once
        scale_by_itself(studio, "endpoint/updated/variant/Green")
        eventually(lambda: len(servers(studio) - others) == 3)
    assert failures == []
    sagemaker.delete_endpoint(EndpointName="updated")
    eventually(lambda: flow.gone(sagemaker, "updated"))
    scaled_no_more(studio, "endpoint/updated/variant/Green")


@contextlib.contextmanager
def asking(studio, endpoint: str, seen: set[str]) -> Iterator[list[Exception]]:
    """Three clients that ask all the time; yields their failures, and adds who answers."""
    runtime, stop, failures = studio.client("sagemaker-runtime"), threading.Event(), []

    def ask() -> None:
        while not stop.is_set():
            try:
                answer = runtime.invoke_endpoint(
                    EndpointName=endpoint, ContentType="text/csv", Body=b"3,6"
                )
                answer["Body"].read()
                seen.add(answer["InvokedProductionVariant"])
            except Exception as error:
                failures.append(error)

    threads = [threading.Thread(target=ask) for _ in range(3)]
    for thread in threads:
        thread.start()
    try:
        yield failures
    finally:
        stop.set()
        for thread in threads:
            thread.join()


def scaled_no_more(studio, resource: str) -> None:
    """What scaled an endpoint goes with it."""
    scaler, cloudwatch = studio.client("application-autoscaling"), studio.client("cloudwatch")
    targets = {"ServiceNamespace": "sagemaker", "ResourceIds": [resource]}
    eventually(lambda: not scaler.describe_scalable_targets(**targets)["ScalableTargets"])
    assert cloudwatch.describe_alarms(AlarmNamePrefix="TargetTracking-")["MetricAlarms"] == []


def scale_by_itself(studio, resource: str) -> None:
    """From two instances to three, for a metric of somebody's own that was too high."""
    scaler = studio.client("application-autoscaling")
    place = {
        "ServiceNamespace": "sagemaker",
        "ResourceId": resource,
        "ScalableDimension": "sagemaker:variant:DesiredInstanceCount",
    }
    tags = {"studio:autoscaling-period": "10"}
    scaler.register_scalable_target(**place, MinCapacity=1, MaxCapacity=9, Tags=tags)
    now = datetime.now(UTC)
    seen = [now - timedelta(seconds=seconds) for seconds in range(-120, 60, 5)]
    studio.client("cloudwatch").put_metric_data(
        Namespace="Shop",
        MetricData=[
            {"MetricName": "Busy", "Value": 60.0, "Timestamp": at, "StorageResolution": 1}
            for at in seen
        ],
    )
    tracked = {"Namespace": "Shop", "MetricName": "Busy", "Statistic": "Average"}
    scaler.put_scaling_policy(
        **place,
        PolicyName="busy",
        PolicyType="TargetTrackingScaling",
        TargetTrackingScalingPolicyConfiguration={
            "TargetValue": 50.0,
            "CustomizedMetricSpecification": tracked,
        },
    )

    def done() -> dict | None:
        found = scaler.describe_scaling_activities(**place)["ScalingActivities"]
        return found[0] if found and "EndTime" in found[0] else None

    activity = eventually(done)
    assert (activity["StatusCode"], activity["Description"]) == (
        "Successful",
        "Setting desired instance count to 3.",
    )
    assert "AlarmHigh" in activity["Cause"]


def rescale(sagemaker, endpoint, **wanted) -> None:
    desired = [{"VariantName": "Green", **wanted}]
    sagemaker.update_endpoint_weights_and_capacities(
        EndpointName=endpoint, DesiredWeightsAndCapacities=desired
    )
    [variant] = flow.settled(sagemaker, endpoint)["ProductionVariants"]
    assert wanted.items() <= variant.items()
    assert variant["CurrentInstanceCount"] == wanted["DesiredInstanceCount"]


def test_a_failed_update_leaves_the_endpoint_serving(studio, bucket, artifact):
    sagemaker, runtime = studio.client("sagemaker"), studio.client("sagemaker-runtime")
    studio.client("s3").put_object(Bucket=bucket, Key="broken.tar.gz", Body=b"no archive")
    flow.configure(sagemaker, "sound", artifact)
    flow.configure(sagemaker, "broken", f"s3://{bucket}/broken.tar.gz")
    sagemaker.create_endpoint(EndpointName="kept", EndpointConfigName="sound")
    flow.settled(sagemaker, "kept")
    sagemaker.update_endpoint(EndpointName="kept", EndpointConfigName="broken")
    found = flow.settled(sagemaker, "kept")
    assert found["EndpointStatus"] == "InService"
    assert found["EndpointConfigName"] == "sound"
    assert "model archive unreadable" in found["FailureReason"]
    runtime.invoke_endpoint(EndpointName="kept", ContentType="text/csv", Body=b"3,6")
    told = studio.client("studio").describe_deployment(EndpointName="kept")
    assert [step["Status"] for step in told["Steps"]] == ["Failed", "Skipped", "Skipped"]
    assert [each["Outcome"] for each in told["Changes"]] == ["RolledBack", "Completed"]
    failed, served = told["Servers"]
    assert "model archive unreadable" in " ".join((failed["Message"], *failed["LastLines"]))
    assert [stage["Name"] for stage in served["Stages"]] == ["Downloading", "Starting", "Serving"]
    assert told["Variants"][0]["InService"] == 1
    sagemaker.update_endpoint(EndpointName="kept", EndpointConfigName="sound")
    assert "FailureReason" not in flow.settled(sagemaker, "kept")
    sagemaker.delete_endpoint(EndpointName="kept")
    eventually(lambda: flow.gone(sagemaker, "kept"))


class Staged:
    """An endpoint of the configuration `first`, which can be updated in stages to `second`."""

    name: ClassVar = {"EndpointName": "staged"}

    def __init__(self, studio, artifact) -> None:
        self.studio = studio
        self.sagemaker, self.panel = studio.client("sagemaker"), studio.client("studio")
        self.runtime = studio.client("sagemaker-runtime")
        flow.configure(self.sagemaker, "first", artifact)
        flow.configure(self.sagemaker, "second", artifact, VariantName="Second")
        self.sagemaker.create_endpoint(**self.name, EndpointConfigName="first")
        self.settled()

    def begin(self, config: str, wait: int, *alarms: str) -> None:
        half = {"Type": "CAPACITY_PERCENT", "Value": 50}
        routing = {"Type": "CANARY", "WaitIntervalInSeconds": wait, "CanarySize": half}
        policy = {"TrafficRoutingConfiguration": routing, "TerminationWaitInSeconds": 1}
        names = [{"AlarmName": name} for name in alarms]
        back = {"AutoRollbackConfiguration": {"Alarms": names}} if names else {}
        made = {"BlueGreenUpdatePolicy": policy, **back}
        self.sagemaker.update_endpoint(
            **self.name, EndpointConfigName=config, DeploymentConfig=made
        )

    def halfway(self) -> bool:
        """Whether the new server has its first share."""
        return "StartTime" in self.panel.describe_deployment(**self.name)["Rollout"]["Stages"][0]

    def asked(self) -> str:
        """The variant that answers."""
        answer = self.runtime.invoke_endpoint(**self.name, ContentType="text/csv", Body=b"3,6")
        answer["Body"].read()
        return answer["InvokedProductionVariant"]

    def settled(self) -> dict:
        return flow.settled(self.sagemaker, "staged")

    def started(self) -> int:
        """Servers that were ever started."""
        return len(list(self.studio.home.glob("runs/*-serve-*/spec.json")))


@pytest.fixture(scope="module")
def staged(studio, artifact):
    made = Staged(studio, artifact)
    yield made
    made.sagemaker.delete_endpoint(**made.name)
    eventually(lambda: flow.gone(made.sagemaker, "staged"))


def test_an_update_that_somebody_holds_waits_between_its_stages(staged):
    sagemaker, panel, name = staged.sagemaker, staged.panel, staged.name
    staged.begin("second", 1)
    panel.pause_deployment(**name)
    with pytest.raises(ClientError, match="paused already"):
        panel.pause_deployment(**name)
    panel.resume_deployment(**name)
    eventually(staged.halfway)
    panel.pause_deployment(**name)
    # It waits for a second only: were it not held, this would not come true.
    seen: set[str] = set()
    eventually(lambda: seen.add(staged.asked()) or seen == {"AllTraffic", "Second"})
    [pending] = sagemaker.describe_endpoint(**name)["PendingDeploymentSummary"][
        "ProductionVariants"
    ]
    assert (pending["CurrentWeight"], pending["CurrentInstanceCount"]) == (0.5, 1)
    assert pending["VariantStatus"][0]["Status"] == "Baking"
    panel.resume_deployment(**name)
    found = staged.settled()
    assert (found["EndpointConfigName"], staged.asked()) == ("second", "Second")
    routing = found["LastDeploymentConfig"]["BlueGreenUpdatePolicy"]["TrafficRoutingConfiguration"]
    assert routing["Type"] == "CANARY"
    staged.begin("first", 0)
    assert staged.settled()["EndpointConfigName"] == "first"


def test_an_alarm_takes_an_update_back(staged):
    cloudwatch, before = staged.studio.client("cloudwatch"), staged.started()
    with pytest.raises(ClientError, match="Could not find the alarms bad"):
        staged.begin("second", 1, "bad")
    cloudwatch.put_metric_alarm(
        AlarmName="bad",
        Namespace="Staged",
        MetricName="bad",
        Statistic="Sum",
        Period=10,
        EvaluationPeriods=1,
        Threshold=0.0,
        ComparisonOperator="GreaterThanThreshold",
        TreatMissingData="notBreaching",
    )
    staged.begin("second", 3600, "bad")
    eventually(staged.halfway)
    # In a period that is over: the alarm need not wait for the end of this one.
    at = datetime.now(UTC) - timedelta(seconds=20)
    datum = {"MetricName": "bad", "Value": 1.0, "StorageResolution": 1, "Timestamp": at}
    cloudwatch.put_metric_data(Namespace="Staged", MetricData=[datum])
    found = staged.settled()
    assert (found["EndpointConfigName"], staged.asked()) == ("first", "AllTraffic")
    assert found["FailureReason"] == "The alarm bad is in ALARM."
    # The way back starts nobody.
    assert staged.started() == before + 1
    cloudwatch.delete_alarms(AlarmNames=["bad"])


def test_an_update_is_taken_back_by_hand(staged):
    staged.begin("second", 3600)
    eventually(staged.halfway)
    staged.panel.rollback_deployment(**staged.name)
    found = staged.settled()
    assert (found["FailureReason"], staged.asked()) == ("Rolled back by hand.", "AllTraffic")
    change = staged.panel.describe_deployment(**staged.name)["Changes"][0]
    assert (change["Outcome"], change["Stages"][0]["Share"]) == ("RolledBack", 0.5)
    with pytest.raises(ClientError, match="no update of it is under way"):
        staged.panel.rollback_deployment(**staged.name)


def test_configuration_and_model_may_go_while_the_endpoint_lives(studio, artifact):
    sagemaker = studio.client("sagemaker")
    flow.configure(sagemaker, "orphan", artifact)
    sagemaker.create_endpoint(EndpointName="orphan", EndpointConfigName="orphan")
    sagemaker.delete_endpoint_config(EndpointConfigName="orphan")
    sagemaker.delete_model(ModelName="orphan")
    assert flow.settled(sagemaker, "orphan")["EndpointStatus"] == "InService"
    summaries = sagemaker.list_endpoints(StatusEquals="InService")["Endpoints"]
    assert "orphan" in {each["EndpointName"] for each in summaries}
    assert "orphan" not in str(sagemaker.list_models(NameContains="orphan")["Models"])
    sagemaker.delete_endpoint(EndpointName="orphan")
    eventually(lambda: flow.gone(sagemaker, "orphan"))


def servers(studio) -> set[Path]:
    """Model servers that run."""
    folders = [path.parent for path in studio.home.glob("runs/*-serve-*/pid.json")]
    return {folder for folder in folders if not (folder / "exit.json").exists()}

"""Jobs are trial components: documents, metrics of every kind, provenance; whoever dies when."""

import json
import math
import os
import random
import signal
import time

import flow
import job_metrics
import pytest
from botocore.exceptions import ClientError
from test_survival import murder, persistently, revive
from waiting import eventually

BUCKET = "compared"
WRITTEN = """
import json, os, pathlib, sys, time
folder = pathlib.Path(os.environ["SAGEMAKER_METRICS_DIRECTORY"])
with (folder / f"{os.getpid()}.json").open("a") as file:
    print("no metric", file=file)
    for step in range(int(os.environ["COUNT"])):
        line = {"MetricName": "written", "Value": step * 0.5, "Timestamp": time.time()}
        print(json.dumps(dict(line, IterationNumber=step)), file=file, flush=True)
        print(f"step {step} printed={step};", flush=True)
        time.sleep(float(os.environ["PAUSE"]))
    # The last line lacks its end: the program was in a hurry.
    file.write(json.dumps(dict(line, MetricName="hasty", Value=float("nan"))))
exec(os.environ["END"])
"""
SLOW_TO_STOP = """
import signal
def stop(*_):
    while not os.path.exists("/opt/ml/go"):
        time.sleep(0.05)
    sys.exit()
signal.signal(signal.SIGTERM, stop)
print("armed", flush=True)
time.sleep(500)
"""
# As `pip install` does, whose user has no rights on the interpreter's own folders.
INSTALLING = """
site = pathlib.Path.home() / ".local/lib/python3.11/site-packages"
(site / "my_tool-1.5.dist-info").mkdir(parents=True)
"""


def script(name: str, count: int, pause: float = 0.0, end: str = "", hosts: int = 1, **more):
    return {
        "TrainingJobName": name,
        "RoleArn": flow.ROLE,
        "Environment": {"COUNT": str(count), "PAUSE": str(pause), "END": end},
        "InputDataConfig": [flow.channel(f"s3://{BUCKET}/code", "code")],
        "OutputDataConfig": {"S3OutputPath": f"s3://{BUCKET}/out"},
        "StoppingCondition": {"MaxRuntimeInSeconds": 600},
        "AlgorithmSpecification": {
            "TrainingImage": "python:latest",
            "TrainingInputMode": "File",
            "ContainerEntrypoint": ["python3", "/opt/ml/input/data/code/written.py"],
            "MetricDefinitions": [{"Name": "printed", "Regex": r"printed=(\d+);"}],
        },
        "ResourceConfig": {
            "InstanceType": "ml.m5.large",
            "InstanceCount": hosts,
            "VolumeSizeInGB": 1,
        },
        **more,
    }


def component_of(studio, job: str) -> dict:
    name = f"{job}-aws-training-job"
    return studio.client("sagemaker").describe_trial_component(TrialComponentName=name)


def measured(studio, job: str, *metrics: str) -> list[tuple]:
    return job_metrics.of(studio, f"{job}-aws-training-job", *metrics)


def said(studio, job: str) -> list[str]:
    group = "/aws/sagemaker/TrainingJobs"
    found = studio.client("logs").filter_log_events(
        logGroupName=group, logStreamNamePrefix=f"{job}/"
    )
    return [it["message"] for it in found["events"]]


@pytest.fixture(scope="module", name="sagemaker")
def sagemaker_fixture(studio):
    studio.client("s3").create_bucket(Bucket=BUCKET)
    studio.client("s3").put_object(Bucket=BUCKET, Key="train/rows.csv", Body=flow.ROWS)
    studio.client("s3").put_object(Bucket=BUCKET, Key="code/written.py", Body=WRITTEN)
    sagemaker = studio.client("sagemaker")
    sagemaker.create_experiment(ExperimentName="shop")
    sagemaker.create_trial(ExperimentName="shop", TrialName="tuned")
    return sagemaker


def test_a_job_of_an_algorithm(studio, sagemaker):
    request = flow.training(
        "algorithm",
        BUCKET,
        HyperParameters={"num_round": "3", "objective": "binary:logistic", "seed": "7"},
        ExperimentConfig={
            "ExperimentName": "shop",
            "TrialName": "tuned",
            "TrialComponentDisplayName": "boosted",
        },
        Tags=[{"Key": "team", "Value": "risk"}],
    )
    arn = sagemaker.create_training_job(**request)["TrainingJobArn"]
    fresh = component_of(studio, "algorithm")
    assert fresh["Status"]["PrimaryStatus"] in ("InProgress", "Completed")  # it is short
    assert fresh["Source"] == {"SourceArn": arn, "SourceType": "SageMakerTrainingJob"}
    done = flow.ended(sagemaker, "algorithm")
    assert done["TrainingJobStatus"] == "Completed", done
    it = component_of(studio, "algorithm")
    assert it["DisplayName"] == "boosted"
    assert it["Status"]["PrimaryStatus"] == "Completed"
    assert it["StartTime"] == done["TrainingStartTime"]
    assert it["EndTime"] == done["TrainingEndTime"]
    assert it["Parameters"] == {
        "num_round": {"NumberValue": 3.0},
        "objective": {"StringValue": "binary:logistic"},
        "seed": {"NumberValue": 7.0},
        "SageMaker.ImageUri": {"StringValue": flow.XGBOOST},
        "SageMaker.InstanceCount": {"NumberValue": 1.0},
        "SageMaker.InstanceType": {"StringValue": "ml.m5.large"},
        "SageMaker.VolumeSizeInGB": {"NumberValue": 5.0},
    }
    uri = f"s3://{BUCKET}/train"
    assert it["InputArtifacts"] == {"train": {"MediaType": "text/csv", "Value": uri}}
    model = {"Value": done["ModelArtifacts"]["S3ModelArtifacts"]}
    assert it["OutputArtifacts"] == {"SageMaker.ModelArtifact": model}
    of_trial = sagemaker.list_trial_components(TrialName="tuned")["TrialComponentSummaries"]
    assert [each["TrialComponentName"] for each in of_trial] == ["algorithm-aws-training-job"]
    [(count, _, last, step)] = measured(studio, "algorithm", "train:logloss")
    assert (count, step) == (3, 2)
    final = {each["MetricName"]: each["Value"] for each in done["FinalMetricDataList"]}
    assert last == pytest.approx(final["train:logloss"])
    tags = sagemaker.list_tags(ResourceArn=it["TrialComponentArn"])["Tags"]
    assert tags == [{"Key": "team", "Value": "risk"}]


def test_what_a_job_ran_with(studio, sagemaker):
    client = studio.client("studio")
    request = flow.training("recorded", BUCKET, HyperParameters={"num_round": "1", "seed": "7"})
    arn = sagemaker.create_training_job(**request)["TrainingJobArn"]
    eventually(lambda: client.get_provenance(Arn=arn).get("Execution"))
    component = component_of(studio, "recorded")["TrialComponentArn"]
    found = client.get_provenance(Arn=component)["Execution"]
    assert found == client.get_provenance(Arn=arn)["Execution"]
    [train] = found["Inputs"]
    assert (train["ChannelName"], train["Objects"], train["Bytes"]) == ("train", 1, len(flow.ROWS))
    assert found["Seeds"] == [{"Name": "seed", "Value": "7"}]
    assert found["Image"]["Uri"] == flow.XGBOOST
    assert found["Hardware"]["Cores"] >= found["Allotted"]["Cpus"] >= 1
    assert "numpy" in {each["Name"] for each in found["Python"]["Packages"]}
    flow.ended(sagemaker, "recorded")
    # Other data, in an object of that name: the digest tells.
    studio.client("s3").put_object(Bucket=BUCKET, Key="train/rows.csv", Body=flow.ROWS[:-7])
    again = {**request, "TrainingJobName": "recorded-again"}
    other = sagemaker.create_training_job(**again)["TrainingJobArn"]
    later = eventually(lambda: client.get_provenance(Arn=other).get("Execution"))
    assert later["Inputs"][0]["Digest"] != train["Digest"]
    assert later["EnvironmentDigest"] == found["EnvironmentDigest"]
    assert later["Image"] == found["Image"]
    flow.ended(sagemaker, "recorded-again")
    studio.client("s3").put_object(Bucket=BUCKET, Key="train/rows.csv", Body=flow.ROWS)
    sagemaker.delete_training_job(TrainingJobName="recorded")
    assert client.get_provenance(Arn=component)["Execution"] == found


def test_hosts_write_and_print_metrics_and_use_the_machine(studio, sagemaker):
    job = script("hosts", 50, 0.02, hosts=2)
    sagemaker.create_training_job(**job)
    assert flow.ended(sagemaker, "hosts")["TrainingJobStatus"] == "Completed"
    own = {each["MetricName"] for each in component_of(studio, "hosts")["Metrics"]}
    assert own == {"written", "printed", "hasty"}
    written, printed, hasty = measured(studio, "hosts", "written", "printed", "hasty")
    assert written == (100, pytest.approx(12.25), 24.5, 49)
    assert printed == (100, pytest.approx(24.5), 49, 49)
    assert hasty[0] == 2
    assert math.isnan(hasty[2])
    used = [f"system/algo-{n}/{it}" for n in (1, 2) for it in ("cpu", "memory", "disk_write")]
    assert all(count >= 1 for count, *_ in measured(studio, "hosts", *used))
    [(alone, *_)] = measured(studio, "hosts", "system/cpu")
    assert math.isnan(alone) or alone == 0


def test_a_job_that_fails_and_one_that_is_stopped(studio, sagemaker):
    failing = script("failing", 3, end=INSTALLING + "raise ValueError('no luck')")
    waiting = script("waiting", 3, end=SLOW_TO_STOP)
    sagemaker.create_training_job(**failing)
    sagemaker.create_training_job(**waiting)
    flow.ended(sagemaker, "failing")
    it = component_of(studio, "failing")
    assert it["Status"]["PrimaryStatus"] == "Failed"
    assert "ValueError: no luck" in it["Status"]["Message"]
    assert it["OutputArtifacts"] == {}
    ran = studio.client("studio").get_provenance(Arn=it["TrialComponentArn"])["Execution"]
    assert ran["Installed"] == [{"Name": "my-tool", "Version": "1.5"}]
    assert measured(studio, "failing", "written")[0][0] == 3
    # It is live: what the job says is there while it runs.
    eventually(lambda: measured(studio, "waiting", "written")[0][0] == 3)
    eventually(lambda: "armed" in said(studio, "waiting"))
    sagemaker.stop_training_job(TrainingJobName="waiting")
    assert component_of(studio, "waiting")["Status"]["PrimaryStatus"] == "Stopping"
    flow.let_go(studio, "waiting")
    flow.ended(sagemaker, "waiting")
    it = component_of(studio, "waiting")
    assert it["Status"]["PrimaryStatus"] == "Stopped"
    assert "SageMaker.ModelArtifact" in it["OutputArtifacts"]
    assert [count for count, *_ in measured(studio, "waiting", "written", "hasty")] == [3, 1]


def test_what_programs_add_stays_and_the_component_outlives_the_job(studio, sagemaker):
    job = script("outlived", 1, end="time.sleep(1)")
    arn = sagemaker.create_training_job(**job)["TrainingJobArn"]
    name = "outlived-aws-training-job"
    sagemaker.update_trial_component(
        TrialComponentName=name,
        Parameters={"added": {"NumberValue": 1.5}},
        OutputArtifacts={"chart": {"Value": "s3://chart"}},
    )
    flow.ended(sagemaker, "outlived")
    sagemaker.delete_training_job(TrainingJobName="outlived")
    it = component_of(studio, "outlived")
    assert it["Parameters"]["added"] == {"NumberValue": 1.5}
    assert set(it["OutputArtifacts"]) == {"chart", "SageMaker.ModelArtifact"}
    assert measured(studio, "outlived", "written")[0][0] == 1
    # The name of the job is free again; the first answer to its ARN is the newest.
    sagemaker.create_training_job(**job)
    found = sagemaker.list_trial_components(SourceArn=arn.lower())["TrialComponentSummaries"]
    assert [each["TrialComponentName"] for each in found] == [f"{name}-2", name]
    sagemaker.delete_trial_component(TrialComponentName=f"{name}-2")
    assert flow.ended(sagemaker, "outlived")["TrainingJobStatus"] == "Completed"


def test_experiments_and_trials_that_a_job_names(sagemaker):
    sagemaker.create_experiment(ExperimentName="other")
    for config, words in (
        ({"ExperimentName": "nowhere"}, "experiment/nowhere' does not exist"),
        ({"ExperimentName": "shop", "TrialName": "gone"}, "trial/gone' does not exist"),
        ({"ExperimentName": "other", "TrialName": "tuned"}, "does not belong to experiment"),
    ):
        job = script("refused", 1, ExperimentConfig=config)
        with pytest.raises(ClientError, match=words):
            sagemaker.create_training_job(**job)
    job = script("grouped", 1, ExperimentConfig={"ExperimentName": "shop"})
    sagemaker.create_training_job(**job)
    trials = sagemaker.list_trials(TrialComponentName="grouped-aws-training-job")
    assert [each["TrialName"] for each in trials["TrialSummaries"]] == ["grouped-aws-trial"]
    shop = sagemaker.list_trials(ExperimentName="shop")["TrialSummaries"]
    assert {each["TrialName"] for each in shop} >= {"tuned", "grouped-aws-trial"}
    assert flow.ended(sagemaker, "grouped")["TrainingJobStatus"] == "Completed"


def test_kills_of_the_control_plane_lose_no_value_and_count_none_twice(start_studio):
    studio = start_studio()
    studio.client("s3").create_bucket(Bucket=BUCKET)
    studio.client("s3").put_object(Bucket=BUCKET, Key="code/written.py", Body=WRITTEN)
    chance = random.Random(11)
    job = script("killed", 200, 0.03)
    studio.client("sagemaker").create_training_job(**job)
    for _ in range(3):
        time.sleep(chance.uniform(0.3, 1.0))
        murder(studio)
        revive(studio)
    describe = studio.client("sagemaker").describe_training_job

    def done() -> bool:
        told = persistently(describe, TrainingJobName="killed")
        return told["TrainingJobStatus"] == "Completed"

    eventually(done)
    written, printed, hasty = measured(studio, "killed", "written", "printed", "hasty")
    assert written == (200, pytest.approx(49.75), 99.5, 199)
    assert printed == (200, pytest.approx(99.5), 199, 199)
    assert hasty[0] == 1
    assert json.dumps(component_of(studio, "killed")["Status"]).count("Completed") == 3


def test_what_a_job_wrote_counts_though_everything_is_killed(start_studio):
    studio = start_studio()
    studio.client("s3").create_bucket(Bucket=BUCKET)
    studio.client("s3").put_object(Bucket=BUCKET, Key="code/written.py", Body=WRITTEN)
    studio.client("sagemaker").create_training_job(**script("murdered", 100_000, 0.01))
    eventually(lambda: measured(studio, "murdered", "written")[0][0] > 5)
    murder(studio)
    [log] = (studio.home / "runs").glob("*/log")
    read = log.read_text().count("printed=")
    eventually(lambda: log.read_text().count("printed=") > read + 20)  # that is to be read yet
    [shim] = (studio.home / "runs").glob("*/pid.json")
    os.kill(json.loads(shim.read_text())["pid"], signal.SIGKILL)
    revive(studio)
    client = studio.client("sagemaker")
    assert "killed" in flow.ended(client, "murdered")["FailureReason"]
    lines = log.read_text().count("printed=")
    written, printed = measured(studio, "murdered", "written", "printed")
    assert printed[0] == lines > 20
    assert written[0] in (lines, lines + 1)
    assert written[3] == written[0] - 1
    assert component_of(studio, "murdered")["Status"]["PrimaryStatus"] == "Failed"

"""Experiments inside of a job, with AWS's SDKs unmodified: they find what the job belongs to."""

import pytest
from sdk_programs import PYTHONS
from waiting import eventually

pytestmark = pytest.mark.skipif(not PYTHONS["v2"].exists(), reason="`make setup` makes it")

PROGRAM = """
from sagemaker.experiments.run import load_run
from sagemaker.session import Session
from smexperiments.tracker import Tracker

with Tracker.load() as tracker:
    tracker.log_parameters({"inside": 3, "optimizer": "adam"})
    tracker.log_output("report", "s3://inside/report")
    for step in range(30):
        tracker.log_metric("tracked", step * 0.5, iteration_number=step)
with load_run(sagemaker_session=Session()) as run:
    run.log_parameter("deep", 7)
    for step in range(12):
        run.log_metric(name="logged", value=step, step=step)
"""
JOB = {
    "TrainingJobName": "inside",
    "RoleArn": "arn:aws:iam::000000000000:role/StudioExecutionRole",
    "AlgorithmSpecification": {
        "TrainingImage": "python:latest",
        "TrainingInputMode": "File",
        "ContainerEntrypoint": ["python3", "/opt/ml/input/data/code/program.py"],
    },
    "InputDataConfig": [
        {
            "ChannelName": "code",
            "DataSource": {"S3DataSource": {"S3DataType": "S3Prefix", "S3Uri": "s3://inside/code"}},
        }
    ],
    "OutputDataConfig": {"S3OutputPath": "s3://inside/out"},
    "ResourceConfig": {"InstanceType": "ml.m5.large", "InstanceCount": 1, "VolumeSizeInGB": 1},
    "StoppingCondition": {"MaxRuntimeInSeconds": 300},
    "Environment": {"STUDIO_PYTHON": str(PYTHONS["v2"])},
    "ExperimentConfig": {"ExperimentName": "within", "TrialName": "jobs", "RunName": "within-one"},
}


def metrics(component: dict) -> dict[str, tuple]:
    found = component["Metrics"]
    return {it["MetricName"]: (it["Count"], it["Min"], it["Last"]) for it in found}


def test_a_job_finds_its_trial_component_and_its_run(studio):
    sagemaker, s3 = studio.client("sagemaker"), studio.client("s3")
    s3.create_bucket(Bucket="inside")
    s3.put_object(Bucket="inside", Key="code/program.py", Body=PROGRAM)
    sagemaker.create_experiment(ExperimentName="within")
    sagemaker.create_trial(ExperimentName="within", TrialName="jobs")
    sagemaker.create_training_job(**JOB)

    def done() -> dict | None:
        job = sagemaker.describe_training_job(TrainingJobName="inside")
        return job if job["TrainingJobStatus"] in ("Completed", "Failed") else None

    job = eventually(done)
    assert job["TrainingJobStatus"] == "Completed", job["FailureReason"]
    describe = sagemaker.describe_trial_component
    own = describe(TrialComponentName="inside-aws-training-job")
    assert own["Parameters"]["inside"] == {"NumberValue": 3.0}
    assert own["Parameters"]["optimizer"] == {"StringValue": "adam"}
    assert set(own["OutputArtifacts"]) == {"report", "SageMaker.ModelArtifact"}
    assert metrics(own) == {"tracked": (30, 0.0, 14.5)}
    run = describe(TrialComponentName="within-one")
    assert run["Parameters"]["deep"] == {"NumberValue": 7.0}
    assert metrics(run) == {"logged": (12, 0.0, 11.0)}

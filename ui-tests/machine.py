"""A machine at work, for the screenshots: GPUs, a queue, leases, processing jobs, schedules.

`eval "$(studio env)"; python ui-tests/machine.py FOLDER` needs boto3, nbformat and the data of
scene.py; FOLDER is Jupyter's. What runs and waits here does so for an hour. The GPUs are imagined:
`imagined_gpus` makes a driver's library that has two, for the variable LD_LIBRARY_PATH of
`studio serve`.
"""

import json
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import boto3
import nbformat
from scene import BUCKET, ROLE, job, wait

SCRIPTS = {
    "train": """
import time
for epoch in range(3600):
    print(f"epoch {epoch} loss {2 / (epoch + 2):.4f}", flush=True)
    time.sleep(1)
""",
    "prepare": """
import csv, pathlib
rows = [row for path in pathlib.Path("/opt/ml/processing/input").iterdir()
        for row in csv.DictReader(path.open())]
kept = [row for row in rows if float(row["age"]) >= 30]
print(f"{len(rows)} rows read, {len(kept)} kept", flush=True)
with open("/opt/ml/processing/output/kept.csv", "w") as file:
    writer = csv.DictWriter(file, rows[0])
    writer.writeheader()
    writer.writerows(kept)
pathlib.Path("/opt/ml/output/message").write_text(f"kept {len(kept)} of {len(rows)} rows")
""",
    "watch": "import time; time.sleep(3600)",
}
TARGET = "arn:aws:scheduler:::aws-sdk:sagemaker:create"
FAKE = Path(__file__).parent.parent / "tests" / "runners" / "fake_nvml.c"


def imagined_gpus(folder: Path) -> None:
    """Make the library of a driver in a folder; needs gcc."""
    library = folder / "libnvidia-ml.so.1"
    subprocess.run(["gcc", "-shared", "-fPIC", "-o", library, FAKE], check=True)


def main(folder: Path) -> None:
    sm, s3, studio = (boto3.client(name) for name in ("sagemaker", "s3", "studio"))
    for name, text in SCRIPTS.items():
        s3.put_object(Bucket=BUCKET, Key=f"code/{name}/main.py", Body=text)
    pool = job("churn-xgboost-warm", "xgboost", num_round=20)
    pool["ResourceConfig"]["KeepAlivePeriodInSeconds"] = 3600
    sm.create_training_job(**pool)
    report(sm, s3, folder)
    for name, script in (("prepare-calls", "prepare"), ("watch-drift", "watch")):
        sm.create_processing_job(**processing(name, script))
    transforms(sm, s3)
    schedules(studio)
    wait(sm, "churn-xgboost-warm")
    crowd(sm, studio)


def crowd(sm, studio) -> None:
    """Those who hold the machine, and those who wait for it."""
    sm.create_training_job(**training("vision-spot", "ml.g5.xlarge", spot=True))
    until(lambda: "FinalMetricDataList" in sm.describe_training_job(TrainingJobName="vision-spot"))
    [spot] = [it for it in studio.list_queue()["Running"] if it["Name"] == "vision-spot"]
    studio.interrupt_job(Arn=spot["Arn"])
    until(lambda: been(sm, "vision-spot").count("Training") == 2)
    for name, memory in (("explore-embeddings", 400), ("label-review", 300)):
        studio.create_lease(
            LeaseName=name,
            InstanceType="ml.g5.xlarge",
            GpuMemoryInMB=memory,
            IdleTimeoutInSeconds=7200,
        )
    waiting = {"translate-large": 0, "speech-urgent": 5, "captions-nightly": -2}
    for name, priority in waiting.items():  # the urgent one interrupts the one that can bear it
        sm.create_training_job(**training(name, "ml.g5.xlarge", priority=priority))
    sm.create_training_job(**training("forest-huge", "local"))
    until(lambda: studio.describe_capacity()["Waiting"] == 1 + len(waiting))


def training(name: str, instance: str, priority: int = 0, spot: bool = False) -> dict:
    request = job(name, "xgboost")
    request["AlgorithmSpecification"] = {
        "TrainingImage": "python:latest",
        "TrainingInputMode": "File",
        "ContainerEntrypoint": ["python3", "/opt/ml/input/data/code/main.py"],
        "MetricDefinitions": [{"Name": "loss", "Regex": "loss ([0-9.]+)"}],
    }
    request["InputDataConfig"] = request["InputDataConfig"][:1]
    [channel] = request["InputDataConfig"]
    channel["ChannelName"] = "code"
    channel["DataSource"]["S3DataSource"]["S3Uri"] = f"s3://{BUCKET}/code/train/"
    request["ResourceConfig"]["InstanceType"] = instance
    request["Tags"] = [{"Key": "studio:priority", "Value": str(priority)}]
    if spot:
        request["EnableManagedSpotTraining"] = True
        request["StoppingCondition"]["MaxWaitTimeInSeconds"] = 7200
        request["CheckpointConfig"] = {"S3Uri": f"s3://{BUCKET}/checkpoints/{name}"}
    return request


def transforms(sm, s3) -> None:
    """Scores of a model of the bank: of calls that are as they should be, and of some that are
    not."""
    trained = sm.describe_training_job(TrainingJobName="bank-xgboost-depth-5")
    artifact = trained["ModelArtifacts"]["S3ModelArtifacts"]
    image = trained["AlgorithmSpecification"]["TrainingImage"]
    container = {"Image": image, "ModelDataUrl": artifact}
    role = trained["RoleArn"]
    sm.create_model(ModelName="bank-scores", PrimaryContainer=container, ExecutionRoleArn=role)
    source = trained["InputDataConfig"][0]["DataSource"]["S3DataSource"]["S3Uri"]
    bucket, _, prefix = source.removeprefix("s3://").partition("/")
    key = s3.list_objects_v2(Bucket=bucket, Prefix=prefix)["Contents"][0]["Key"]
    rows = s3.get_object(Bucket=bucket, Key=key)["Body"].read().decode().splitlines()[:5_000]
    # The first column is the label, which the model does not get.
    for name, texts in (("score-calls", rows), ("score-calls-typo", [*rows[:99], "1,no,number"])):
        for part in range(6):
            body = "\n".join(texts if part == 4 else rows)
            s3.put_object(Bucket=BUCKET, Key=f"{name}/calls-{part}.csv", Body=body)
        sm.create_transform_job(**transform(name))
        until(lambda name=name: ended(sm, name))


def ended(sm, name: str) -> bool:
    found = sm.describe_transform_job(TransformJobName=name)
    return found["TransformJobStatus"] != "InProgress"


def transform(name: str) -> dict:
    place = {"S3DataType": "S3Prefix", "S3Uri": f"s3://{BUCKET}/{name}/"}
    return {
        "TransformJobName": name,
        "ModelName": "bank-scores",
        "TransformInput": {
            "DataSource": {"S3DataSource": place},
            "ContentType": "text/csv",
            "SplitType": "Line",
        },
        "BatchStrategy": "MultiRecord",
        "TransformOutput": {
            "S3OutputPath": f"s3://{BUCKET}/scores/{name}",
            "Accept": "text/csv",
            "AssembleWith": "Line",
        },
        "DataProcessing": {
            "InputFilter": "$[1:]",
            "JoinSource": "Input",
            "OutputFilter": "$[0,-1]",
        },
        "TransformResources": {"InstanceType": "ml.m5.large", "InstanceCount": 1},
    }


def processing(name: str, script: str) -> dict:
    def given(what: str, uri: str, place: str) -> dict:
        source = {"S3Uri": uri, "LocalPath": place, "S3DataType": "S3Prefix", "S3InputMode": "File"}
        return {"InputName": what, "S3Input": source}

    return {
        "ProcessingJobName": name,
        "RoleArn": ROLE,
        "AppSpecification": {
            "ImageUri": "python:latest",
            "ContainerEntrypoint": ["python3", "/opt/ml/processing/code/main.py"],
            "ContainerArguments": ["--youngest", "30"],
        },
        "Environment": {"STAGE": "weekly"},
        "ProcessingInputs": [
            given("code", f"s3://{BUCKET}/code/{script}/", "/opt/ml/processing/code"),
            given("calls", f"s3://{BUCKET}/raw/", "/opt/ml/processing/input"),
        ],
        "ProcessingOutputConfig": {
            "Outputs": [
                {
                    "OutputName": "kept",
                    "S3Output": {
                        "S3Uri": f"s3://{BUCKET}/{name}/kept",
                        "LocalPath": "/opt/ml/processing/output",
                        "S3UploadMode": "EndOfJob",
                    },
                }
            ]
        },
        "ProcessingResources": {
            "ClusterConfig": {
                "InstanceType": "ml.m5.large",
                "InstanceCount": 1,
                "VolumeSizeInGB": 10,
            }
        },
    }


def report(sm, s3, folder: Path) -> None:
    """A notebook in Jupyter's folder, and a job of it."""
    new = nbformat.v4
    cells = [
        new.new_markdown_cell("# Weekly report"),
        new.new_code_cell('region = "north"\nshare = 0.5', metadata={"tags": ["parameters"]}),
        new.new_code_cell("print(f'{share:.0%} of the calls of {region}')"),
    ]
    kernel = {"name": "python3", "display_name": "Python 3", "language": "python"}
    text = nbformat.writes(new.new_notebook(cells=cells, metadata={"kernelspec": kernel}))
    (folder / "weekly-report.ipynb").write_text(text)
    (folder / "calls.csv").write_text("region,calls\nnorth,12\n")
    s3.put_object(Bucket=BUCKET, Key="report/input/weekly-report.ipynb", Body=text)
    request = training("weekly-report-south", "ml.m5.large")
    request["AlgorithmSpecification"] = {
        "TrainingImage": "python:latest",
        "TrainingInputMode": "File",
        "ContainerEntrypoint": ["amazon_sagemaker_scheduler"],
    }
    name = {"SM_INPUT_NOTEBOOK_NAME": "weekly-report.ipynb"}
    request["Environment"] = {**name, "SM_OUTPUT_NOTEBOOK_NAME": "weekly-report.ipynb"}
    request["HyperParameters"] = {"region": "south"}
    [channel] = request["InputDataConfig"]
    channel["DataSource"]["S3DataSource"]["S3Uri"] = f"s3://{BUCKET}/report/input/"
    request["CheckpointConfig"] = {"S3Uri": f"s3://{BUCKET}/report/output"}
    request["Tags"] = [{"Key": "sagemaker:is-scheduling-notebook-job", "Value": "true"}]
    sm.create_training_job(**request)


def schedules(studio) -> None:
    scheduler = boto3.client("scheduler")
    number = "<aws.scheduler.execution-id>"
    # Its jobs have no name of their own: the second is refused.
    refused = training("retrain", "ml.m5.large")
    planned = {
        "prepare-weekly": ("cron(0 6 ? * MON *)", processing(f"prepare-{number}", "prepare")),
        "retrain-nightly": ("cron(30 2 ? * MON-FRI *)", refused),
        "report-hourly": ("rate(1 hour)", training(f"report-{number}", "ml.m5.large")),
    }
    for name, (expression, request) in planned.items():
        kind = "ProcessingJob" if "ProcessingJobName" in request else "TrainingJob"
        scheduler.create_schedule(
            Name=name,
            ScheduleExpression=expression,
            ScheduleExpressionTimezone="Europe/Berlin",
            State="DISABLED" if name == "report-hourly" else "ENABLED",
            FlexibleTimeWindow={"Mode": "OFF"},
            Target={"Arn": TARGET + kind, "RoleArn": ROLE, "Input": json.dumps(request)},
        )
        for count in (1, 2):
            studio.run_schedule(Name=name)
            until(lambda name=name, count=count: times(studio, name) == count)


def times(studio, name: str) -> int:
    """How often a schedule has started something."""
    [schedule] = studio.describe_schedules(Names=[name])["Schedules"]
    return len(schedule["Runs"])


def been(sm, name: str) -> list[str]:
    described = sm.describe_training_job(TrainingJobName=name)
    return [each["Status"] for each in described["SecondaryStatusTransitions"]]


def until(look: Callable[[], object]) -> None:
    while not look():
        time.sleep(0.2)


if __name__ == "__main__":
    main(Path(sys.argv[1]))

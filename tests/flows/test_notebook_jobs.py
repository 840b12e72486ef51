"""Notebooks that run as jobs, at once and by schedule: what is kept of them, however they end."""

import json
import os
import signal
from typing import Any

import pytest
from studios import run_studio
from waiting import eventually

ROLE = "arn:aws:iam::000000000000:role/StudioExecutionRole"
BUCKET = "notebook-jobs"
IMAGE = "885854791233.dkr.ecr.us-east-1.amazonaws.com/sagemaker-distribution-prod:2.4.1-cpu"
TARGET = "arn:aws:scheduler:::aws-sdk:sagemaker:createTrainingJob"


def _notebook(*sources: str) -> str:
    import nbformat  # a second, for this file alone

    cells = [nbformat.v4.new_code_cell(source) for source in sources]
    cells[0].metadata["tags"] = ["parameters"]
    title = nbformat.v4.new_markdown_cell("# Report")
    return nbformat.writes(nbformat.v4.new_notebook(cells=[title, *cells]))


def _job(job: str, kept: str, **parameters: str) -> dict[str, Any]:
    """A notebook job as AWS's own clients make them."""
    place = {"S3DataType": "S3Prefix", "S3Uri": f"s3://{BUCKET}/input/{kept}/"}
    return {
        "TrainingJobName": job,
        "RoleArn": ROLE,
        "AlgorithmSpecification": {
            "TrainingImage": IMAGE,
            "TrainingInputMode": "File",
            "ContainerEntrypoint": ["amazon_sagemaker_scheduler"],
        },
        "Environment": {
            "SM_INPUT_NOTEBOOK_NAME": "report.ipynb",
            "SM_OUTPUT_NOTEBOOK_NAME": "done.ipynb",
        },
        "HyperParameters": parameters,
        "InputDataConfig": [{"ChannelName": "notebook", "DataSource": {"S3DataSource": place}}],
        "CheckpointConfig": {"S3Uri": f"s3://{BUCKET}/output/{kept}"},
        "OutputDataConfig": {"S3OutputPath": f"s3://{BUCKET}/archives"},
        "ResourceConfig": {"InstanceType": "ml.m5.large", "InstanceCount": 1, "VolumeSizeInGB": 1},
        "StoppingCondition": {"MaxRuntimeInSeconds": 300},
    }


@pytest.fixture(scope="module", name="s3")
def s3_fixture(studio: Any) -> Any:
    s3 = studio.client("s3")
    s3.create_bucket(Bucket=BUCKET)
    return s3


def _put(s3: Any, kept: str, *sources: str) -> None:
    body = _notebook(*sources)
    s3.put_object(Bucket=BUCKET, Key=f"input/{kept}/report.ipynb", Body=body)
    s3.put_object(Bucket=BUCKET, Key=f"input/{kept}/helper.py", Body="SEVEN = 7")


def _ended(studio: Any, name: str) -> dict[str, Any]:
    sagemaker = studio.client("sagemaker")

    def look() -> Any:
        job = sagemaker.describe_training_job(TrainingJobName=name)
        return job if job["TrainingJobStatus"] not in ("InProgress", "Stopping") else None

    found: dict[str, Any] = eventually(look)
    return found


def _outputs(s3: Any, kept: str) -> list[list[Any]]:
    """Of each cell of code, what it showed."""
    import nbformat

    text = s3.get_object(Bucket=BUCKET, Key=f"output/{kept}/done.ipynb")["Body"].read().decode()
    cells = nbformat.reads(text, 4).cells
    return [
        [it.get("text") or it.get("ename") or it.data["text/plain"] for it in cell.outputs]
        for cell in cells
        if cell.cell_type == "code"
    ]


def test_a_schedule_runs_a_notebook_with_parameters(studio: Any, s3: Any) -> None:
    _put(s3, "good", "rate = 0.1\nname = 'a'", "import helper\nprint(rate * helper.SEVEN)", "name")
    job = _job("report-<aws.scheduler.execution-id>", "good", rate="0.5", name="12")
    studio.client("scheduler").create_schedule(
        Name="report",
        ScheduleExpression="rate(1 day)",
        FlexibleTimeWindow={"Mode": "OFF"},
        Target={"Arn": TARGET, "RoleArn": ROLE, "Input": json.dumps(job)},
    )
    panel = studio.client("studio")
    [run] = eventually(lambda: panel.describe_schedules(Names=["report"])["Schedules"][0]["Runs"])
    assert (run["Status"], run["ByHand"]) == ("Started", False)
    ended = _ended(studio, run["Arn"].rpartition("/")[2])
    assert ended["TrainingJobStatus"] == "Completed"
    assert _outputs(s3, "good") == [[], [], ["3.5\n"], ["'12'"]]
    metrics = {it["MetricName"]: it["Value"] for it in ended["FinalMetricDataList"]}
    assert metrics == {"notebook:cell": 4.0, "notebook:progress": 100.0}
    page = s3.get_object(Bucket=BUCKET, Key="output/good/done.html")["Body"].read().decode()
    assert "3.5" in page


def test_what_there_is_of_a_notebook_that_fails_is_kept(studio: Any, s3: Any) -> None:
    _put(
        s3, "bad", "print('here')", "def divide():\n    return 1 / 0", "divide()", "print('never')"
    )
    studio.client("sagemaker").create_training_job(**_job("bad-report", "bad"))
    ended = _ended(studio, "bad-report")
    assert ended["TrainingJobStatus"] == "Failed"
    reason = ended["FailureReason"]
    assert reason.startswith("AlgorithmError: Cell 3 of 4 failed: ZeroDivisionError: division by")
    assert "return 1 / 0" in reason
    assert _outputs(s3, "bad") == [["here\n"], [], ["ZeroDivisionError"], []]


def test_a_notebook_that_is_stopped_is_kept_too(studio: Any, s3: Any) -> None:
    _put(s3, "long", "print('here')", "import time\ntime.sleep(1000)")
    sagemaker = studio.client("sagemaker")
    sagemaker.create_training_job(**_job("long-report", "long"))
    # While it runs, what is done of it can be read already.
    listed = {"Bucket": BUCKET, "Prefix": "output/long/done.ipynb"}
    eventually(lambda: s3.list_objects_v2(**listed)["KeyCount"] and _outputs(s3, "long")[0])
    sagemaker.stop_training_job(TrainingJobName="long-report")
    assert _ended(studio, "long-report")["TrainingJobStatus"] == "Stopped"
    assert _outputs(s3, "long")[0] == ["here\n"]


def test_killed_again_and_again_a_schedule_starts_one_job(start_studio: Any) -> None:
    studio = start_studio()
    studio.client("s3").create_bucket(Bucket=BUCKET)
    job = _job("once-<aws.scheduler.execution-id>", "once")
    del job["Environment"], job["InputDataConfig"], job["CheckpointConfig"]
    job["AlgorithmSpecification"]["ContainerEntrypoint"] = ["echo", "once"]
    studio.client("scheduler").create_schedule(
        Name="once",
        ScheduleExpression="rate(1 day)",
        FlexibleTimeWindow={"Mode": "OFF"},
        Target={"Arn": TARGET, "RoleArn": ROLE, "Input": json.dumps(job)},
    )
    for _ in range(2):
        os.kill(json.loads((studio.home / "pid.json").read_text())["pid"], signal.SIGKILL)
        run_studio("serve", "--home", studio.home, "--detach", env=studio.env)
    panel = studio.client("studio")
    [run] = eventually(lambda: panel.describe_schedules()["Schedules"][0]["Runs"])
    assert run["Status"] == "Started"
    [listed] = studio.client("sagemaker").list_training_jobs()["TrainingJobSummaries"]
    assert listed["TrainingJobArn"] == run["Arn"]

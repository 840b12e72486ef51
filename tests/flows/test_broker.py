"""GPUs by their ids, priorities, interruptions and leases: real processes, and a library that
stands in for NVIDIA's."""

import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from unittest import mock

import flow
import pytest
import studios
from botocore.exceptions import ClientError
from waiting import eventually

pytestmark = pytest.mark.skipif(shutil.which("gcc") is None, reason="SKIPPED LOUDLY: needs gcc")

PYTHON = f"python:{sys.version_info.major}.{sys.version_info.minor}"
FAKE = Path(__file__).parents[1] / "runners" / "fake_nvml.c"
# The first time it waits to be interrupted, and counts in its checkpoint what went before.
COUNTING = b"""
import os, pathlib, time
place = pathlib.Path('/opt/ml/checkpoints/count')
count = int(place.read_text()) + 1 if place.exists() else 1
place.write_text(str(count))
print('start', count, 'gpus', os.environ['CUDA_VISIBLE_DEVICES'], flush=True)
if count == 1:
    time.sleep(600)
"""
SHOWING = b"import os; print('gpus', os.environ['CUDA_VISIBLE_DEVICES'])"
WAITING = b"import time; time.sleep(600)"


@pytest.fixture(scope="module", name="studio")
def studio_fixture(tmp_path_factory: pytest.TempPathFactory) -> Iterator[studios.RunningStudio]:
    folder = tmp_path_factory.mktemp("broker")
    library = folder / "libnvidia-ml.so.1"
    subprocess.run(["gcc", "-shared", "-fPIC", "-o", library, FAKE], check=True)
    with (
        mock.patch.dict(studios.CLEAN, LD_LIBRARY_PATH=str(folder)),
        studios.running_studio(folder / "home", {"cpu_slots": "128"}) as studio,
    ):
        s3 = studio.client("s3")
        s3.create_bucket(Bucket="broker")
        for name, code in (("count", COUNTING), ("show", SHOWING), ("wait", WAITING)):
            s3.put_object(Bucket="broker", Key=f"{name}/job.py", Body=code)
        yield studio


@pytest.fixture(scope="module", name="sagemaker")
def sagemaker_fixture(studio: studios.RunningStudio) -> Any:
    return studio.client("sagemaker")


@pytest.fixture(scope="module", name="panel")
def panel_fixture(studio: studios.RunningStudio) -> Any:
    return studio.client("studio")


def create(sagemaker: Any, name: str, program: str, instance: str, priority: int = 0, **more: Any):
    config = {"InstanceType": instance, "InstanceCount": 1, "VolumeSizeInGB": 1}
    algorithm = {
        "TrainingImage": PYTHON,
        "TrainingInputMode": "File",
        "ContainerEntrypoint": ["python3", "/opt/ml/input/data/code/job.py"],
    }
    sagemaker.create_training_job(
        **flow.training(
            name,
            "broker",
            AlgorithmSpecification=algorithm,
            InputDataConfig=[flow.channel(f"s3://broker/{program}", "code")],
            ResourceConfig=config,
            Tags=[{"Key": "studio:priority", "Value": str(priority)}],
            **more,
        )
    )


def lines(studio: studios.RunningStudio, job: str) -> list[str]:
    logs = studio.client("logs")
    group = "/aws/sagemaker/TrainingJobs"
    found = logs.filter_log_events(logGroupName=group, logStreamNamePrefix=f"{job}/")
    return [event["message"] for event in found["events"]]


def status(sagemaker: Any, name: str) -> str:
    return str(sagemaker.describe_training_job(TrainingJobName=name)["SecondaryStatus"])


def named(rows: list[dict[str, Any]]) -> dict[str, dict[str, Any]]:
    return {row["Name"]: row for row in rows}


def test_jobs_have_gpus_of_their_own_and_others_have_none(studio, sagemaker, panel):
    create(sagemaker, "whole", "wait", "ml.g5.xlarge")
    create(sagemaker, "none", "show", "ml.m5.large")
    devices = eventually(
        lambda: [it for it in panel.describe_capacity()["Devices"] if it["Holders"]]
    )
    assert [(it["GpuId"], it["Name"], it["MemoryInMB"]) for it in devices] == [
        ("GPU-0", "Imagined H100", 1000)
    ]
    assert [it["Name"] for it in devices[0]["Holders"]] == ["whole"]
    create(sagemaker, "other", "show", "ml.g5.xlarge")
    assert flow.ended(sagemaker, "other")["TrainingJobStatus"] == "Completed"
    assert flow.ended(sagemaker, "none")["TrainingJobStatus"] == "Completed"
    assert (lines(studio, "other"), lines(studio, "none")) == (["gpus GPU-1"], ["gpus "])
    sagemaker.stop_training_job(TrainingJobName="whole")
    flow.ended(sagemaker, "whole")


def test_higher_priority_interrupts_managed_spot_training_which_goes_on(studio, sagemaker, panel):
    spot = {
        "EnableManagedSpotTraining": True,
        "StoppingCondition": {"MaxRuntimeInSeconds": 600, "MaxWaitTimeInSeconds": 600},
        "CheckpointConfig": {"S3Uri": "s3://broker/checkpoints"},
    }
    create(sagemaker, "spot", "count", "ml.g5.12xlarge", **spot)
    eventually(lambda: lines(studio, "spot"))
    create(sagemaker, "calm", "show", "ml.g5.12xlarge")
    create(sagemaker, "urgent", "wait", "ml.g5.12xlarge", priority=5)
    eventually(lambda: status(sagemaker, "urgent") == "Training")
    queue = panel.list_queue()
    assert list(named(queue["Running"])) == ["urgent"]
    assert queue["Running"][0]["GpuIds"] == ["GPU-0", "GPU-1"]

    def queued() -> Any:
        found = panel.list_queue()["Waiting"]
        return found if len(found) == 2 and "0 of 2 free" in found[0]["Reason"] else None

    waiting = eventually(queued)
    assert [(it["Name"], it["Position"], it["Preemptible"]) for it in waiting] == [
        ("spot", 1, True),
        ("calm", 2, False),
    ]
    panel.update_job_priority(Arn=waiting[1]["Arn"], Priority=1)
    eventually(lambda: panel.list_queue()["Waiting"][0]["Name"] == "calm")
    sagemaker.stop_training_job(TrainingJobName="urgent")
    spot_job, calm = flow.ended(sagemaker, "spot"), flow.ended(sagemaker, "calm")
    assert calm["TrainingEndTime"] <= spot_job["TrainingEndTime"]
    assert spot_job["TrainingJobStatus"] == "Completed"
    assert lines(studio, "spot") == ["start 1 gpus GPU-0,GPU-1", "start 2 gpus GPU-0,GPU-1"]
    steps = [it["Status"] for it in spot_job["SecondaryStatusTransitions"]]
    assert steps[: steps.index("Interrupted") + 2] == [
        *("Starting", "Downloading", "Training", "Interrupted", "Starting")
    ]
    assert steps[-3:] == ["Training", "Uploading", "Completed"]
    said = spot_job["SecondaryStatusTransitions"][3]["StatusMessage"]
    assert said == "Interrupted for urgent, which has priority 5."


def test_shares_of_a_gpu_and_leases_of_notebooks(studio, sagemaker, panel):
    for name in ("one", "two"):
        panel.create_lease(LeaseName=name, InstanceType="ml.g5.xlarge", GpuMemoryInMB=400)
    leases = [
        eventually(
            lambda name=name: (
                (it := panel.describe_lease(LeaseName=name))["LeaseStatus"] == "InUse" and it
            )
        )
        for name in ("one", "two")
    ]
    assert [it["GpuIds"] for it in leases] == [["GPU-0"], ["GPU-0"]]
    assert leases[0]["ExpirationTime"] > leases[0]["StartTime"]
    create(sagemaker, "large", "show", "ml.g5.12xlarge")
    said = "Waiting for 2 GPUs: 1 of 2 free"
    eventually(lambda: [it["Reason"] for it in panel.list_queue()["Waiting"]] == [said])
    with pytest.raises(ClientError, match="There is a lease one already"):
        panel.create_lease(LeaseName="one")
    assert panel.keep_lease(LeaseName="one")["ExpirationTime"] >= leases[0]["ExpirationTime"]
    panel.release_lease(LeaseName="one")
    panel.release_lease(LeaseName="two")
    assert flow.ended(sagemaker, "large")["TrainingJobStatus"] == "Completed"
    assert panel.describe_capacity()["Leases"] == []
    with pytest.raises(ClientError, match="no lease one"):
        panel.keep_lease(LeaseName="one")


NOTEBOOK = """
import time
from IPython.core.interactiveshell import InteractiveShell
from studio import reservations

reservations._LOOK_SECONDS, reservations._SOON_SECONDS = 0.1, 3600
shell = InteractiveShell.instance()
for cell in (
    "held = reservations.reserve('nb', InstanceType='ml.g5.xlarge', at_end='restart')",
    "ends = lambda: held._client.describe_lease(LeaseName='nb')['ExpirationTime']; first = ends()",
    "while ends() == first: time.sleep(0.1)",  # kept, because it runs
    "import os; print('has', os.environ['CUDA_VISIBLE_DEVICES'])",
):
    shell.user_ns.update(reservations=reservations, time=time)
    shell.run_cell(cell).raise_error()
time.sleep(600)
"""


def test_a_notebook_is_told_that_its_time_is_over_and_gives_back_what_it_has(studio, panel):
    command = [sys.executable, "-c", NOTEBOOK]
    with subprocess.Popen(command, env=studio.env, stdout=subprocess.PIPE, text=True) as kernel:
        assert kernel.stdout is not None
        [gpu] = eventually(lambda: leased(panel, "nb"))
        assert kernel.stdout.readline() == f"has {gpu}\n"
        assert "the lease nb ends at" in kernel.stdout.readline()
        panel.release_lease(LeaseName="nb")  # as its end does
        assert "the lease nb has ended" in kernel.stdout.readline()
        assert "the kernel is restarted" in kernel.stdout.readline()
        assert kernel.wait(60) == 0


def leased(panel, name: str) -> list[str]:
    found = {it["LeaseName"]: it.get("GpuIds", []) for it in panel.describe_capacity()["Leases"]}
    return found.get(name, [])


def test_a_processing_job_that_bears_it_is_interrupted_and_begins_anew(sagemaker, panel):
    request = {
        "ProcessingJobName": "bears",
        "RoleArn": flow.ROLE,
        "AppSpecification": {"ImageUri": PYTHON, "ContainerEntrypoint": ["sleep", "600"]},
        "ProcessingResources": {
            "ClusterConfig": {
                "InstanceCount": 1,
                "InstanceType": "ml.m5.large",
                "VolumeSizeInGB": 1,
            }
        },
    }
    tag = {"Key": "studio:interruptible", "Value": "true"}
    arn = sagemaker.create_processing_job(**request, Tags=[tag])["ProcessingJobArn"]

    def running() -> list[dict]:
        return [it for it in panel.list_queue()["Running"] if it["Arn"] == arn]

    [before] = eventually(running)
    assert before["Preemptible"]
    panel.interrupt_job(Arn=arn)
    eventually(lambda: [it for it in running() if it["Since"] > before["Since"]])
    assert (
        sagemaker.describe_processing_job(ProcessingJobName="bears")["ProcessingJobStatus"]
        == "InProgress"
    )
    sagemaker.stop_processing_job(ProcessingJobName="bears")
    waiter = sagemaker.get_waiter("processing_job_completed_or_stopped")
    waiter.wait(ProcessingJobName="bears", WaiterConfig={"Delay": 1})


def test_what_a_machine_lacks_is_said(sagemaker):
    create(sagemaker, "huge", "show", "ml.p4d.24xlarge")
    first = flow.ended(sagemaker, "huge")["SecondaryStatusTransitions"][0]
    assert "(this machine has 2 of 8 GPUs of an ml.p4d.24xlarge)" in (first["StatusMessage"])


def test_a_priority_is_a_number(sagemaker, panel):
    create(sagemaker, "tagged", "show", "ml.m5.large")
    arn = flow.ended(sagemaker, "tagged")["TrainingJobArn"]
    with pytest.raises(ClientError, match="must be a whole number from -9999 to 9999"):
        sagemaker.add_tags(ResourceArn=arn, Tags=[{"Key": "studio:priority", "Value": "high"}])
    with pytest.raises(ClientError, match="is not to be interrupted"):
        panel.interrupt_job(Arn=arn)

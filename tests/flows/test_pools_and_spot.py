"""Warm pools and interruptions of real jobs, as the API tells of them."""

import io
import sys
import tarfile
import venv

import flow
import pytest
from botocore.exceptions import ClientError
from waiting import eventually

from studio.runners import sandbox

PYTHON = f"python:{sys.version_info.major}.{sys.version_info.minor}"
SCRIPT = """
import sys
print("ready", "xml.dom.minidom" in sys.modules)
import xml.dom.minidom
"""
TELL = "print(sys.argv, os.environ['SM_HP_DEPTH'], os.getcwd())"


@pytest.fixture(scope="module")
def lab(studio):
    assert sandbox.available(), "install bubblewrap and allow user namespaces"
    s3 = studio.client("s3")
    s3.create_bucket(Bucket="pools")
    s3.put_object(Bucket="pools", Key="code/main.py", Body=SCRIPT)
    return studio


def train(lab, name: str, seconds: int = 600, command=None, **values) -> dict:
    """The job once it is done; the cluster is kept for so long."""
    cluster = {"InstanceType": "ml.m5.large", "InstanceCount": 1, "VolumeSizeInGB": 1}
    given = {
        "AlgorithmSpecification": {
            "TrainingImage": PYTHON,
            "TrainingInputMode": "File",
            "ContainerEntrypoint": command or ["python3", "/opt/ml/input/data/code/main.py"],
        },
        "InputDataConfig": [flow.channel("s3://pools/code/", "code")],
        "ResourceConfig": {**cluster, "KeepAlivePeriodInSeconds": seconds},
        "HyperParameters": {},
        **values,
    }
    sagemaker = lab.client("sagemaker")
    sagemaker.create_training_job(**flow.training(name, "pools", **given))
    return flow.ended(sagemaker, name)


def said(lab, name: str) -> str:
    logs, group = lab.client("logs"), "/aws/sagemaker/TrainingJobs"
    found = logs.filter_log_events(logGroupName=group, logStreamNamePrefix=f"{name}/")
    return found["events"][0]["message"]


def test_a_job_that_matches_begins_in_what_the_last_one_left_and_others_do_not(lab):
    sagemaker = lab.client("sagemaker")

    def pool(name: str) -> dict:
        return sagemaker.describe_training_job(TrainingJobName=name)["WarmPoolStatus"]

    def listed(status: str) -> list[str]:
        found = sagemaker.list_training_jobs(WarmPoolStatusEquals=status, NameContains="pooled")
        return [it["TrainingJobName"] for it in found["TrainingJobSummaries"]]

    assert train(lab, "pooled-1")["WarmPoolStatus"] == {"Status": "Available"}
    eventually(lambda: list((lab.home / "warm").glob("*/*/ready")))
    other = {"InstanceType": "ml.m5.xlarge", "InstanceCount": 1, "VolumeSizeInGB": 1}
    train(lab, "pooled-other", ResourceConfig=other)
    assert said(lab, "pooled-other") == "ready False"
    train(lab, "pooled-2")
    assert said(lab, "pooled-2") == "ready True"
    assert pool("pooled-1").items() >= {"Status": "Reused", "ReusedByJob": "pooled-2"}.items()
    assert (listed("Available"), listed("Reused")) == (["pooled-2"], ["pooled-1"])
    sagemaker.update_training_job(
        TrainingJobName="pooled-2", ResourceConfig={"KeepAlivePeriodInSeconds": 0}
    )
    eventually(lambda: pool("pooled-2")["Status"] == "Terminated")
    eventually(lambda: not list((lab.home / "warm").glob("*/*")))
    with pytest.raises(ClientError, match="only while the WarmPoolStatus"):
        sagemaker.update_training_job(
            TrainingJobName="pooled-2", ResourceConfig={"KeepAlivePeriodInSeconds": 60}
        )


@pytest.mark.parametrize("kind", ["ours", "chosen"])
def test_the_script_of_an_estimator_finds_its_packages_ready(lab, kind, tmp_path):
    """It is a program that becomes another one, in the environment of Studio or in another."""
    environment = {}
    if kind == "chosen":
        venv.create(tmp_path / "chosen")
        environment = {"STUDIO_PYTHON": str(tmp_path / "chosen" / "bin" / "python")}
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w:gz") as tar:
        for name, text in (("own.py", "X = 1"), ("main.py", SCRIPT + "import own, os\n" + TELL)):
            info = tarfile.TarInfo(name)
            info.size = len(text)
            tar.addfile(info, io.BytesIO(text.encode()))
    lab.client("s3").put_object(Bucket="pools", Key="source.tar.gz", Body=packed.getvalue())
    given = {
        "AlgorithmSpecification": {"TrainingImage": PYTHON, "TrainingInputMode": "File"},
        "HyperParameters": {
            "sagemaker_program": '"main.py"',
            "sagemaker_submit_directory": '"s3://pools/source.tar.gz"',
            "depth": "3",
        },
        "Environment": environment,
    }
    sagemaker = lab.client("sagemaker")
    for name, ready in ((f"{kind}-1", False), (f"{kind}-2", True)):
        done = train(lab, name, **given)
        logs, group = lab.client("logs"), "/aws/sagemaker/TrainingJobs"
        found = logs.filter_log_events(logGroupName=group, logStreamNamePrefix=f"{name}/")["events"]
        lines = [it["message"] for it in found]
        assert done["TrainingJobStatus"] == "Completed", lines
        assert lines[-2:] == [f"ready {ready}", "['main.py', '--depth', '3'] 3 /opt/ml/code"]
        eventually(lambda: list((lab.home / "warm").glob("*/*/ready")))
    sagemaker.update_training_job(
        TrainingJobName=f"{kind}-2", ResourceConfig={"KeepAlivePeriodInSeconds": 0}
    )
    eventually(lambda: not list((lab.home / "warm").glob("*/*")))


def test_a_job_that_failed_keeps_nothing(lab):
    failed = train(lab, "spoilt", command=["false"])
    assert failed["TrainingJobStatus"] == "Failed"
    assert failed["WarmPoolStatus"]["Status"] == "Terminated"
    assert not list((lab.home / "warm").glob("*/*"))


def test_a_pool_ends_with_its_time(lab):
    train(lab, "brief", seconds=1)
    done = eventually(
        lambda: (
            (
                it := lab.client("sagemaker").describe_training_job(TrainingJobName="brief")[
                    "WarmPoolStatus"
                ]
            )["Status"]
            == "Terminated"
            and it
        )
    )
    assert done["ResourceRetainedBillableTimeInSeconds"] >= 1
    eventually(lambda: not list((lab.home / "warm").glob("*/*")))

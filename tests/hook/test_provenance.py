"""Where a job came from, recorded by real kernels and scripts in real repositories."""

import subprocess
import sys

import pytest
from botocore.exceptions import ClientError
from jupyter_client.manager import start_new_kernel
from studios import ROOT
from waiting import PATIENCE_SECONDS, eventually

SDK = ROOT / ".venv-sdk" / "bin" / "python"
JOB = {
    "AlgorithmSpecification": {
        "TrainingImage": "python:latest",
        "TrainingInputMode": "File",
        "ContainerEntrypoint": ["false"],
    },
    "RoleArn": "arn:aws:iam::000000000000:role/StudioExecutionRole",
    "OutputDataConfig": {"S3OutputPath": "s3://bucket/out"},
    "ResourceConfig": {"InstanceType": "ml.m5.large", "InstanceCount": 1, "VolumeSizeInGB": 1},
    "StoppingCondition": {"MaxRuntimeInSeconds": 600},
}
CREATE = """
import boto3
print(boto3.client("sagemaker").create_training_job(**{request})["TrainingJobArn"])
"""


def create(name):
    return CREATE.format(request={**JOB, "TrainingJobName": name})


def git(folder, *arguments):
    who = ["-c", "user.name=Ann", "-c", "user.email=ann@example.org"]
    subprocess.run(["git", *who, *arguments], cwd=folder, check=True, capture_output=True)


@pytest.fixture(name="repository")
def repository_fixture(tmp_path):
    """One commit; a changed file, a changed notebook and a new file."""
    folder = tmp_path / "repository"
    folder.mkdir()
    git(folder, "init", "-b", "trunk")
    (folder / "model.py").write_text("depth = 3\n")
    (folder / "pictures.ipynb").write_text("{}\n")
    git(folder, "add", ".")
    git(folder, "commit", "-m", "A tree\n\nof depth 3")
    git(folder, "remote", "add", "origin", "https://ann:s3cret@example.org/ann/trees.git")
    (folder / "model.py").write_text("depth = 4\n")
    (folder / "pictures.ipynb").write_text('{"outputs": 1}\n')
    (folder / ".env").write_text("TOKEN=also-s3cret\n")
    return folder


def script(studio, folder, code, python=sys.executable, **variables):
    """What a program prints."""
    path = folder / "start.py"
    path.write_text(code)
    done = subprocess.run(
        [python, path],
        cwd=folder.parent,
        env={**studio.env, **variables},
        capture_output=True,
        text=True,
        timeout=PATIENCE_SECONDS,
        check=True,
    )
    return done.stdout.split()


def recorded(studio, arn):
    return studio.client("studio").get_provenance(Arn=arn).get("Provenance")


def test_a_cell(studio, repository, tmp_path, monkeypatch):
    """As JupyterLab runs it: the id of the cell comes with the request."""
    for name, value in studio.env.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("JPY_SESSION_NAME", str(repository / "trees.ipynb"))
    manager, client = start_new_kernel(cwd=str(repository))
    try:
        client.execute_interactive("1 + 1", timeout=PATIENCE_SECONDS)
        code = create("provenance-cell")
        content = {"code": code, "silent": False, "store_history": True}
        message = client.session.msg("execute_request", content)
        message["metadata"]["cellId"] = "0a1b2c3d"
        client.shell_channel.send(message)
        job = studio.client("sagemaker")
        eventually(
            lambda: job.list_training_jobs(NameContains="provenance-cell")["TrainingJobSummaries"]
        )
        arn = job.describe_training_job(TrainingJobName="provenance-cell")["TrainingJobArn"]
        found = eventually(lambda: recorded(studio, arn))
    finally:
        client.stop_channels()
        manager.shutdown_kernel(now=True)
    assert (found["Kind"], found["Path"]) == ("notebook", str(repository / "trees.ipynb"))
    assert found["Cell"] == {
        "Id": "0a1b2c3d",
        "ExecutionCount": 2,
        "Source": code,
        "SourceLength": len(code),
    }
    listed = studio.client("studio").list_cell_jobs(CellIds=["ffffffff", "0a1b2c3d"])["Jobs"]
    assert [(it["Name"], it["CellId"], it["ExecutionCount"]) for it in listed] == [
        ("provenance-cell", "0a1b2c3d", 2)
    ]
    assert found["Git"]["Subject"] == "A tree"


def test_a_script_that_makes_a_trial_component(studio, repository):
    code = """
import boto3
made = boto3.client("sagemaker").create_trial_component(TrialComponentName="provenance-component")
print(made["TrialComponentArn"])
"""
    [arn] = script(studio, repository, code)
    found = recorded(studio, arn)
    assert (found["Kind"], found["Path"]) == ("script", str(repository / "start.py"))
    assert found["Git"]["Subject"] == "A tree"


def test_a_script_and_its_repository(studio, repository):
    [arn] = script(studio, repository, create("provenance-script"))
    found = recorded(studio, arn)  # a program ends only once it is told
    assert (found["Kind"], found["Path"]) == ("script", str(repository / "start.py"))
    assert "Cell" not in found
    packages = {it["Name"]: it["Version"] for it in found["Python"]["Packages"]}
    assert found["Python"]["PackageCount"] == len(packages)
    assert packages["boto3"] == __import__("boto3").__version__
    told = found["Git"]
    assert (told["Branch"], told["Subject"], told["Dirty"]) == ("trunk", "A tree", True)
    assert told["Remote"] == "https://example.org/ann/trees.git"
    assert len(told["Commit"]) == 40
    assert told["PatchBytes"] == told["PatchTotalBytes"] == len(told["Patch"])
    code, notebook = told["Patch"].split("diff --git a/pictures.ipynb")
    assert "-depth = 3\n+depth = 4\n" in code
    assert '+{"outputs": 1}' in notebook
    assert [it["Path"] for it in told["UntrackedFiles"]] == [".env", "start.py"]
    assert told["UntrackedFiles"][0]["Bytes"] == len("TOKEN=also-s3cret\n")
    assert "s3cret" not in str(found)


def test_a_long_patch_is_cut_and_says_so(studio, repository):
    (repository / "model.py").write_text(("y" * 99 + "\n") * 6_000)
    [arn] = script(studio, repository, create("provenance-long"))
    told = recorded(studio, arn)["Git"]
    assert told["PatchBytes"] == len(told["Patch"]) == 256 * 1024
    assert told["PatchTotalBytes"] > 500_000


def test_without_a_repository_or_a_clean_one(studio, tmp_path, repository):
    [arn] = script(studio, tmp_path, create("provenance-no-git"))
    assert "Git" not in recorded(studio, arn)
    git(repository, "add", ".")
    git(repository, "commit", "-m", "All of it")
    code = create("provenance-clean")
    (repository / "start.py").write_text(code)
    git(repository, "add", ".")
    git(repository, "commit", "-m", "And the start")
    [arn] = script(studio, repository, code)
    told = recorded(studio, arn)["Git"]
    assert (told["Dirty"], told["Patch"], told["UntrackedCount"]) == (False, "", 0)


def test_a_repository_runs_nothing_of_its_own(studio, repository):
    ran = repository.parent / "ran"
    trap = repository.parent / "trap.sh"
    trap.write_text(f"#!/bin/sh\ntouch {ran}\n")
    trap.chmod(0o755)
    for name in ("core.fsmonitor", "diff.external", "core.pager", "diff.py.textconv"):
        git(repository, "config", name, str(trap))
    (repository / ".gitattributes").write_text("*.py diff=py\n")
    [arn] = script(studio, repository, create("provenance-trap"))
    assert "+depth = 4" in recorded(studio, arn)["Git"]["Patch"]
    assert not ran.exists()


def test_a_loop_of_jobs_in_two_processes(studio, repository):
    """A forked child has threads of its own to start."""
    code = (
        "import boto3, os\n"
        f"request = {JOB}\n"
        "def start(names):\n"
        "    for name in names:\n"
        "        made = boto3.client('sagemaker').create_training_job("
        "**{**request, 'TrainingJobName': name})\n"
        "        os.write(1, (made['TrainingJobArn'] + '\\n').encode())\n"
        "start([f'provenance-loop-{n}' for n in range(5)])\n"
        "child = os.fork()\n"
        "start([f'provenance-fork-{os.getpid()}'])\n"
        "if child: os.waitpid(child, 0)\n"
    )
    arns = script(studio, repository, code)
    assert len(arns) == 7
    assert all(recorded(studio, arn)["Kind"] == "script" for arn in arns)


def test_it_can_be_turned_off(studio, repository):
    off = {"STUDIO_PROVENANCE": "off"}
    [arn] = script(studio, repository, create("provenance-off"), **off)
    assert recorded(studio, arn) is None


def test_what_fails_is_not_heard_of(studio, repository):
    """No git, and a control plane that will not have it: the job is made, in silence."""
    code = (
        "import studio_provenance\n"
        "studio_provenance._send = lambda *given: 1 / 0\n"
        "import os; os.environ['PATH'] = '/nowhere'\n"
    )
    [arn] = script(studio, repository, code + create("provenance-fails"))
    assert recorded(studio, arn) is None


@pytest.mark.skipif(not SDK.exists(), reason="`make setup` makes .venv-sdk")
def test_the_sdk_makes_its_jobs_with_boto3(studio, repository):
    code = (
        "import sagemaker\n"
        "from sagemaker.estimator import Estimator\n"
        "it = Estimator('kmeans:1', sagemaker.get_execution_role(), 1, 'ml.m5.large')\n"
        "it.fit(wait=False, job_name='provenance-sdk')\n"
        "print(it.latest_training_job.describe()['TrainingJobArn'])\n"
    )
    [arn] = script(studio, repository, code, SDK)
    assert recorded(studio, arn)["Kind"] == "script"


def test_it_is_written_once_and_goes_with_the_job(studio, repository):
    [arn] = script(studio, repository, create("provenance-once"))
    client, sagemaker = studio.client("studio"), studio.client("sagemaker")
    with pytest.raises(ClientError, match="recorded already"):
        client.put_provenance(Arn=arn, Provenance={"Kind": "interactive"})
    assert recorded(studio, arn)["Kind"] == "script"
    eventually(lambda: status(sagemaker, "provenance-once") == "Failed")
    sagemaker.delete_training_job(TrainingJobName="provenance-once")
    with pytest.raises(ClientError, match="Could not find"):
        client.get_provenance(Arn=arn)


def status(sagemaker, name):
    return sagemaker.describe_training_job(TrainingJobName=name)["TrainingJobStatus"]

"""The documentation says what is: settings, commands, variables, links; its code runs."""

import contextlib
import getpass
import json
import re
import subprocess
import sys
from dataclasses import MISSING, fields
from pathlib import Path

import click
import pytest
from ports import held_port
from studios import CLEAN, ROOT, run_studio, running_studio
from waiting import PATIENCE_SECONDS

from studio import cli, environment
from studio.settings import Settings

PAGES = sorted([*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md"), *ROOT.glob("examples/**/*.md")])
REFERENCE = ROOT / "docs" / "reference"
SDK = ROOT / ".venv-sdk" / "bin" / "python"
TORCH = ROOT / ".venv-torch" / "bin" / "python"


@pytest.fixture(scope="module")
def studio(tmp_path_factory):
    """One for the pages alone: the names in them are anybody's."""
    with running_studio(tmp_path_factory.mktemp("pages") / "home") as running:
        yield running


def test_settings_are_documented_with_their_defaults():
    page = (REFERENCE / "settings.md").read_text()
    rows = dict(re.findall(r"^\| `(\w+)` \| (.+?) \| .+\|$", page, re.MULTILINE))
    assert list(rows) == [field.name for field in fields(Settings)]
    for field in fields(Settings):
        if field.default is not MISSING:
            assert rows[field.name] == f"`{json.dumps(field.default)}`"


def test_commands_and_options_are_documented():
    page = (REFERENCE / "cli.md").read_text()
    sections = dict(re.findall(r"^## `studio (\w+)(.*?)`$", page, re.MULTILINE))
    assert sections.keys() == cli.main.commands.keys()
    for name, command in cli.main.commands.items():
        documented = set(re.findall(r"--[\w-]+", sections[name]))
        options = [it for it in command.params if isinstance(it, click.Option)]
        assert documented == {option.opts[0] for option in options}, name


def test_variables_are_documented(tmp_path):
    page = (REFERENCE / "environment.md").read_text()
    settings = Settings(tmp_path, s3_endpoint="http://s3.example.org")
    values = environment.client_environment(settings, "http://a", "http://b")
    table, _, removed = page.partition("What must not be set")
    documented = re.findall(r"`(\w+)`", "".join(re.findall(r"^\| (`.+?) \|", table, re.MULTILINE)))
    assert set(documented) == values.keys()
    names = re.findall(r"`([A-Z0-9_]+)`", removed.partition("## ")[0])
    assert sorted(names) == sorted(environment.REMOVED)


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_relative_links_lead_somewhere(page):
    for target in re.findall(r"\]\(([^)#]+)(?:#[^)]*)?\)", page.read_text()):
        if "://" not in target:
            assert (page.parent / target).exists(), target


@pytest.mark.skipif(not SDK.exists(), reason="`make setup` makes .venv-sdk")
def test_the_code_of_the_readme_runs(studio):
    printed = run_blocks(SDK, ROOT / "README.md", studio)
    low, high = map(float, printed.split("!")[-1].replace(",", " ").split())
    assert low < 0.5 < high


def test_the_code_of_the_tutorial_runs(studio):
    printed = run_blocks(sys.executable, ROOT / "docs" / "tutorials" / "first-model.md", studio)
    said, *answers = printed.split("\n", 1)
    assert said == "Completed s3://first-model/output/first-model/output/model.tar.gz"
    yes, no = map(float, answers[0].replace(",", " ").split())
    assert no < 0.5 < yes


@pytest.mark.parametrize(
    "name",
    [
        "ab-test",
        "async-inference",
        "call-from-outside",
        "channels",
        "checkpoints",
        "compute",
        "follow-a-job",
        "lineage",
        "logs",
        "model-registry",
        "multi-model-endpoints",
        "notebook-jobs",
        "notifications",
        "schedules",
        "serverless",
        "several-hosts",
        "spot-and-warm-pools",
        "stream-answers",
        "update-an-endpoint",
        "variants-shadows-capture",
    ],
)
def test_the_code_of_a_how_to_prints_what_it_says(studio, name):
    page = ROOT / "docs" / "how-to" / f"{name}.md"
    printed = run_blocks(sys.executable, page, studio)
    assert [line.rstrip() for line in printed.splitlines()] == expected_lines(page)


def test_the_code_about_autoscaling_runs(studio, tmp_path):
    """With the endpoint that the page about many models has left, or leaves now."""
    pages = ROOT / "docs" / "how-to"
    if not studio.client("sagemaker").list_endpoints(NameContains="towns")["Endpoints"]:
        run_blocks(sys.executable, pages / "multi-model-endpoints.md", studio)
    page = tmp_path / "autoscale.md"
    page.write_text((pages / "autoscale.md").read_text().replace("measured", "towns"))
    assert run_blocks(sys.executable, page, studio).splitlines() == expected_lines(page)


@pytest.mark.skipif(not SDK.exists(), reason="`make setup` makes .venv-sdk")
@pytest.mark.parametrize("name", ["process-data", "batch-transform"])
def test_the_code_about_jobs_prints_what_it_says(studio, name):
    page = ROOT / "docs" / "how-to" / f"{name}.md"
    printed = re.sub(r"^\.*!", "", run_blocks(SDK, page, studio), flags=re.MULTILINE)
    assert [line for line in printed.splitlines() if line] == expected_lines(page)


@pytest.mark.skipif(not SDK.exists(), reason="`make setup` makes .venv-sdk")
def test_the_code_about_scripts_prints_what_it_says(studio):
    page = ROOT / "docs" / "how-to" / "script-mode.md"
    # What the SDK prints while it waits has no end of line.
    printed = {line.lstrip("-!") for line in run_blocks(SDK, page, studio).splitlines()}
    assert set(expected_lines(page)) <= printed


@pytest.mark.skipif(not TORCH.exists(), reason="`make pytorch` makes .venv-torch")
def test_the_code_about_pytorch_prints_what_it_says(studio):
    page = ROOT / "docs" / "how-to" / "pytorch.md"
    printed = {line.lstrip("-!") for line in run_blocks(TORCH, page, studio).splitlines()}
    assert set(expected_lines(page)) <= printed


@pytest.mark.skipif(not SDK.exists(), reason="`make setup` makes .venv-sdk")
def test_the_code_about_experiments_prints_what_it_says(studio):
    page = ROOT / "docs" / "how-to" / "experiments.md"
    printed = run_blocks(SDK, page, studio)
    assert [line.rstrip() for line in printed.splitlines()] == expected_lines(page)


def test_the_code_about_logging_metrics_runs(studio, tmp_path, monkeypatch):
    monkeypatch.setitem(studio.env, "STUDIO_SPOOL", str(tmp_path))
    printed = run_blocks(sys.executable, ROOT / "docs" / "how-to" / "log-metrics.md", studio)
    assert printed.splitlines() == ["churn-first", "0 refused"]


def test_the_code_of_the_queue_runs(studio):
    printed = run_blocks(sys.executable, ROOT / "docs" / "how-to" / "queue.md", studio)
    *waiting, first, devices, kept, reserved = printed.splitlines()
    assert all(line.startswith(("1 ", "2 ", "None ")) for line in waiting)
    assert (first, devices, kept, reserved) == (
        "urgent went first: True",
        "CUDA_VISIBLE_DEVICES = ",
        "True",
        "True",
    )


def test_the_code_of_k_means_runs(studio):
    printed = run_blocks(sys.executable, ROOT / "docs" / "how-to" / "k-means.md", studio)
    assert printed.splitlines() == ["Completed True", "distance 4", "distance 4"]


def test_the_code_of_the_team_runs(studio):
    printed = run_blocks(sys.executable, ROOT / "docs" / "how-to" / "team.md", studio)
    assert printed.split() == [
        "1,2",
        "docs-auditors",
        "arn:aws:iam::000000000000:role/StudioExecutionRole",
    ]


def test_the_code_about_searching_runs(studio):
    printed = run_blocks(sys.executable, ROOT / "docs" / "reference" / "search.md", studio)
    hits, names = printed.splitlines()
    assert "'Relation': 'EqualTo'" in hits
    assert names.startswith("[")


def test_the_code_about_the_service_of_the_panels_runs(studio):
    page = ROOT / "docs" / "reference" / "studio-service.md"
    assert run_blocks(sys.executable, page, studio).split() == ["True", "0"]


def test_the_code_about_comparing_runs(start_studio):
    studio = start_studio()
    page = ROOT / "docs" / "tutorials" / "compare-experiments.md"
    assert run_blocks(sys.executable, page, studio).split() == ["True"]
    command = [sys.executable, ROOT / "examples" / "sweep.py"]
    subprocess.run(command, env=studio.env, stdout=subprocess.DEVNULL, check=True)
    found = studio.client("sagemaker").list_trial_components(ExperimentName="salary-sweep")
    assert len(found["TrialComponentSummaries"]) == 10
    assert found["NextToken"]


def test_the_code_about_asking_first_runs(studio):
    page = ROOT / "docs" / "how-to" / "new-training-job.md"
    faults = run_blocks(sys.executable, page, studio).splitlines()
    assert [line.partition(" - ")[0] for line in faults] == ["HyperParameters.k", "InputDataConfig"]


@pytest.mark.skipif(not SDK.exists(), reason="`make setup` makes .venv-sdk")
def test_the_code_about_environments_runs(studio):
    page = ROOT / "docs" / "how-to" / "own-environment.md"
    assert run_blocks(SDK, page, studio).splitlines()[-1] == "3.0"


def test_data_moves_from_aws_and_back(start_studio, tmp_path):
    """Another Studio stands for AWS."""
    aws, here = start_studio("aws"), start_studio("here")
    page = (ROOT / "docs" / "how-to" / "move-a-notebook.md").read_text()
    from_aws, to_here, from_here, to_aws = re.findall(r"^```sh\n(.*?)^```", page, re.M | re.S)
    aws.client("s3").create_bucket(Bucket="my-bucket")
    aws.client("s3").put_object(Bucket="my-bucket", Key="data/train.csv", Body=b"1,2\n")
    for commands, studio in ((from_aws, aws), (to_here, here)):
        run_shell(commands, studio.env, tmp_path)
    here.client("s3").put_object(Bucket="my-bucket", Key="model.tar.gz", Body=b"model")
    for commands, studio in ((from_here, here), (to_aws, aws)):
        run_shell(commands, studio.env, tmp_path)
    listed = aws.client("s3").list_objects_v2(Bucket="my-bucket")["Contents"]
    assert [each["Key"] for each in listed] == ["data/train.csv", "model.tar.gz"]


def test_the_commands_about_backups_run(start_studio, tmp_path):
    studio = start_studio()
    run_studio("user", "add", "kept", "--home", studio.home)
    (tmp_path / "backups").mkdir()
    with stopped(tmp_path / "srv" / "studio-restored") as restored:
        run_shell("\n".join(console("backup", tmp_path)), studio.env, tmp_path)
        assert "kept" in run_studio("user", "list", "--home", restored)


def test_the_commands_about_postgresql_run(postgres, tmp_path):
    """All but pip's; the superuser of the tests' server does what `postgres` does elsewhere."""
    env = {**CLEAN, "USER": getpass.getuser(), "STUDIO_HOME": str(tmp_path / "home")}
    env |= {"PGHOST": str(postgres.folder), "PGPORT": str(postgres.port)}
    commands = []
    for command in console("postgresql", tmp_path)[1:]:
        command = command.replace("sudo -u postgres", "PGUSER=studio")
        commands.append(command.replace("/var/run/postgresql", env["PGHOST"]))
        if command == "studio serve --detach":
            commands.append("studio user add kept")
    with stopped(tmp_path / "home"), stopped(tmp_path / "srv" / "studio-restored") as restored:
        run_shell("\n".join(commands), env, tmp_path)
        assert "kept" in run_studio("user", "list", "--home", restored)


def test_the_commands_about_several_control_planes_run(postgres, tmp_path):
    """On ports that are free."""
    env = {**CLEAN, "STUDIO_HOME": str(tmp_path / "home")}
    script = "\n".join(console("several-control-planes", tmp_path)[1:])
    with held_port() as first, held_port() as second, stopped(tmp_path / "home"):
        script = script.replace("8900", str(first)).replace("8901", str(second))
        run_shell(script, {**env, "STUDIO_DATABASE_URL": postgres.database()}, tmp_path)


def console(name, folder) -> list[str]:
    """The commands of a how-to: its absolute paths in `folder`, servers in the background."""
    page = (ROOT / "docs" / "how-to" / f"{name}.md").read_text()
    found = re.findall(r"^\$ (.+)$", page, re.MULTILINE)
    moved = [re.sub(r"(?<= )/(?=srv|backups)", f"{folder}/", command) for command in found]
    return [f"{it} --detach" if it.startswith("studio serve") else it for it in moved]


@contextlib.contextmanager
def stopped(home):
    """Ends what the commands of a page start there."""
    try:
        yield home
    finally:
        run_studio("stop", "--home", home)


def run_shell(commands, env, folder):
    env = {**env, "PATH": f"{Path(sys.executable).parent}:{env['PATH']}", "HOME": str(folder)}
    done = subprocess.run(
        ["bash", "-ec", commands],
        env=env,
        cwd=folder,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=PATIENCE_SECONDS,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-3000:]


def expected_lines(page) -> list[str]:
    """What a page says that its code prints."""
    found = re.findall(r"^```text\n(.*?)^```", page.read_text(), re.MULTILINE | re.DOTALL)
    return "".join(found).splitlines()


def run_blocks(python, page, studio) -> str:
    """What the Python of a page prints, its blocks run one after the other."""
    code = "\n".join(
        re.findall(r"^```python\n(.*?)^```", page.read_text(), re.MULTILINE | re.DOTALL)
    )
    done = subprocess.run(
        [python, "-c", code],
        env=studio.env,
        capture_output=True,
        text=True,
        timeout=PATIENCE_SECONDS,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-3000:]
    return done.stdout

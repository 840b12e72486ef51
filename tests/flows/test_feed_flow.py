"""The feed of a Studio that runs jobs: what they print, measure and go through; after a crash."""

import flow
import pytest
from listening import ear
from test_survival import PYTHON, murder, revive

# It says something until somebody has heard what there is to hear while it runs.
CHATTY = (
    "import itertools as i, os, time; "
    "[(print(f'loss={n / 7:.6f};', flush=True), time.sleep(0.05)) for n in "
    "i.takewhile(lambda _: not os.path.exists('/opt/ml/go'), i.count())]"
)


def listen(studio, last_id: str = ""):
    env = studio.env
    return ear(studio.url, env["AWS_ACCESS_KEY_ID"], env["AWS_SECRET_ACCESS_KEY"], last_id)


def told(kind: str):
    return lambda it: (it.type, it.data.get("Name")) == (kind, "heard-job")


@pytest.fixture(scope="module", name="heard")
def heard_fixture(studio):
    """What was heard of a whole job `heard-job`."""
    sagemaker = studio.client("sagemaker")
    with listen(studio) as heard:
        algorithm = {
            "TrainingImage": PYTHON,
            "TrainingInputMode": "File",
            "ContainerEntrypoint": ["python3", "-c", CHATTY],
            "MetricDefinitions": [{"Name": "loss", "Regex": r"loss=([\d.]+);"}],
        }
        studio.client("s3").create_bucket(Bucket="heard")
        request = flow.training("heard-job", "heard", AlgorithmSpecification=algorithm)
        del request["InputDataConfig"]
        sagemaker.create_training_job(**request)
        heard.wait(lambda it: it.type == "capacity" and it.data["Running"])
        begun = len(heard.events)
        first = heard.wait(told("log"))
        heard.wait(told("log"), heard.events.index(first) + 1)
        heard.wait(told("metrics"))
        flow.let_go(studio, "heard-job")
        heard.wait(lambda it: it.data.get("Status") == "Completed")
        assert flow.ended(sagemaker, "heard-job")["TrainingJobStatus"] == "Completed"
        heard.wait(lambda it: it.type == "capacity" and not it.data["Running"], begun)
        yield heard


def test_every_phase_of_a_job_is_told(heard):
    seen = [it["SecondaryStatus"] for it in heard.of("resource") if it["Name"] == "heard-job"]
    phases = list(dict.fromkeys(seen))
    assert phases[0] == "Starting"
    assert phases[-1] == "Completed"
    assert "Training" in phases


def test_a_log_tells_that_it_grows(heard, studio):
    [found] = studio.client("logs").describe_log_streams(
        logGroupName="/aws/sagemaker/TrainingJobs", logStreamNamePrefix="heard-job/"
    )["logStreams"]
    heard.wait(lambda it: it.type == "log" and it.data["Bytes"] == found["storedBytes"])
    grown = [it for it in heard.of("log") if it["Name"] == "heard-job"]
    assert len(grown) >= 2
    sizes = [it["Bytes"] for it in grown]
    assert sizes == sorted(sizes)
    assert {it["Stream"] for it in grown} == {found["logStreamName"]}


def test_metrics_are_told_while_the_job_runs(heard):
    grown = [it for it in heard.events if it.data.get("Name") == "heard-job"]
    [of_metrics, *_] = [it for it in grown if it.type == "metrics"]
    assert of_metrics.data == {"Kind": "training-job", "Name": "heard-job"}


def test_the_load_goes_up_and_down_again(heard):
    loads = heard.of("capacity")
    used = [it["Cpus"]["Used"] for it in loads]
    assert max(used) >= 1
    assert used[-1] == 0


def test_after_a_crash_a_listener_starts_anew(start_studio):
    studio = start_studio()
    with listen(studio) as heard:
        last = heard.events[-1].id
        murder(studio)
        heard.wait_over()
    revive(studio)
    with listen(studio, last) as heard:
        assert heard.events[0].type == "reset"
        studio.client("s3").create_bucket(Bucket="after-the-crash")
        heard.wait(lambda it: it.data.get("Bucket") == "after-the-crash")

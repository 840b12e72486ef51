"""The plan of a training job is pure: every path is walked without a process or a clock."""

from dataclasses import asdict, replace

import pytest

from studio.api import training_plan
from studio.db.resources import Resource, Run
from studio.reconcile.steps import Gang, Observed, Put, Remove, Stop
from studio.runners.base import LogPage, Produced, RunStatus

MODEL = Produced("model.tar.gz", "/runs/r/outputs/model.tar.gz", 10)
EMPTY = LogPage((), 0, 0)


def job(**values) -> Resource:
    spec = {
        "TrainingJobName": "j",
        "ResourceConfig": {"InstanceType": "ml.m5.xlarge", "InstanceCount": 1},
        "OutputDataConfig": {"S3OutputPath": "s3://b/out/"},
    }
    start = {"Status": "Starting", "StartTime": 100, "StatusMessage": "Preparing"}
    made = Resource(
        "0" * 12,
        "us-east-1",
        "training-job",
        "j",
        "arn",
        "InProgress",
        spec,
        100,
        100,
        state={"Transitions": [start], "MetricDefinitions": []},
        due_at=100,
    )
    return replace(made, **values)


def seen(it: Resource, status: RunStatus, log: LogPage = EMPTY, started: bool = True) -> Observed:
    handle = {"runner": {"pid": 1}} if started else {}
    if status.ended:
        handle["final"] = asdict(status)
    run = Run(f"{it.id}-train-algo-1", it.id, "train/algo-1", "process", 100, handle=handle)
    return Observed(run, status, log)


def statuses(it: Resource) -> list[str]:
    return [each["Status"] for each in it.state["Transitions"]]


def end(it: Resource, status: RunStatus, now: int = 900):
    """Plans until the job is done; (job, all steps)."""
    steps = []
    for _ in range(5):
        plan = training_plan.plan(it, [seen(it, status)], now)
        it, steps = plan.resource, [*steps, *plan.steps]
        if it.due_at is None:
            return it, steps
    raise AssertionError("the job never ends")


def test_starts_once_it_is_new():
    plan = training_plan.plan(job(), [], 200)
    assert [type(step) for step in plan.steps] == [Gang]
    (start,) = plan.steps[0].starts
    assert start.resources.cpus == 4
    assert start.queued


def test_starts_again_after_a_crash_before_the_start_was_noted():
    it = job()
    plan = training_plan.plan(it, [seen(it, RunStatus("pending"), started=False)], 200)
    assert [start.run_id for start in plan.steps[0].starts] == [f"{it.id}-train-algo-1"]


def test_stages_become_transitions_with_their_times():
    it = job()
    status = RunStatus("running", (("Downloading", 200), ("Training", 300)))
    after = training_plan.plan(it, [seen(it, status)], 350).resource
    assert statuses(after) == ["Starting", "Downloading", "Training"]
    assert [each["StartTime"] for each in after.state["Transitions"]] == [100, 200, 300]
    assert after.state["Transitions"][1]["EndTime"] == 300
    assert after.state["TrainingStartTime"] == 300
    assert after.status == "InProgress"


def test_nothing_new_changes_nothing():
    it = job()
    status = RunStatus("running", (("Downloading", 200), ("Training", 300)))
    once = training_plan.plan(it, [seen(it, status)], 350).resource
    again = training_plan.plan(once, [seen(it, status)], 400)
    assert again.resource is once
    assert again.steps == ()


def test_waiting_is_pending_with_its_reason():
    once = training_plan._blocked(job(), "Waiting for 4 CPUs", 150)
    assert statuses(once) == ["Starting", "Pending"]
    assert training_plan._blocked(once, "Waiting for 4 CPUs", 160) is once
    other = training_plan._blocked(once, "Waiting for 2 CPUs", 160)
    assert statuses(other) == ["Starting", "Pending"]
    assert other.state["Transitions"][-1]["StatusMessage"] == "Waiting for 2 CPUs"


def test_success_stores_the_model_then_completes():
    stages = (("Downloading", 200), ("Training", 300), ("Uploading", 400))
    done, steps = end(job(), RunStatus("succeeded", stages, 0, outputs=(MODEL,)))
    assert done.status == "Completed"
    assert statuses(done)[-1] == "Completed"
    assert [type(step) for step in steps] == [Put, Remove]
    assert steps[0].uri == "s3://b/out/j/output/model.tar.gz"
    assert done.state["TrainingEndTime"] == 900


def test_the_log_is_read_to_its_end_before_the_job_ends():
    it = job(
        state={**job().state, "MetricDefinitions": [{"Name": "loss", "Regex": r"loss=([\d.]+)"}]}
    )
    page = LogPage(((310, "loss=0.5"), (320, "loss=0.25"), (330, "loss=x")), 0, 30)
    plan = training_plan.plan(it, [seen(it, RunStatus("succeeded", exit_code=0), page)], 400)
    assert plan.resource.status == "InProgress"
    assert plan.resource.state["LogPositions"] == {"train/algo-1": 30}
    assert plan.resource.state["FinalMetricDataList"] == [
        {"MetricName": "loss", "Value": 0.25, "Timestamp": 320}
    ]


@pytest.mark.parametrize(
    ("status", "text"),
    [
        (RunStatus("failed", exit_code=1, message="ValueError: x"), "AlgorithmError: ValueError"),
        (RunStatus("failed", exit_code=2, message="bad label"), "ClientError: bad label, exit co"),
        (
            RunStatus("failed", exit_code=137, reason="OutOfMemory", message="used 9 of 8 MB"),
            "ClientError: OutOfMemory: used 9 of 8 MB, exit code: 137",
        ),
        (RunStatus("failed", exit_code=1, reason="NoSpace", message="disk full"), "NoSpace"),
        (RunStatus("lost", reason="RunnerLost", message="gone"), "InternalServerError: gone"),
        (RunStatus("failed", reason="Rejected", message="ClientError: No S3"), "ClientError: No"),
    ],
)
def test_failures_name_whose_fault_and_what(status, text):
    done, _ = end(job(), status)
    assert done.status == "Failed"
    assert text in done.state["FailureReason"]
    assert done.state["Transitions"][-1]["StatusMessage"] == done.state["FailureReason"]


def test_failure_reason_has_at_most_1024_characters_and_keeps_the_code():
    reason = training_plan.failure_reason(RunStatus("failed", exit_code=1, message="x" * 5000))
    assert len(reason) == 1024
    assert reason.endswith(", exit code: 1")


def test_stop_before_the_start_never_starts():
    plan = training_plan.plan(job(desired="stopped", status="Stopping"), [], 200)
    assert plan.steps == ()
    assert plan.resource.status == "Stopped"


def test_stop_of_a_running_job_keeps_its_model():
    it = job(desired="stopped", status="Stopping")
    running = RunStatus("running", (("Training", 300),))
    plan = training_plan.plan(it, [seen(it, running)], 350)
    assert [type(step) for step in plan.steps] == [Stop]
    assert statuses(plan.resource)[-1] == "Stopping"
    done, steps = end(plan.resource, RunStatus("stopped", exit_code=143, outputs=(MODEL,)))
    assert done.status == "Stopped"
    assert isinstance(steps[0], Put)


def test_max_runtime_is_stopped_with_its_own_secondary_status():
    done, _ = end(job(), RunStatus("stopped", reason="MaxRuntimeExceeded", exit_code=143))
    assert (done.status, statuses(done)[-1]) == ("Stopped", "MaxRuntimeExceeded")
    assert "FailureReason" not in done.state

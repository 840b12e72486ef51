"""The plan of a training job is pure: every path is walked without a process or a clock."""

import ipaddress
from dataclasses import asdict, replace
from random import Random

import pytest

from studio.api import job_runs, training_metrics, training_plan
from studio.container import layout
from studio.db.resources import Resource, Run
from studio.reconcile.steps import LOG_LINES, Gang, Observed, Put, Remove, Stop
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
    once = job_runs.blocked(job(), "Waiting for 4 CPUs", 150)
    assert statuses(once) == ["Starting", "Pending"]
    assert job_runs.blocked(once, "Waiting for 4 CPUs", 160) is once
    other = job_runs.blocked(once, "Waiting for 2 CPUs", 160)
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
    reason = job_runs.failure_reason(RunStatus("failed", exit_code=1, message="x" * 5000), {})
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


def test_a_stop_during_the_download_may_be_heard_too_late():
    it = job(desired="stopped", status="Stopping")
    downloading = RunStatus("running", (("Downloading", 200),))
    it = training_plan.plan(it, [seen(it, downloading)], 250).resource
    trained = RunStatus("stopped", (("Downloading", 200), ("Training", 300), ("Uploading", 350)))
    done, _ = end(it, replace(trained, reason="Stopped", outputs=(MODEL,)))
    assert statuses(done) == ["Starting", "Downloading", "Stopping", "Uploading", "Stopped"]
    assert done.state["TrainingStartTime"] == 300


def test_max_runtime_is_stopped_with_its_own_secondary_status():
    done, _ = end(job(), RunStatus("stopped", reason="MaxRuntimeExceeded", exit_code=143))
    assert (done.status, statuses(done)[-1]) == ("Stopped", "MaxRuntimeExceeded")
    assert "FailureReason" not in done.state


def team(count: int, **values) -> Resource:
    config = {"InstanceType": "ml.m5.xlarge", "InstanceCount": count}
    return job(**{"spec": {**job().spec, "ResourceConfig": config}, **values})


def hosts(it: Resource, *statuses_: RunStatus) -> list[Observed]:
    found = []
    for number, status in enumerate(statuses_, start=1):
        one = seen(it, status)
        run = replace(one.run, id=f"{it.id}-train-algo-{number}", role=f"train/algo-{number}")
        found.append(replace(one, run=run))
    return found


RUNNING = RunStatus("running", (("Downloading", 200), ("Training", 300)))
STOPPED = RunStatus("stopped", exit_code=143, reason="Stopped", ended_at=700)
LATE_MODEL = Produced("model.tar.gz", "/runs/s/outputs/model.tar.gz", 10)


def verdict(it: Resource, *statuses_: RunStatus) -> tuple[Resource, list]:
    steps = []
    for _ in range(5):
        plan = training_plan.plan(it, hosts(it, *statuses_), 900)
        it, steps = plan.resource, [*steps, *plan.steps]
        if it.due_at is None:
            return it, steps
    raise AssertionError("the job never ends")


def test_hosts_start_together():
    plan = training_plan.plan(team(3), [], 200)
    (gang,) = plan.steps
    assert [start.role for start in gang.starts] == [f"train/algo-{n}" for n in (1, 2, 3)]
    assert len({start.run_id for start in gang.starts}) == 3


def test_a_stage_is_reached_when_the_last_host_reaches_it():
    it = team(2)
    slow = RunStatus("running", (("Downloading", 210),))
    once = training_plan.plan(it, hosts(it, RUNNING, slow), 350).resource
    assert statuses(once) == ["Starting", "Downloading"]
    later = RunStatus("running", (("Downloading", 210), ("Training", 390)))
    both = training_plan.plan(once, hosts(once, RUNNING, later), 400).resource
    assert statuses(both) == ["Starting", "Downloading", "Training"]
    assert both.state["TrainingStartTime"] == 390


def test_a_host_that_is_done_waits_for_the_others():
    it = team(2)
    plan = training_plan.plan(it, hosts(it, RunStatus("succeeded", exit_code=0), RUNNING), 400)
    assert plan.steps == ()
    assert plan.resource.status == "InProgress"


@pytest.mark.parametrize(
    "ended",
    [
        RunStatus("failed", exit_code=1, message="x"),
        RunStatus("lost", reason="RunnerLost"),
        RunStatus("stopped", exit_code=143, reason="MaxRuntimeExceeded"),
    ],
)
def test_a_host_that_fails_or_runs_out_of_time_stops_the_others(ended):
    it = team(3)
    plan = training_plan.plan(it, hosts(it, RUNNING, ended, RUNNING), 400)
    assert plan.steps == tuple(Stop(f"{it.id}-train-algo-{n}") for n in (1, 3))
    assert plan.resource.status == "InProgress"


def test_the_host_that_failed_first_is_named():
    first = RunStatus("failed", exit_code=3, message="ValueError: x", ended_at=500)
    second = RunStatus("failed", exit_code=1, message="ConnectionResetError", ended_at=600)
    done, _ = verdict(team(3), second, STOPPED, first)
    assert done.status == "Failed"
    assert done.state["FailureReason"] == "AlgorithmError: algo-3: ValueError: x, exit code: 3"


@pytest.mark.parametrize("lost", ["RunnerLost", "HostRestarted"])
def test_a_lost_host_is_named(lost):
    done, _ = verdict(team(2), STOPPED, RunStatus("lost", reason=lost, message="gone"))
    assert done.state["FailureReason"] == "InternalServerError: algo-2: gone"


def test_what_fails_when_the_time_is_up_failed_because_of_that():
    late = RunStatus("stopped", exit_code=143, reason="MaxRuntimeExceeded", ended_at=800)
    broken = RunStatus("failed", exit_code=1, message="ConnectionResetError", ended_at=700)
    done, _ = verdict(team(2), broken, late)
    assert (done.status, statuses(done)[-1]) == ("Stopped", "MaxRuntimeExceeded")


def test_what_fails_during_a_stop_was_stopped():
    broken = RunStatus("failed", exit_code=1, message="ConnectionResetError", ended_at=700)
    done, _ = verdict(team(2, desired="stopped", status="Stopping"), broken, STOPPED)
    assert (done.status, statuses(done)[-1]) == ("Stopped", "Stopped")


def test_archives_of_all_hosts_become_one():
    good = RunStatus("succeeded", exit_code=0, outputs=(MODEL,))
    other = RunStatus("succeeded", exit_code=0, outputs=(LATE_MODEL,))
    _, steps = verdict(team(2), good, other)
    assert [type(step) for step in steps] == [Put, Remove, Remove]
    assert steps[0].paths == (MODEL.path, LATE_MODEL.path)


def test_a_failed_job_has_no_model_of_the_hosts_that_were_stopped():
    output = Produced("output.tar.gz", "/runs/r/outputs/output.tar.gz", 10)
    stopped = replace(STOPPED, outputs=(MODEL, output))
    failed = RunStatus("failed", exit_code=1, message="x", ended_at=500)
    _, steps = verdict(team(2), stopped, failed)
    assert [step.uri for step in steps if isinstance(step, Put)] == [
        "s3://b/out/j/output/output.tar.gz"
    ]


def test_the_log_of_every_host_is_read():
    it = team(
        2,
        state={**job().state, "MetricDefinitions": [{"Name": "loss", "Regex": r"loss=([\d.]+)"}]},
    )
    both = hosts(it, RUNNING, RUNNING)
    pages = [LogPage(((320, "loss=1"),), 0, 7), LogPage(((310, "loss=2"),), 5, 12)]
    runs = [replace(one, log=page) for one, page in zip(both, pages, strict=True)]
    state = training_plan.plan(it, runs, 400).resource.state
    assert state["LogPositions"] == {"train/algo-1": 7, "train/algo-2": 12}
    assert [each["Value"] for each in state["FinalMetricDataList"]] == [1.0]


def test_every_job_has_loopback_addresses_of_its_own():
    taken = set()
    random = Random(1)  # of any 200 jobs two have an address in common, once in twenty times
    for _ in range(200):
        it = team(20, id=f"{random.getrandbits(128):032x}")
        hosts = layout.hosts(it.spec["ResourceConfig"])
        names = dict(job_runs.network(it, hosts, "algo-2", isolated=False).names)
        assert list(names) == [f"algo-{n}" for n in range(1, 21)]
        addresses = {ipaddress.ip_address(each) for each in names.values()}
        assert all(each.is_loopback and each.packed[1] > 0 for each in addresses)
        assert len(addresses - taken) == 20
        taken |= addresses


def test_what_the_platform_lost_is_tried_again_as_often_as_asked():
    it = job()
    it = replace(it, spec={**it.spec, "RetryStrategy": {"MaximumRetryAttempts": 1}})
    stages = (("Downloading", 200), ("Training", 300))
    lost = RunStatus("lost", stages, reason="RunnerLost", message="It was killed.", ended_at=400)
    first = seen(it, lost)
    plan = training_plan.plan(it, [first], 500)
    assert [type(step) for step in plan.steps] == [Remove]
    assert statuses(plan.resource) == ["Starting", "Downloading", "Training", "Restarting"]
    plan = training_plan.plan(plan.resource, [first], 510)
    (start,) = plan.steps[0].starts
    assert (start.run_id, start.role) == (f"{it.id}-train-algo-1-2", "train/algo-1/2")
    second = Run(start.run_id, it.id, start.role, "process", 520, handle={"runner": {"pid": 2}})
    running = Observed(second, RunStatus("running", (("Downloading", 530),)), EMPTY)
    plan = training_plan.plan(plan.resource, [first, running], 540)
    assert statuses(plan.resource)[-2:] == ["Restarting", "Downloading"]
    ended = Observed(replace(second, handle={"final": asdict(lost)}), lost, EMPTY)
    plan = training_plan.plan(plan.resource, [first, ended], 600)
    assert plan.resource.status == "Failed"
    assert "InternalServerError" in plan.resource.state["FailureReason"]


def test_what_the_user_broke_is_not_tried_again():
    it = job()
    it = replace(it, spec={**it.spec, "RetryStrategy": {"MaximumRetryAttempts": 9}})
    done, _ = end(it, RunStatus("failed", exit_code=1, reason="Error", message="no"))
    assert done.status == "Failed"


def test_a_quiet_job_is_looked_at_rarely_and_one_that_floods_its_log_often():
    def look(events: int) -> int:
        it = job(status="InProgress")
        lines = tuple((310, "x") for _ in range(events))
        page = LogPage(lines, 0, events)
        running = RunStatus("running", (("Training", 300),))
        return training_plan.plan(it, [seen(it, running, page)], 400).look_ms or 0

    quiet, some, full = look(0), look(10), look(LOG_LINES)
    assert full < 1_000 < some == quiet  # of some lines the shim sends word


def test_the_log_of_a_job_without_metrics_is_not_read():
    assert training_metrics.follow(job(), "train/algo-1").log is None
    metrics = {"MetricDefinitions": [{"Name": "a", "Regex": "a=(.)"}]}
    it = job(state={**job().state, **metrics, "LogPositions": {"train/algo-1": 7}})
    assert training_metrics.follow(it, "train/algo-1").log == 7
    assert training_metrics.follow(it, "train/algo-2").log == 0

"""What a job that was interrupted is billed for, and how long it may still run or wait."""

from dataclasses import replace

from test_training_plan import job, seen, statuses

from studio.api import job_time, training_jobs, training_plan
from studio.reconcile.steps import Gang, Stop
from studio.runners.base import RunStatus

SPOT = {"MaxRuntimeInSeconds": 100, "MaxWaitTimeInSeconds": 300}


def passed(*stages: tuple[str, int], end: int = 0) -> dict:
    """State of a job that came to each stage at that second, and was done at `end`."""
    times = [at * 1000 for _, at in stages[1:]] + [end * 1000 or None]
    transitions = [
        {"Status": name, "StartTime": at * 1000, "StatusMessage": "", "EndTime": until}
        for (name, at), until in zip(stages, times, strict=True)
    ]
    start = next((at * 1000 for name, at in stages if name == "Training"), None)
    done = {"TrainingEndTime": end * 1000} if end else {}
    return {
        "Transitions": [{k: v for k, v in it.items() if v is not None} for it in transitions],
        "MetricDefinitions": [],
        **({"TrainingStartTime": start} if start else {}),
        **done,
    }


INTERRUPTED = (
    ("Starting", 0),
    ("Downloading", 10),
    ("Training", 20),
    ("Interrupted", 50),
    ("Starting", 50),
    ("Pending", 60),
    ("Downloading", 110),
    ("Training", 120),
)


def spot(state: dict, **values):
    it = job(created_at=0, state=state, **values)
    spec = {**it.spec, "EnableManagedSpotTraining": True, "StoppingCondition": SPOT}
    algorithm = {"TrainingImage": "i", "TrainingInputMode": "File"}
    return replace(it, spec={**spec, "AlgorithmSpecification": algorithm})


def test_time_without_hosts_is_not_billed():
    done = spot(passed(*INTERRUPTED, ("Uploading", 150), ("Completed", 160), end=160))
    described = training_jobs.described(done)
    assert described["TrainingTimeInSeconds"] == 140
    assert described["BillableTimeInSeconds"] == 140 - 60
    assert described["EnableManagedSpotTraining"]


def test_a_job_without_interruptions_is_billed_for_all_of_it_and_a_second_at_least():
    state = passed(("Starting", 0), ("Training", 10), ("Completed", 30), end=30)
    assert job_time.training_seconds(state) == job_time.billable_seconds(state) == 20
    short = passed(("Starting", 0), ("Training", 10), ("Completed", 10), end=10)
    assert job_time.training_seconds(short) == job_time.billable_seconds(short) == 1
    assert job_time.billable_seconds(passed(("Starting", 0), ("Training", 10))) is None


def test_attempts_share_the_time_that_a_job_may_run():
    assert job_time.left_to_run(spot(passed(("Starting", 0)))) == 100
    assert job_time.left_to_run(spot(passed(*INTERRUPTED[:-1]))) == 70
    assert 0 < job_time.left_to_run(spot(passed(("Training", 0), ("Pending", 150)))) < 1


def test_a_job_that_waits_too_long_ends():
    it = spot(passed(("Starting", 0), ("Pending", 1)))
    waits = training_plan.plan(it, [], 299_500)
    assert isinstance(waits.steps[0], Gang)
    assert waits.look_ms == 500
    done = training_plan.plan(it, [], 300_000).resource
    assert (done.status, statuses(done)[-1]) == ("Stopped", "MaxWaitTimeExceeded")


def test_a_job_that_still_runs_is_stopped_when_its_time_to_wait_is_over():
    it = spot(passed(("Starting", 0), ("Training", 250)))
    running = RunStatus("running", (("Training", 250_000),))
    stops = training_plan.plan(it, [seen(it, running)], 300_000)
    assert [type(step) for step in stops.steps] == [Stop]
    assert stops.resource.status == "Stopping"
    assert stops.look_ms > 0
    ended = RunStatus("stopped", running.stages, 143, "Stopped", ended_at=301_000)
    done = training_plan.plan(stops.resource, [seen(it, ended)], 302_000).resource
    assert (done.status, statuses(done)[-1]) == ("Stopped", "MaxWaitTimeExceeded")

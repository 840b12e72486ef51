"""Checkpoints in the plan of a job: stored while it runs, and before it says that it is done."""

from dataclasses import replace

from test_training_plan import job, seen

from studio.api import training_plan
from studio.reconcile.steps import Deliver, Put, Remove, Stop
from studio.runners.base import Batch, Produced, RunStatus

CONFIG = {"S3Uri": "s3://bucket/kept"}
WAITING = {"batches": (Batch(0, "/runs/r/handed/0/1"), Batch(0, "/runs/r/handed/0/2"))}


def keeping(**values):
    it = job()
    return replace(it, spec={**it.spec, "CheckpointConfig": CONFIG, **values})


def planned(it, status: RunStatus):
    return training_plan.plan(it, [seen(it, status)], 900)


def deliveries(plan) -> list[tuple[str, str, bool]]:
    return [(it.folder, it.uri, it.must) for it in plan.steps if isinstance(it, Deliver)]


def both(must: bool) -> list[tuple[str, str, bool]]:
    return [(folder, "s3://bucket/kept/", must) for _, folder in WAITING["batches"]]


def test_what_waits_is_stored_while_it_runs_in_order():
    running = RunStatus("running", (("Training", 5),), **WAITING)
    assert deliveries(planned(keeping(), running)) == both(must=False)


def test_a_stop_does_not_wait_for_them():
    it = keeping()
    stopping = replace(it, desired="stopped", status="Stopping")
    kinds = [type(step) for step in planned(stopping, RunStatus("running", **WAITING)).steps]
    assert kinds == [Stop, Deliver, Deliver]


def test_the_rest_is_stored_before_the_job_is_done():
    it = keeping()
    model = (Produced("model.tar.gz", "/runs/r/outputs/model.tar.gz", 1),)
    ended = RunStatus("failed", reason="Error", message="x", exit_code=1, **WAITING)
    for status in (ended, RunStatus("succeeded", exit_code=0, outputs=model, **WAITING)):
        first = planned(it, status)
        assert first.resource.status == "InProgress"
        assert deliveries(first) == both(must=True)
        assert any(isinstance(step, Put) for step in first.steps) == (status is not ended)
        then = planned(first.resource, status)
        assert then.resource.status in ("Completed", "Failed")
        assert [type(step) for step in then.steps] == [Remove]


def test_another_attempt_begins_with_the_checkpoints_of_the_one_that_was_lost():
    it = keeping(RetryStrategy={"MaximumRetryAttempts": 1})
    plan = planned(it, RunStatus("lost", reason="RunnerLost", message="gone", **WAITING))
    assert [type(step) for step in plan.steps] == [Deliver, Deliver, Remove]
    assert deliveries(plan) == both(must=True)

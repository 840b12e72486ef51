"""What becomes of a schedule: each time that is due starts one thing, whatever happens."""

from dataclasses import replace
from typing import Any

import pytest

from studio.api import schedule_plan
from studio.api.schedules import next_due
from studio.db.resources import Resource
from studio.errors import ApiError
from studio.reconcile.steps import Call
from studio.settings import Settings

MINUTE = 60_000
START = 1_795_000_020_000
TARGET = {
    "Arn": "arn:aws:scheduler:::aws-sdk:sagemaker:createTrainingJob",
    "RoleArn": "arn:aws:iam::000000000000:role/StudioExecutionRole",
    "Input": '{"TrainingJobName": "n-<aws.scheduler.execution-id>"}',
}


def _schedule(expression: str = "rate(1 minute)", **more: Any) -> Resource:
    spec = {"Name": "n", "ScheduleExpression": expression, "Target": TARGET, **more}
    state = {"Anchor": START, "Due": next_due(spec, START, START - 1), "Retry": None}
    place = ("0" * 12, "us-east-1", "schedule", "default/n", "arn:n")
    return Resource(*place, "ENABLED", spec, START, START, state=state, due_at=START)


class World:
    """Looks at a schedule as the loop does, and has its calls answered."""

    def __init__(self, schedule: Resource, tmp_path: Any) -> None:
        self.schedule, self.now = schedule, START
        self.started: list[str] = []
        self.refusals: list[ApiError | Exception] = []
        self.kind = schedule_plan.kind(Settings(home=tmp_path), self._perform, lambda: self.now)

    def look(self, at: int) -> None:
        """Until there is nothing to do at that time."""
        self.now = at
        for _ in range(9):
            plan = self.kind.plan(self.schedule, [], at)
            self.schedule = plan.resource
            for step in plan.steps:
                assert isinstance(step, Call)
                self.schedule = self.kind.call(self.schedule, step)
            if plan.look_ms != 0 or self.schedule.deleted_at is not None:
                return
        raise AssertionError("never done")

    @property
    def runs(self) -> list[tuple[str, int]]:
        return [(it["Status"], it["DueTime"] - START) for it in self.schedule.state["Runs"]]

    def _perform(self, principal: Any, call: Call) -> dict[str, str]:
        assert principal.name == "StudioExecutionRole"
        assert call.key in call.body
        if self.refusals:
            raise self.refusals.pop(0)
        self.started.append(call.key)
        return {"TrainingJobArn": f"arn:{call.key}"}


@pytest.fixture
def world(tmp_path: Any) -> World:
    return World(_schedule(), tmp_path)


def test_each_time_starts_one_thing(world: World) -> None:
    for at in (0, 1, 59_999, 60_000, 60_001, 125_000):
        world.look(START + at)
    assert world.runs == [("Started", 0), ("Started", MINUTE), ("Started", 2 * MINUTE)]
    assert len(set(world.started)) == 3


def test_a_clock_set_back_starts_nothing_again(world: World) -> None:
    world.look(START + MINUTE)
    world.look(START - 3_600_000)
    world.look(START + MINUTE + 1)
    assert world.runs == [("Missed", 0), ("Started", MINUTE)]


def test_what_was_forgotten_is_the_same_call(world: World) -> None:
    before = world.schedule
    world.look(START)
    world.schedule = before  # as after a crash between the call and its note
    world.look(START + 5_000)
    assert world.started[0] == world.started[1]
    world.schedule = before
    key = world.started[0]
    world.refusals = [ApiError("ResourceInUse", f"there is a job n-{key} already")]
    world.look(START + 5_000)
    assert world.runs == [("Started", 0)]


def test_the_last_of_those_missed_is_made_up_for(world: World) -> None:
    world.look(START + 10 * MINUTE + 7)
    assert world.runs == [("Missed", 0), ("Started", 10 * MINUTE)]
    assert world.schedule.state["Due"] == START + 11 * MINUTE


def test_what_is_too_old_is_not_made_up_for(tmp_path: Any) -> None:
    policy = {"MaximumEventAgeInSeconds": 3_600}
    world = World(_schedule("rate(1 day)", Target={**TARGET, "RetryPolicy": policy}), tmp_path)
    world.look(START + 2 * 3_600_000)
    assert world.runs == [("Missed", 0)]
    assert not world.started
    assert world.schedule.state["Due"] == START + 86_400_000


def test_a_passing_refusal_is_tried_again_and_a_lasting_one_not(world: World) -> None:
    world.refusals = [ApiError("ThrottlingException", "later"), ValueError("a bug")]
    world.look(START)
    assert "Runs" not in world.schedule.state
    assert world.schedule.state["Retry"]["Message"] == "later"
    world.look(START + 2_000)
    world.look(START + 3_000)
    world.look(START + 9_000)
    assert world.runs == [("Started", 0)]
    assert world.schedule.state["Runs"][0]["Attempts"] == 3
    world.refusals = [ApiError("ValidationException", "no such image")]
    world.look(START + MINUTE)
    assert world.runs[1] == ("Failed", MINUTE)
    assert world.schedule.state["Runs"][1]["Message"] == "no such image"


def test_attempts_are_counted(tmp_path: Any) -> None:
    target = {**TARGET, "RetryPolicy": {"MaximumRetryAttempts": 0}}
    world = World(_schedule(Target=target), tmp_path)
    world.refusals = [ApiError("ThrottlingException", "later")]
    world.look(START)
    assert world.runs == [("Failed", 0)]


def test_a_start_by_hand_leaves_the_times_alone(world: World) -> None:
    paused = replace(world.schedule, status="DISABLED")
    world.schedule = replace(paused, state={**paused.state, "Asked": [START + 5]})
    world.look(START + 9)
    assert world.runs == [("Started", 5)]
    assert world.schedule.state["Due"] == START
    assert world.schedule.due_at is None


def test_the_end(tmp_path: Any) -> None:
    world = World(_schedule(EndDate=START + MINUTE + 1, ActionAfterCompletion="DELETE"), tmp_path)
    world.look(START)
    world.look(START + MINUTE)
    assert world.runs == [("Started", 0), ("Started", MINUTE)]
    assert world.schedule.due_at is None
    assert world.schedule.deleted_at == START + MINUTE

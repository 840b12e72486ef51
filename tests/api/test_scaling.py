"""How many instances policies want, and what a scalable target does about it, in virtual time."""

import json
from dataclasses import dataclass, field, replace
from typing import Any

import pytest

from studio.api import scaling, scaling_alarms, scaling_plan
from studio.api.scaling import Choice, Limits, Proposal
from studio.db.resources import Resource
from studio.errors import ApiError
from studio.reconcile.steps import Call
from studio.settings import Settings

NOW = 1_795_000_020_000
SECOND = 1_000


@pytest.mark.parametrize(
    ("current", "value", "target", "wanted"),
    [(1, 70, 70, 1), (1, 71, 70, 2), (2, 140, 70, 4), (4, 10, 70, 1), (3, 0, 70, 0), (0, 9, 3, 3)],
)
def test_instances_in_proportion_to_the_metric(current, value, target, wanted):
    assert scaling.tracked(current, value, target) == wanted


def test_floats_that_are_meant_to_be_even_add_no_instance():
    assert scaling.tracked(3, 0.1, 0.1) == 3
    assert scaling.tracked(10, 0.7, 0.1) == 70


def steps(kind: str, *bounds: tuple[float | None, float | None, int], **more: Any) -> dict:
    return {
        "AdjustmentType": kind,
        "StepAdjustments": [
            {
                **({} if low is None else {"MetricIntervalLowerBound": low}),
                **({} if high is None else {"MetricIntervalUpperBound": high}),
                "ScalingAdjustment": change,
            }
            for low, high, change in bounds
        ],
        **more,
    }


OUT = [(0, 10, 1), (10, None, 3)]
IN = [(-10, 0, -1), (None, -10, -2)]


@pytest.mark.parametrize(
    ("config", "delta", "wanted"),
    [
        (steps("ChangeInCapacity", *OUT), 0, 11),
        (steps("ChangeInCapacity", *OUT), 9.9, 11),
        (steps("ChangeInCapacity", *OUT), 10, 13),
        (steps("ChangeInCapacity", *OUT), -1, None),
        (steps("ChangeInCapacity", *IN), 0, 9),
        (steps("ChangeInCapacity", *IN), -10, 8),
        (steps("ChangeInCapacity", (None, 0, -20)), -1, 0),
        (steps("ExactCapacity", (0, None, 4)), 5, 4),
        (steps("PercentChangeInCapacity", (0, None, 25)), 5, 12),
        (steps("PercentChangeInCapacity", (0, None, 3)), 5, 11),
        (steps("PercentChangeInCapacity", (None, 0, -25)), -5, 8),
        (steps("PercentChangeInCapacity", (0, None, 10), MinAdjustmentMagnitude=4), 5, 14),
        (steps("PercentChangeInCapacity", (None, 0, -10), MinAdjustmentMagnitude=4), -5, 6),
    ],
)
def test_steps_by_how_far_the_metric_is_off(config, delta, wanted):
    assert scaling.adjusted(10, config, delta) == wanted


def test_steps_neither_overlap_nor_leave_gaps():
    assert scaling.step_faults(steps("ChangeInCapacity", *OUT)) == ""
    assert "overlap" in scaling.step_faults(steps("ChangeInCapacity", (0, 5, 1), (4, None, 2)))
    assert "gap" in scaling.step_faults(steps("ChangeInCapacity", (0, 5, 1), (6, None, 2)))
    assert "less than" in scaling.step_faults(steps("ChangeInCapacity", (5, 5, 1)))


def test_the_largest_wins_within_the_limits_and_out_before_in():
    small, large = Proposal("a", "", 3), Proposal("b", "", 9)
    limits = Limits(1, 5)
    assert scaling.chosen(2, limits, [small, large], []) == Choice(large, 5)
    assert scaling.chosen(4, limits, [], [Proposal("c", "", 0), small]) == Choice(small, 3)
    assert scaling.chosen(2, limits, [small], [Proposal("c", "", 1)]) == Choice(small, 3)
    assert scaling.chosen(5, limits, [large], []) == Choice(large, 5, "AlreadyAtMaxCapacity")
    low = Proposal("c", "", 0)
    assert scaling.chosen(1, limits, [], [low]) == Choice(low, 1, "AlreadyAtMinCapacity")
    assert scaling.chosen(1, limits, [], []) is None


TRACKS = {
    "TargetValue": 60.0,
    "PredefinedMetricSpecification": {"PredefinedMetricType": scaling_alarms.INVOCATIONS},
}


def policy(name: str, config: dict) -> dict:
    kind = "TargetTrackingScaling" if "TargetValue" in config else "StepScaling"
    made = {"PolicyName": name, "PolicyARN": f"arn:{name}", "Id": name, "PolicyType": kind}
    return {**made, f"{kind}PolicyConfiguration": config}


@dataclass
class World:
    """A target, the variant that it scales, and what its alarms see, at a time of its own."""

    target: Resource
    count: int = 1
    status: str = "InService"
    reason: str | None = None
    serving: int | None = None
    now: int = NOW
    alarms: list[dict] = field(default_factory=list)
    calls: list[Call] = field(default_factory=list)
    refusal: ApiError | None = None

    def look(self) -> Any:
        """One look of the reconciler, with all that follows from it."""
        serving = self.count if self.serving is None else self.serving
        endpoint = {
            "Status": self.status,
            "Count": self.count,
            "Serving": serving,
            "Reason": self.reason,
        }
        seen = {"Endpoint": endpoint, "Alarms": self.alarms}
        given = replace(self.target, state={**self.target.state, "Seen": seen})
        plan = scaling_plan.plan(given, [], self.now)
        self.target = plan.resource
        for step in plan.steps:
            kind = scaling_plan.kind(Settings("/nowhere"), self.answer, lambda: self.now)
            self.target = kind.call(self.target, step)
        return plan

    def answer(self, _principal: Any, call: Call) -> dict:
        self.calls.append(call)
        if self.refusal:
            raise self.refusal
        self.status = "Updating"
        return {}

    def pass_(self, seconds: int) -> None:
        self.now += seconds * SECOND
        self.target = replace(self.target, generation=self.target.generation + 1)

    def settle(self) -> None:
        """Ask the endpoint, have it change, and see that it did."""
        self.look()
        wanted = json.loads(self.calls[-1].body)["DesiredWeightsAndCapacities"]
        self.status, self.count = "InService", wanted[0]["DesiredInstanceCount"]
        self.look()

    def see(self, name: str, high: bool, *values: float, state: str = "ALARM", **spec: Any) -> None:
        """An alarm of a policy with the values of its last minutes."""
        of = self.target.spec["Policies"][name]
        specs = scaling_alarms.specs(self.target)
        found = f"step-{name}"
        if of["PolicyType"] == "TargetTrackingScaling":
            found = scaling_alarms.names(self.target, of)[0 if high else 1]
        spec = specs.get(found, {"AlarmActions": [of["PolicyARN"]], **spec})
        first = self.now - len(values) * 60 * SECOND
        points = [(first + at * 60 * SECOND, each, 1.0) for at, each in enumerate(values)]
        self.alarms.append(
            {"Policy": name, "Name": found, "State": state, "Spec": spec, "Points": points}
        )

    @property
    def activities(self) -> list[tuple[str, str]]:
        return [(it["StatusCode"], it["Description"]) for it in self.target.state["Activities"]]


def world(*policies: dict, least: int = 1, most: int = 4, count: int = 1, **more: Any) -> World:
    suspended = dict.fromkeys(
        ("DynamicScalingInSuspended", "DynamicScalingOutSuspended", "ScheduledScalingSuspended"),
        False,
    )
    spec = {
        "ResourceId": "endpoint/e/variant/v",
        "EndpointId": "1",
        "MinCapacity": least,
        "MaxCapacity": most,
        "SuspendedState": suspended,
        "Policies": {it["PolicyName"]: it for it in policies},
        "Actions": {},
        **more,
    }
    scope = "0" * 12, "us-east-1", "scalable-target", "endpoint/e/variant/v", "arn"
    state = {"Activities": [], "Bound": "", "Count": count}
    return World(Resource(*scope, "Registered", spec, NOW, NOW, state, due_at=NOW), count)


def test_out_in_proportion_then_not_again_within_the_cooldown():
    it = world(policy("p", TRACKS))
    it.see("p", True, 100, 150)
    it.look()
    assert it.target.state["Activity"]["To"] == 3
    it.settle()
    assert it.activities == [("Successful", "Setting desired instance count to 3.")]
    it.alarms.clear()
    it.pass_(200)
    it.see("p", True, 90, 90)
    assert it.look().look_ms > 0
    it.pass_(101)
    it.look()
    assert it.target.state["Activity"]["To"] == 4  # 5 are wanted
    assert len(it.calls) == 1


def test_what_was_seen_before_the_last_change_says_nothing_of_the_new_count():
    it = world(policy("p", {**TRACKS, "ScaleOutCooldown": 0}))
    it.see("p", True, 130)
    it.look()
    it.settle()
    assert (it.look().steps, it.count) == ((), 3)
    assert "Activity" not in it.target.state


def test_in_only_when_all_that_track_a_target_agree_and_by_the_busiest_period():
    it = world(policy("p", TRACKS), policy("q", TRACKS), count=4)
    it.see("p", False, 20, 30, 5)
    it.look()
    assert "Activity" not in it.target.state
    it.see("q", False, 1, 1, 1)
    it.look()
    assert it.target.state["Activity"]["To"] == 2
    never = world(policy("p", {**TRACKS, "DisableScaleIn": True}), count=4)
    never.see("p", False, 0)
    never.look()
    assert "Activity" not in never.target.state


def test_steps_add_what_a_larger_breach_lacks_within_the_cooldown():
    it = world(policy("s", steps("ChangeInCapacity", *OUT)), most=9)
    it.see("s", True, 25, Threshold=20.0, Period=60)
    it.look()
    it.settle()
    assert it.count == 2
    it.pass_(100)
    it.alarms.clear()
    it.see("s", True, 31, Threshold=20.0, Period=60)
    it.look()
    assert it.target.state["Activity"]["To"] == 4  # 1 + 3, of which 1 is there


def test_a_step_policy_goes_in_for_an_alarm_that_lacks_values():
    it = world(policy("s", steps("ChangeInCapacity", (None, 0, -1))), count=3)
    it.see("s", False, Threshold=5.0, Period=60)
    it.look()
    assert it.target.state["Activity"]["To"] == 2


@pytest.mark.parametrize("way", ["Out", "In"])
def test_what_is_suspended_is_not_done(way):
    it = world(policy("p", TRACKS), count=2)
    it.see("p", way == "Out", 600 if way == "Out" else 1)
    it.target.spec["SuspendedState"][f"DynamicScaling{way}Suspended"] = True
    it.look()
    assert "Activity" not in it.target.state
    it.target.spec["SuspendedState"][f"DynamicScaling{way}Suspended"] = False
    it.look()
    assert "Activity" in it.target.state


def test_at_the_limit_it_says_so_once():
    it = world(policy("p", TRACKS), count=4)
    for _ in range(3):
        it.alarms.clear()
        it.see("p", True, 100)
        it.look()
        it.pass_(60)
    [activity] = it.target.state["Activities"]
    [reason] = activity["NotScaledReasons"]
    assert (reason["Code"], reason["MaxCapacity"]) == ("AlreadyAtMaxCapacity", 4)


def test_a_change_that_fails_is_told_and_not_tried_again_at_once():
    it = world(policy("p", {**TRACKS, "ScaleOutCooldown": 0}))
    it.see("p", True, 100)
    it.look()
    it.look()
    it.status, it.reason = "InService", "The server of variant v did not start."
    it.look()
    assert it.target.state["Activities"][-1]["StatusCode"] == "Failed"
    assert "did not start" in it.target.state["Activities"][-1]["StatusMessage"]
    it.pass_(30)
    it.look()
    assert "Activity" not in it.target.state
    it.pass_(31)
    it.look()
    assert it.target.state["Activity"]["To"] == 2


def test_an_endpoint_that_is_being_changed_is_waited_for():
    it = world(policy("p", TRACKS))
    it.see("p", True, 100)
    it.look()
    busy = 'Cannot update in-progress endpoint "arn".'
    it.refusal, it.status = ApiError("ValidationException", busy), "InService"
    it.look()
    it.status = "Updating"
    it.look()
    assert len(it.calls) == 1
    it.refusal, it.status = None, "InService"
    it.settle()
    # The same key both times: whoever has taken the change takes it once.
    assert it.calls[0] == it.calls[1]
    assert it.activities == [("Successful", "Setting desired instance count to 2.")]


def test_a_crash_between_the_call_and_its_note_repeats_the_same_call():
    it = world(policy("p", TRACKS))
    it.see("p", True, 100)
    it.look()
    before = it.target
    it.look()
    it.target, it.status = before, "InService"
    it.look()
    assert it.calls[0] == it.calls[1]


def test_a_period_without_requests_counts_as_nought():
    it = world(policy("p", TRACKS), count=2)
    it.see("p", False, state="INSUFFICIENT_DATA")
    [batch] = it.look().metrics
    assert (batch.metric.name, [row.total for row in batch.rows]) == ("InvocationsPerInstance", [0])
    at = batch.rows[0].at
    it.alarms[0]["Points"] = [(at, 0.0, 1.0)]
    assert it.look().metrics == ()


def test_to_nought_only_after_as_long_without_requests_since_the_last_change():
    it = world(policy("p", TRACKS), least=0, count=2)
    it.see("p", False, *[0] * 14)
    it.look()
    assert it.target.state["Activity"]["To"] == 1
    it = world(policy("p", TRACKS), least=0, count=1)
    it.see("p", False, *[0] * 15)
    it.look()
    assert it.target.state["Activity"]["To"] == 0
    it.settle()
    # A request wakes it: what was seen before is of a variant that slept.
    it.alarms.clear()
    it.pass_(1_000)
    it.count = 1
    it.see("p", False, *[0] * 15)
    it.look()
    assert "Activity" not in it.target.state
    it.pass_(16 * 60)
    it.alarms.clear()
    it.see("p", False, *[0] * 15)
    it.serving = 0
    it.look()
    assert "Activity" not in it.target.state  # its server still starts
    it.serving = 1
    it.look()
    assert it.target.state["Activity"]["To"] == 0


ACTION = {"ScheduledActionName": "a", "CreationTime": NOW - 1, "Schedule": "rate(1 hour)"}


def test_a_scheduled_action_sets_limits_and_the_variant_follows():
    action = {**ACTION, "ScalableTargetAction": {"MinCapacity": 6}}
    it = world(Actions={"a": action})
    it.target.state["Due"] = {"a": NOW - 5 * 3_600 * SECOND}
    it.look()
    # One of both limits was said, and it passes the other.
    assert (it.target.spec["MinCapacity"], it.target.spec["MaxCapacity"]) == (6, 6)
    it.look()
    it.settle()
    assert it.count == 6
    assert [text for _, text in it.activities] == [
        "Setting min capacity to 6",
        "Setting desired instance count to 6.",
    ]
    assert it.target.state["Due"]["a"] == NOW - 1 + 3_600 * SECOND  # missed times are made up once
    suspended = world(Actions={"a": action})
    suspended.target.spec["SuspendedState"]["ScheduledScalingSuspended"] = True
    suspended.target.state["Due"] = {"a": NOW}
    suspended.look()
    assert (suspended.target.spec["MinCapacity"], suspended.activities) == (1, [])


def test_alarms_follow_the_period_that_the_tag_says():
    target = world(policy("p", TRACKS)).target
    high, low = scaling_alarms.specs(target).values()
    assert (high["Threshold"], high["Period"], high["EvaluationPeriods"]) == (60, 60, 3)
    assert (low["Threshold"], low["EvaluationPeriods"]) == (pytest.approx(54), 15)
    tagged = replace(target, tags=[{"Key": scaling_alarms.PERIOD, "Value": "10"}])
    high, low = scaling_alarms.specs(tagged).values()
    assert (high["Threshold"], high["Period"], low["EvaluationPeriods"]) == (10, 10, 15)

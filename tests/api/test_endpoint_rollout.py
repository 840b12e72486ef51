"""An update, played: servers, alarms and the clock are given, and the plan is asked again and
again, as the loop does it, with what was stored written out and read back in between."""

import itertools
import json
from dataclasses import asdict, replace
from fractions import Fraction

import pytest

from studio.api import deployment_config, endpoint_plan, endpoint_rollout, endpoint_servers
from studio.db.resources import Resource, Run
from studio.errors import ValidationException
from studio.reconcile.steps import Observed, Remove, Route, Start, Stop
from studio.runners.base import RunStatus

DEAD = RunStatus("failed", exit_code=1, message="boom", ended_at=1)


def percent(value: int) -> dict:
    return {"Type": "CAPACITY_PERCENT", "Value": value}


def instances(value: int) -> dict:
    return {"Type": "INSTANCE_COUNT", "Value": value}


def blue_green(type_: str, wait: int = 10, termination: int = 0, **more) -> dict:
    routing = {"Type": type_, "WaitIntervalInSeconds": wait, **more}
    policy = {"TrafficRoutingConfiguration": routing, "TerminationWaitInSeconds": termination}
    return {"BlueGreenUpdatePolicy": policy}


def rolling(size: dict, wait: int = 10, **more) -> dict:
    return {
        "RollingUpdatePolicy": {"MaximumBatchSize": size, "WaitIntervalInSeconds": wait, **more}
    }


CANARY = blue_green("CANARY", 10, 20, CanarySize=percent(10))
LINEAR = blue_green("LINEAR", 10, LinearStepSize=percent(40))


def variants(count: int) -> list[dict]:
    names = {"VariantName": "v", "ModelName": "m", "InstanceType": "ml.m5.large"}
    return [{**names, "InitialInstanceCount": count}]


class House:
    """An endpoint that serves, and is updated from `policy`; servers are healthy when they are
    looked at the second time, unless their number is among the `bad`."""

    def __init__(self, policy: dict, count: int = 4) -> None:
        self.now = 1_000
        self.bad: set[str] = set()
        self.alarms: dict[str, str] = {}
        self.servers: dict[str, Observed] = {}
        self.least: int | None = None
        """Of the servers that got requests, the fewest at any time."""
        self.log: list[tuple[int, dict[str, float]]] = []
        made = {"Models": {"m": {"PrimaryContainer": {"Image": "xgboost:1"}}}, "StartTime": 1_000}
        old, new = (
            {**made, "Generation": at, "EndpointConfigName": f"c{at}", "Variants": variants(count)}
            for at in (1, 2)
        )
        state = {"Deployments": [old], "Active": None, "Routes": [], "Latest": 1}
        names = "0" * 12, "us-east-1", "endpoint", "e", "arn"
        self.it = Resource(*names, "Creating", {}, 1, 1, state=state, due_at=1)
        self.run(until=lambda: self.it.status == "InService")
        new = {**new, "StartTime": self.now, "Policy": policy}
        state = {**self.it.state, "Deployments": [old, new], "FailureReason": None}
        self.it = replace(self.it, status="Updating", state=state)

    def look(self) -> None:
        it = self.it
        if self.alarms and it.status == "Updating":
            it = endpoint_servers.told(it, Alarms=self.alarms)
        plan = endpoint_plan.plan(it, list(self.servers.values()), self.now)
        for step in plan.steps:
            self._do(step)
        self.it = replace(plan.resource, state=json.loads(json.dumps(plan.resource.state)))
        for key, each in self.servers.items():
            self.servers[key] = self._grown(each)
        self.now += min(plan.look_ms or 500, 500)

    def _do(self, step) -> None:
        if isinstance(step, Start):
            run = Run(step.run_id, self.it.id, step.role, "process", self.now, handle={"runner": 1})
            self.servers[step.run_id] = Observed(run, RunStatus("running"))
        elif isinstance(step, Stop):
            self._end(step.run_id, RunStatus("stopped", ended_at=self.now))
        elif isinstance(step, Route):
            self.log.append((self.now, self._shares(step.variants)))
            serving = [server for it in step.variants if it.share for server in it.servers]
            alive = sum(server in self._addresses() for server in serving)
            self.least = alive if self.least is None else min(self.least, alive)
        else:
            assert isinstance(step, Remove)

    def _end(self, run_id: str, status: RunStatus) -> None:
        each = self.servers[run_id]
        run = replace(each.run, handle={**each.run.handle, "final": asdict(status)})
        self.servers[run_id] = replace(each, run=run, status=status)

    def _grown(self, each: Observed) -> Observed:
        if each.status.phase != "running" or each.status.address:
            return each
        if each.run.role in self.bad:
            return replace(each, status=replace(DEAD, ended_at=self.now))
        address = f"127.0.0.1:{len(self._addresses()) + 1}"
        stages = (("Serving", self.now),)
        return replace(each, status=RunStatus("running", stages, address=address))

    def _addresses(self) -> set[str]:
        return {it.status.address for it in self.servers.values() if it.status.address}

    def _shares(self, routed) -> dict[str, float]:
        return {it.fleet or "all": it.share for it in routed}

    def run(self, until, looks: int = 2_000) -> None:
        for _ in range(looks):
            if until():
                return
            self.look()
        raise AssertionError(self.it)

    def serving(self) -> list[str]:
        live = (it for it in self.servers.values() if it.status.phase == "running")
        return sorted(it.run.role.split("/")[1] for it in live)

    def settle(self) -> str:
        self.run(lambda: self.it.status in ("InService", "Failed"))
        self.run(lambda: len(set(self.serving())) == 1)
        return self.it.state["Past"][-1]["Outcome"]

    def shares(self) -> list[float]:
        """Of the new fleet, from stage to stage."""
        return [it["Share"] for it in self.it.state["Past"][-1]["Shifts"]]

    def pauses(self) -> list[int]:
        """Whole seconds from one stage to the next, and to the end."""
        past = self.it.state["Past"][-1]
        times = [*(it["At"] for it in past["Shifts"]), past["EndTime"]]
        return [(after - before) // 1_000 for before, after in itertools.pairwise(times)]


@pytest.mark.parametrize(
    ("policy", "shares", "pauses"),
    [
        ({}, [1.0], [0]),
        (blue_green("ALL_AT_ONCE", 30, 15), [1.0], [45]),
        (CANARY, [0.1, 1.0], [10, 30]),
        (LINEAR, [0.4, 0.8, 1.0], [10, 10, 10]),
        (blue_green("LINEAR", 5, LinearStepSize=instances(2)), [0.5, 1.0], [5, 5]),
        (rolling(percent(50), 5), [0.5, 1.0], [7, 5]),
        # Each batch waits until the one before is gone.
        (rolling(instances(1), 1), [0.25, 0.5, 0.75, 1.0], [3, 3, 3, 1]),
    ],
)
def test_an_update_goes_by_its_stages(policy, shares, pauses):
    house = House(policy)
    assert house.settle() == "Completed"
    assert (house.shares(), house.pauses()) == (shares, pauses)
    assert house.serving() == ["2"] * 4
    assert house.it.state["Active"] == 2
    # Not once were there fewer servers than were asked for.
    assert house.least == 4


def test_a_rolling_update_has_one_batch_too_many_at_the_most():
    house, most = House(rolling(instances(1), 3)), 0
    while house.it.status == "Updating":
        house.look()
        most = max(most, len(house.serving()))
    assert most == 5


@pytest.mark.parametrize("policy", [{}, CANARY, LINEAR, rolling(instances(1))])
def test_a_new_fleet_that_fails_gets_no_request(policy):
    house = House(policy)
    house.bad = {f"serve/2/v/{number}" for number in range(4)}
    assert house.settle() == "RolledBack"
    assert house.shares() == []
    assert "boom" in house.it.state["FailureReason"]
    assert [shares for _, shares in house.log] == [{"all": 1.0}]
    assert (house.it.status, house.serving()) == ("InService", ["1"] * 4)


@pytest.mark.parametrize("policy", [CANARY, LINEAR])
def test_the_way_back_starts_no_server(policy):
    house = House(policy)
    house.run(lambda: house.log[-1][1].get("2", 0.0) > 0)
    before = len(house.servers)
    new = next(run for run, it in house.servers.items() if it.run.role == "serve/2/v/0")
    house._end(new, replace(DEAD, ended_at=house.now))
    assert house.settle() == "RolledBack"
    assert house.log[-1][1] == {"all": 1.0}
    assert len(house.servers) == before
    assert house.serving() == ["1"] * 4


def test_the_old_fleet_comes_back_in_batches():
    house = House(rolling(instances(1), 5, RollbackMaximumBatchSize=instances(2)))
    house.run(lambda: house.log[-1][1].get("2", 0.0) == 1.0)
    house.run(lambda: house.serving().count("1") == 1)
    house.it = endpoint_rollout.begun(house.it, "By hand.", house.now)
    assert house.it.status == "RollingBack"
    mark = len(house.log)
    assert house.settle() == "RolledBack"
    assert [it.get("1", it.get("all")) for _, it in house.log[mark:]] == [0.75, 1.0]
    assert (house.serving(), house.least) == (["1"] * 4, 4)


def test_a_way_back_that_fails_is_told_and_tried_on():
    house = House(rolling(instances(2), 5))
    house.run(lambda: house.serving().count("1") == 2)
    house.bad = {"serve/1/v/2"}
    house.it = endpoint_rollout.begun(house.it, "By hand.", house.now)
    house.run(lambda: house.it.status == "UpdateRollbackFailed")
    assert "boom" in house.it.state["FailureReason"]
    # Whoever updates it now updates what serves: more of the new fleet was there.
    assert endpoint_rollout.accepted(house.it)["Active"] in (1, 2)
    house.bad = set()
    assert house.settle() == "RolledBack"
    assert house.serving() == ["1"] * 4


@pytest.mark.parametrize("share", [0.0, 0.1, 1.0])
def test_an_alarm_takes_the_update_back_at_every_stage(share):
    alarmed = {**CANARY, "AutoRollbackConfiguration": {"Alarms": [{"AlarmName": "errors"}]}}
    house = House(alarmed)
    house.run(lambda: house.log[-1][1].get("2", 0.0) == share)
    house.alarms, at = {"errors": "ALARM"}, house.now
    assert house.settle() == "RolledBack"
    assert house.it.state["FailureReason"] == "The alarm errors is in ALARM."
    assert house.it.state["Past"][-1]["EndTime"] == at
    assert "Alarms" not in house.it.state


def test_who_holds_an_update_stops_its_clocks():
    timed = CANARY["BlueGreenUpdatePolicy"] | {"MaximumExecutionTimeoutInSeconds": 600}
    house = House({"BlueGreenUpdatePolicy": timed})
    house.run(lambda: house.log[-1][1].get("2", 0.0) == 0.1)
    [old, new] = house.it.state["Deployments"]
    paused = {**house.it.state, "Deployments": [old, {**new, "Paused": house.now}]}
    house.it = replace(house.it, state=paused)
    for _ in range(2_000):
        house.look()
    assert house.now > 600_000
    assert (house.it.status, house.log[-1][1]["2"]) == ("Updating", 0.1)
    held = house.now - house.it.state["Deployments"][1]["Paused"]
    going = {**house.it.state, "Deployments": [old, {**new, "Held": held}]}
    house.it = replace(house.it, state=going)
    assert house.settle() == "Completed"


@pytest.mark.parametrize("policy", [{}, CANARY])
def test_an_update_that_is_held_from_its_start_moves_nothing(policy):
    house = House(policy)
    [old, new] = house.it.state["Deployments"]
    held = {**house.it.state, "Deployments": [old, {**new, "Paused": house.now}]}
    house.it = replace(house.it, state=held)
    for _ in range(100):
        house.look()
    assert (house.it.status, len(house.log)) == ("Updating", 1)
    assert house.serving() == ["1"] * 4 + ["2"] * 4


def test_what_takes_too_long_is_taken_back():
    late = rolling(percent(50), 100, MaximumExecutionTimeoutInSeconds=600)
    house = House(late)
    house.it.state["Deployments"][1]["StartTime"] -= 500_000
    assert house.settle() == "RolledBack"
    assert "MaximumExecutionTimeoutInSeconds (600)" in house.it.state["FailureReason"]


def test_a_server_of_the_new_fleet_that_hangs_takes_the_update_back():
    house = House(CANARY)
    house.run(lambda: house.log[-1][1].get("2", 0.0) == 0.1)
    new = next(run for run, it in house.servers.items() if it.run.role == "serve/2/v/3")
    house.servers[new] = replace(house.servers[new], hung=True)
    assert house.settle() == "RolledBack"
    assert "does not answer" in house.it.state["FailureReason"]


def test_old_servers_that_die_meanwhile_are_replaced():
    house = House(CANARY)
    house.run(lambda: house.log[-1][1].get("2", 0.0) == 0.1)
    old = next(run for run, it in house.servers.items() if it.run.role == "serve/1/v/3")
    house._end(old, replace(DEAD, ended_at=house.now))
    house.run(lambda: house.serving().count("1") == 4)
    assert house.it.status == "Updating"
    assert house.settle() == "Completed"


@pytest.mark.parametrize(
    ("config", "said"),
    [
        (CANARY | rolling(percent(50)), "cannot be specified together"),
        (blue_green("CANARY"), "CanarySize is required"),
        (blue_green("LINEAR", CanarySize=percent(10)), "CanarySize is not allowed"),
        (blue_green("CANARY", CanarySize=percent(51)), "between 0% and 50%"),
        (blue_green("CANARY", CanarySize=instances(3)), "3 of 4 instances"),
        (blue_green("LINEAR", LinearStepSize=percent(9)), "between 10% and 50%"),
        (rolling(percent(4)), "between 5% and 50%"),
        (rolling(percent(50), 300, MaximumExecutionTimeoutInSeconds=600), "larger than the total"),
    ],
)
def test_what_aws_refuses_is_refused(config, said):
    with pytest.raises(ValidationException, match="Invalid DeploymentConfig") as refused:
        deployment_config.checked(config, variants(4))
    assert said in refused.value.message


def test_one_instance_can_be_updated_in_stages_too():
    house = House(CANARY, count=1)
    assert house.settle() == "Completed"
    assert house.shares() == [0.1, 1.0]
    assert deployment_config.strategy(rolling(percent(50)), variants(1)).stages[0].old == Fraction(
        1
    )

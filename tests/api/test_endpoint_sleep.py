"""How many servers a variant has that may sleep: a pure function of what is asked of it."""

from dataclasses import replace

import pytest
from test_endpoint_plan import FAILED, READY, deployment, endpoint, server

from studio.api import endpoint_plan, endpoint_sleep
from studio.api.panel_cold_starts import cold_starts
from studio.db.resources import Run
from studio.errors import ValidationException
from studio.reconcile.steps import Route, Start
from studio.runners.base import RunStatus

IDLE = 10.0
NOW = 1_000_000
KNOWN = {"Asked": 0, "Ready": 0, "Answered": 0, "Busy": []}


def serverless(count: int, status: str = "InService", **config):
    made = deployment(1, count)
    size = {"MemorySizeInMB": 1024, "MaxConcurrency": 10, **config}
    made["Variants"] = [{**made["Variants"][0], "ServerlessConfig": size}]
    return endpoint(made, active=1, status=status)


def adjusted(it, now: int = NOW, **known):
    return endpoint_sleep.adjusted(it, {"e/v0": {**KNOWN, **known}}, IDLE, now)


def count(it) -> int:
    return it.state["Deployments"][-1]["Variants"][0]["InitialInstanceCount"]


def test_servers_follow_what_was_needed_not_long_ago():
    long_ago = NOW - 11_000
    assert count(adjusted(serverless(0), Busy=[NOW])) == 1
    assert count(adjusted(serverless(1), Busy=[NOW, NOW - 9_999, long_ago])) == 2
    assert count(adjusted(serverless(3), Busy=[NOW, long_ago, long_ago])) == 1
    assert count(adjusted(serverless(1), Busy=[long_ago])) == 0
    assert count(adjusted(serverless(1), Busy=[long_ago], Held=True)) == 1, "somebody waits"
    assert count(adjusted(serverless(1), Busy=[NOW] * 99)) == 3, "for MaxConcurrency, no more"


def test_what_is_provisioned_stays_and_so_does_what_has_just_woken():
    assert count(adjusted(serverless(0, ProvisionedConcurrency=5))) == 2
    assert count(adjusted(serverless(3, ProvisionedConcurrency=1))) == 1
    woken = adjusted(serverless(0), Busy=[NOW])
    assert count(adjusted(woken, NOW + 9_999)) == 1
    assert count(adjusted(woken, NOW + 11_000)) == 0


def test_nothing_goes_to_sleep_while_the_endpoint_changes():
    assert count(adjusted(serverless(2, "Updating"))) == 2
    assert count(adjusted(serverless(2, "Updating"), Busy=[NOW] * 3)) == 3


def test_the_tag_of_an_endpoint_says_how_long():
    tagged = replace(serverless(1), tags=[{"Key": "studio:idle-seconds", "Value": "60"}])
    assert count(adjusted(tagged, Busy=[NOW - 60_999])) == 1
    assert count(adjusted(tagged, Busy=[NOW - 61_000])) == 0
    for wrong in ("0", "-1", "1.5", "x", "", "86401", "²"):
        with pytest.raises(ValidationException, match="studio:idle-seconds"):
            endpoint_sleep.check([{"Key": "studio:idle-seconds", "Value": wrong}])


def test_an_endpoint_of_which_nothing_is_new_is_the_same():
    it = serverless(1)
    assert adjusted(it, Busy=[NOW]) is it
    ordinary = endpoint(deployment(1), active=1, status="InService")
    assert adjusted(ordinary, Busy=[NOW]) is ordinary


def test_a_variant_of_instances_sleeps_at_a_count_of_0_and_a_request_wakes_it():
    it = endpoint(deployment(1), active=1, status="InService")
    variant = endpoint_sleep.with_count(it.state["Deployments"][0]["Variants"][0], 0)
    it = endpoint({**deployment(1), "Variants": [variant]}, active=1, status="InService")
    assert count(adjusted(it, Asked=5, Ready=5)) == 0
    woken = adjusted(it, Asked=6, Ready=5)
    assert count(woken) == 1
    assert count(adjusted(woken, Asked=6, Ready=7)) == 1, "who scales it in says when"


def test_a_cold_start_is_kept_with_its_times():
    woken = adjusted(serverless(0), Busy=[NOW], Asked=NOW - 5)
    later = adjusted(woken, Busy=[NOW], Asked=NOW - 5, Ready=NOW + 500, Answered=NOW + 520)
    assert later.state["ColdStarts"] == [
        {
            "Variant": "v0",
            "Asked": NOW - 5,
            "Noticed": NOW,
            "Ready": NOW + 500,
            "Answered": NOW + 520,
        }
    ]
    assert adjusted(later, Busy=[NOW], Asked=NOW + 900).state == later.state


def test_asleep_nothing_runs_and_requests_are_told_to_wait():
    it = serverless(0)
    ready = server(serverless(1), "serve/1/v0/0", READY)
    plan = endpoint_plan.plan(it, [ready], NOW)
    (route,) = [each for each in plan.steps if isinstance(each, Route)]
    (variant,) = route.variants
    assert variant.servers == ()
    assert (variant.sleep.most, variant.sleep.capacity) == (10, 4)
    woken = endpoint_plan.plan(adjusted(plan.resource, Busy=[NOW]), [], NOW)
    (start,) = [each for each in woken.steps if isinstance(each, Start)]
    assert start.resources.memory_mb == 1024


def test_who_waits_hears_why_no_server_comes():
    it = serverless(1)
    dead = server(it, "serve/1/v0/0", FAILED, final=True)
    (route,) = endpoint_plan.plan(it, [dead], 60).resource.state["Routes"]
    assert route["sleep"]["trouble"] == "boom"


def test_the_phases_of_a_cold_start_are_those_of_its_server():
    def told(status: RunStatus | None, **times) -> dict[str, int | None]:
        start = {"Variant": "v0", "Asked": 10, "Noticed": 12, "Ready": 0, "Answered": 0, **times}
        it = endpoint(deployment(1), ColdStarts=[start])
        runs = [Run("r", it.id, "serve/1/v0/0", "process", 13)] if status else []
        (described,) = cold_starts(it, [(run, status) for run in runs])
        return {each["Name"]: each["EndTime"] for each in described["Phases"]}

    starting = RunStatus("running", (("Downloading", 20), ("Starting", 30)))
    assert told(starting) == {"Notice": 13, "Begin": 20, "Model": 30, "Program": None}
    serving = RunStatus("running", (*starting.stages, ("Serving", 40)))
    assert list(told(serving, Ready=41, Answered=42).items())[3:] == [
        ("Program", 40),
        ("Route", 41),
        ("Answer", 42),
    ]
    assert told(None, Ready=15) == {"Notice": 12, "Route": 15, "Answer": None}, "it had not gone"

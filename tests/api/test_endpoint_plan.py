"""The plan of an endpoint is pure: roll-out, roll-back, replacement and removal."""

import json
from dataclasses import asdict, replace

from studio.api import endpoint_limits, endpoint_plan, endpoint_servers
from studio.db.resources import Resource, Run
from studio.reconcile.steps import Observed, Remove, Route, Start, Stop
from studio.runners.base import RunStatus
from studio.serving.bounds import Bounds

READY = RunStatus("running", (("Starting", 1), ("Serving", 2)), address="127.0.0.1:1")
STARTING = RunStatus("running", (("Starting", 1),))
FAILED = RunStatus("failed", exit_code=1, message="boom", ended_at=50)


def deployment(generation: int, count: int = 1, weights: tuple[float, ...] = (1.0,)):
    variants = [
        {
            "VariantName": f"v{index}",
            "ModelName": "m",
            "InstanceType": "ml.m5.large",
            "InitialInstanceCount": count,
            "InitialVariantWeight": weight,
        }
        for index, weight in enumerate(weights)
    ]
    model = {"PrimaryContainer": {"Image": "xgboost:1"}}
    return {
        "Generation": generation,
        "EndpointConfigName": f"c{generation}",
        "StartTime": 1,
        "Variants": variants,
        "Models": {"m": model},
    }


def endpoint(*deployments, active=None, status="Creating", **state) -> Resource:
    return Resource(
        "0" * 12,
        "us-east-1",
        "endpoint",
        "e",
        "arn",
        status,
        {},
        1,
        1,
        state={"Deployments": list(deployments), "Active": active, "Routes": [], **state},
        due_at=1,
    )


def server(it: Resource, role: str, status: RunStatus, attempt: int = 0, final: bool = False):
    handle = {"runner": {"pid": 1}}
    if final:
        handle["final"] = asdict(status)
    run_id = endpoint_servers.run_id(it, role, attempt)
    return Observed(Run(run_id, it.id, role, "process", attempt, handle=handle), status)


def kinds(plan) -> list[type]:
    return [type(step) for step in plan.steps]


def serving(count: int = 1) -> tuple[Resource, list[Observed]]:
    it = endpoint(deployment(1, count))
    servers = [server(it, f"serve/1/v0/{number}", READY) for number in range(count)]
    return endpoint_plan.plan(it, servers, 10).resource, servers


def test_limits_are_tags_that_the_router_is_told():
    it, servers = serving()
    tags = {"studio:max-payload-bytes": "30000000", "studio:model-timeout-seconds": "900", "a": "b"}
    it = replace(it, tags=[{"Key": key, "Value": value} for key, value in tags.items()])
    done = endpoint_plan.plan(it, servers, 20)
    [route] = done.steps
    assert route.variants[0].bounds == Bounds(30_000_000, 900)
    assert endpoint_limits.drain_ms(it) == 905_000
    assert endpoint_limits.variables(it) == {
        "SAGEMAKER_MAX_PAYLOAD_IN_MB": "29",
        "SAGEMAKER_MODEL_SERVER_TIMEOUT": "900",
    }
    [back] = endpoint_plan.plan(replace(done.resource, tags=[]), servers, 30).steps
    assert back.variants[0].bounds is None


def test_every_server_of_every_variant_starts():
    plan = endpoint_plan.plan(endpoint(deployment(1, 2, (1.0, 3.0))), [], 5)
    assert [step.role for step in plan.steps] == [
        "serve/1/v0/0",
        "serve/1/v0/1",
        "serve/1/v1/0",
        "serve/1/v1/1",
    ]
    assert len({step.run_id for step in plan.steps}) == 4
    assert not any(step.queued for step in plan.steps)


def test_in_service_only_when_all_are_healthy_and_the_router_knows():
    it = endpoint(deployment(1, 2))
    one = [server(it, "serve/1/v0/0", READY), server(it, "serve/1/v0/1", STARTING)]
    assert endpoint_plan.plan(it, one, 5).resource.status == "Creating"
    two = [server(it, "serve/1/v0/0", READY), server(it, "serve/1/v0/1", READY)]
    plan = endpoint_plan.plan(it, two, 6)
    assert plan.resource.status == "InService"
    assert kinds(plan) == [Route]
    assert plan.steps[0].variants[0].servers == ("127.0.0.1:1", "127.0.0.1:1")


def test_a_server_that_never_gets_healthy_fails_the_endpoint():
    it = endpoint(deployment(1))
    failed = [server(it, "serve/1/v0/0", FAILED)]
    after = endpoint_plan.plan(it, failed, 60).resource
    assert after.status == "Failed"
    assert "ping health check" in after.state["FailureReason"]
    assert "boom" in after.state["FailureReason"]
    cleared = endpoint_plan.plan(after, failed, 61)
    assert kinds(cleared) == [Remove]
    settled = endpoint_plan.plan(
        cleared.resource, [server(it, "serve/1/v0/0", FAILED, 0, True)], 62
    )
    assert settled.resource.due_at is None


def test_a_server_lost_with_its_host_is_started_again():
    it = endpoint(deployment(1))
    lost = RunStatus("lost", reason="HostRestarted", ended_at=1)
    plan = endpoint_plan.plan(it, [server(it, "serve/1/v0/0", lost)], 60)
    assert plan.resource.status == "Creating"
    assert kinds(plan) == [Remove, Start]


def test_only_deaths_soon_after_a_start_make_the_pause_longer():
    it, _ = serving()
    hour = 3_600_000

    def next_start(*lives: int) -> int:
        """Milliseconds until the successor of servers that lived for so long."""
        dead = [
            server(it, "serve/1/v0/0", replace(FAILED, started_at=hour - life, ended_at=hour), at)
            for at, life in enumerate(lives)
        ]
        starts = (
            pause
            for pause in (0, 1_000, 5_000, 15_000, 60_000)
            if Start in kinds(endpoint_plan.plan(it, dead, hour + pause))
        )
        return next(starts)

    assert [next_start(*[5_000] * deaths) for deaths in (1, 2, 3, 4, 5, 6)] == [
        *(0, 1_000, 5_000, 15_000, 60_000, 60_000)
    ]
    assert next_start(5_000, 5_000, 5_000, 600_000) == 0
    assert next_start(5_000, 600_000, 5_000, 5_000) == 1_000


def test_update_serves_from_the_old_until_the_new_is_healthy():
    it, old = serving()
    it = replace(
        it,
        status="Updating",
        state={**it.state, "Deployments": [*it.state["Deployments"], deployment(2)]},
    )
    starting = [*old, server(it, "serve/2/v0/0", STARTING)]
    assert kinds(endpoint_plan.plan(it, starting, 20)) == []
    healthy = [*old, server(it, "serve/2/v0/0", replace(READY, address="127.0.0.1:2"))]
    moved = endpoint_plan.plan(it, healthy, 30)
    assert moved.resource.state["Active"] == 2
    assert moved.steps[0].variants[0].servers == ("127.0.0.1:2",)
    draining = endpoint_plan.plan(moved.resource, healthy, 40)
    assert kinds(draining) == []
    stopping = endpoint_plan.plan(draining.resource, healthy, 2000)
    assert [(type(step), step.run_id) for step in stopping.steps] == [(Stop, old[0].run.id)]


def test_a_failed_update_leaves_the_old_serving():
    it, old = serving()
    it = replace(
        it,
        status="Updating",
        state={**it.state, "Deployments": [*it.state["Deployments"], deployment(2)]},
    )
    undone = endpoint_plan.plan(it, [*old, server(it, "serve/2/v0/0", FAILED)], 60).resource
    assert undone.status == "InService"
    assert undone.state["Active"] == 1
    assert "boom" in undone.state["FailureReason"]
    assert undone.state["Routes"] == it.state["Routes"]


def test_a_dead_server_is_taken_out_and_replaced():
    it, servers = serving(2)
    dead = [servers[0], server(it, "serve/1/v0/1", FAILED)]
    plan = endpoint_plan.plan(it, dead, 2000)
    assert kinds(plan) == [Remove, Start, Route]
    assert plan.steps[1].run_id.endswith("-1-1")
    assert plan.steps[2].variants[0].servers == ("127.0.0.1:1",)
    assert plan.resource.status == "InService"


def test_removal_unroutes_then_stops_then_deletes():
    it, servers = serving()
    it = replace(it, desired="absent", status="Deleting")
    first = endpoint_plan.plan(it, servers, 50)
    assert kinds(first) == [Route]
    assert first.steps[0].variants is None
    second = endpoint_plan.plan(first.resource, servers, 51)
    assert kinds(second) == [Stop]
    gone = [server(it, "serve/1/v0/0", replace(FAILED, phase="stopped"))]
    last = endpoint_plan.plan(second.resource, gone, 60)
    assert kinds(last) == [Remove]
    assert last.resource.deleted_at == 60
    assert last.resource.due_at is None


def test_an_endpoint_whose_servers_are_all_ready_is_looked_at_rarely():
    def look(status: RunStatus) -> int:
        values = {"active": 1, "status": "InService", "RoutedAt": 0}
        it = endpoint(deployment(1, count=2), **values)
        seen = [server(it, "serve/1/v0/0", READY), server(it, "serve/1/v0/1", status)]
        routed = endpoint_plan.plan(it, seen, 100_000).resource
        return endpoint_plan.plan(routed, seen, 100_000).look_ms or 0

    assert look(STARTING) < look(READY)


def rescaled(count: int, servers: int = 1) -> tuple[Resource, list[Observed]]:
    it, running = serving(servers)
    variants = [{**it.state["Deployments"][-1]["Variants"][0], "InitialInstanceCount": count}]
    state = endpoint_plan.rescaled(it, variants, 100)
    return replace(it, status="Updating", state=state), running


def test_more_instances_are_added_to_those_that_serve():
    it, servers = rescaled(2)
    plan = endpoint_plan.plan(it, servers, 2_000)
    assert [step.role for step in plan.steps] == ["serve/1/v0/1"]
    added = server(it, "serve/1/v0/1", READY, 200)
    plan = endpoint_plan.plan(plan.resource, [*servers, added], 2_500)
    assert plan.resource.status == "InService"
    assert [len(each.servers) for each in plan.steps[0].variants] == [2]
    assert plan.resource.state["Past"][-1]["Outcome"] == "Completed"


def test_fewer_instances_are_routed_around_before_they_stop():
    it, servers = rescaled(1, servers=2)
    plan = endpoint_plan.plan(it, servers, 2_000)
    assert kinds(plan) == [Route]
    assert plan.resource.status == "InService"
    later = endpoint_plan.plan(plan.resource, servers, 3_500)
    assert [(type(step), step.run_id) for step in later.steps] == [(Stop, servers[1].run.id)]


def test_an_instance_that_does_not_come_up_leaves_the_counts_as_they_were():
    it, servers = rescaled(2)
    failed = server(it, "serve/1/v0/1", FAILED, 200)
    after = endpoint_plan.plan(it, [*servers, failed], 2_000).resource
    assert after.status == "InService"
    assert after.state["Deployments"][-1]["Variants"][0]["InitialInstanceCount"] == 1
    assert "boom" in after.state["FailureReason"]
    # The next attempt is not judged by that death.
    variants = [{**after.state["Deployments"][-1]["Variants"][0], "InitialInstanceCount": 2}]
    state = endpoint_plan.rescaled(after, variants, 300)
    again = replace(after, status="Updating", state=state)
    ended = server(it, "serve/1/v0/1", FAILED, 200, final=True)
    assert endpoint_plan.plan(again, [*servers, ended], 2_500).resource.status == "Updating"


def test_an_endpoint_knows_how_far_its_servers_are_and_what_became_of_changes():
    it = endpoint(deployment(1))
    begun = endpoint_plan.plan(it, [server(it, "serve/1/v0/0", STARTING)], 5).resource
    assert begun.state["Seen"] == {"serve/1/v0/0": "Starting"}
    done = endpoint_plan.plan(begun, [server(it, "serve/1/v0/0", READY)], 6).resource
    assert done.state["Seen"] == {}
    assert [(each["Outcome"], each["EndTime"]) for each in done.state["Past"]] == [("Completed", 6)]


def test_an_endpoint_knows_when_the_last_of_its_old_servers_has_stopped():
    it, servers = rescaled(1, servers=2)
    told = endpoint_plan.plan(it, servers, 2_000).resource
    assert told.state["Leaving"] == 1
    stopped = server(it, "serve/1/v0/1", RunStatus("stopped", ended_at=3_000))
    assert endpoint_plan.plan(told, [servers[0], stopped], 3_500).resource.state["Leaving"] == 0


def recorded(it: Resource) -> Resource:
    """With a shadow, and its data captured."""
    [made] = it.state["Deployments"]
    shadow = {**made["Variants"][0], "VariantName": "s", "Shadow": True}
    capture = {
        "EnableCapture": True,
        "InitialSamplingPercentage": 7,
        "DestinationS3Uri": "s3://b/p",
        "CaptureOptions": [{"CaptureMode": "Output"}],
        "CaptureContentTypeHeader": {"CsvContentTypes": ["Text/CSV"]},
    }
    made = {**made, "Variants": [*made["Variants"], shadow], "Capture": capture}
    return replace(it, state={**it.state, "Deployments": [made]})


def test_the_router_is_told_of_shadows_and_of_what_is_captured():
    it = recorded(endpoint(deployment(1)))
    servers = [server(it, "serve/1/v0/0", READY), server(it, "serve/1/s/0", READY)]
    plan = endpoint_plan.plan(it, servers, 5)
    variant, shadow = plan.steps[0].variants
    capture = variant.capture
    assert (variant.shadow, shadow.shadow, shadow.capture) == ("", f"{it.id}.1.s", None)
    assert (capture.percent, capture.input, capture.output) == (7, False, True)
    assert (capture.record, capture.csv, capture.json) == (f"{it.id}.1", ("text/csv",), ())
    stored = json.loads(json.dumps(plan.resource.state))
    again = endpoint_plan.plan(replace(plan.resource, state=stored), servers, 9000)
    assert kinds(again) == []


def test_a_server_that_leaves_ends_its_requests_first():
    it, servers = serving(2)
    it = replace(it, status="InService", state={**it.state, "RoutedAt": 0})
    [made] = it.state["Deployments"]
    fewer = {**made, "Variants": [{**made["Variants"][0], "InitialInstanceCount": 1}]}
    it = replace(it, state={**it.state, "Deployments": [fewer]})
    moved = endpoint_plan.plan(it, servers, 10)
    assert kinds(moved) == [Route]
    busy = [servers[0], replace(servers[1], busy=True)]
    assert kinds(endpoint_plan.plan(moved.resource, busy, 20_000)) == []
    assert kinds(endpoint_plan.plan(moved.resource, servers, 20_000)) == [Stop]
    assert kinds(endpoint_plan.plan(moved.resource, busy, 490_000)) == [Stop]


def test_a_server_that_hangs_is_stopped_and_then_replaced():
    it, servers = serving(2)
    it = replace(it, status="InService", state={**it.state, "RoutedAt": 0})
    hung = [servers[0], replace(servers[1], hung=True)]
    plan = endpoint_plan.plan(it, hung, 9000)
    assert plan.steps == (Stop(servers[1].run.id),)
    ended = replace(FAILED, phase="stopped", ended_at=9000)
    plan = endpoint_plan.plan(plan.resource, [servers[0], server(it, "serve/1/v0/1", ended)], 9500)
    assert kinds(plan) == [Remove, Start, Route]

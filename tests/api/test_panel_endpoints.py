"""The steps of a deployment, computed from its servers."""

from studio.api.panel_endpoints import Server, steps
from studio.db.resources import Run
from studio.runners.base import RunStatus

DOWNLOADING = RunStatus("running", (("Downloading", 110),))
STARTING = RunStatus("running", (("Downloading", 110), ("Starting", 120)))
SERVING = RunStatus("running", (("Downloading", 110), ("Starting", 120), ("Serving", 130)))
FAILED = RunStatus("failed", (("Downloading", 110), ("Starting", 120)), ended_at=140)


def change(generation: int = 1, count: int = 2, **more):
    variant = {"VariantName": "v", "InitialInstanceCount": count}
    return {"Generation": generation, "Variants": [variant], "StartTime": 100, **more}


def server(role: str, status: RunStatus, at: int = 105) -> Server:
    return Server(Run(role, "r", role, "process", at), status)


def told(change, *servers):
    return [
        (it["Name"], it["Status"], f"{it['Done']}/{it['Total']}")
        for it in steps(change, list(servers))
    ]


def test_a_deployment_waits_for_its_slowest_server():
    made = told(change(), server("serve/1/v/0", SERVING), server("serve/1/v/1", DOWNLOADING))
    assert made == [
        ("StartServers", "InProgress", "1/2"),
        ("AwaitHealth", "Pending", "1/2"),
        ("MoveTraffic", "Pending", "0/1"),
    ]


def test_each_step_begins_when_the_one_before_is_done():
    done = change(count=1, Outcome="Completed", EndTime=150)
    made = steps(done, [server("serve/1/v/0", SERVING)])
    times = [(it["StartTime"], it["EndTime"]) for it in made]
    assert times == [(100, 120), (120, 130), (130, 150)]
    assert {it["Status"] for it in made} == {"Completed"}


def test_a_server_that_does_not_answer_fails_its_step():
    given_up = change(count=1, Outcome="Failed", EndTime=150)
    assert told(given_up, server("serve/1/v/0", FAILED)) == [
        ("StartServers", "Completed", "1/1"),
        ("AwaitHealth", "Failed", "0/1"),
        ("MoveTraffic", "Skipped", "0/1"),
    ]


def test_the_old_servers_stop_last():
    update = change(2, 1, Outcome="Completed", EndTime=150)
    old = server("serve/1/v/0", SERVING, 10)
    stopped = server("serve/1/v/1", RunStatus("stopped", SERVING.stages, ended_at=160), 10)
    gone_before = server("serve/1/v/2", RunStatus("stopped", ended_at=90), 10)
    made = told(update, gone_before, old, stopped, server("serve/2/v/0", SERVING))
    assert made[-1] == ("StopServers", "InProgress", "1/2")


def test_servers_that_go_on_serving_are_no_step():
    assert told(change(count=2), server("serve/1/v/0", SERVING, 10)) == [
        ("StartServers", "InProgress", "0/1"),
        ("AwaitHealth", "Pending", "0/1"),
        ("MoveTraffic", "Pending", "0/1"),
    ]
    weights = told(change(count=1), server("serve/1/v/0", SERVING, 10))
    assert weights == [("MoveTraffic", "InProgress", "0/1")]

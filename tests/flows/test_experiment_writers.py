"""Processes that write into one experiment at the same time lose nothing of it."""

import os
import subprocess
import sys
from pathlib import Path

WRITERS = int(os.environ.get("EXPERIMENT_WRITERS", "4"))
ROUNDS, POINTS = 10, 10
PROGRAM = Path(__file__).with_name("experiment_writer.py")


def test_many_processes_track_into_one_experiment(studio):
    writers = [
        subprocess.Popen([sys.executable, PROGRAM, str(number)], env=studio.env)
        for number in range(WRITERS)
    ]
    assert [each.wait(timeout=280) for each in writers] == [0] * WRITERS
    client = studio.client("sagemaker")
    listed = client.get_paginator("list_trial_components").paginate(TrialName="crowd-trial")
    found = [it for page in listed for it in page["TrialComponentSummaries"]]
    assert {it["TrialComponentName"] for it in found} == {
        f"writer-{number}" for number in range(WRITERS)
    }
    assert {it["Status"]["PrimaryStatus"] for it in found} == {"Completed"}
    for number in range(WRITERS):
        own = client.describe_trial_component(TrialComponentName=f"writer-{number}")
        assert own["Parameters"] == {"n": {"NumberValue": number}}
        assert own["Metrics"][0]["Count"] == ROUNDS * POINTS
    shared = client.describe_trial_component(TrialComponentName="shared")
    assert shared["Metrics"][0]["Count"] == WRITERS * ROUNDS * POINTS
    # The last value of each name: 0-0 was written in the rounds 0, 4 and 8.
    last = {0: 8, 1: 9, 2: 6, 3: 7}
    assert shared["Parameters"] == {
        f"{number}-{name}": {"NumberValue": turn}
        for number in range(WRITERS)
        for name, turn in last.items()
    }
    tags = client.list_tags(ResourceArn=shared["TrialComponentArn"])["Tags"]
    assert {it["Key"] for it in tags} == {f"t{number}" for number in range(min(WRITERS, 50))}

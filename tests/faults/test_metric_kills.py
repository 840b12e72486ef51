"""A control plane that is killed while metrics come in loses none that it acknowledged."""

import json
import os
import random
import signal
import threading
from datetime import UTC, datetime

import numpy as np
import pytest
from botocore.exceptions import BotoCoreError, ClientError
from studios import run_studio

WRITERS, KILLS = 4, 2


@pytest.mark.parametrize("seed", [1])
def test_kill_of_the_control_plane(start_studio, seed):
    studio = start_studio()
    chance = random.Random(seed)
    studio.client("sagemaker").create_trial_component(TrialComponentName="tc")
    acknowledged: dict[str, list[int]] = {f"m{number}": [] for number in range(WRITERS)}
    stop, come = threading.Event(), threading.Semaphore(0)

    def write(name: str) -> None:
        client = studio.client("sagemaker-metrics")
        step = 0
        while not stop.is_set():
            data = [
                {
                    "MetricName": name,
                    "Timestamp": datetime.now(UTC),
                    "Value": 1.0,
                    "Step": step + at,
                }
                for at in range(5)
            ]
            try:
                client.batch_put_metrics(TrialComponentName="tc", MetricData=data)
                acknowledged[name] += range(step, step + 5)
                come.release()
            except (BotoCoreError, ClientError):
                stop.wait(0.01)
            step += 5

    writers = [threading.Thread(target=write, args=(name,)) for name in acknowledged]
    for each in writers:
        each.start()
    try:
        for _ in range(KILLS):
            for _ in range(chance.randrange(20, 80)):
                assert come.acquire(timeout=60)
            pid = json.loads((studio.home / "pid.json").read_text())["pid"]
            os.kill(pid, signal.SIGKILL)
            run_studio("serve", "--home", studio.home, "--detach", env=studio.env)
    finally:
        stop.set()
        for each in writers:
            each.join()
    found = studio.client("studio").get_trial_component_series(
        TrialComponentNames=["tc"], MetricNames=list(acknowledged), MaxPoints=100_000
    )["Series"]
    for each in found:
        steps = np.frombuffer(each["X"]).tolist()
        assert len(steps) == len(set(steps))
        assert not set(acknowledged[each["MetricName"]]) - set(steps)
    assert len(found) == WRITERS

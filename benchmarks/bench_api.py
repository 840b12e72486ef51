"""The API over 100,000 stored jobs: Describe, List, durable creates, searches, start, idling.

Requests were signed before, so that what is measured is the server, which shares the machine with
its clients. Those that read are wrk's, which take next to nothing of it; those that create are
threads with sockets, because each job has a name of its own.
"""

import socket
import statistics
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any
from urllib.parse import urlsplit

from benchmarks import processes, running, signing, sockets, stored, wrk
from benchmarks.harness import Row, at_least, at_most
from benchmarks.running import Running
from benchmarks.wrk import Load

_STORED = 100_000
_CLIENTS = 8
_SECONDS = 6
_CREATES = 600
_IDLE_SECONDS = 10.0


def run() -> list[Row]:
    with running.studio(lambda home: stored.fill(home, _STORED)) as it:
        idle = _idle(it)
        ready = _restart(it)
        client = it.client("sagemaker")
        client.describe_training_job(TrainingJobName="job-000001")
        found = statistics.median(_timed_search(client) for _ in range(5))
        reads, cpu = _reads(it)
        creates = _load(it, _creates(it))
    made, made_p99, failed = creates
    return [
        Row(f"Describe + List(100), {_CLIENTS} clients", reads.rate, "req/s", at_least(400)),
        Row("Describe + List(100), p99", reads.p99, "ms", at_most(50)),
        Row("Describe + List(100), CPU a request", cpu * 1e6, "us"),
        Row(f"durable CreateTrainingJob, {_CLIENTS} clients", made, "req/s", at_least(100)),
        Row("durable CreateTrainingJob, p99", made_p99 * 1000, "ms", at_most(150)),
        Row("durable CreateTrainingJob, refused", failed, "jobs", at_most(0)),
        Row("Search by a hyperparameter, one page", found * 1000, "ms"),
        Row(f"start to ready with {_STORED} jobs stored", ready, "s", at_most(5)),
        *idle,
    ]


def _reads(it: Running) -> tuple[Load, float]:
    """What a mixture of both did, and the server's CPU time for a request in seconds."""
    names = [f"job-{number:06}" for number in range(0, _STORED, _STORED // 20)]
    describes = [_message(it, "DescribeTrainingJob", {"TrainingJobName": name}) for name in names]
    listing = _message(it, "ListTrainingJobs", {"MaxResults": 100, "SortOrder": "Descending"})
    script = wrk.messages([message for each in describes for message in (each, listing)])
    pids = processes.of_home(it.home)
    before = sum(map(processes.cpu_seconds, pids))
    load = wrk.load(it.env["AWS_ENDPOINT_URL"], _CLIENTS, _SECONDS, script)
    return load, (sum(map(processes.cpu_seconds, pids)) - before) / load.requests


def _creates(it: Running) -> list[Iterator[bytes]]:
    """Jobs that wait for their turn behind one that runs: what is measured is the storing."""
    it.client("s3").create_bucket(Bucket="bench")
    messages = [
        _message(it, "CreateTrainingJob", stored.request(f"new-{number}"))
        for number in range(_CREATES)
    ]
    return [iter(messages[shift::_CLIENTS]) for shift in range(_CLIENTS)]


def _load(it: Running, clients: list[Iterator[bytes]]) -> tuple[float, float, int]:
    """(requests a second, p99 in seconds, refusals) of clients that wait for each answer."""
    begun = time.perf_counter()
    with ThreadPoolExecutor(len(clients)) as pool:
        parts = list(pool.map(lambda each: _client(it, each), clients))
    spent = time.perf_counter() - begun
    times = [took for part, _ in parts for took in part]
    return len(times) / spent, statistics.quantiles(times, n=100)[-1], sum(n for _, n in parts)


def _client(it: Running, messages: Iterator[bytes]) -> tuple[list[float], int]:
    address = urlsplit(it.env["AWS_ENDPOINT_URL"])
    times, refused = [], 0
    with socket.create_connection((address.hostname, address.port)) as connection:
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        for message in messages:
            begun = time.perf_counter()
            connection.sendall(message)
            refused += not sockets.answer(connection)[0].startswith(b"HTTP/1.1 200")
            times.append(time.perf_counter() - begun)
    return times, refused


def _message(it: Running, operation: str, request: dict[str, Any]) -> bytes:
    return sockets.of(signing.signed(it.env["AWS_ENDPOINT_URL"], it.env, operation, request))


def _timed_search(client: Any) -> float:
    by = {"Name": "HyperParameters.eta", "Operator": "LessThan", "Value": "0.5"}
    begun = time.perf_counter()
    client.search(Resource="TrainingJob", SearchExpression={"Filters": [by]})
    return time.perf_counter() - begun


def _restart(it: Running) -> float:
    """Seconds of `studio serve` on a home whose database is large."""
    running.call("stop", "--home", it.home)
    begun = time.perf_counter()
    running.call("serve", "--detach", "--home", it.home)
    return time.perf_counter() - begun


def _idle(it: Running) -> list[Row]:
    """What it costs when nobody asks: CPU and wake-ups of the control plane and its router."""
    time.sleep(2.0)
    pids = processes.of_home(it.home)
    before = [(processes.cpu_seconds(pid), processes.wakeups(pid)) for pid in pids]
    time.sleep(_IDLE_SECONDS)
    after = [(processes.cpu_seconds(pid), processes.wakeups(pid)) for pid in pids]
    cpu = sum(b[0] - a[0] for a, b in zip(before, after, strict=True))
    wakes = sum(b[1] - a[1] for a, b in zip(before, after, strict=True))
    memory = sum(processes.resident_mib(pid) for pid in pids)
    return [
        Row("idle: CPU of all processes", 100 * cpu / _IDLE_SECONDS, "%", at_most(1)),
        Row("idle: wake-ups of all processes", wakes / _IDLE_SECONDS, "/s", at_most(5)),
        Row("idle: memory of all processes (RSS)", memory, "MiB", at_most(200)),
    ]

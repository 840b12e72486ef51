"""Endpoints under load while the router or one of two model servers is killed or hangs."""

import json
import signal
import tempfile
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Protocol

from botocore.exceptions import BotoCoreError, ClientError, EndpointConnectionError
from chaos.house import BUCKET, House, eventually, house, kill, shell
from chaos.invariants import broken, living, shims
from chaos.outcome import Report, processor_seconds, slower, spread
from flows.flow import ROWS, configure, ended, settled, training

_CLIENTS = 4
_BACK_SECONDS = 10.0
_SOON_SECONDS = 2.0
_READY_SECONDS = 5.0
_FOR_LONG = {"StoppingCondition": {"MaxRuntimeInSeconds": 10_000}}


def faults(repeats: int, seed: int) -> Report:
    """Each of the faults, `repeats` times, under the load of four clients."""
    wrong: list[str] = []
    back: list[float] = []
    figures: dict[str, str] = {}
    with tempfile.TemporaryDirectory(prefix="chaos-") as folder, house(Path(folder)) as home:
        serve(home, "served", instances=2)
        for fault in (_kill_router, kill_server, _hang_server):
            lost = asked = 0
            for _ in range(repeats):
                with load(home, "served") as clients:
                    time.sleep(1)
                    back.append(fault(home, clients))
                    time.sleep(1)
                lost += sum(it.failed for it in clients)
                asked += sum(it.asked for it in clients)
                await_servers(home, 2)
            figures[fault.__name__.strip("_").replace("_", " ")] = f"{lost} of {asked} lost"
            # What was under way may be lost.
            if lost > repeats * _CLIENTS * 2:
                wrong.append(f"{fault.__name__}: {lost} of {asked} requests lost")
        if (worst := max(back)) > _BACK_SECONDS:
            wrong.append(f"{worst:.1f} s without an answer")
        wrong += broken(home)
    figures["answers again"] = spread(back)
    name, promise = (
        "F24 router and servers",
        "the others serve on; only requests under way are lost",
    )
    slow = slower(back, _SOON_SECONDS, "answers again")
    return Report(name, promise, repeats, seed, figures, tuple(wrong), slow=slow)


class Asking(Protocol):
    """A client; `good_at` is when it was last answered, by the monotonic clock."""

    good_at: float


class Client(threading.Thread):
    """Invokes an endpoint again and again, without retries. Of those that `failed` the `unheard`
    found nobody to connect to."""

    def __init__(self, home: House, endpoint: str, over: threading.Event) -> None:
        super().__init__(name="client")
        self._runtime = home.client("sagemaker-runtime")
        self.endpoint, self._over = endpoint, over
        self.asked = self.failed = self.unheard = 0
        self.good_at = time.monotonic()

    def run(self) -> None:
        while not self._over.wait(0.01):
            self.asked += 1
            try:
                answer = self._runtime.invoke_endpoint(
                    EndpointName=self.endpoint, ContentType="text/csv", Body=b"3,6"
                )
                answer["Body"].read()
                self.good_at = time.monotonic()
            except (BotoCoreError, ClientError) as error:
                self.failed += 1
                self.unheard += isinstance(error, EndpointConnectionError)


@contextmanager
def load(home: House, endpoint: str) -> Iterator[list[Client]]:
    over = threading.Event()
    clients = [Client(home, endpoint, over) for _ in range(_CLIENTS)]
    for each in clients:
        each.start()
    try:
        yield clients
    finally:
        over.set()
        for each in clients:
            each.join()


def restart(repeats: int, seed: int, jobs: int = 50, endpoints: int = 20) -> Report:
    """A killed control plane with 100,000 jobs of the past, and many of the present."""
    ready: list[float] = []
    used: list[float] = []
    failed = asked = 0
    with tempfile.TemporaryDirectory(prefix="chaos-") as folder:
        with house(Path(folder), cpu_slots=str(2 * jobs)) as home:
            serve(home, "served-0")
            for number in range(1, endpoints):
                name = f"served-{number}"
                request = {"EndpointName": name, "EndpointConfigName": "served-0"}
                home.client("sagemaker").create_endpoint(**request)
            for number in range(endpoints):
                settled(home.client("sagemaker"), f"served-{number}")
            for number in range(jobs):
                home.create_job(f"running-{number}", *shell("exec sleep 10000"), **_FOR_LONG)
            going = jobs + endpoints
            eventually(lambda: len(shims(home.home)) == going, 300, "all jobs and servers run")
            home.kill()
            _fill(home, 100_000)
            for number in range(repeats):
                with load(home, f"served-{number % endpoints}") as clients:
                    if number == 0:
                        home.start()
                    home.kill()
                    time.sleep(0.5)
                    ready.append(home.start())
                    used.append(processor_seconds(home.pid))
                failed += sum(it.failed for it in clients)
                asked += sum(it.asked for it in clients)
            wrong = broken(home)
        if failed:
            wrong.append(f"{failed} of {asked} requests failed meanwhile")
    figures = {
        "jobs": f"100,000 and {jobs} running",
        "endpoints": str(endpoints),
        "ready": spread(ready),
        "by then the processor's": spread(used),
        "requests lost": f"{failed} of {asked}",
    }
    promise = "ready within 5 s; endpoints serve throughout"
    name, slow = "L16 restart of a full home", slower(ready, _READY_SECONDS, "ready")
    return Report(name, promise, repeats, seed, figures, tuple(wrong), slow=slow)


def serve(home: House, name: str, instances: int = 1) -> None:
    """An endpoint of a model that was trained for it."""
    sagemaker = home.client("sagemaker")
    home.put("train/rows.csv", ROWS)
    sagemaker.create_training_job(**training(f"{name}-model", BUCKET))
    artifact = ended(sagemaker, f"{name}-model")["ModelArtifacts"]["S3ModelArtifacts"]
    configure(sagemaker, name, artifact, InitialInstanceCount=instances)
    sagemaker.create_endpoint(EndpointName=name, EndpointConfigName=name)
    if (found := settled(sagemaker, name))["EndpointStatus"] != "InService":
        raise AssertionError(found)


def _kill_router(home: House, clients: list[Client]) -> float:
    kill(json.loads((home.home / "router" / "pid.json").read_text())["pid"])
    return all_good(clients)


def kill_server(home: House, clients: Sequence[Asking]) -> float:
    """One of them. Seconds until every client was answered once more."""
    for pid in _server(home):
        kill(pid)
    return all_good(clients)


def _hang_server(home: House, clients: list[Client]) -> float:
    """Seconds until new requests are answered, one after the other."""
    pids = _server(home)
    for pid in pids:
        kill(pid, signal.SIGSTOP)
    began = time.monotonic()
    runtime = home.new_client(
        "sagemaker-runtime", read_timeout=1, retries={"total_max_attempts": 1}
    )
    try:
        good = 0
        while good < 20 and time.monotonic() - began < 60:
            good = good + 1 if _answered(runtime, clients[0].endpoint) else 0
        return time.monotonic() - began
    finally:
        for pid in pids:
            kill(pid, signal.SIGCONT)


def _answered(runtime: Any, endpoint: str) -> bool:
    try:
        runtime.invoke_endpoint(EndpointName=endpoint, ContentType="text/csv", Body=b"3,6")
    except (BotoCoreError, ClientError):
        return False
    return True


def all_good(clients: Sequence[Asking]) -> float:
    """Seconds until every client was answered once more."""
    began = time.monotonic()
    eventually(lambda: all(it.good_at > began for it in clients), 30, "everybody is answered")
    return time.monotonic() - began


def _server(home: House) -> list[int]:
    """The processes of one model server, without its shim."""
    servers = _servers(home)
    first = min(servers)
    of_first = [pid for pid, run in living(home.home).items() if run == first]
    return [pid for pid in of_first if pid != servers[first]]


def _servers(home: House) -> dict[str, int]:
    """Runs of model servers that go on -> their shims."""
    return {run: pid for pid, run in shims(home.home).items() if "serve" in run}


def await_servers(home: House, count: int) -> None:
    def serving() -> bool:
        paths = [home.home / "runs" / run / "status.json" for run in _servers(home)]
        # A run that has just begun has said nothing yet.
        stages = [json.loads(path.read_text())["stages"] for path in paths if path.exists()]
        return sum(any(name == "Serving" for name, _ in each) for each in stages) >= count

    # After several deaths in a row the successor starts a minute later.
    eventually(serving, 180, f"{count} servers serve")


def _fill(home: House, jobs: int) -> None:
    """Jobs of the past, as copies of the one that trained the model."""
    import apsw

    connection = apsw.Connection(str(home.home / "studio.db"))
    columns = [row[1] for row in connection.execute("PRAGMA table_info(resource)")]
    changed = {"id": "printf('%032x', value)", "name": "'past-' || value", "arn": "arn || value"}
    chosen = ", ".join(changed.get(name, name) for name in columns)
    with connection:
        connection.execute(
            "WITH RECURSIVE number(value) AS "
            f"(VALUES (1) UNION ALL SELECT value + 1 FROM number WHERE value < {jobs}) "
            f"INSERT INTO resource ({', '.join(columns)}) SELECT {chosen} FROM resource, number "
            "WHERE kind = 'training-job' AND status = 'Completed'"
        )
    connection.close()

"""CPUs and GPUs for a notebook: `reserve` them in its kernel, and they are kept while cells run.

A reservation is a lease (`CreateLease` of the service `studio`) that this process keeps: as long as
a cell runs, and for an idle time after the last one. Its end is announced, and then it is told, or
the kernel restarted, for memory of a GPU is only given back by the process that took it.
"""

import os
import sys
import threading
import time
from datetime import UTC, datetime
from typing import Any, Literal

AtEnd = Literal["tell", "restart"]

_LOOK_SECONDS = 10.0
_SOON_SECONDS = 60.0
_TURN_SECONDS = 0.5


class Reservation:
    """What this process has until `release`, or until nothing has run for the idle time."""

    def __init__(self, client: Any, name: str, at_end: AtEnd) -> None:
        lease = client.describe_lease(LeaseName=name)
        self.name = name
        self.gpu_ids: tuple[str, ...] = tuple(lease.get("GpuIds", ()))
        self._client = client
        self._at_end = at_end
        self._shell = _shell()
        self._runs = True  # the cell that reserves; a program that is no notebook runs to its end
        self._announced: datetime | None = None
        self._over = threading.Event()
        if self._shell is not None:
            self._shell.events.register("pre_run_cell", self._begins)
            self._shell.events.register("post_run_cell", self._ends)
        self._thread = threading.Thread(target=self._keep, name="reservation", daemon=True)
        self._thread.start()

    def release(self) -> None:
        """Give it back now. Restart the kernel if something of it lies in a GPU's memory."""
        self._leave()
        self._client.release_lease(LeaseName=self.name)

    def _begins(self, _info: object) -> None:
        self._runs = True

    def _ends(self, _result: object) -> None:
        self._runs = False

    def _keep(self) -> None:
        while not self._over.wait(_LOOK_SECONDS):
            try:
                self._look()
            except Exception as error:  # the next look may find who answers
                if _code(error) == "ResourceNotFound" and not self._over.is_set():
                    return self._end()
                _say(f"the lease {self.name} was not looked at: {error}")

    def _look(self) -> None:
        if self._runs:
            self._client.keep_lease(LeaseName=self.name)
            return
        ends: datetime = self._client.describe_lease(LeaseName=self.name)["ExpirationTime"]
        left = (ends - datetime.now(UTC)).total_seconds()
        if left < _SOON_SECONDS and ends != self._announced:
            self._announced = ends
            at = ends.astimezone().strftime("%H:%M:%S")
            _say(f"the lease {self.name} ends at {at}, unless a cell runs before.")

    def _end(self) -> None:
        self._leave()
        _say(f"the lease {self.name} has ended, others may have what it had.")
        if self._at_end == "restart" and self._shell is not None:
            _say("the kernel is restarted, which gives back the memory of its GPUs.")
            time.sleep(1)  # for what was said to be on its way
            os._exit(0)
        _say("restart the kernel to give back the memory that it has of GPUs.")

    def _leave(self) -> None:
        self._over.set()
        os.environ["CUDA_VISIBLE_DEVICES"] = ""
        if self._shell is not None:
            self._shell.events.unregister("pre_run_cell", self._begins)
            self._shell.events.unregister("post_run_cell", self._ends)


def reserve(name: str, *, at_end: AtEnd = "tell", **wanted: Any) -> Reservation:
    """Wait for the turn of a lease, and have it; `wanted` are members of CreateLease.

    Sets CUDA_VISIBLE_DEVICES: call it before a library of CUDA is loaded. At the end of the idle
    time others may have the GPUs: `at_end="tell"` says so, `"restart"` restarts the kernel too.
    """
    import boto3  # slow to import, and needed here only

    client = boto3.client("studio")
    try:
        client.create_lease(LeaseName=name, **wanted)
    except client.exceptions.ClientError as error:
        if _code(error) != "ResourceInUse":  # by the kernel before this one
            raise
    said = ""
    while (lease := client.describe_lease(LeaseName=name))["LeaseStatus"] == "Pending":
        if lease.get("Reason", said) != said:
            said = lease["Reason"]
            _say(said)
        time.sleep(_TURN_SECONDS)
    made = Reservation(client, name, at_end)
    os.environ["CUDA_VISIBLE_DEVICES"] = ",".join(made.gpu_ids)
    return made


def _code(error: Exception) -> str:
    """AWS's name of an error; "" of one that is none of AWS's."""
    response: dict[str, Any] = getattr(error, "response", {})
    return str(response.get("Error", {}).get("Code", ""))


def _shell() -> Any:
    """IPython's shell; None in a program."""
    ipython = sys.modules.get("IPython")
    return ipython.get_ipython() if ipython else None


def _say(text: str) -> None:
    sys.stdout.write(f"Studio: {text}\n")
    sys.stdout.flush()

"""All processes of the shim beside the command of its run: begun and ended in one place."""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from studio.runners.shim import (
    bridge,
    command,
    driver,
    front,
    gpus,
    handover,
    helpers,
    pipes,
    state,
)


class Company:
    """The helpers of one run, whose command is in `folder`."""

    def __init__(self, folder: Path, spec: dict[str, Any], known: state.State) -> None:
        self._folder, self._spec, self._state = folder, spec, known
        self._ml = folder / "ml"
        self._serving: list[helpers.Helper] = []
        self._driver: driver.Driver | None = None
        # Nobody else gets it while the run lives.
        self._front_port: command.Port | None = None

    @property
    def pids(self) -> set[int]:
        return {helper.pid for helper in self._serving if helper.pid}

    @property
    def fed(self) -> bool:
        """Whether all that a server was there for has been done."""
        return self._driver is not None and self._driver.done

    def begin(self) -> None:
        """Those that are there before the command."""
        for stream in self._spec["streams"]:
            self._serving.append(pipes.Feeder(stream, self._ml, self._folder / "feed"))
        for number, handed in enumerate(self._spec["handed"]):
            batches = self._folder / "handed" / str(number)
            keeper = handover.Keeper(handed, self._ml, batches, self._state.hint)
            self._serving.append(keeper)
        if self._spec["resources"]["gpus"]:
            self._serving.append(gpus.Watcher(self._folder, self._spec["resources"]["gpu_ids"]))

    def bridge(self, port: int, inner: int, root: int) -> None:
        """Let a port of the machine lead to a server that has a network for itself."""
        self._serving.append(bridge.Bridge(port, inner, root, self._folder))

    def put_front(self, server: str) -> str:
        """The address of the program that stands before the server at `server`."""
        boxed = self._spec["sandbox"] or self._spec["image"]
        seen = "/opt/ml/models" if boxed else str(self._ml.resolve() / "models")
        self._front_port = command.Port()
        port = self._front_port.number
        self._serving.append(front.Front(self._spec["front"], port, server, self._folder, seen))
        return f"127.0.0.1:{port}"

    def drive(self, address: str, voice: int) -> None:
        """Feed the server at `address`; what there is to say goes to `voice`."""
        self._driver = driver.Driver(self._folder, self._spec, address, voice)
        self._serving.append(self._driver)

    def dismiss_driver(self, reap: Callable[[], object]) -> None:
        """It has the pipe to the log: before anybody waits for the end of that."""
        if self._driver:
            helpers.dismiss([self._driver], reap)

    def dismiss(self, reap: Callable[[], object]) -> None:
        """Until all have ended."""
        helpers.dismiss(self._serving, reap)

    def ended(self, pid: int, status: int) -> Sequence[tuple[str, str]]:
        """To be told of the wait status of any process; why the run has failed with it, if so."""
        gone = [helper for helper in self._serving if helper.pid == pid]
        for helper in gone:
            helper.ended(status)
        return [(helper.reason, helper.detail) for helper in gone if helper.reason]

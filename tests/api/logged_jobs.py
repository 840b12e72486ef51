"""Jobs and endpoints in the table, with a run whose log the test writes."""

import itertools
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

from sqlalchemy import Connection

from studio.db import resources
from studio.db.resources import Doc, Resource, Run
from studio.db.session import Database
from studio.runners.shim import notes
from studio.settings import Settings

_numbers = itertools.count(1)


class Job:
    """A training job with a run, whose log the test writes."""

    def __init__(
        self,
        home: Path,
        name: str,
        kind: str = "training-job",
        role: str = "train/algo-1",
        metrics: Sequence[Doc] = (),
    ):
        number = next(_numbers)
        self.created_at = 1_700_000_000_000 + number * 5_000
        self.name = name
        self.home = home
        self.id = f"{number:032x}"
        resource = Resource(
            account="000000000000",
            region="us-east-1",
            id=self.id,
            kind=kind,
            name=name,
            arn=f"arn:aws:sagemaker:us-east-1:000000000000:{kind}/{name}",
            status="InProgress",
            spec={},
            state={"MetricDefinitions": list(metrics)},
            created_at=self.created_at,
            modified_at=self.created_at,
        )
        self._write(lambda it: resources.insert(it, resource))
        self.begin(role)

    def begin(self, role: str) -> None:
        """A run of that role, which speaks from now on."""
        self.clock = self.created_at
        self.run = f"{self.id}-{role.replace('/', '-')}"
        self.folder = self.home / "runs" / self.run
        self.folder.mkdir(parents=True)
        (self.folder / "log").touch()
        run = Run(self.run, self.id, role, "process", self.created_at, {})
        self._write(lambda it: resources.put_runs(it, [run]))

    def end(self, phase: str, at: int = 0) -> None:
        """The run that speaks ended like that."""

        def ended(connection: Connection) -> None:
            run = resources.get_run(connection, self.run)
            assert run is not None
            resources.put_runs(connection, [replace(run, phase=phase, ended_at=at)])

        self._write(ended)

    @property
    def stream(self) -> str:
        return f"{self.name}/algo-1-{self.created_at // 1000}"

    def say(self, *lines: str) -> None:
        """Write lines that have one time together, as all lines of a tenth of a second have."""
        with (self.folder / "log").open("a") as file:
            file.writelines(f"{line}\n" for line in lines)
        self.clock += 100
        notes.append(self.folder / "log.idx", self.clock, (self.folder / "log").stat().st_size)

    def _write(self, change: Callable[[Connection], object]) -> None:
        db = Database(Settings(home=self.home).database)
        db.write(change)
        db.close()

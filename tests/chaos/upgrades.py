"""Databases of older releases whose upgrade is killed at each call that others could see.

Runs in a process of its own in which calls are counted (crash_points.c): it forks one upgrade
after another.
"""

import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import apsw
from chaos.crash_points import Calls, Points, chosen
from chaos.outcome import Report

from studio.db import migrate, snapshot
from studio.db.session import Database
from studio.errors import StudioError
from studio.s3.store import ObjectStore

_TESTS = Path(__file__).parents[1]
_PROMISE = "the old schema or the new, never between; a copy of the old"
Rows = dict[str, list[tuple[object, ...]]]


def killed(repeats: int, seed: int) -> Report:
    """At `repeats` calls of each upgrade, or at all."""
    name = "F21 killed at each call: upgrades"
    if not shutil.which("gcc"):
        return Report(name, _PROMISE, 0, seed, skipped="needs gcc")
    with tempfile.TemporaryDirectory(prefix="chaos-") as folder:
        points = Points(Path(folder))
        done = subprocess.run(
            [sys.executable, "-m", "chaos.upgrades", folder, str(repeats), str(seed)],
            env={**os.environ, **points.env, "PYTHONPATH": str(_TESTS)},
            stdout=subprocess.PIPE,
            text=True,
            check=True,
        )
    found = json.loads(done.stdout)
    wrong = tuple(found.pop("wrong"))
    deaths = found["deaths"]
    figures = {name: str(value) for name, value in found.items()}
    return Report(name, _PROMISE, deaths, seed, figures, wrong)


@dataclass(frozen=True)
class Old:
    """A database as a release left it, and how this one opens the one in a folder."""

    script: Path
    name: str
    open: Callable[[Path], None]

    def make(self, folder: Path) -> Path:
        folder.mkdir()
        connection = apsw.Connection(str(folder / self.name))
        connection.execute("PRAGMA journal_mode=WAL").fetchall()
        connection.execute(self.script.read_text()).fetchall()
        connection.close()
        return folder


def _open_records(folder: Path) -> None:
    database = Database(f"sqlite:///{folder / 'studio.db'}")
    try:
        migrate.upgrade(database)
    finally:
        database.close()


def _open_index(folder: Path) -> None:
    ObjectStore(folder).close()


def _releases() -> list[Old]:
    records = sorted((_TESTS / "db" / "fixtures").glob("studio_v*.sql"))
    indexes = sorted((_TESTS / "s3" / "fixtures").glob("index_v*.sql"))
    return [
        *(Old(script, "studio.db", _open_records) for script in records),
        *(Old(script, "index.db", _open_index) for script in indexes),
    ]


class Sweep:
    """Of one release's database, in folders below `folder`."""

    def __init__(self, folder: Path, old: Old, counted: Calls) -> None:
        self._folder, self._old, self._counted = folder, old, counted
        self.before = _shape(old.make(folder / "old") / old.name)
        assert self._upgraded(old.make(folder / "unharmed"), 10**9) == 0
        self.calls = self._made
        self.after = _shape(folder / "unharmed" / old.name)
        assert self.before != self.after
        self.rows = _rows(folder / "unharmed" / old.name)
        self.outcomes = {"old": 0, "new": 0}

    def at(self, call: int) -> list[str]:
        """What was wrong after a death at that call."""
        folder = self._old.make(self._folder / str(call))
        try:
            if self._upgraded(folder, call) == 0:
                return [f"{self._old.script.stem}, call {call}: it did not die"]
            wrong = [*self._left(folder), *self._resumed(folder)]
            return [f"{self._old.script.stem}, call {call}: {each}" for each in wrong]
        except (apsw.Error, StudioError) as error:
            return [f"{self._old.script.stem}, call {call}: {error}"]
        finally:
            shutil.rmtree(folder)

    def _upgraded(self, folder: Path, call: int) -> int:
        """How a process ended that upgrades and dies at its `call`-th call."""
        child = os.fork()
        if child == 0:
            try:
                self._counted.arm(call)
                self._old.open(folder)
                os._exit(0)
            finally:
                os._exit(1)
        # Not waitpid: it counts. Nor does anything else here until it is disarmed.
        status = os.wait4(child, 0)[1]
        self._made = self._counted.passed()
        self._counted.arm(0)
        return status

    def _left(self, folder: Path) -> list[str]:
        """By the death."""
        snapshot.check(folder / self._old.name)
        shape = _shape(folder / self._old.name)
        backups = list(folder.glob("*.backup"))
        for backup in backups:
            snapshot.check(backup)
        if any(_shape(backup) != self.before for backup in backups):
            return ["the copy is not the old database"]
        if shape == self.before:
            self.outcomes["old"] += 1
            return []
        self.outcomes["new"] += 1
        if shape != self.after:
            return [f"between the schemas: {shape}"]
        return [] if backups else ["upgraded without a copy"]

    def _resumed(self, folder: Path) -> list[str]:
        """The next start, which nobody kills."""
        self._old.open(folder)
        path = folder / self._old.name
        snapshot.check(path)
        wrong = []
        if _shape(path) != self.after or _rows(path) != self.rows:
            wrong.append("the next start makes something else of it")
        known = {path.name, f"{path.name}-wal", f"{path.name}-shm", "blobs", "tmp"}
        names = {each.name for each in folder.iterdir() if each.suffix != ".backup"}
        if strange := names - known:
            wrong.append(f"left behind: {sorted(strange)}")
        return wrong


def _shape(path: Path) -> list[tuple[object, ...]]:
    """Every table and index as it is defined, and the number or name of the schema."""
    connection = apsw.Connection(str(path))
    try:
        found = connection.execute("SELECT type, name, sql FROM sqlite_schema ORDER BY name")
        shape = [*found, *connection.execute("PRAGMA user_version")]
        if any(name == "alembic_version" for _, name, *_ in shape[:-1]):
            shape += connection.execute("SELECT version_num FROM alembic_version").fetchall()
        return shape
    finally:
        connection.close()


def _rows(path: Path) -> Rows:
    connection = apsw.Connection(str(path))
    try:
        tables = connection.execute("SELECT name FROM sqlite_schema WHERE type = 'table'")
        return {
            name: sorted(connection.execute(f'SELECT * FROM "{name}"').fetchall(), key=repr)
            for (name,) in tables.fetchall()
        }
    finally:
        connection.close()


def main(folder: str, repeats: int, seed: int) -> dict[str, object]:
    """What `killed` tells, found in this process."""
    counted = Calls(Path(os.environ["CRASH_POINTS"]))
    calls = deaths = 0
    outcomes: dict[str, int] = {}
    wrong: list[str] = []
    for number, old in enumerate(_releases()):
        place = Path(folder) / str(number)
        place.mkdir()
        sweep = Sweep(place, old, counted)
        calls += sweep.calls
        for call in chosen(sweep.calls, repeats, seed):
            wrong += sweep.at(call)
            deaths += 1
        for name, count in sweep.outcomes.items():
            outcomes[name] = outcomes.get(name, 0) + count
    return {"calls": calls, "deaths": deaths, **outcomes, "wrong": wrong}


if __name__ == "__main__":
    print(json.dumps(main(sys.argv[1], int(sys.argv[2]), int(sys.argv[3]))))

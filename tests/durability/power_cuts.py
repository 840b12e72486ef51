"""Cuts the power while objects and records are stored; compares what is left with what was told.

`experiment` is the long form, for whoever has the time; the tests do a few cuts of each kind.
"""

import json
import os
import random
import subprocess
import sys
import time
from collections.abc import Iterable
from pathlib import Path

import apsw
from durability import power, power_writer
from sqlalchemy import select

from studio.db import migrate, snapshot
from studio.db.experiment_tables import SUMMARY
from studio.db.session import Database
from studio.db.tables import RESOURCE
from studio.errors import StudioError
from studio.experiments import series
from studio.experiments.series import reading
from studio.s3.errors import S3Error
from studio.s3.store import ObjectStore
from studio.settings import Settings

# The commits of the journal far apart: only what was synced is on the disk.
KINDS = {
    "ext4": ("ext4", "commit=300"),
    "ext4-writeback": ("ext4", "commit=300,data=writeback,noauto_da_alloc"),
    "xfs": ("xfs", ""),
}


def experiment(folder: Path, kind: str, cuts: int, seed: int = 0, how: str = "") -> list[str]:
    """What was lost, torn or invented in so many cuts; empty when all is as was acknowledged."""
    program = [sys.executable, "-m", "durability.power_cuts", folder, kind, cuts, seed, how]
    done = subprocess.run(
        ["unshare", "--mount", *map(str, program)],
        env={**os.environ, "PYTHONPATH": str(Path(__file__).parents[1])},
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode != 0:
        raise RuntimeError(done.stderr)
    found: list[str] = json.loads(done.stdout.splitlines()[-1])
    return found


def _experiment(folder: Path, kind: str, cuts: int, seed: int, how: str) -> list[str]:
    chance = random.Random(seed)
    known: dict[str, set[str]] = {}
    rows: set[str] = set()
    problems: list[str] = []
    with power.disk(folder, *KINDS[kind]) as disk:
        for number in range(1, cuts + 1):
            said = _written_until_cut(disk, folder / "said", number, chance.uniform(0.3, 1.2), how)
            disk.reboot()
            _learn(said, known, rows)
            problems += [
                f"cut {number}: {it}"
                for it in _differences(disk.path / "some" / "home", known, rows)
            ]
            if problems:
                break
    return problems


def _written_until_cut(
    disk: power.Disk, output: Path, seed: int, seconds: float, how: str
) -> list[list[str]]:
    program = Path(power_writer.__file__)
    with output.open("wb") as file:
        writer = subprocess.Popen(
            [sys.executable, program, disk.path / "some" / "home", str(seed), *filter(None, [how])],
            stdout=file,
            stderr=subprocess.DEVNULL,
        )
        while b"done" not in output.read_bytes():
            assert writer.poll() is None
            time.sleep(0.02)
        time.sleep(seconds)
        disk.cut()
        writer.kill()
        writer.wait()
    # A line without an end was not told to the end.
    return [line.split() for line in output.read_text().split("\n")[:-1]]


def _learn(said: Iterable[list[str]], known: dict[str, set[str]], rows: set[str]) -> None:
    """`known`: what each key may hold. One thing, or two where an answer is missing."""
    begun: dict[str, str] = {}
    for what, *rest in said:
        if what == "begin":
            key, begun[key] = rest[0], rest[1]
            known[key] = known.get(key, {"-"}) | {rest[1]}
        elif what == "done":
            known[rest[0]] = {begun[rest[0]]}
        elif what == "row":
            rows.add(rest[0])


def _differences(home: Path, known: dict[str, set[str]], rows: set[str]) -> list[str]:
    try:
        for path in (home / "studio.db", home / "s3" / "index.db"):
            snapshot.check(path)
    except (StudioError, apsw.Error) as error:
        return [str(error)]
    store, db = ObjectStore(home / "s3"), Database(Settings(home).database)
    try:
        migrate.upgrade(db)
        found = [it for key in sorted(known) for it in _difference(store, key, known)]
        with db.read() as connection:
            models = select(RESOURCE.c.name).where(RESOURCE.c.kind == "model")
            names = set(connection.execute(models).scalars())
        steps = _steps(db)
        found += [f"record {name} is lost" for name in rows - names - {*steps}]
        found += ["a point counts twice"] if len(steps) > len(set(steps)) else []
        # A record is made once its object is acknowledged: what it speaks of is there.
        found += [f"record {name} has no object" for name in names if not _has(store, name)]
        files = {it.name for it in (home / "s3" / "blobs").rglob("*") if it.is_file()}
        listed = sum(1 for _ in store.list("bucket", ""))
        if len(files) < listed:
            found.append(f"{listed} objects in {len(files)} files")
        return found
    finally:
        store.close()
        db.close()


def _difference(store: ObjectStore, key: str, known: dict[str, set[str]]) -> list[str]:
    try:
        with store.open("bucket", key)[1] as file:
            data = file.read()
    except S3Error as error:
        if error.code != "NoSuchKey":
            return [f"{key}: {error}"]
        data = None
    except OSError as error:
        return [f"{key}: {error}"]
    allowed = {it: None if it == "-" else power_writer.body(key, int(it)) for it in known[key]}
    matching = {it for it, content in allowed.items() if content == data}
    if not matching:
        said = "nothing" if data is None else f"{len(data)} bytes"
        return [f"{key}: {said} instead of one of {sorted(allowed)}"]
    known[key] = matching
    return []


def _steps(db: Database) -> list[str]:
    """The values of the metric, as the writer calls them."""
    while db.write(series.settle):
        pass
    with db.read() as connection:
        wanted = connection.execute(select(SUMMARY.c.id)).scalars().all()
        found = reading.read(connection, wanted)
    return [f"point-{step}" for points in found.values() for step in points.steps.tolist()]


def _has(store: ObjectStore, key: str) -> bool:
    try:
        store.head("bucket", key)
    except S3Error:
        return False
    return True


if __name__ == "__main__":
    _folder, _kind, _cuts, _seed, _how = sys.argv[1:]
    print(json.dumps(_experiment(Path(_folder), _kind, int(_cuts), int(_seed), _how)))

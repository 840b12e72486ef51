"""The panels in a browser: the table of 10,000 jobs, how soon a change is seen, what they cost."""

import gzip
import json
import os
import random
import statistics
import subprocess
import sys
import tempfile
import time
from functools import partial
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from sqlalchemy import Connection

from benchmarks import compared, running
from benchmarks.harness import Row, at_least, at_most
from benchmarks.jobs import request
from benchmarks.lab import lab
from benchmarks.running import ROOT
from studio.db import migrate, resources
from studio.db.resources import Resource
from studio.db.session import Database
from studio.settings import Settings

_JOBS = 10_000
_COMPONENTS, _FIELDS = 10_000, 20
_BATCH = 500
_STATIC = ROOT / "studio" / "labextension" / "static"
_SCRIPT = Path(__file__).with_name("panels.mjs")
_WHEEL_MB, _CHUNK_KB = 8.0, 300.0


def run() -> list[Row]:
    """Needs Chromium, and the panels as `make setup` builds them."""
    with running.studio(_filled) as it, lab(it) as url:
        it.client("s3").create_bucket(Bucket="bench")
        found = _figures(url)
    whole, bare = statistics.median(found["with"]), statistics.median(found["without"])
    components = f"{_COMPONENTS:,} trial components x {2 * _FIELDS} fields"
    return [
        *_table(f"table of {_JOBS:,} jobs", found["jobs"]),
        *_table(f"table of {components}", found["components"]),
        Row(
            f"table of {components}: scrolling aside",
            found["components"]["aside"],
            "frames/s",
            at_least(50),
        ),
        Row("a new job is seen in the table after", found["created"], "s", at_most(1.0)),
        Row("a job that ends is seen so after", found["completed"], "s", at_most(1.0)),
        Row(
            "added to JupyterLab's time to ready",
            whole - bare,
            "s",
            at_most(0.15),
            "JupyterLab alone",
            bare,
            bare / whole,
        ),
        Row("loaded at the start, gzip", _zipped(found["files"]), "kB", at_most(_CHUNK_KB)),
        Row("wheel", _wheel(), "MB", at_most(_WHEEL_MB)),
    ]


def _table(table: str, found: dict[str, float]) -> list[Row]:
    return [
        Row(f"{table}: first paint", found["paint"], "s", at_most(0.5)),
        Row(f"{table}: scrolling", found["scroll"], "frames/s", at_least(50)),
    ]


def _figures(url: str) -> dict[str, Any]:
    command = ["node", str(_SCRIPT), url]
    done = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True, timeout=600)
    found: dict[str, Any] = json.loads(done.stdout)
    return found


def _filled(home: Path) -> None:
    database = Database(Settings(home).database)
    try:
        migrate.upgrade(database)
        now = time.time_ns() // 1_000_000
        jobs = [_job(number, now) for number in range(_JOBS)]
        for first in range(0, _JOBS, _BATCH):
            database.write(partial(_insert, jobs=jobs[first : first + _BATCH]))
        compared.fill(database, _COMPONENTS, _FIELDS, _FIELDS)
    finally:
        database.close()


def _insert(connection: Connection, jobs: list[Resource]) -> None:
    for job in jobs:
        resources.insert(connection, job)


def _job(number: int, now: int) -> Resource:
    """One that has ended, with what such a job usually holds."""
    chance = random.Random(number)
    name = f"job-{chance.randrange(10**6):06d}-{number}"
    created = now - 60_000 * (_JOBS - number)
    end = created + chance.randrange(10_000, 3_600_000)
    status = chance.choice(("Completed", "Completed", "Completed", "Failed", "Stopped"))
    phases = ("Starting", "Downloading", "Training", "Uploading", status)
    metrics = [
        {"MetricName": f"validation:m{n}", "Value": chance.random(), "Timestamp": end}
        for n in range(6)
    ]
    state = {
        "MetricDefinitions": [],
        "Transitions": [
            {"Status": phase, "StartTime": created, "EndTime": end, "StatusMessage": phase}
            for phase in phases
        ],
        "TrainingStartTime": created + 2_000,
        "TrainingEndTime": end,
        "FinalMetricDataList": metrics,
    }
    settings = Settings(Path("/"))
    arn = f"arn:aws:sagemaker:{settings.region}:{settings.account}:training-job/{name}"
    place = (settings.account, settings.region, "training-job", name, arn, status)
    spec = request(name, "python3", "-c", "pass")
    tags = [{"Key": "team", "Value": chance.choice(("blue", "red"))}]
    return Resource(*place, spec, created, end, state=state, tags=tags)


def _zipped(urls: list[str]) -> float:
    """Kilobytes of the panels' files that a page loads before anything is opened."""
    names = {Path(urlsplit(url).path).name for url in urls}
    files = [_STATIC / name for name in names if (_STATIC / name).exists()]
    return sum(len(gzip.compress(file.read_bytes(), 6)) for file in files) / 1000


def _wheel() -> float:
    """Megabytes of the wheel with the panels as they are built."""
    with tempfile.TemporaryDirectory(prefix="studio-wheel-") as folder:
        command = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", folder]
        env = {**os.environ, "SKIP_JUPYTER_BUILDER": "1"}
        subprocess.run(command, cwd=ROOT, env=env, check=True, stdout=subprocess.DEVNULL)
        (wheel,) = Path(folder).glob("*.whl")
        return wheel.stat().st_size / 1e6

"""The panels in a browser: the table of 10,000 jobs, how soon a change is seen, what they cost."""

import gzip
import json
import os
import random
import socket
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any
from urllib.error import URLError
from urllib.parse import urlsplit

from sqlalchemy import Connection

from benchmarks import running
from benchmarks.clocks import until
from benchmarks.harness import Row, at_least, at_most
from benchmarks.jobs import request
from benchmarks.running import ROOT, Running
from studio.db import migrate, resources
from studio.db.resources import Resource
from studio.db.session import Database
from studio.settings import Settings

_JOBS = 10_000
_BATCH = 500
_STATIC = ROOT / "studio" / "labextension" / "static"
_SCRIPT = Path(__file__).with_name("panels.mjs")
_WHEEL_MB, _CHUNK_KB = 8.0, 300.0


def run() -> list[Row]:
    """Needs Chromium, and the panels as `make setup` builds them."""
    with running.studio(_filled) as it, _lab(it) as url:
        it.client("s3").create_bucket(Bucket="bench")
        found = _figures(url)
    whole, bare = statistics.median(found["with"]), statistics.median(found["without"])
    table = f"table of {_JOBS:,} jobs"
    return [
        Row(f"{table}: first paint", found["paint"], "s", at_most(0.5)),
        Row(f"{table}: scrolling", found["scroll"], "frames/s", at_least(50)),
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


def _figures(url: str) -> dict[str, Any]:
    command = ["node", str(_SCRIPT), url]
    done = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True, timeout=600)
    found: dict[str, Any] = json.loads(done.stdout)
    return found


@contextmanager
def _lab(it: Running) -> Iterator[str]:
    """A JupyterLab of its own on that Studio."""
    with tempfile.TemporaryDirectory(prefix="studio-lab-") as folder:
        port = _free_port()
        url = f"http://127.0.0.1:{port}"
        env = {**os.environ, "STUDIO_HOME": str(it.home), "JUPYTERLAB_SETTINGS_DIR": folder}
        options = ["--no-browser", f"--port={port}", "--ServerApp.port_retries=0", "--allow-root"]
        options += ["--IdentityProvider.token=", "--LabApp.expose_app_in_browser=True"]
        options += [f"--ServerApp.root_dir={folder}", "--LabApp.news_url="]
        lab = Path(sys.executable).with_name("jupyter-lab")
        with Path(folder, "log").open("wb") as log:
            process = subprocess.Popen([lab, *options], env=env, stdout=log, stderr=log)
        try:
            until(lambda: _answers(f"{url}/studio/api/status"), 60, "JupyterLab starts", pause=0.2)
            yield url
        finally:
            process.terminate()
            process.wait()


def _free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return int(listener.getsockname()[1])


def _answers(url: str) -> bool:
    try:
        with urllib.request.urlopen(url, timeout=5) as answer:
            return bool(json.load(answer)["ready"])
    except URLError:
        return False


def _filled(home: Path) -> None:
    database = Database(Settings(home).database)
    try:
        migrate.upgrade(database)
        now = time.time_ns() // 1_000_000
        jobs = [_job(number, now) for number in range(_JOBS)]
        for first in range(0, _JOBS, _BATCH):
            database.write(partial(_insert, jobs=jobs[first : first + _BATCH]))
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

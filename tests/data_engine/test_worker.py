"""The worker's process: requests side by side, each with a life and a death of its own."""

import contextlib
import os
import signal
import time
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from asking import Worker
from waiting import PATIENCE_SECONDS, eventually


@pytest.fixture(scope="module")
def place(tmp_path_factory) -> Path:
    """A root, and beside it what nobody may read."""
    place = tmp_path_factory.mktemp("place")
    root = place / "root"
    (root / "empty").mkdir(parents=True)
    (place / "outside").mkdir()
    (root / "small.csv").write_text("a,b\n1,x\n2,y\n")
    for secret in (place / "secret.csv", place / "outside" / "secret.csv"):
        secret.write_text("key\n1\n")
    (root / "link.csv").symlink_to(place / "secret.csv")
    (root / "folder").symlink_to(place / "outside")
    (root / "inside.csv").symlink_to(root / "small.csv")
    os.mkfifo(root / "pipe")
    values = np.random.default_rng(0).normal(size=(80_000, 30)).round(6)
    pd.DataFrame(values).to_csv(root / "large.csv", index=False)
    return place


@pytest.fixture
def root(place: Path) -> Path:
    return place / "root"


@pytest.fixture(scope="module")
def worker(place: Path):
    with Worker(place / "root", place / "cache") as worker:
        yield worker


@pytest.fixture
def large(root: Path) -> dict[str, str]:
    """Takes a while to look at: it was touched, so that it is read again."""
    os.utime(root / "large.csv")
    return {"path": "large.csv"}


SMALL = {"path": "small.csv"}


def children(worker: Worker) -> list[int]:
    """Of the worker's process; zombies have none of their own."""
    tasks = Path(f"/proc/{worker.process.pid}/task/{worker.process.pid}/children")
    return [int(it) for it in tasks.read_text().split()]


def wait_for_children(worker: Worker, count: int) -> list[int]:
    deadline = time.monotonic() + PATIENCE_SECONDS
    while len(found := children(worker)) != count:
        assert time.monotonic() < deadline, found
        time.sleep(0.002)
    return found


def held_request(worker: Worker, id: str, large: dict[str, str]) -> int:
    """The process of a request, which is stopped; those of earlier ones have gone."""
    wait_for_children(worker, 0)
    worker.send(id=id, verb="profile", args={"source": large})
    [child] = wait_for_children(worker, 1)
    os.kill(child, signal.SIGSTOP)
    return child


def test_requests_run_side_by_side(worker: Worker, large) -> None:
    child = held_request(worker, "slow", large)
    worker.send(id="quick", verb="rows", args={"source": SMALL})
    quick = worker.answer("quick")
    assert quick[-1]["part"]["rows"] == [[1, "x"], [2, "y"]]
    assert not any(it.get("final") for it in worker.others)
    os.kill(child, signal.SIGCONT)
    lines = worker.answer("slow")
    assert lines[-1]["part"]["progress"] == 1
    assert any(it["part"].get("phase") == "sample" for it in lines)


def test_a_cancelled_request_says_no_more_and_stops(worker: Worker, large) -> None:
    child = held_request(worker, "slow", large)
    worker.send(id="slow", cancel=True)
    wait_for_children(worker, 0)
    assert not Path(f"/proc/{child}").exists()
    assert worker.ask("rows", source=SMALL)["total"] == 2
    assert not any(it.get("final") for it in worker.others)
    worker.others.clear()
    assert worker.ask("rows", source=large, limit=1)["total"] == 80_000


def test_what_a_killed_request_left_is_cleared_away(worker: Worker, large, place: Path) -> None:
    child = held_request(worker, "slow", large)
    os.kill(child, signal.SIGCONT)
    while not list((place / "cache").glob("*.part")):
        assert not worker.line().get("final")
    os.kill(child, signal.SIGSTOP)
    worker.send(id="slow", cancel=True)
    assert worker.ask("rows", source=SMALL)["total"] == 2  # the worker has seen that it is gone
    wait_for_children(worker, 0)
    assert not list((place / "cache").glob("*.part"))


def test_a_request_that_dies_takes_nobody_with_it(worker: Worker, large) -> None:
    child = held_request(worker, "dies", large)
    worker.send(id="lives", verb="profile", args={"source": SMALL})
    os.kill(child, signal.SIGSEGV)
    os.kill(child, signal.SIGCONT)
    error = worker.answer("dies")[-1]["error"]
    assert error["code"] == "Failed"
    assert "SIGSEGV" in error["message"]
    assert worker.answer("lives")[-1]["part"]["data"]["rows"] == 2


def test_a_request_that_takes_too_much_memory_is_told_so(root: Path, tmp_path: Path) -> None:
    hog = pa.table({"v": pa.array(np.zeros(40_000_000))})
    pq.write_table(hog, root / "hog.parquet")
    with Worker(root, tmp_path / "cache", None, "--memory", str(250 << 20)) as worker:
        error = worker.ask("profile", source={"path": "hog.parquet"})
        assert error["code"] == "TooLarge"
        assert "0.2 GiB of memory" in error["message"]
        assert worker.ask("rows", source=SMALL)["total"] == 2


def test_it_ends_with_its_input_and_so_do_its_requests(root: Path, tmp_path: Path, large) -> None:
    with Worker(root, tmp_path / "cache") as worker:
        child = held_request(worker, "slow", large)
    assert worker.process.returncode == 0
    assert not Path(f"/proc/{child}").exists()


def test_requests_end_when_the_worker_is_killed(root: Path, tmp_path: Path, large) -> None:
    with Worker(root, tmp_path / "cache") as worker:
        child = held_request(worker, "slow", large)
        worker.process.kill()
        with contextlib.suppress(ProcessLookupError):
            os.kill(child, signal.SIGCONT)  # it was perhaps not yet bound to the worker's life
    eventually(lambda: not Path(f"/proc/{child}").exists())
    with Worker(root, tmp_path / "cache") as worker:
        worker.ask("rows", source=SMALL)
        assert not list((tmp_path / "cache").glob("*.part"))


@pytest.mark.parametrize(
    ("verb", "args", "words"),
    [
        ("dance", {}, "There is no verb dance"),
        ("rows", {}, "args.source must be there"),
        ("rows", {"source": SMALL, "limit": "ten"}, "args.limit must be of type int"),
        ("rows", {"source": SMALL, "limit": True}, "args.limit must be of type int"),
        ("rows", {"source": SMALL, "limit": 10_000}, "at most 1,000 rows"),
        ("rows", {"source": SMALL, "colour": 1}, "args.colour must be left out"),
        ("rows", {"source": SMALL, "columns": ["c"]}, "There is no column c"),
        ("rows", {"source": {}}, "either a uri or a path"),
        ("chart", {"source": SMALL, "spec": {"kind": "pie"}}, "one of scatter, line"),
        ("chart", {"source": SMALL, "spec": {"kind": "scatter"}}, "needs a column x"),
        ("chart", {"source": SMALL, "spec": {"kind": "histogram", "x": "b"}}, "b is text"),
        ("profile", {"source": SMALL, "target": "z"}, "no column z"),
    ],
)
def test_requests_that_make_no_sense_are_told_why(verb, args, words, worker: Worker) -> None:
    error = worker.ask(verb, **args)
    assert error["code"] == "BadRequest"
    assert words in error["message"]


def test_lines_that_are_no_requests_change_nothing(worker: Worker) -> None:
    for junk in (b"\n", b"{}\n", b'["a"]\n', b"\xff\xfe\n", b'{"id": 7}\n', b"[" * 100_000 + b"\n"):
        worker.process.stdin.write(junk)
    assert worker.ask("rows", source=SMALL)["total"] == 2


@pytest.mark.parametrize(
    ("path", "code"),
    [
        ("../secret.csv", "AccessDenied"),
        ("a/../../secret.csv", "AccessDenied"),
        ("link.csv", "AccessDenied"),
        ("folder/secret.csv", "AccessDenied"),
        ("folder", "AccessDenied"),
        ("inside.csv", None),
        ("/small.csv", None),
        ("nothing.csv", "NotFound"),
        ("small.csv\0", "AccessDenied"),
        ("pipe", "UnsupportedFormat"),
        ("empty", "NotFound"),
    ],
)
def test_only_files_below_the_root_are_read(path, code, worker: Worker) -> None:
    answer = worker.ask("rows", source={"path": path})
    assert (None if "rows" in answer else answer["code"]) == code
    assert "key" not in str(answer)


def test_after_the_profile_of_columns_as_they_lie_the_rest_is_made_ready(
    root: Path, tmp_path: Path
) -> None:
    """... and says no more: `ask` would take a line of it for its own."""
    pq.write_table(pa.table({"a": list(range(2_000))}), root / "a.parquet")
    with Worker(root, tmp_path / "cache") as worker:
        source = {"path": "a.parquet"}
        worker.send(id="look", verb="profile", args={"source": source})
        parts = [it["part"] for it in worker.answer("look")]
        columns = [it for part in parts for it in part.get("columns", ())]
        assert columns[-1]["distinct"] == 2_000
        eventually(lambda: list((tmp_path / "cache").glob("*.json")))
        assert worker.ask("rows", source=source, limit=1)["rows"] == [[0]]

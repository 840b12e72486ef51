"""What every runner promises, as tests: subclass RunnerContract and give it a `bench`.

`bench` is a Bench over the runner under test. Commands are POSIX shell and see /opt/ml through
`$ML` (/opt/ml, or SAGEMAKER_BASE_DIR where a runner cannot mount it).
"""

import os
import tarfile
import time
from collections.abc import Callable, Iterator
from itertools import count
from pathlib import Path
from typing import Any

import pytest
from waiting import eventually

from studio.runners.base import Output, Resources, Runner, RunSpec, RunStatus, Server, Transfer

ML = 'ML="${SAGEMAKER_BASE_DIR:-/opt/ml}"; '
_numbers = count(1)


class Bench:
    """A runner with what tests ask of it all the time."""

    def __init__(self, runner: Runner) -> None:
        self.runner = runner
        self.handles: dict[str, dict[str, Any]] = {}

    def start(self, script: str, **fields: Any) -> str:
        """Start `script` as a run; its id."""
        spec = self.spec(script, **fields)
        self.handles[spec.id] = self.runner.start(spec)
        return spec.id

    def spec(self, script: str, **fields: Any) -> RunSpec:
        # Processes are found by the id of their run: nobody else on this machine may have it.
        fields.setdefault("id", f"run-{os.getpid()}-{next(_numbers)}")
        fields.setdefault("stop_seconds", 1.5)
        fields.setdefault("command", ("sh", "-c", ML + script))
        return RunSpec(**fields)

    def poll(self, run: str) -> RunStatus:
        return self.runner.poll(run, self.handles[run])

    def stop(self, run: str) -> None:
        self.runner.stop(run, self.handles[run])

    def until(self, run: str, wanted: Callable[[RunStatus], bool]) -> RunStatus:
        def look() -> RunStatus | None:
            status = self.poll(run)
            return status if wanted(status) else None

        found: RunStatus = eventually(look, lambda: (self.poll(run), self.lines(run)), 0.01)
        return found

    def ended(self, run: str) -> RunStatus:
        return self.until(run, lambda status: status.ended)

    def said(self, run: str, line: str) -> None:
        """Wait until the log of `run` has this line."""
        eventually(lambda: line in self.lines(run), lambda: (self.poll(run), self.lines(run)), 0.01)

    def lines(self, run: str) -> list[str]:
        return [text for _, text in self.runner.logs(run, 0, 100_000).events]

    def result(self, script: str, **fields: Any) -> tuple[RunStatus, list[str]]:
        run = self.start(script, **fields)
        return self.ended(run), self.lines(run)


def lasting(made: Bench) -> Iterator[Bench]:
    """A bench as a fixture: what its runner keeps ends with the test. pytest keeps the bench, to
    the very end if it was the last."""
    yield made
    del made.runner


HOSTILE = ("$(id)", "`id`; exit 3", "'\"\\", "-rf", "two\nlines", " \t ", "\u202e\u00e9\U0001f600")
"""Texts that a shell would run or change."""


def said_back() -> dict[str, Any]:
    """Fields of a run that says HOSTILE, by its variables and by its arguments."""
    code = "import os, sys; print(ascii([os.environ[f'V{n}'] for n in range(7)] + sys.argv[1:]))"
    variables = {f"V{number}": text for number, text in enumerate(HOSTILE)}
    return {"command": ("python3", "-c", code, *HOSTILE), "env": variables}


def contents(archive: str) -> dict[str, bytes]:
    with tarfile.open(archive) as tar:
        return {it.name: tar.extractfile(it).read() for it in tar if it.isreg()}  # type: ignore[union-attr]


class RunnerContract:
    """Inherit from it in a class named Test...; pytest finds these methods there."""

    @pytest.fixture
    def bench(self) -> Bench:
        raise NotImplementedError

    def test_a_run_that_succeeds_and_what_it_leaves(self, bench: Bench, tmp_path: Path):
        (tmp_path / "object").write_text("1,2\n")
        run = bench.start(
            'cat "$ML/input/data/train/a.csv" "$ML/input/config/c.json"; echo "$GREETING"; '
            'echo weights > "$ML/model/w"; mkdir -p "$ML/output/data"; '
            'echo extra > "$ML/output/data/e"; echo problem >&2',
            env={"GREETING": "grüezi mitenand"},
            files={"input/config/c.json": "{}\n"},
            folders=("model",),
            inputs=(Transfer("input/data/train/a.csv", 4, link=str(tmp_path / "object")),),
            outputs=(
                Output("model", "model.tar.gz"),
                Output("output/data", "output.tar.gz", skip_empty=True),
            ),
        )
        status = bench.ended(run)
        assert (status.phase, status.exit_code, status.reason) == ("succeeded", 0, "")
        assert status.message == ""
        assert [stage for stage, _ in status.stages] == ["Downloading", "Training", "Uploading"]
        assert bench.lines(run) == ["1,2", "{}", "grüezi mitenand", "problem"]
        assert [it.archive for it in status.outputs] == ["model.tar.gz", "output.tar.gz"]
        assert contents(status.outputs[0].path) == {"w": b"weights\n"}
        assert contents(status.outputs[1].path) == {"e": b"extra\n"}
        for made in status.outputs:
            assert Path(made.path).stat().st_size == made.size
        times = [at for _, at in status.stages]
        assert times == sorted(times)
        assert times[0] <= status.started_at <= status.ended_at

    def test_a_model_of_nothing_is_an_archive_and_other_outputs_are_left_out(self, bench: Bench):
        status, _ = bench.result(
            "true",
            folders=("model",),
            outputs=(
                Output("model", "model.tar.gz"),
                Output("output/data", "output.tar.gz", skip_empty=True),
            ),
        )
        assert [it.archive for it in status.outputs] == ["model.tar.gz"]
        assert contents(status.outputs[0].path) == {}

    def test_a_failed_run_leaves_its_output_but_no_model(self, bench: Bench):
        status, _ = bench.result(
            'mkdir -p "$ML/output/data"; echo 1 > "$ML/model/w"; echo 2 > "$ML/output/data/e"; '
            "exit 3",
            folders=("model",),
            outputs=(
                Output("model", "model.tar.gz"),
                Output("output/data", "output.tar.gz", skip_empty=True),
            ),
        )
        assert (status.phase, status.exit_code) == ("failed", 3)
        assert [it.archive for it in status.outputs] == ["output.tar.gz"]

    def test_the_exception_of_a_program_is_the_message(self, bench: Bench):
        status, _ = bench.result(
            "python3 -c \"print('begin')\ntry:\n 1/0\nexcept Exception as e:\n"
            " raise ValueError('the label column is missing') from e\""
        )
        assert (status.phase, status.exit_code) == ("failed", 1)
        assert status.message == "ValueError: the label column is missing"

    def test_the_failure_file_comes_before_the_log(self, bench: Bench):
        status, _ = bench.result(
            'mkdir -p "$ML/output"; printf "  the customer said no\\n%02000d" 0 '
            '> "$ML/output/failure"; python3 -c "raise KeyError(1)"; exit 2'
        )
        assert status.exit_code == 2
        assert status.message.startswith("the customer said no\n000")
        assert len(status.message) <= 1024

    def test_a_failure_file_that_is_none(self, bench: Bench, tmp_path: Path):
        (tmp_path / "secret").write_text("secret")
        for made in (f"ln -s {tmp_path}/secret", "mkdir", "mkfifo"):
            status, _ = bench.result(
                f'mkdir -p "$ML/output"; {made} "$ML/output/failure"; echo the end; exit 4'
            )
            assert (status.phase, status.exit_code) == ("failed", 4)
            assert "exit code 4" in status.message
            assert "the end" in status.message

    def test_exit_codes_and_signals(self, bench: Bench):
        for script, code in (("exit 1", 1), ("exit 255", 255), ("kill -SEGV $$", 139)):
            status, _ = bench.result(script)
            assert (status.phase, status.exit_code) == ("failed", code)
        status, _ = bench.result("kill -ABRT $$")
        assert "SIGABRT" in status.message

    def test_a_command_that_is_not_there(self, bench: Bench):
        status, _ = bench.result("", command=("no-such-program", "train"))
        assert status.phase == "failed"
        assert "no-such-program" in status.message

    def test_starting_twice_starts_once(self, bench: Bench, tmp_path: Path):
        spec = bench.spec('echo x >> "$ML/model/count"; sleep 0.3; cat "$ML/model/count"',
                          folders=("model",))  # fmt: skip
        handles = [bench.runner.start(spec) for _ in range(3)]
        bench.handles[spec.id] = handles[-1]
        assert bench.ended(spec.id).phase == "succeeded"
        bench.runner.start(spec)
        time.sleep(0.2)
        assert bench.lines(spec.id) == ["x"]
        for handle in handles:
            assert bench.runner.poll(spec.id, handle).phase == "succeeded"

    def test_a_stopped_run_says_goodbye_and_keeps_its_model(self, bench: Bench):
        run = bench.start(
            "trap 'echo stopped > \"$ML/model/w\"; echo bye; exit 0' TERM; echo ready; "
            "while :; do sleep 0.1; done",
            folders=("model",),
            outputs=(Output("model", "model.tar.gz"),),
            stop_seconds=30.0,
        )
        bench.said(run, "ready")
        bench.stop(run)
        bench.stop(run)
        status = bench.ended(run)
        assert (status.phase, status.reason) == ("stopped", "Stopped")
        assert bench.lines(run)[-1] == "bye"
        assert contents(status.outputs[0].path) == {"w": b"stopped\n"}
        bench.stop(run)
        assert bench.poll(run) == status

    def test_a_stop_at_any_moment_of_the_start_is_heard(self, bench: Bench):
        begun = time.monotonic()
        for number in range(12):
            run = bench.start("sleep 1000", stop_seconds=300.0)
            time.sleep(number * 0.002)
            bench.stop(run)
            assert bench.ended(run).phase == "stopped"
        assert time.monotonic() - begun < 100  # not one of them waited for its SIGKILL

    def test_a_run_that_will_not_stop(self, bench: Bench):
        run = bench.start("trap '' TERM; echo ready; while :; do sleep 0.1; done")
        bench.said(run, "ready")
        bench.stop(run)
        began = time.monotonic()
        status = bench.ended(run)
        assert (status.phase, status.exit_code) == ("stopped", 137)
        assert time.monotonic() - began >= 1.0

    def test_the_longest_run_time(self, bench: Bench):
        # A shell that waited would say how that ended.
        run = bench.start("echo ready; exec sleep 1000", timeout_seconds=2.0)
        status = bench.ended(run)
        assert (status.phase, status.reason) == ("stopped", "MaxRuntimeExceeded")
        assert bench.lines(run) == ["ready"]

    def test_memory_of_a_child_counts_and_is_named(self, bench: Bench):
        hog = "import time; x = bytearray(400 * 2**20); x[::4096] = x[::4096]; time.sleep(60)"
        status, _ = bench.result(
            f'python3 -c "{hog}" || exit 7; echo survived', resources=Resources(1, 200)
        )
        assert (status.phase, status.reason) == ("failed", "OutOfMemory")
        assert "200 MB" in status.message
        assert status.peak_memory_mb >= 200

    def test_memory_errors_are_named(self, bench: Bench):
        status, _ = bench.result('python3 -c "x = bytearray(2**60)"')
        assert (status.phase, status.reason) == ("failed", "OutOfMemory")

    def test_removing_keeps_the_log(self, bench: Bench):
        run = bench.start(
            'echo kept; mkdir -p "$ML/model/a"; chmod 0 "$ML/model/a"', folders=("model",),
            outputs=(Output("model", "model.tar.gz"),),
        )  # fmt: skip
        status = bench.ended(run)
        for _ in range(2):
            bench.runner.remove(run, bench.handles[run])
        assert bench.lines(run) == ["kept"]
        assert not Path(status.outputs[0].path).exists()

    def test_a_missing_input_is_named(self, bench: Bench, tmp_path: Path):
        missing = Transfer("input/data/train/a.csv", 4, link=str(tmp_path / "gone"))
        status, _ = bench.result("echo ran", inputs=(missing,))
        assert (status.phase, status.reason) == ("failed", "DownloadFailed")
        assert "a.csv" in status.message
        assert status.outputs == ()

    def test_a_hostile_model_is_refused_before_anything_runs(self, bench: Bench, tmp_path: Path):
        with tarfile.open(tmp_path / "model.tar.gz", "w:gz") as tar:
            tar.addfile(tarfile.TarInfo("../escaped"))
        size = (tmp_path / "model.tar.gz").stat().st_size
        model = Transfer("model", size, link=str(tmp_path / "model.tar.gz"))
        status, lines = bench.result("echo ran", archives=(model,))
        assert (status.phase, status.reason) == ("failed", "UnsafeArchive")
        assert "unsafe archive member" in status.message
        assert lines == []

    def test_a_server_that_is_healthy(self, bench: Bench, tmp_path: Path):
        (tmp_path / "weights").write_text("w")
        with tarfile.open(tmp_path / "model.tar.gz", "w:gz") as tar:
            tar.add(tmp_path / "weights", "weights")
        size = (tmp_path / "model.tar.gz").stat().st_size
        run = bench.start(
            f'cat "$ML/model/weights"; {serving("sleep 0.3")}',
            folders=("model",),
            archives=(Transfer("model", size, link=str(tmp_path / "model.tar.gz")),),
            server=Server(30.0),
        )
        status = bench.until(run, lambda it: it.ready or it.ended)
        assert status.ready
        assert [stage for stage, _ in status.stages] == ["Downloading", "Starting", "Serving"]
        host, _, port = status.address.rpartition(":")
        assert host
        assert 0 < int(port) < 65536
        bench.stop(run)
        assert bench.ended(run).phase == "stopped"
        assert bench.lines(run)[0].startswith("w")

    def test_a_server_that_is_never_healthy(self, bench: Bench):
        for script in (serving("true", status=500), "sleep 1000"):
            run = bench.start(script, server=Server(0.6))
            status = bench.ended(run)
            assert (status.phase, status.reason) == ("failed", "HealthCheckFailed")
            assert not status.ready

    def test_a_server_that_dies_at_its_start(self, bench: Bench):
        status, _ = bench.result('python3 -c "raise OSError(7)"; exit 5', server=Server(30.0))
        assert (status.phase, status.exit_code) == ("failed", 5)
        assert status.message == "OSError: 7"


def serving(first: str, status: int = 200) -> str:
    """A shell command that serves `GET /ping` after `first` has run."""
    return f"""{first}; exec python3 -c "
import http.server, os
class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response({status}); self.send_header('Content-Length', '0'); self.end_headers()
    def log_message(self, *_): pass
port = int(os.environ['SAGEMAKER_BIND_TO_PORT'])
http.server.HTTPServer(('0.0.0.0', port), Handler).serve_forever()
" """

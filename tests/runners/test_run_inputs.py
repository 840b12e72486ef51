"""Inputs reach /opt/ml whole, and no job can change what is stored."""

import hashlib
import http.server
import os
import shutil
import subprocess
import tarfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from runner_contract import HOSTILE, Bench, said_back
from waiting import eventually

from studio.runners.base import Output, Server, Transfer
from studio.runners.process import ProcessRunner
from studio.runners.shim import inputs
from studio.settings import Settings


def stored(tmp_path: Path, size: int, name: str = "object") -> Path:
    """A stored object: sparse, so that large ones cost nothing."""
    path = tmp_path / name
    with path.open("wb") as file:
        file.write(b"begin")
        file.truncate(size)
    path.chmod(0o400)
    return path


def test_a34_texts_arrive_to_the_byte(bench: Bench):
    _, lines = bench.result("", **said_back())
    assert lines == [ascii([*HOSTILE, *HOSTILE])]


def test_large_channels_are_links_that_nobody_can_write(bench: Bench, tmp_path: Path):
    size = inputs.COPY_BYTES + 1
    large = stored(tmp_path, size)
    small = stored(tmp_path, 100, "small")
    boxed = bench.runner._settings.sandbox != "never"  # type: ignore[attr-defined]
    _, lines = bench.result(
        'exec 2>/dev/null; cd "$ML/input/data"; stat -c %s train/a/b train/c test/d; '
        "for it in train/a/b train/c test/d; do "
        "chmod u+w $it 2>/dev/null; echo evil >> $it && echo wrote $it; done 2>/dev/null; "
        "ln train/c ../../stolen 2>/dev/null && echo linked; "
        "rm -f train/c && echo removed; mv train elsewhere 2>/dev/null && echo moved; "
        "touch test/new && echo made; mkdir ../x; mv ../data ../x/ && "
        "echo evil 2>/dev/null >> ../x/data/train/a/b && echo wrote",
        inputs=(
            Transfer("input/data/train/a/b", size, link=str(large)),
            Transfer("input/data/train/c", 100, link=str(small)),
            Transfer("input/data/test/d", 100, link=str(small)),
        ),
    )
    assert lines[:3] == [str(size), "100", "100"]
    if boxed:
        assert lines[3:] == ["wrote test/d", "made"]
    assert large.stat().st_size == size
    assert large.stat().st_mode & 0o777 == 0o400
    assert small.stat().st_size == 100
    assert small.read_bytes().startswith(b"begin")


def test_linked_folders_are_a_view_without_a_copy_of_any_size(bench: Bench, tmp_path: Path):
    one, two = stored(tmp_path, 5, "one"), stored(tmp_path, 100, "two")
    boxed = bench.runner._settings.sandbox != "never"  # type: ignore[attr-defined]
    run = bench.start(
        'cd "$ML/input/data"; cat fast/deep/one; echo; stat -c %i fast/two other/two; '
        "exec 2>/dev/null; chmod u+w fast/two; echo evil >> fast/two && echo wrote; "
        "touch fast/new && echo made; ls empty; touch empty/x && echo made; true",
        folders=("input/data/fast", "input/data/empty"),
        inputs=(
            Transfer("input/data/fast/deep/one", 5, link=str(one)),
            Transfer("input/data/fast/two", 100, link=str(two)),
            Transfer("input/data/other/two", 100, link=str(two)),
        ),
        linked=("input/data/fast", "input/data/empty"),
    )
    assert bench.ended(run).phase == "succeeded"
    content, linked, copied, *rest = bench.lines(run)
    assert content == "begin"
    assert (linked == str(two.stat().st_ino)) is boxed
    assert copied != str(two.stat().st_ino)
    assert rest == ([] if boxed else ["wrote", "made", "made"])
    assert two.stat().st_size == 100
    bench.runner.remove(run, bench.handles[run])
    assert two.stat().st_nlink == 1


def test_a_path_twice_never_writes_through_a_link(bench: Bench, tmp_path: Path):
    one, two = stored(tmp_path, 5, "one"), stored(tmp_path, 100, "two")
    twice = tuple(Transfer("input/data/fast/k", 5, link=str(it)) for it in (one, two))
    status, _ = bench.result("true", inputs=twice, linked=("input/data/fast",))
    assert (status.phase, status.reason) == ("failed", "DownloadFailed")
    assert (one.stat().st_size, two.stat().st_size) == (5, 100)


def test_a_removed_run_leaves_stored_objects_as_they_are(bench: Bench, tmp_path: Path):
    size = inputs.COPY_BYTES + 1
    large = stored(tmp_path, size)
    run = bench.start("true", inputs=(Transfer("input/data/train/a", size, link=str(large)),))
    bench.ended(run)
    bench.runner.remove(run, bench.handles[run])
    assert (large.stat().st_size, large.stat().st_nlink) == (size, 1)
    assert large.stat().st_mode & 0o777 == 0o400


def test_links_that_cannot_be_are_copies(home: Path, tmp_path: Path):
    shm = Path("/dev/shm")
    if not shm.is_dir() or shm.stat().st_dev == tmp_path.stat().st_dev:
        pytest.skip("SKIPPED LOUDLY: no second file system")
    far = stored(shm, inputs.COPY_BYTES + 1, f"studio-test-{os.getpid()}")
    try:
        bench = Bench(ProcessRunner(Settings(home=home)))
        _, lines = bench.result(
            'stat -c %s "$ML/input/data/train/a"',
            inputs=(Transfer("input/data/train/a", inputs.COPY_BYTES + 1, link=str(far)),),
        )
        assert lines == [str(inputs.COPY_BYTES + 1)]
    finally:
        far.unlink()


class Objects(http.server.ThreadingHTTPServer):
    """Serves /<name> with ranges; /broken breaks in the middle of every answer but the last."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.data = os.urandom(3 * 2**20)
        self.asked: list[tuple[str, str]] = []
        self.hold = threading.Event()

    def transfer(self, name: str, path: str) -> Transfer:
        url = f"http://127.0.0.1:{self.server_port}/{name}?X-Amz-Signature=canary"
        return Transfer(path, len(self.data), url=url)


class _Handler(http.server.BaseHTTPRequestHandler):
    server: Objects

    def do_GET(self) -> None:
        name = self.path.partition("?")[0]
        wanted = self.headers.get("Range", "")
        self.server.asked.append((name, wanted))
        if name == "/missing":
            self.send_error(404)
            return
        data = self.server.data
        start = int(wanted.removeprefix("bytes=").rstrip("-") or 0) if name != "/whole" else 0
        self.send_response(206 if start else 200)
        self.send_header("Content-Length", str(len(data) - start))
        self.send_header("ETag", '"one"')
        self.end_headers()
        if name == "/hanging":
            self.wfile.write(data[:1000])
            self.wfile.flush()
            self.server.hold.wait(60)
        elif name in ("/broken", "/whole") and len(self.server.asked) < 3:
            self.wfile.write(data[start : start + 2**20])
            self.connection.close()
        else:
            self.wfile.write(data[start:])

    def log_message(self, *_: object) -> None:
        pass


@contextmanager
def serving() -> Iterator[Objects]:
    with Objects() as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield server
        server.hold.set()
        server.shutdown()


@pytest.mark.parametrize("name", ["good", "broken", "whole"])
def test_objects_come_over_http_and_go_on_after_a_break(home: Path, name: str):
    bench = Bench(ProcessRunner(Settings(home=home)))
    with serving() as server:
        status, lines = bench.result(
            'sha256sum < "$ML/input/data/train/a"; echo more >> "$ML/input/data/train/a"',
            inputs=(server.transfer(name, "input/data/train/a"),),
        )
        assert status.phase == "succeeded", status
        assert lines == [f"{hashlib.sha256(server.data).hexdigest()}  -"]
        if name == "broken":
            assert [wanted for _, wanted in server.asked][:2] == ["", f"bytes={2**20}-"]


def test_a_model_has_its_time_to_come(home: Path):
    bench = Bench(ProcessRunner(Settings(home=home)))
    with serving() as server:
        status, _ = bench.result(
            "echo ran",
            inputs=(server.transfer("hanging", "input/data/train/a"),),
            server=Server(download_seconds=0.2),
        )
        server.hold.set()
        assert (status.phase, status.reason) == ("failed", "DownloadFailed")
        assert "within 0.2 s: ModelDataDownloadTimeoutInSeconds" in status.message


def test_an_object_that_is_not_there_is_named_without_its_signature(home: Path):
    bench = Bench(ProcessRunner(Settings(home=home)))
    with serving() as server:
        status, _ = bench.result(
            "echo ran", inputs=(server.transfer("missing", "input/data/train/a"),)
        )
        assert (status.phase, status.reason) == ("failed", "DownloadFailed")
        assert status.message == "a: HTTP 404"
        assert len(server.asked) == 1
    for path in home.rglob("*"):
        if path.is_file() and path.name != "spec.json":
            assert b"canary" not in path.read_bytes(), path


def test_a_run_is_stopped_while_it_downloads(home: Path):
    bench = Bench(ProcessRunner(Settings(home=home)))
    with serving() as server:
        run = bench.start("echo ran", inputs=(server.transfer("hanging", "input/data/train/a"),))
        eventually(lambda: server.asked)
        stopped = time.monotonic()
        bench.stop(run)
        status = bench.ended(run)
        assert time.monotonic() < stopped + 20  # the server itself is silent for longer
    assert (status.phase, status.reason, status.exit_code) == ("stopped", "Stopped", None)
    assert [stage for stage, _ in status.stages] == ["Downloading"]
    assert bench.lines(run) == []


def test_a_model_that_comes_over_http(home: Path, tmp_path: Path):
    bench = Bench(ProcessRunner(Settings(home=home)))
    (tmp_path / "w").write_text("weights")
    with tarfile.open(tmp_path / "model.tar.gz", "w:gz") as tar:
        tar.add(tmp_path / "w", "w")
    with serving() as server:
        server.data = (tmp_path / "model.tar.gz").read_bytes()
        run = bench.start('cat "$ML/model/w"', archives=(server.transfer("good", "model"),))
        assert bench.ended(run).phase == "succeeded"
    assert bench.lines(run) == ["weights"]
    assert not (home / "runs" / run / "scratch").exists()


@contextmanager
def small_disk(folder: Path, megabytes: int) -> Iterator[Path]:
    if os.geteuid() or shutil.which("mount") is None:
        pytest.skip("SKIPPED LOUDLY: only root can mount a small file system")
    folder.mkdir()
    mounted = ["mount", "-t", "tmpfs", "-o", f"size={megabytes}m", "studio-test", folder]
    if subprocess.run(mounted, check=False).returncode:
        pytest.skip("SKIPPED LOUDLY: mounting is not allowed here")
    try:
        yield folder
    finally:
        subprocess.run(["umount", "-l", folder], check=True)


@pytest.mark.root
def test_a_full_disk_is_named_and_the_end_is_recorded(tmp_path: Path):
    with small_disk(tmp_path / "home", 24) as home:
        bench = Bench(ProcessRunner(Settings(home=home)))
        fill = 'dd if=/dev/zero of="$ML/model/x" bs=64k 2>/dev/null; '
        status, lines = bench.result(
            f"echo filling; {fill} python3 -c \"open('$ML/model/y', 'wb').write(bytes(10**6))\"",
            folders=("model",),
        )
        assert (status.phase, status.reason) == ("failed", "NoSpace"), status
        assert "No space left on device" in status.message
        assert lines[0] == "filling"
        status, _ = bench.result("echo after")
        assert status.phase == "succeeded"


@pytest.mark.root
def test_inputs_and_outputs_that_the_disk_cannot_hold(tmp_path: Path):
    large = stored(tmp_path, 40 * 2**20)
    with small_disk(tmp_path / "home", 24) as home:
        bench = Bench(ProcessRunner(Settings(home=home)))
        status, lines = bench.result(
            "echo ran", inputs=(Transfer("input/data/train/a", 40 * 2**20, link=str(large)),)
        )
        assert (status.phase, status.reason) == ("failed", "NoSpace")
        assert lines == []
        status, _ = bench.result(
            'dd if=/dev/urandom of="$ML/model/x" bs=1M count=15 2>/dev/null',
            folders=("model",),
            outputs=(Output("model", "model.tar.gz"),),
        )
        assert (status.phase, status.reason) == ("failed", "NoSpace")
        assert status.outputs == ()

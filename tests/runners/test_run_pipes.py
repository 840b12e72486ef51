"""Pipe channels: what a command reads from its FIFOs, and what becomes of those who feed them."""

import contextlib
import gzip
import os
import signal
import struct
import time
from pathlib import Path

import pytest
from left_over import assert_gone
from runner_contract import Bench
from test_run_crashes import shim_of
from test_run_inputs import serving

from studio.runners.base import Part, RunStatus, Stream
from studio.runners.process import ProcessRunner
from studio.runners.shim import pipes
from studio.settings import Settings

READ = 'cd "$ML/input/data"; '


def stored(folder: Path, *contents: bytes) -> tuple[tuple[Part, ...], ...]:
    """A record for each object."""
    return tuple((part(folder / f"object-{n}", each),) for n, each in enumerate(contents))


def part(path: Path, content: bytes) -> Part:
    path.write_bytes(content)
    return Part(size=len(content), link=str(path), name=f"s3://b/{path.name}")


def stream(records: tuple[tuple[Part, ...], ...], name: str = "train", **fields) -> Stream:
    return Stream(f"input/data/{name}", records, **fields)


def records(data: bytes) -> list[bytes]:
    """The payloads of RecordIO frames, by their written description."""
    found = []
    while data:
        magic, length = struct.unpack_from("<II", data)
        assert magic == 0xCED7230A
        found.append(data[8 : 8 + length])
        padded = 8 + length + -length % 4
        assert data[8 + length : padded] == bytes(padded - 8 - length)
        data = data[padded:]
    return found


def output(bench: Bench, home: Path, script: str, **fields) -> tuple[RunStatus, bytes]:
    """What the script wrote to $ML/seen."""
    run = bench.start(READ + script, **fields)
    status = bench.ended(run)
    seen = home / "runs" / run / "ml" / "seen"
    return status, seen.read_bytes() if seen.exists() else b""


def test_objects_follow_each_other_epoch_after_epoch(bench: Bench, home: Path, tmp_path: Path):
    large = os.urandom(3 * 2**20 + 17)
    status, seen = output(
        bench,
        home,
        "ls >&2; cat train_0 > ../../seen; cat test_0 train_1 >> ../../seen; ls >&2",
        streams=(
            stream(stored(tmp_path, b"one,", large, b"", b"two")),
            stream(((Part(text="text"),),), "test"),
        ),
    )
    assert status.phase == "succeeded", status
    assert seen == b"one," + large + b"two" + b"text" + b"one," + large + b"two"


def test_no_data_is_laid_out_and_old_epochs_are_gone(bench: Bench, tmp_path: Path):
    _, lines = bench.result(
        READ + "ls; cat train_0; echo; cat train_1 > /dev/null; ls; stat -c %F train_2",
        streams=(stream(stored(tmp_path, b"data")),),
    )
    assert lines == ["train_0", "data", "train_2", "fifo"]


def test_a_reader_may_close_early(bench: Bench, home: Path, tmp_path: Path):
    size = 5 * 2**20
    status, seen = output(
        bench,
        home,
        "for n in 0 1 2; do head -c 10 train_$n >> ../../seen; done; cat train_3 | wc -c",
        streams=(stream(stored(tmp_path, b"0123456789" + bytes(size))),),
    )
    assert status.phase == "succeeded"
    assert seen == b"0123456789" * 3


@pytest.mark.parametrize("script", ["true", "exit 3", "head -c 1 train_0", "sleep 0.2; true"])
def test_nothing_hangs_where_nobody_reads_to_the_end(bench: Bench, home: Path, tmp_path, script):
    streams = tuple(stream(stored(tmp_path, bytes(2**21)), f"c{n}") for n in range(3))
    started = time.monotonic()
    run = bench.start(READ + script, streams=(*streams, stream((), "train")))
    assert bench.ended(run).exit_code == (3 if script == "exit 3" else 0)
    assert time.monotonic() < started + 100
    assert_gone(home)


def test_a_run_is_stopped_while_it_waits_for_a_channel(bench: Bench, home: Path, tmp_path: Path):
    streams = (stream(stored(tmp_path, b"x")), stream((), "unread"))
    # A reader that waits for data which its own other end keeps back.
    run = bench.start(READ + "exec 9<>unread_0; echo ready; cat <&9", streams=streams)
    bench.said(run, "ready")
    bench.stop(run)
    assert bench.ended(run).phase == "stopped"
    assert_gone(home)


def test_feeding_goes_on_while_a_stopped_command_ends_in_peace(bench: Bench, tmp_path: Path):
    run = bench.start(
        READ + "exec 9<train_0; trap 'wc -c <&9; exit 0' TERM; echo ready; "
        "while :; do sleep 0.05; done",
        streams=(stream(stored(tmp_path, bytes(2**22))),),
        stop_seconds=60.0,
    )
    bench.said(run, "ready")
    bench.stop(run)
    assert bench.ended(run).phase == "stopped"
    assert bench.lines(run)[-1] == str(2**22)  # sh also says that its sleep was terminated


def test_records_are_wrapped(bench: Bench, home: Path, tmp_path: Path):
    contents = [b"", b"a", b"four", os.urandom(2**20 + 3)]
    whole = (*stored(tmp_path, *contents), (part(tmp_path / "ref", b"image"), Part(text="ü")))
    status, seen = output(
        bench, home, "cat train_0 > ../../seen", streams=(stream(whole, wrap=True),)
    )
    assert status.phase == "succeeded", status
    assert records(seen) == [*contents, b"image", "ü".encode()]


@pytest.mark.parametrize("wrap", [False, True])
def test_gzip_is_unpacked_members_and_all(bench: Bench, home: Path, tmp_path: Path, wrap: bool):
    large = os.urandom(2**20) * 3
    packed = [gzip.compress(b"one") + gzip.compress(b"two"), gzip.compress(large)]
    status, seen = output(
        bench,
        home,
        "cat train_0 > ../../seen",
        streams=(stream(stored(tmp_path, *packed), gzip=True, wrap=wrap),),
    )
    assert status.phase == "succeeded", status
    assert (records(seen) if wrap else [seen[:6], seen[6:]]) == [b"onetwo", large]


@pytest.mark.parametrize(
    "content", [b"plain text", gzip.compress(bytes(5000))[:-9]], ids=["plain", "cut"]
)
def test_what_is_no_gzip_file_fails_the_run(bench: Bench, tmp_path: Path, content: bytes):
    run = bench.start(
        READ + "cat train_0 > /dev/null; echo end",
        streams=(stream(stored(tmp_path, content), gzip=True),),
    )
    status = bench.ended(run)
    assert (status.phase, status.reason) == ("failed", "DownloadFailed"), status
    assert status.message == "s3://b/object-0: it is not compressed by gzip"
    assert status.outputs == ()


def test_a_short_object_is_no_end_of_the_data(bench: Bench, tmp_path: Path):
    short = Part(size=10, link=stored(tmp_path, b"short")[0][0].link, name="s3://b/k")
    run = bench.start(READ + "cat train_0; sleep 1000", streams=(stream(((short,),)),))
    status = bench.ended(run)
    assert (status.phase, status.reason) == ("failed", "DownloadFailed")
    assert status.message == "s3://b/k: 5 of 10 bytes could be read"


def test_objects_that_are_replaced_meanwhile_are_read_as_they_were(bench: Bench, tmp_path: Path):
    source = stored(tmp_path, b"before\n")
    script = READ + "echo ready; while [ ! -e ../../go ]; do sleep 0.02; done; cat train_0 train_1"
    run = bench.start(script, streams=(stream(source),))
    bench.said(run, "ready")
    Path(source[0][0].link).unlink()
    folder = bench.runner._folder(run)  # type: ignore[attr-defined]
    (folder / "ml" / "go").touch()
    assert bench.ended(run).phase == "succeeded"
    assert bench.lines(run) == ["ready", "before", "before"]
    bench.runner.remove(run, bench.handles[run])
    assert not (folder / "feed").exists()


def test_an_object_that_is_gone_before_the_start_is_named(bench: Bench, tmp_path: Path):
    gone = Part(size=1, link=str(tmp_path / "gone"), name="s3://b/gone")
    status, lines = bench.result("echo ran", streams=(stream(((gone,),)),))
    assert (status.reason, lines) == ("DownloadFailed", [])
    assert status.message == "s3://b/gone: the object was deleted meanwhile"


def test_shuffled_anew_for_each_epoch_and_the_same_again(bench: Bench, tmp_path: Path):
    source = stored(tmp_path, *(f"{n:02} ".encode() for n in range(30)))
    fields = {"seed": 7}
    _, lines = bench.result(
        READ + "for n in 0 1 2; do cat train_$n; echo; done; cat again_0; echo; cat other_0",
        streams=(
            stream(source, **fields),
            stream(source, "again", **fields),
            stream(source, "other", seed=8),
        ),
    )
    assert len({*lines}) == 4
    assert lines[0] == lines[3]
    assert {tuple(sorted(line.split())) for line in lines} == {tuple(f"{n:02}" for n in range(30))}


def test_shuffled_records_wander_between_hosts_and_stay_whole():
    document = {"seed": 3, "hosts": 2, "records": [[n, -n] for n in range(20)]}
    epochs = [
        [pipes.ordered({**document, "host": host}, epoch) for host in (0, 1)] for epoch in (0, 1)
    ]
    assert epochs[0][0] != epochs[1][0]
    for hosts in epochs:
        assert [len(each) for each in hosts] == [10, 10]
        assert sorted(hosts[0] + hosts[1]) == document["records"]
    plain = pipes.ordered({**document, "seed": None, "host": 1}, 5)
    assert plain == document["records"][1::2]


@pytest.mark.parametrize("name", ["good", "broken"])
def test_objects_come_over_http(home: Path, tmp_path: Path, name: str):
    bench = Bench(ProcessRunner(Settings(home=home)))
    with serving() as server:
        url = server.transfer(name, "").url
        size = len(server.data)
        small = tuple((Part(size=size, url=url, name="s3://b/k"),) for _ in range(2))
        status, seen = output(
            bench, home, "cat train_0 > ../../seen", streams=(stream(small, wrap=True),)
        )
        assert status.phase == "succeeded", status
        assert records(seen) == [server.data] * 2


def test_many_small_objects_over_http_keep_their_order(home: Path):
    bench = Bench(ProcessRunner(Settings(home=home)))
    with serving() as server:
        server.data = b"12345"
        url = server.transfer("good", "").url
        whole = tuple((Part(size=5, url=url, name="k"), Part(text=f"<{n}>")) for n in range(40))
        status, seen = output(bench, home, "cat train_0 > ../../seen", streams=(stream(whole),))
    assert status.phase == "succeeded", status
    assert seen == b"".join(b"12345<%d>" % n for n in range(40))


def test_a_missing_object_is_named_without_its_signature(home: Path):
    bench = Bench(ProcessRunner(Settings(home=home)))
    with serving() as server:
        missing = Part(size=5, url=server.transfer("missing", "").url, name="s3://b/k")
        run = bench.start(READ + "cat train_0", streams=(stream(((missing,),)),))
        status = bench.ended(run)
    assert (status.phase, status.message) == ("failed", "s3://b/k: HTTP 404")
    for path in home.rglob("*"):
        if path.is_file() and path.name != "spec.json":
            assert b"canary" not in path.read_bytes(), path


def feeders(home: Path, run: str) -> list[int]:
    pid = shim_of(home, run)
    children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    folder = home / "runs" / run / "ml"
    found = []
    for child in children:
        with contextlib.suppress(FileNotFoundError):  # it has ended
            if Path(f"/proc/{child}/cwd").readlink() == folder:
                found.append(int(child))
    return found[:1]


def test_a_feeder_that_is_killed_fails_the_run(home: Path, tmp_path: Path):
    bench = Bench(ProcessRunner(Settings(home=home)))
    run = bench.start(
        READ + "exec 9<train_0; head -c 1 <&9; echo ready; "
        "until [ -e ../../go ]; do sleep 0.05; done; cat <&9 | wc -c; sleep 1000",
        streams=(stream(stored(tmp_path, b"\n" * 2**23)),),
    )
    bench.said(run, "ready")
    (feeder,) = feeders(home, run)
    os.kill(feeder, signal.SIGKILL)
    (home / "runs" / run / "ml" / "go").touch()
    status = bench.ended(run)
    assert (status.phase, status.reason) == ("failed", "RunnerLost"), status
    assert_gone(home)


def test_a_killed_shim_takes_its_feeders_with_it(bench: Bench, home: Path, tmp_path: Path):
    streams = (stream(stored(tmp_path, bytes(2**22))), stream((), "unread"))
    run = bench.start(READ + "exec 9<train_0; echo ready; sleep 1000", streams=streams)
    bench.said(run, "ready")
    os.kill(shim_of(home, run), signal.SIGKILL)
    assert bench.ended(run).reason == "RunnerLost"
    assert_gone(home)


def test_a_command_cannot_lead_a_feeder_elsewhere(bench: Bench, tmp_path: Path):
    """A link where a FIFO belongs would let the command write with the feeder's rights."""
    victim = tmp_path / "victim"
    victim.write_text("precious")
    script = (
        "exec 9<train_0; until [ -e train_1 ]; do sleep 0.02; done; rm train_1; "
        f"ln -s {victim} train_1; cat <&9 | wc -c; sleep 0.5"
    )
    run = bench.start(READ + script, streams=(stream(stored(tmp_path, bytes(2**22))),))
    assert bench.ended(run).phase == "succeeded"
    assert bench.lines(run) == [str(2**22)]
    run = bench.start(
        READ + f"ln -s {victim} train_1; cat train_0; sleep 1000",
        streams=(stream(stored(tmp_path, b"evil")),),
    )
    assert bench.ended(run).reason == "DownloadFailed"
    assert victim.read_text() == "precious"

"""Whoever reads the log of a run, however, and whenever: the same lines with the same times."""

import random
import socket
import time
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from log_writer import Writer
from runner_contract import Bench

from studio import hint
from studio.runners import logs
from studio.runners.process import ProcessRunner
from studio.runners.shim import notes
from studio.settings import Settings


@pytest.fixture
def writer(tmp_path: Path) -> Writer:
    return Writer(tmp_path / "run")


def everything(folder: Path, limit: int = 1_000, start: int = 0) -> list[tuple[int, str]]:
    """All events, read page by page."""
    events: list[tuple[int, str]] = []
    while True:
        page = logs.read(folder, start, limit)
        assert page.start == start
        if not page.events:
            assert page.end == start
            return events
        assert page.end > start
        events += page.events
        start = page.end


def backwards(folder: Path, limit: int) -> list[tuple[int, str]]:
    pages, end = [], 2**62
    while True:
        page = logs.read_back(folder, end, limit)
        if not page.events:
            return [event for page in reversed(pages) for event in page.events]
        assert page.start < min(end, 2**62)
        pages.append(page)
        end = page.start


def test_half_a_line_waits_for_its_end(writer: Writer):
    writer.write(b"one\ntw")
    assert [text for _, text in everything(writer.folder)] == ["one"]
    writer.write(b"o\nthree")
    assert everything(writer.folder) == [(1007, "one"), (1014, "two")]
    writer.write(b" and no end")
    writer.end()
    assert everything(writer.folder)[-1] == (1021, "three and no end")


def test_lines_that_no_note_covers_wait_for_one(writer: Writer):
    writer.write(b"one\n")
    writer.write(b"two\n", noted=False)
    assert everything(writer.folder) == [(1007, "one")]
    writer.note()
    assert everything(writer.folder) == [(1007, "one"), (1014, "two")]


def test_no_log_is_no_lines(tmp_path: Path):
    assert everything(tmp_path / "missing") == []
    assert backwards(tmp_path / "missing", 10) == []
    assert logs.span(tmp_path / "missing") == (0, 0, 0)
    assert logs.position_at(tmp_path / "missing", 5) == 0


def test_bytes_that_are_no_text(writer: Writer):
    writer.write(b"a\xff\xfeb\nnull\0byte\n\n\xc3\n\xa4\r\n")
    writer.end()
    texts = [text for _, text in everything(writer.folder)]
    assert texts == ["a\ufffd\ufffdb", "null\0byte", "", "\ufffd", "\ufffd\r"]


def test_a_very_long_line_comes_in_pieces(writer: Writer):
    line = ("ä" * (2**19 + 1)).encode()
    for start in range(0, len(line), 100_003):
        writer.write(line[start : start + 100_003])
    half = everything(writer.folder)
    writer.write(b"\nend\n")
    events = everything(writer.folder)
    assert events[: len(half)] == half
    assert "".join(text for _, text in events[:-1]) == line.decode()
    assert all(len(text.encode()) <= logs.LINE_BYTES for _, text in events)
    assert events[-1][1] == "end"
    exact = Writer(writer.folder.parent / "exact")
    exact.write(b"x" * logs.LINE_BYTES)
    assert everything(exact.folder) == []
    exact.write(b"\n")
    assert [len(text) for _, text in everything(exact.folder)] == [logs.LINE_BYTES]


def test_many_lines_however_they_are_read(writer: Writer):
    chance = random.Random(3)
    data = b"".join(b"line %d%s\n" % (n, b"." * chance.randrange(40)) for n in range(20_000))
    place = 0
    while place < len(data):
        size = chance.randrange(1, 30_000)
        writer.write(data[place : place + size])
        place += size
    writer.end()
    events = everything(writer.folder)
    assert [text for _, text in events] == data.decode().splitlines()
    times = [at for at, _ in events]
    assert times == sorted(times)
    for limit in (997, 10_000, 100_000):
        assert everything(writer.folder, limit) == events
    assert backwards(writer.folder, 3_001) == events
    for at in sorted(set(times))[:: len(set(times)) // 10]:
        found = everything(writer.folder, start=logs.position_at(writer.folder, at))
        assert found == [event for event in events if event[0] >= at]
    assert logs.position_at(writer.folder, times[-1] + 1_000) == len(data)


@given(
    pieces=st.lists(
        st.tuples(st.binary(max_size=30).map(lambda b: b.replace(b"x", b"\n")), st.booleans()),
        max_size=25,
    ),
    limit=st.integers(1, 7),
)
@settings(max_examples=150, deadline=None)
def test_reading_while_it_grows_is_reading_at_the_end(tmp_path_factory, pieces, limit: int):
    writer = Writer(tmp_path_factory.mktemp("grow"))
    seen: list[tuple[int, str]] = []
    position = 0
    for data, noted in pieces:
        writer.write(data, noted)
        page = logs.read(writer.folder, position, limit)
        seen += page.events
        position = page.end
    writer.end()
    seen += everything(writer.folder, limit, position)
    assert seen == everything(writer.folder)
    assert seen == backwards(writer.folder, limit)
    whole = (writer.folder / "log").read_bytes()
    lines = whole.split(b"\n")[:-1] + ([whole.rpartition(b"\n")[2]] if whole[-1:] != b"\n" else [])
    wanted = [line.decode("utf-8", "replace") for line in lines]
    assert [text for _, text in seen] == ([] if not whole else wanted)


def test_times_never_fall_when_the_clock_does(writer: Writer):
    writer.write(b"one\n")
    writer.clock = 10
    writer.write(b"two\n")
    writer.clock = 5_000
    writer.write(b"three\n")
    assert everything(writer.folder) == [(1007, "one"), (1007, "two"), (5007, "three")]


def test_a_note_that_a_full_disk_cut_short_is_mended(writer: Writer):
    writer.write(b"one\n")
    with (writer.folder / "log.idx").open("ab") as file:
        file.write(b"\x01\x02\x03")
    assert everything(writer.folder) == [(1007, "one")]
    writer.write(b"two\n")
    assert everything(writer.folder) == [(1007, "one"), (1014, "two")]


def test_the_log_of_a_week_is_read_as_fast_as_a_short_one(writer: Writer):
    """No reading may cost in proportion to the index: half a million notes here."""
    count = 500_000
    (writer.folder / "log").write_bytes(b"0123456\n" * count)
    pack = notes.NOTE.pack
    (writer.folder / "log.idx").write_bytes(b"".join(pack(n, 8 * n) for n in range(1, count + 1)))
    began = time.process_time()
    for number in range(100):
        at = number * 5_000 + 1
        position = logs.position_at(writer.folder, at)
        page = logs.read(writer.folder, position, 3)
        assert [time for time, _ in page.events] == [at, at + 1, at + 2]
        assert logs.span(writer.folder) == (1, count, 8 * count)
    # Reading the whole index a single time takes longer than all of this.
    assert time.process_time() - began < 5


def test_a_real_run(tmp_path: Path):
    bench = Bench(ProcessRunner(Settings(home=tmp_path)))
    run = bench.start(
        "printf 'partial'; sleep 0.3; echo ' line'; head -c 1048576 /dev/zero | tr '\\0' x; echo; "
        "printf 'bad \\377 byte, nul \\000 byte\\n'; seq 1 20000; printf 'no end'"
    )
    seen: list[tuple[int, str]] = []
    position = 0
    while True:
        ended = bench.poll(run).ended
        page = bench.runner.logs(run, position, 777)
        seen += page.events
        position = page.end
        if ended and not page.events:
            break
    texts = [text for _, text in seen]
    assert texts[0] == "partial line"
    assert "".join(texts[1:5]) == "x" * 2**20
    assert texts[5] == "bad \ufffd byte, nul \0 byte"
    assert texts[6:] == [*map(str, range(1, 20_001)), "no end"]
    assert [at for at, _ in seen] == sorted(at for at, _ in seen)
    assert seen == list(bench.runner.logs(run, 0, 100_000).events)


def test_new_lines_are_announced_but_not_each(home: Path):
    """Whoever follows a log looks when it is told, and need not look in between."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as hints:
        hints.bind(str(home / "hints.sock"))
        hints.settimeout(20)
        bench = Bench(ProcessRunner(Settings(home=home, sandbox="never")))
        script = f"until [ -e {home}/go ]; do sleep 0.05; done; "
        run = bench.start(script + "while :; do echo line; sleep 0.01; done")
        stages = [hints.recv(100), hints.recv(100)]
        begun = time.monotonic()
        (home / "go").touch()
        words = [hints.recv(100) for _ in range(3)]
        spent = time.monotonic() - begun
        bench.stop(run)
        bench.ended(run)
    assert set(stages) == {run.encode()}
    assert set(words) == {f"{run}{hint.LINES}".encode()}
    assert spent > 1.5  # three words, a second apart

"""Any line of a log by its number, while the log grows, whatever its lines look like."""

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from log_writer import Writer

from studio.runners import log_lines
from studio.runners.log_lines import LogLines


@pytest.fixture
def writer(tmp_path: Path) -> Writer:
    return Writer(tmp_path / "run")


def texts(lines: LogLines, start: int, count: int) -> list[str]:
    return [line.text for line in lines.window(start, count)]


def test_no_log_has_no_lines(tmp_path: Path):
    lines = LogLines(tmp_path / "run")
    assert lines.measure() == (0, 0)
    assert lines.window(0, 10) == []


@given(
    parts=st.lists(st.binary(max_size=30).map(lambda it: it.replace(b"\r", b"")), max_size=20),
    block=st.integers(1, 40),
    start=st.integers(0, 60),
    count=st.integers(1, 30),
)
@settings(max_examples=300)
def test_windows_of_a_log_that_grows(tmp_path_factory, parts, block, start, count):
    writer = Writer(tmp_path_factory.mktemp("run"))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(log_lines, "_BLOCK", block)
        lines, written = LogLines(writer.folder), b""
        for part in parts:
            writer.write(part)
            written += part
            expected = written.split(b"\n")
            expected = expected[:-1] if not expected[-1] else expected
            assert lines.measure() == (len(expected), len(written))
            window = expected[start : start + count]
            assert texts(lines, start, count) == [it.decode("utf-8", "replace") for it in window]
        for position in range(len(written)):
            assert lines.number(position) == written.count(b"\n", 0, position)
        for number in range(len(written.split(b"\n")) - 1):
            assert written[: lines.position(number)].count(b"\n") == number


def test_lines_have_the_time_of_the_note_that_covers_their_end(writer: Writer):
    writer.write(b"one\ntw")
    writer.write(b"o\nthree\n")
    writer.write(b"not noted", noted=False)
    assert [line.at for line in LogLines(writer.folder).window(0, 9)] == [1007, 1014, 1014, 1014]


def test_a_progress_bar_is_seen_as_on_a_terminal(writer: Writer):
    writer.write(b"10%\r50%\r100%\rdone\n 10%\r 20%\r\nWindows\r\n")
    assert texts(LogLines(writer.folder), 0, 9) == ["done", " 20%", "Windows"]


def test_a_line_longer_than_any_window(writer: Writer, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(log_lines, "_WINDOW_BYTES", 1_000)
    monkeypatch.setattr(log_lines, "_BLOCK", 100)
    monkeypatch.setattr(log_lines, "SHOWN_BYTES", 50)
    writer.write(b"a\n" + b"x" * 5_000 + b"\n" + b"0%\r" * 5_000 + b"99%\nb\n" + b"y" * 2_000)
    lines = LogLines(writer.folder)
    seen = []
    while found := lines.window(len(seen), 10):
        seen += found
    assert [line.text for line in seen] == ["a", "x" * 50, "99%", "b", "y" * 50]
    assert [line.size for line in seen] == [1, 5_000, 15_003, 1, 2_000]


def test_a_log_that_was_shortened(writer: Writer):
    lines = LogLines(writer.folder)
    writer.write(b"line\n" * 50_000)
    assert lines.measure()[0] == 50_000
    (writer.folder / "log").write_bytes(b"one\ntwo\n")
    assert texts(lines, 0, 9) == ["one", "two"]

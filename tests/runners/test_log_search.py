"""What is found in logs: errors and what only looks like one, tracebacks, texts, patterns."""

from pathlib import Path

import pytest
from log_writer import Writer

from studio.runners import log_search
from studio.runners.log_search import Found, pattern, plain, search

TRACEBACK = """Traceback (most recent call last):
  File "train.py", line 3, in <module>
    main()
ValueError: the label is missing"""


@pytest.fixture
def writer(tmp_path: Path) -> Writer:
    return Writer(tmp_path / "run")


@pytest.mark.parametrize(
    "line",
    [
        "Traceback (most recent call last):",
        "[rank0]: Traceback (most recent call last):",
        "ValueError: the label is missing",
        "torch.cuda.OutOfMemoryError: CUDA out of memory. Tried to allocate 2 GiB",
        "OSError: [Errno 28] No space left on device",
        "my.module.StrangeException: no",
        "Error: cannot open the file",
        "2026-11-21 19:00:00 [ERROR] no",
        "CRITICAL root: no",
        "Killed",
        "train.sh: line 3:    42 Killed",
        "Segmentation fault (core dumped)",
        "terminate called after throwing an instance of 'std::bad_alloc'",
    ],
)
def test_lines_that_tell_of_an_error(writer: Writer, line: str):
    writer.write(f"fine\nfine\n{line}\nValueError: later\n".encode())
    assert log_search.first_error(writer.folder) == 2


@pytest.mark.parametrize(
    "line",
    [
        "[3]\ttrain-error:0.25\tvalidation-error:0.5",
        "Mean Absolute Error: 0.3",
        "error_rate=0 ERRORS: 0",
        "Killed 3 idle workers",
        "installing errors-1.0",
    ],
)
def test_lines_that_do_not(writer: Writer, line: str):
    writer.write(f"fine\n{line}\nfine\n".encode())
    assert log_search.first_error(writer.folder) is None


def test_the_search_for_errors_goes_on_as_the_log_grows(
    writer: Writer, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(log_search, "_CHUNK", 64)
    assert log_search.first_error(writer.folder) is None
    writer.write(b"fine\n" * 40 + b"Value")
    assert log_search.first_error(writer.folder) is None
    writer.write(b"Error: yes\nKilled\n")
    assert log_search.first_error(writer.folder) == 40


def test_the_last_traceback(writer: Writer):
    assert log_search.last_traceback(writer.folder) is None
    writer.write(f"one\n{TRACEBACK.replace('the', 'a')}\n{TRACEBACK}\nbye\n".encode())
    found = log_search.last_traceback(writer.folder)
    assert found is not None
    assert (found.line, found.text) == (5, TRACEBACK)


def test_a_traceback_with_a_prefix_before_each_line(writer: Writer):
    prefixed = "".join(f"[rank3]: {line}\n" for line in TRACEBACK.splitlines())
    writer.write(f"one\n{prefixed}".encode())
    found = log_search.last_traceback(writer.folder)
    assert found is not None
    assert (found.line, found.text) == (1, TRACEBACK)


@pytest.mark.parametrize("behind", [0, 1, 40, 63, 64, 65, 100, 200])
def test_a_traceback_anywhere_between_two_chunks(
    writer: Writer, monkeypatch: pytest.MonkeyPatch, behind: int
):
    monkeypatch.setattr(log_search, "_CHUNK", 64)
    writer.write(f"one\n{TRACEBACK}\n".encode() + b"x" * behind)
    found = log_search.last_traceback(writer.folder)
    assert found is not None
    assert found.line == 1


def test_texts_with_and_without_case(writer: Writer):
    writer.write("Loss 1\nloss 2 LOSS\nnone\nlöss\nloss 5".encode())
    folder = writer.folder
    assert search(folder, plain("LOSS", False), 0, 10) == Found((0, 1, 4), 3, 5)
    assert search(folder, plain("loss", True), 0, 10) == Found((1, 4), 2, 5)
    assert search(folder, plain("LOSS", False), 1, 1) == Found((1,), 2, 5)
    assert search(folder, plain("löss", False), 0, 10) == Found((3,), 1, 5)
    assert search(folder, plain("x", False), 9, 10) == Found((), 0, 9)


def test_lines_are_counted_across_chunks(writer: Writer, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(log_search, "_CHUNK", 64)
    writer.write(b"".join(b"line %d%s\n" % (n, b" hit" * (n % 7 == 0)) for n in range(500)))
    expected = tuple(range(0, 500, 7))
    for places in (plain("hit", False), pattern(r"hit$", True)):
        assert search(writer.folder, places, 0, 1_000) == Found(expected, 72, 500)
    assert search(writer.folder, plain("hit", False), 250, 2) == Found((252, 259), 36, 500)


def test_a_pattern_sees_a_line_at_a_time(writer: Writer):
    writer.write(b"epoch 1\r\nepoch 22\n\nepoch")
    assert search(writer.folder, pattern(r"^EPOCH\s+\d+$", False), 0, 9).lines == (0, 1)
    assert search(writer.folder, pattern(r"^$", False), 0, 9).lines == (2,)
    with pytest.raises(ValueError, match="missing \\)"):
        pattern("(", False)


def test_a_pattern_without_end_is_ended(writer: Writer):
    writer.write(b"a" * 5_000 + b"\n")
    with pytest.raises(TimeoutError):
        search(writer.folder, pattern(r"(a|aa)+$.", False), 0, 9)


def test_a_long_search_says_how_far_it_came(writer: Writer, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(log_search, "_CHUNK", 64)
    monkeypatch.setattr(log_search, "_SECONDS", -1.0)
    writer.write(b"line\n" * 100)
    lines, place = [], 0
    while place < 100:
        found = search(writer.folder, plain("line", False), place, 100)
        assert found.searched > place
        place = found.searched
        lines += found.lines
    assert lines == list(range(100))

"""Answers of scripts that come in pieces: a real process with the model, at the end of a socket."""

import signal
from contextlib import closing

import pytest

from studio.algorithms.server import Invocation, RequestError
from studio.container.script import serving

INFERENCE = """
import os, pathlib

def model_fn(model_dir):
    return pathlib.Path(model_dir)

def pieces(word, folder):
    try:
        for number in range({"endless": 10**9, "huge": 64}.get(word, 3)):
            if word == "late" and number == 2:
                raise ValueError("two is too much")
            if word == "dies" and number == 2:
                os._exit(3)
            if word == "early":
                raise ValueError("not one")
            times = 9**6 if word == "huge" else 1
            yield number if word == "number" else f"{word}{number} " * times
    finally:
        (folder / "closed").touch()

def transform_fn(folder, body, content_type, accept):
    if body == "none":
        return iter(()), "text/plain"
    return pieces(body, folder), "text/event-stream"
"""


@pytest.fixture(scope="module")
def pool(tmp_path_factory):
    folder = tmp_path_factory.mktemp("model")
    (folder / "code").mkdir()
    (folder / "code" / "inference.py").write_text(INFERENCE)
    pool = serving._pool(folder, folder, "pytorch", 1)
    pool.folder = folder
    yield pool
    pool.close()


def asked(pool, word):
    return pool.predict(Invocation(word.encode(), "text/csv", ""))


def test_pieces_come_as_they_are_made(pool):
    answer = asked(pool, "a")
    assert answer.content_type == "text/event-stream"
    assert list(answer.body) == [b"a0 ", b"a1 ", b"a2 "]
    assert (pool.folder / "closed").exists()
    assert list(asked(pool, "none").body) == []


def test_what_nobody_wants_is_not_made(pool):
    with closing(asked(pool, "endless").body) as pieces:
        assert next(pieces) == b"endless0 "
        (pool.folder / "closed").unlink()
    assert (pool.folder / "closed").exists()  # and the one process is free again
    with closing(asked(pool, "huge").body):
        pass  # while it waits for somebody to read
    assert list(asked(pool, "b").body) == [b"b0 ", b"b1 ", b"b2 "]


@pytest.mark.parametrize(
    ("word", "said"),
    [("late", "ValueError: two is too much"), ("dies", "ended: exit code 3")],
)
def test_what_breaks_off_says_why(pool, word, said):
    pieces = asked(pool, word).body
    assert [next(pieces), next(pieces)] == [b"%b0 " % word.encode(), b"%b1 " % word.encode()]
    with pytest.raises(RequestError, match=said):
        next(pieces)
    pieces.close()
    assert len(list(asked(pool, "again").body)) == 3


@pytest.mark.parametrize(("word", "said"), [("early", "not one"), ("number", "str or bytes: int")])
def test_an_error_before_the_first_piece_is_an_answer(pool, word, said):
    with pytest.raises(RequestError, match=said):
        asked(pool, word)


def test_a_silent_model_is_ended(pool):
    with closing(asked(pool, "endless").body) as pieces:
        worker = pieces._worker
        worker._process.send_signal(signal.SIGSTOP)
        worker._socket.settimeout(0.05)
        with pytest.raises(RequestError, match="said nothing for"):
            list(pieces)
    assert worker._process.poll() is not None
    assert len(list(asked(pool, "again").body)) == 3

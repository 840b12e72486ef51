"""Numbers of events, what is kept of them, and how often the same may be told."""

import math

import pytest

from studio.feed.pace import Pace
from studio.feed.ring import Event, Ring


def events(*names: str) -> list[Event]:
    return [Event("object", name.encode(), "bucket") for name in names]


def told(ring: Ring, last_id: str) -> list[bytes] | None:
    _, missed = ring.after(last_id)
    return None if missed is None else [event.data for _, event in missed]


def epoch(ring: Ring) -> str:
    return ring.frame(0, "x", b"").split(b"-")[0].removeprefix(b"id: ").decode()


def test_who_comes_back_gets_what_was_missed_and_no_more():
    ring = Ring(size=3)
    assert [number for number, _ in ring.add(events("a", "b"))] == [1, 2]
    assert told(ring, f"{epoch(ring)}-0") == [b"a", b"b"]
    assert told(ring, f"{epoch(ring)}-1") == [b"b"]
    assert told(ring, f"{epoch(ring)}-2") == []
    ring.add(events("c", "d"))
    assert told(ring, f"{epoch(ring)}-1") == [b"b", b"c", b"d"]
    assert told(ring, f"{epoch(ring)}-0") is None  # the first is gone
    assert ring.last == 4


@pytest.mark.parametrize("last_id", ["", "x", "0-0", "{}-5", "{}--1", "{}-1x", "{}-" + "9" * 40])
def test_an_id_that_nobody_gave_out_is_not_known(last_id):
    ring = Ring()
    ring.add(events("a"))
    assert told(ring, last_id.format(epoch(ring))) is None


def test_what_nobody_was_told_of_is_a_gap():
    ring = Ring()
    ring.add(events("a"))
    before = f"{epoch(ring)}-{ring.last}"
    ring.skip()
    assert told(ring, before) is None
    assert told(ring, f"{epoch(ring)}-{ring.last}") == []


def test_another_process_has_another_epoch():
    one, other = Ring(), Ring()
    one.add(events("a"))
    other.add(events("a"))
    assert told(other, f"{epoch(one)}-1") is None


def test_the_first_comes_through_at_once_and_the_rest_together():
    pace = Pace[str](1.0)
    pace.add("a")
    assert pace.due(10.0) == ["a"]
    for _ in range(5):
        pace.add("a")
    pace.add("b")
    assert pace.due(10.5) == ["b"]
    assert pace.next() == 11.0
    assert pace.due(11.0) == ["a"]
    assert pace.due(20.0) == []
    assert pace.next() == math.inf

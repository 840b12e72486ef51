"""The experiments of `make chaos` in a short form: the same faults, fewer times."""

import pytest
from chaos import (
    clocks,
    crash_points,
    kills,
    lines,
    orphans,
    planes,
    races,
    reboots,
    served,
    shims,
    stops,
)
from chaos.outcome import Report


def held(report: Report) -> None:
    if report.skipped:
        pytest.skip(report.skipped)
    assert not report.broken, "\n".join(report.broken)


def test_kills_under_load():
    held(kills.under_load(3, seed=1, jobs=3, seconds=2, invoked=False))


def test_kills_of_who_serves():
    held(served.killed(3, seed=1, pause=0.5))


def test_a_leader_that_is_lost_under_load():
    held(planes.under_load(3, seed=1, jobs=2, seconds=1, count=2, invoked=False))


def test_killed_at_calls_of_a_job():
    held(crash_points.create_job(3, seed=1))


def test_killed_at_calls_of_a_put():
    held(crash_points.put_object(2, seed=1))


def test_killed_at_calls_of_an_upload():
    held(crash_points.complete_upload(2, seed=1))


def test_killed_shims():
    held(shims.killed(5, seed=1))


def test_the_machine_starts_anew():
    held(reboots.imitated(1, seed=1, jobs=2))


def test_races_for_claims_and_starts():
    held(races.claims(30, seed=1))
    held(races.starts(2, seed=1))


def test_answers_are_cut():
    held(races.cut_answers(6, seed=1))


def test_stops():
    held(stops.stopped(1, seed=1))


def test_a_clock_that_is_set_back():
    held(clocks.jumps(1, seed=1))


def test_lines_survive_kills():
    held(lines.survive(3, seed=1, jobs=2, lines=5_000))


def test_nothing_is_left_over():
    held(orphans.swept(8, seed=1))

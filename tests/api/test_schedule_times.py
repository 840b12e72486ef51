"""When schedules are due: expressions as AWS documents them, across changes of clocks."""

import re
from datetime import UTC, datetime

import pytest

from studio.api import schedule_times


def _ms(text: str) -> int:
    return round(datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp() * 1000)


def _next(expression: str, since: str, zone: str = "UTC", count: int = 3) -> list[str]:
    times = schedule_times.parse(expression, zone, _ms(since))
    found = schedule_times.first(times, _ms(since) - 1, count)
    return [datetime.fromtimestamp(it / 1000, UTC).strftime("%Y-%m-%d %H:%M") for it in found]


@pytest.mark.parametrize(
    ("expression", "days"),
    [
        ("cron(0 0 ? * MON-WED *)", ["2026-11-23", "2026-11-24", "2026-11-25"]),
        ("cron(0 0 1,15 * ? *)", ["2026-12-01", "2026-12-15", "2027-01-01"]),
        ("cron(0 0 L * ? *)", ["2026-11-30", "2026-12-31", "2027-01-31"]),
        ("cron(0 0 LW * ? *)", ["2026-11-30", "2026-12-31", "2027-01-29"]),
        ("cron(0 0 1W * ? *)", ["2026-12-01", "2027-01-01", "2027-02-01"]),
        ("cron(0 0 1W 5-8 ? *)", ["2027-05-03", "2027-06-01", "2027-07-01"]),
        ("cron(0 0 ? * 6L *)", ["2026-11-27", "2026-12-25", "2027-01-29"]),
        ("cron(0 0 ? * TUE#2 *)", ["2026-12-08", "2027-01-12", "2027-02-09"]),
        ("cron(0 0 ? * L *)", ["2026-11-28", "2026-12-05", "2026-12-12"]),
        ("cron(0 0 29 FEB ? *)", ["2028-02-29", "2032-02-29", "2036-02-29"]),
        ("cron(0 0 30 2 ? *)", []),
        ("cron(0 0 1 1 ? 2027-2028)", ["2027-01-01", "2028-01-01"]),
        ("rate(2 days)", ["2026-11-22", "2026-11-24", "2026-11-26"]),
        ("at(2030-01-31T00:00:00)", ["2030-01-31"]),
        ("at(2020-01-31T00:00:00)", []),
    ],
)
def test_the_next_days(expression: str, days: list[str]) -> None:
    assert _next(expression, "2026-11-22T00:00") == [f"{day} 00:00" for day in days]


def test_minutes_and_hours() -> None:
    found = _next("cron(0/25 8,20 * * ? *)", "2026-11-22T08:26", count=3)
    assert found == ["2026-11-22 08:50", "2026-11-22 20:00", "2026-11-22 20:25"]


def test_times_that_clocks_leap_over_are_left_out() -> None:
    found = _next("cron(30 2 * * ? *)", "2026-03-28T00:00", "Europe/Berlin")
    assert found == ["2026-03-28 01:30", "2026-03-30 00:30", "2026-03-31 00:30"]


def test_times_that_come_twice_count_once() -> None:
    found = _next("cron(30 2 * * ? *)", "2026-10-24T00:00", "Europe/Berlin")
    assert found == ["2026-10-24 00:30", "2026-10-25 00:30", "2026-10-26 01:30"]
    # Between the two times of the wall, too, the next one is tomorrow's.
    assert _next("cron(30 2 * * ? *)", "2026-10-25T00:45", "Europe/Berlin", 1) == [
        "2026-10-26 01:30"
    ]


@pytest.mark.parametrize("expression", ["rate(1 minute)", "cron(* * * * ? *)"])
def test_the_latest_of_very_many(expression: str) -> None:
    due, now = _ms("2024-01-01T00:00"), _ms("2026-11-22T03:04") + 5_000
    times = schedule_times.parse(expression, "UTC", due)
    assert schedule_times.latest(times, due, now) == _ms("2026-11-22T03:04")


def test_the_latest_of_one() -> None:
    due = _ms("2026-01-01T08:00")
    times = schedule_times.parse("cron(0 8 1 * ? *)")
    assert schedule_times.latest(times, due, due + 3_600_000) == due
    assert schedule_times.latest(times, due, _ms("2026-04-30T00:00")) == _ms("2026-04-01T08:00")


@pytest.mark.parametrize(
    ("expression", "zone", "says"),
    [
        ("every day", "UTC", "rate"),
        ("rate(0 days)", "UTC", "positive"),
        ("rate(5 fortnights)", "UTC", "minutes, hours or days"),
        ("cron(0 8 * * *)", "UTC", "six fields"),
        ("cron(0 8 * * * *)", "UTC", "exactly one must be ?"),
        ("cron(0 8 ? * ? *)", "UTC", "exactly one must be ?"),
        ("cron(60 8 * * ? *)", "UTC", "minutes"),
        ("cron(5-2 8 * * ? *)", "UTC", "5-2"),
        ("cron(*/0 8 * * ? *)", "UTC", "'*/0'"),
        ("cron(0 8 32W * ? *)", "UTC", "day of month"),
        ("cron(0 8 ? * 8#1 *)", "UTC", "day of week"),
        ("cron(0 8 ? * MON#6 *)", "UTC", "MON#6"),
        ("at(tomorrow)", "UTC", "at(2030"),
        ("at(2026-02-30T00:00:00)", "UTC", "at(2030"),
        ("at(2026-03-29T02:30:00)", "Europe/Berlin", "does not exist"),
        ("cron(0 8 * * ? *)", "Mars/Olympus", "time zone"),
        ("cron(0 8 * * ? *)", "../../etc/passwd", "time zone"),
    ],
)
def test_what_is_none(expression: str, zone: str, says: str) -> None:
    with pytest.raises(ValueError, match=re.escape(says)):
        schedule_times.parse(expression, zone)

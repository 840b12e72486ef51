"""When a schedule is due: `at(...)`, `rate(...)` and `cron(...)`, as EventBridge reads them.

Values and arithmetic only. Where clocks are put forward, times that do not exist are left out;
where they are put back, times that come twice count once, the first time.
"""

import calendar
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import lru_cache
from itertools import islice
from typing import Protocol
from zoneinfo import ZoneInfo

_UNITS = {"minute": 60_000, "hour": 3_600_000, "day": 86_400_000}
_EXPRESSION = re.compile(r"(at|rate|cron)\((.*)\)")
_RATE = re.compile(r"([1-9]\d{0,8}) (minute|hour|day)s?")
_AT = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d")
_ITEM = re.compile(r"(\*|[A-Z0-9]+)(?:-([A-Z0-9]+))?(?:/(\d{1,4}))?")
_MONTHS = {name.upper(): n for n, name in enumerate(calendar.month_abbr) if n}
_WEEKDAYS = {name: n for n, name in enumerate(("SUN", "MON", "TUE", "WED", "THU", "FRI", "SAT"), 1)}
_YEARS = (1970, 2199)
# Wider and wider: the time before the present one lies in the first that has one at all.
_WINDOWS = (60_000, 3_600_000, 86_400_000 * 2, 86_400_000 * 400)

_Days = Callable[[int, int], set[int]]
"""(year, month) -> days."""


class Times(Protocol):
    """The times of an expression, in UTC milliseconds."""

    def after(self, moment: int) -> int | None:
        """The first one later than `moment`."""


def parse(expression: str, zone: str = "UTC", start: int = 0) -> Times:
    """The times of an expression. A rate begins at `start` (UTC milliseconds).

    Raises ValueError, with a sentence, for what is none.
    """
    match = _EXPRESSION.fullmatch(expression.strip())
    if match is None:
        raise ValueError("it must be at(yyyy-mm-ddThh:mm:ss), rate(value unit) or cron(six fields)")
    kind, inner = match.groups()
    if kind == "rate":
        return _rate(inner.strip(), start)
    clock = _zone(zone)
    return _at(inner.strip(), clock) if kind == "at" else _cron(inner, clock)


def following(times: Times, moment: int) -> Iterator[int]:
    """The times later than `moment`, in order."""
    while (due := times.after(moment)) is not None:
        yield due
        moment = due


def latest(times: Times, due: int, now: int) -> int:
    """The last time that is not later than `now`, given that `due` is one of them."""
    for window in _WINDOWS:
        begin = max(due, now - window)
        last = due if begin == due else None
        for each in following(times, begin):
            if each > now:
                break
            last = each
        if last is not None:
            return last
    return due


def first(times: Times, moment: int, count: int) -> list[int]:
    """The next `count` times later than `moment`."""
    return list(islice(following(times, moment), count))


@dataclass(frozen=True)
class _Once:
    at: int

    def after(self, moment: int) -> int | None:
        return self.at if self.at > moment else None


@dataclass(frozen=True)
class _Rate:
    start: int
    period: int

    def after(self, moment: int) -> int | None:
        if moment < self.start:
            return self.start
        return self.start + ((moment - self.start) // self.period + 1) * self.period


@dataclass(frozen=True)
class _Cron:
    minutes: tuple[int, ...]
    hours: tuple[int, ...]
    days: _Days
    months: frozenset[int]
    years: frozenset[int]
    zone: ZoneInfo

    def after(self, moment: int) -> int | None:
        local = datetime.fromtimestamp(moment / 1000, self.zone)
        for day in self._dates(local):
            begin = local.hour if day.date() == local.date() else 0
            for time in self._clock(day, begin):
                found = _moment(time, self.zone)
                if found is not None and found > moment:
                    return found
        return None

    def _dates(self, since: datetime) -> Iterator[datetime]:
        month = since.year * 12 + since.month - 1
        for number in range(month, (_YEARS[1] + 1) * 12):
            year, of_year = number // 12, number % 12 + 1
            if year in self.years and of_year in self.months:
                for day in sorted(self.days(year, of_year)):
                    if number > month or day >= since.day:
                        yield datetime(year, of_year, day)  # noqa: DTZ001 - of the wall

    def _clock(self, day: datetime, begin: int) -> Iterator[datetime]:
        for hour in self.hours:
            if hour >= begin:
                for minute in self.minutes:
                    yield day + timedelta(hours=hour, minutes=minute)


def _moment(local: datetime, zone: ZoneInfo) -> int | None:
    """UTC milliseconds of a time of the wall; None for one that clocks leap over."""
    found = round(local.replace(tzinfo=zone, fold=0).timestamp()) * 1000
    back = datetime.fromtimestamp(found / 1000, zone).replace(tzinfo=None, fold=0)
    return found if back == local else None


@lru_cache(maxsize=256)
def _zone(name: str) -> ZoneInfo:
    try:
        return ZoneInfo(name)
    except (KeyError, ValueError, OSError):
        raise ValueError(f"there is no time zone {name!r}, as Europe/Berlin is one") from None


def _rate(text: str, start: int) -> Times:
    match = _RATE.fullmatch(text)
    if match is None:
        raise ValueError("a rate is a positive number and minutes, hours or days: rate(5 minutes)")
    return _Rate(start, int(match[1]) * _UNITS[match[2]])


def _at(text: str, zone: ZoneInfo) -> Times:
    try:
        local = datetime.fromisoformat(text) if _AT.fullmatch(text) else None
    except ValueError:
        local = None
    if local is None:
        raise ValueError("a time is written at(2030-01-31T18:30:00)")
    found = _moment(local, zone)
    if found is None:
        raise ValueError(f"{text} does not exist in {zone.key}: clocks are put forward then")
    return _Once(found)


def _cron(text: str, zone: ZoneInfo) -> Times:
    fields = text.upper().split()
    if len(fields) != 6:
        raise ValueError(
            "cron has six fields: minutes, hours, day of month, month, day of week and year"
        )
    minutes, hours, of_month, months, of_week, years = fields
    if (of_month == "?") == (of_week == "?"):
        raise ValueError("of day of month and day of week exactly one must be ?")
    return _Cron(
        tuple(sorted(_numbers(minutes, "minutes", 0, 59))),
        tuple(sorted(_numbers(hours, "hours", 0, 23))),
        _month_days(of_month) if of_week == "?" else _week_days(of_week),
        frozenset(_numbers(months, "month", 1, 12, _MONTHS)),
        frozenset(_numbers(years, "year", *_YEARS)),
        zone,
    )


def _numbers(
    text: str, what: str, least: int, most: int, names: dict[str, int] | None = None
) -> set[int]:
    """The numbers that a field stands for: `*`, `5`, `1-5`, `*/15`, `0/15`, and lists of them."""
    found: set[int] = set()
    for item in text.split(","):
        match = _ITEM.fullmatch(item)
        if match is None:
            raise ValueError(f"{item!r} is nothing that the field {what} can be")
        begin, end, step = match.groups()
        first = least if begin == "*" else _number(begin, what, least, most, names)
        last = first if begin != "*" and not step else most
        if end:
            last = _number(end, what, least, most, names)
        if last < first or (begin == "*" and end) or step == "0":
            raise ValueError(f"{item!r} is nothing that the field {what} can be")
        found.update(range(first, last + 1, int(step or 1)))
    return found


def _number(text: str, what: str, least: int, most: int, names: dict[str, int] | None) -> int:
    value = (names or {}).get(text, int(text) if text.isdecimal() else -1)
    if not least <= value <= most:
        raise ValueError(f"{text!r} is nothing that the field {what} can be: {least} to {most}")
    return value


def _month_days(text: str) -> _Days:
    """`L` is the last day, `LW` the last of Monday to Friday, `15W` the one next to the 15th."""
    plain = [item for item in text.split(",") if not re.fullmatch(r"L|LW|\d{1,2}W", item)]
    days = _numbers(",".join(plain), "day of month", 1, 31) if plain else set()
    near = [item for item in text.split(",") if item not in plain]
    for item in near:
        if item[0] != "L":
            _number(item[:-1], "day of month", 1, 31, None)

    def of(year: int, month: int) -> set[int]:
        length = calendar.monthrange(year, month)[1]
        found = {day for day in days if day <= length}
        for item in near:
            day = length if item[0] == "L" else int(item[:-1])
            if day <= length:
                found.add(_working_day(year, month, day) if item[-1] == "W" else day)
        return found

    return of


def _working_day(year: int, month: int, day: int) -> int:
    """The day from Monday to Friday that is nearest, in the same month."""
    length = calendar.monthrange(year, month)[1]
    weekday = calendar.weekday(year, month, day)
    if weekday == calendar.SATURDAY:
        return day - 1 if day > 1 else day + 2
    if weekday == calendar.SUNDAY:
        return day + 1 if day < length else day - 2
    return day


def _week_days(text: str) -> _Days:
    """`6L` is the last Friday of a month, `3#2` the second Tuesday, `L` Saturday."""
    special = re.compile(r"([A-Z0-9]+)(?:(L)|#([1-5]))")
    chosen: list[tuple[int, int]] = []
    plain = []
    for item in text.split(","):
        match = None if item in ("L", "*") else special.fullmatch(item)
        if match is None:
            plain.append("7" if item == "L" else item)
        else:
            weekday = _number(match[1], "day of week", 1, 7, _WEEKDAYS)
            chosen.append((weekday, int(match[3] or 0)))
    joined = ",".join(plain)
    always = _numbers(joined, "day of week", 1, 7, _WEEKDAYS) if plain else set()

    def of(year: int, month: int) -> set[int]:
        length = calendar.monthrange(year, month)[1]
        by_day: dict[int, list[int]] = {}
        for day in range(1, length + 1):
            by_day.setdefault((calendar.weekday(year, month, day) + 1) % 7 + 1, []).append(day)
        found = {day for weekday in always for day in by_day[weekday]}
        for weekday, number in chosen:
            found.update(by_day[weekday][number - 1 : number or None][:1])
        return found

    return of

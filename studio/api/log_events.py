"""Streams and events of one's own log groups: made, put, and read in order of their times."""

import json
import re
from functools import partial

from sqlalchemy import Connection, literal, select
from sqlalchemy.exc import IntegrityError

from studio.api import log_groups, log_names
from studio.api.log_names import existing, invalid, missing
from studio.api.registry import Context, operation
from studio.db.resources import Doc
from studio.logs import chunks, reading, store
from studio.logs.chunks import EVENT_BYTES, Event
from studio.logs.reading import Found, Place, Wanted
from studio.logs.store import DAY, Group, Order, Stream

_MOST_STREAMS = 50
_MOST_EVENTS = 10_000
_BATCH_BYTES = 2**20
_OLDEST = 14 * DAY
_NEWEST = DAY // 12
_EVER = 2**62


@operation("logs", "CreateLogStream")
def create_log_stream(ctx: Context, request: Doc) -> Doc:
    name = request["logStreamName"]
    if not name.isprintable():
        raise invalid("The name of a log stream must not hold control characters.")

    def insert(connection: Connection, group: Group) -> None:
        store.insert_stream(connection, Stream(group.id, name, ctx.now()))

    try:
        log_groups.change(ctx, request, insert)
    except IntegrityError as error:
        raise existing("log stream") from error
    return {}


@operation("logs", "DeleteLogStream")
def delete_log_stream(ctx: Context, request: Doc) -> Doc:
    def remove(connection: Connection, group: Group) -> None:
        store.remove_stream(connection, _stream(connection, group, request).id)

    log_groups.change(ctx, request, remove)
    log_groups.swept(ctx)
    return {}


@operation("logs", "PutLogEvents")
def put_log_events(ctx: Context, request: Doc) -> Doc:
    """The answer is sent once the events are on the disk."""
    name, events, now = request["logGroupName"], request["logEvents"], ctx.now()
    log_groups.refuse_managed(name)
    with ctx.db.read() as connection:
        group = log_groups.require(ctx, connection, name, request["logStreamName"])
        _stream(connection, group, request)
    _check_batch(events)
    accepted, rejected = _accepted(events, now, group.oldest(now))
    made = [Event(it["timestamp"], now, _text(it["message"])) for it in accepted]

    def put(connection: Connection, group: Group) -> None:
        chunks.append(connection, _stream(connection, group, request).id, made)

    if made:
        log_groups.change(ctx, request, put)
    # Old clients hand the token back; nobody looks at it any more.
    return {"nextSequenceToken": f"{now:056d}", "rejectedLogEventsInfo": rejected or None}


def describe_streams(ctx: Context, name: str, request: Doc) -> Doc:
    """As DescribeLogStreams answers."""
    by_time = request.get("orderBy") == "LastEventTime"
    after = _listed_to(request["nextToken"]) if "nextToken" in request else None
    order = Order(by_time, request.get("descending", False), after)
    limit = request.get("limit", _MOST_STREAMS)
    with ctx.db.read() as connection:
        group = log_groups.require(ctx, connection, name)
        prefix = request.get("logStreamNamePrefix", "")
        found = store.streams(connection, group.id, prefix, order, limit + 1)
    shown = found[:limit]
    token = json.dumps([shown[-1].last_at or 0, shown[-1].name]) if len(found) > limit else None
    arn = log_names.arn(ctx.settings, name)
    return {"logStreams": [_described(arn, each) for each in shown], "nextToken": token}


def get_events(ctx: Context, name: str, request: Doc) -> Doc:
    """As GetLogEvents answers."""
    with ctx.db.read() as connection:
        group = log_groups.require(ctx, connection, name, request["logStreamName"])
        stream = _stream(connection, group, request)
        ids = select(literal(stream.id))
        start = max(request.get("startTime", 0), group.oldest(ctx.now()))
        end, limit = request.get("endTime", _EVER), request.get("limit", _MOST_EVENTS)
        forward, place = _direction(stream, request)
        read = reading.forwards if forward else reading.backwards
        page = read(connection, Wanted(ids, start, end, limit), place)
    events = page.events
    if not events and place.at == _EVER:
        place = Place(0, stream.id, 0)  # whatever comes is behind this
    elif not events and page.next is not None:
        place = page.next
    first, last = (events[0].place, events[-1].behind) if events else (place, place)
    return {
        "events": [_event(each) for each in events],
        "nextForwardToken": f"f/{last.at}/{last.number}",
        "nextBackwardToken": f"b/{first.at}/{first.number}",
    }


def filter_events(ctx: Context, name: str, request: Doc) -> Doc:
    """As FilterLogEvents answers."""
    names, prefix = request.get("logStreamNames"), request.get("logStreamNamePrefix", "")
    matches, begin = log_names.pattern(request), _searched_to(request.get("nextToken", "0//0"))
    limit = request.get("limit", _MOST_EVENTS)
    with ctx.db.read() as connection:
        group = log_groups.require(ctx, connection, name)
        start = max(request.get("startTime", 0), group.oldest(ctx.now()))
        end = request.get("endTime", _EVER) + 1
        ids = store.stream_ids(group.id, prefix, names)
        page = reading.forwards(connection, Wanted(ids, start, end, limit, matches), begin)
        known = store.stream_names(connection, {each.stream for each in page.events})
    token = None if page.next is None else "/".join(map(str, page.next))
    events = [
        {
            "logStreamName": known[each.stream],
            "eventId": f"{each.stream}-{each.number}",
            **_event(each),
        }
        for each in page.events
    ]
    return {"events": events, "searchedLogStreams": [], "nextToken": token}


def _check_batch(events: list[Doc]) -> None:
    times = [each["timestamp"] for each in events]
    if times != sorted(times):
        raise invalid("Log events in a single PutLogEvents request must be in chronological order.")
    size = sum(len(_text(each["message"]).encode()) + EVENT_BYTES for each in events)
    if size > _BATCH_BYTES:
        raise invalid(f"Upload too large: {size} bytes exceed limit of {_BATCH_BYTES}")


def _accepted(events: list[Doc], now: int, oldest: int) -> tuple[list[Doc], Doc]:
    """The events of times that are taken, and which are not. Raises ApiError."""
    rejected = {}
    times = [each["timestamp"] for each in events]
    old = sum(at < now - _OLDEST for at in times)
    expired = sum(at < oldest for at in times)
    new = sum(at > now + _NEWEST for at in times)
    if old:
        rejected["tooOldLogEventEndIndex"] = old
    if expired:
        rejected["expiredLogEventEndIndex"] = expired
    if new:
        rejected["tooNewLogEventStartIndex"] = len(times) - new
    kept = events[max(old, expired) : len(times) - new]
    if kept and kept[-1]["timestamp"] - kept[0]["timestamp"] > DAY:
        raise invalid(
            "The batch of log events in a single PutLogEvents request cannot span more than 24 "
            "hours."
        )
    return kept, rejected


def _stream(connection: Connection, group: Group, request: Doc) -> Stream:
    found = store.find_stream(connection, group.id, request["logStreamName"])
    if found is None:
        raise missing("log stream")
    return found


def _direction(stream: Stream, request: Doc) -> tuple[bool, Place]:
    """Whether to read forwards, and from where."""
    token = request.get("nextToken")
    if token is None:
        forward = bool(request.get("startFromHead"))
        return forward, Place(0 if forward else _EVER, stream.id, 0)
    match = re.fullmatch(r"([fb])/(\d{1,18})/(\d{1,18})", token)
    if match is None:
        raise _bad_token()
    return match[1] == "f", Place(int(match[2]), stream.id, int(match[3]))


def _searched_to(token: str) -> Place:
    match = re.fullmatch(r"(\d{1,18})/([0-9a-f]{32}|)/(\d{1,18})", token)
    if match is None:
        raise _bad_token()
    return Place(int(match[1]), match[2], int(match[3]))


def _listed_to(token: str) -> tuple[int, str]:
    try:
        at, name = json.loads(token)
    except (ValueError, TypeError, RecursionError):
        raise _bad_token() from None
    if type(at) is not int or not 0 <= at < _EVER or not isinstance(name, str):
        raise _bad_token()
    return at, name


_bad_token = partial(invalid, "The specified nextToken is invalid.")


def _described(arn: str, stream: Stream) -> Doc:
    return {
        "logStreamName": stream.name,
        "creationTime": stream.created_at,
        "firstEventTimestamp": stream.first_at,
        "lastEventTimestamp": stream.last_at,
        "lastIngestionTime": stream.ingested_at,
        "uploadSequenceToken": f"{stream.events:056d}",
        "arn": f"{arn}:log-stream:{stream.name}",
        "storedBytes": stream.bytes,
    }


def _event(each: Found) -> Doc:
    return {"timestamp": each.at, "message": each.message, "ingestionTime": each.ingested}


def _text(message: str) -> str:
    """Half a surrogate is no character, and cannot be stored."""
    return message.encode("utf-8", "replace").decode()

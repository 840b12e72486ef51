"""The logs of runs as CloudWatch Logs' groups, streams and events: read, and never written.

Groups `/aws/sagemaker/TrainingJobs`, `.../ProcessingJobs` and `.../TransformJobs` have a stream
`<job>/algo-<n>-<epoch seconds>` a host; group `/aws/sagemaker/Endpoints/<endpoint>` a stream
`<variant>/<run>` a server. Where an endpoint's requests are logged, its group with `/access` behind
it has streams `<yyyy-mm-dd>.<number>` with a line of JSON for each. Two kinds of reader are served:
those that ask again from a time on, and those that keep a token.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from sqlalchemy import ColumnElement, Connection, func, select

from studio.api import access, log_names, store
from studio.api.registry import Context
from studio.db.resources import Doc
from studio.db.tables import RESOURCE, RUN
from studio.errors import ApiError
from studio.runners import logs
from studio.serving import access_log

_PREFIX = "/aws/sagemaker/"
_JOBS = {
    "/aws/sagemaker/TrainingJobs": "training-job",
    "/aws/sagemaker/ProcessingJobs": "processing-job",
    "/aws/sagemaker/TransformJobs": "transform-job",
}
_ENDPOINTS = "/aws/sagemaker/Endpoints/"
_ACCESS = "/access"
_MOST_STREAMS = 50
_MOST_EVENTS = 10_000
_LAST = "\U0010ffff"
_SCAN_BYTES = 32 * 2**20
"""A search answers with what it has, and a token, after that much log."""


@dataclass(frozen=True)
class Stream:
    """A run's log under its CloudWatch name."""

    name: str
    folder: Path
    created_at: int


def managed(group: str) -> bool:
    """Whether a group's events are those of runs; the whole prefix is kept for them."""
    return group.startswith(_PREFIX)


def stream_name(kind: str, name: str, role: str, run_id: str, created_at: int) -> str:
    """The name of the stream of a run in the group of its job or its endpoint."""
    _, host, *rest = role.split("/")
    if kind == "endpoint":
        return f"{rest[0]}/{run_id}"
    # Attempts that began in the same second have streams of their own.
    return f"{name}/{host}-{created_at // 1000 + int(*rest)}"


def groups(ctx: Context) -> list[tuple[str, int]]:
    """Names and times of creation of the groups that the caller may read, by name."""
    it, owner = RESOURCE.c, access.only_owner(ctx)
    mine = [it.account == ctx.settings.account, it.region == ctx.settings.region]
    mine += [] if owner is None else [it.owner == owner]
    began = func.min(it.created_at).label("at")
    jobs = {group: select(began).where(*mine, it.kind == kind) for group, kind in _JOBS.items()}
    endpoints = select(it.name, began).where(*mine, it.kind == "endpoint").group_by(it.name)
    with ctx.db.read() as connection:
        found = [(_ENDPOINTS + row.name, int(row.at)) for row in connection.execute(endpoints)]
        records = [each.name for each in access_log.folder(ctx.settings.home).glob("*")]
        if records:
            logged = connection.execute(endpoints.where(it.id.in_(records)))
            found += [(_ENDPOINTS + row.name + _ACCESS, int(row.at)) for row in logged]
        for group, query in jobs.items():
            first = connection.execute(query).scalar()
            found += [] if first is None else [(group, int(first))]
    return sorted(found)


def describe_streams(ctx: Context, group: str, request: Doc) -> Doc:
    """As DescribeLogStreams answers."""
    streams = _streams(ctx, group, request.get("logStreamNamePrefix", ""))
    if request.get("orderBy") == "LastEventTime":
        streams.sort(key=lambda it: (logs.span(it.folder)[1], it.name))
    if request.get("descending"):
        streams.reverse()
    limit = request.get("limit", _MOST_STREAMS)
    start = _number(request.get("nextToken", "0"))
    end = start + limit
    return {
        "logStreams": [_described(ctx, group, each) for each in streams[start:end]],
        "nextToken": str(end) if end < len(streams) else None,
    }


def get_events(ctx: Context, group: str, request: Doc) -> Doc:
    """As GetLogEvents answers."""
    name = request["logStreamName"]
    streams = _streams(ctx, group, name)
    stream = next((each for each in streams if each.name == name), None)
    if stream is None:
        raise log_names.missing("log stream")
    limit = request.get("limit", _MOST_EVENTS)
    direction, position = _place(stream, request)
    if direction == "f":
        page = logs.read(stream.folder, position, limit)
    else:
        page = logs.read_back(stream.folder, position, limit)
    start, end = request.get("startTime", 0), request.get("endTime", 2**63)
    events = [_event(at, text) for at, text in page.events if start <= at < end]
    return {
        "events": events,
        "nextForwardToken": f"f/{page.end}",
        "nextBackwardToken": f"b/{page.start}",
    }


def filter_events(ctx: Context, group: str, request: Doc) -> Doc:
    """As FilterLogEvents answers."""
    streams = _streams(ctx, group, request.get("logStreamNamePrefix", ""))
    if names := request.get("logStreamNames"):
        streams = [each for each in streams if each.name in names]
    wanted = log_names.pattern(request)
    limit = request.get("limit", _MOST_EVENTS)
    start, end = request.get("startTime", 0), request.get("endTime", 2**63)
    number, position = _mark(request.get("nextToken", "0/0"))
    events: list[Doc] = []
    scanned = 0
    while number < len(streams) and len(events) < limit and scanned < _SCAN_BYTES:
        stream = streams[number]
        position = position or logs.position_at(stream.folder, start)
        page = logs.read(stream.folder, position, limit - len(events))
        for line, (at, text) in enumerate(page.events):
            if start <= at <= end and wanted(text):
                events.append(_filtered(stream, at, text, f"{page.start}-{line}"))
        position = page.end
        scanned += page.end - page.start
        if not page.events:
            number, position = number + 1, 0
    more = number < len(streams)
    return {"events": events, "nextToken": f"{number}/{position}" if more else None}


def _streams(ctx: Context, group: str, prefix: str) -> list[Stream]:
    """The streams of a group whose names begin with `prefix`, by name."""
    with ctx.db.read() as connection:
        if group in _JOBS:
            found = list(_of_jobs(ctx, connection, group, prefix))
        elif group.startswith(_ENDPOINTS) and group.endswith(_ACCESS):
            found = list(_of_access(ctx, connection, group))
        elif group.startswith(_ENDPOINTS):
            found = list(_of_endpoint(ctx, connection, group.removeprefix(_ENDPOINTS)))
        else:
            raise log_names.missing("log group")
    return sorted(
        (each for each in found if each.name.startswith(prefix)), key=lambda each: each.name
    )


def _of_jobs(ctx: Context, connection: Connection, group: str, prefix: str) -> Iterator[Stream]:
    name, slash, _ = prefix.partition("/")
    kind, place = _JOBS[group], log_names.arn(ctx.settings, group)
    # By their ARNs: these have an index that deleted jobs are in as well.
    first = store.arn(ctx, kind, name)
    match = RESOURCE.c.arn == first if slash else RESOURCE.c.arn.between(first, first + _LAST)
    query = (
        select(RESOURCE.c.name, RESOURCE.c.owner, RUN.c.id, RUN.c.role, RUN.c.created_at)
        .join(RUN, RUN.c.resource_id == RESOURCE.c.id)
        .where(match)
    )
    for row in connection.execute(query):
        stream = stream_name(kind, row.name, row.role, row.id, row.created_at)
        if access.may(ctx, f"{place}:log-stream:{stream}", row.owner):
            yield Stream(stream, ctx.settings.runs / row.id, row.created_at)


def _of_endpoint(ctx: Context, connection: Connection, endpoint: str) -> Iterator[Stream]:
    query = (
        select(RUN.c.id, RUN.c.role, RUN.c.created_at)
        .join(RESOURCE, RUN.c.resource_id == RESOURCE.c.id)
        .where(_seen(ctx, connection, _ENDPOINTS + endpoint, endpoint))
    )
    for row in connection.execute(query):
        name = stream_name("endpoint", endpoint, row.role, row.id, row.created_at)
        yield Stream(name, ctx.settings.runs / row.id, row.created_at)


def _of_access(ctx: Context, connection: Connection, group: str) -> Iterator[Stream]:
    endpoint = group.removeprefix(_ENDPOINTS).removesuffix(_ACCESS)
    query = select(RESOURCE.c.id).where(_seen(ctx, connection, group, endpoint))
    above = access_log.folder(ctx.settings.home)
    for record in connection.execute(query).scalars():
        for part in access_log.parts(above / record):
            day = datetime.fromisoformat(part.name[:10]).replace(tzinfo=UTC)
            yield Stream(part.name, part, int(day.timestamp() * 1000))


def _seen(ctx: Context, connection: Connection, group: str, endpoint: str) -> ColumnElement[bool]:
    """Selects the endpoints of a name whose group the caller may read, deleted ones too: their logs
    stay. Raises ApiError when there are none."""
    of_name = RESOURCE.c.arn == store.arn(ctx, "endpoint", endpoint)
    owners = set(connection.execute(select(RESOURCE.c.owner).where(of_name)).scalars())
    place = f"{log_names.arn(ctx.settings, group)}:*"
    seen = {owner for owner in owners if access.may(ctx, place, owner)}
    if not seen:
        raise log_names.missing("log group")
    return of_name & RESOURCE.c.owner.in_(seen)


def _described(ctx: Context, group: str, stream: Stream) -> Doc:
    first, last, size = logs.span(stream.folder)
    return {
        "logStreamName": stream.name,
        "creationTime": stream.created_at,
        "firstEventTimestamp": first or None,
        "lastEventTimestamp": last or None,
        "lastIngestionTime": last or None,
        "storedBytes": size,
        "arn": f"{log_names.arn(ctx.settings, group)}:log-stream:{stream.name}",
    }


def _place(stream: Stream, request: Doc) -> tuple[str, int]:
    """Direction and byte where the reading begins."""
    token = request.get("nextToken")
    if token is not None:
        match = re.fullmatch(r"([fb])/(\d{1,18})", token)
        if match is None:
            raise ApiError("InvalidParameterException", "The specified nextToken is invalid.")
        return match[1], int(match[2])
    if request.get("startFromHead"):
        return "f", logs.position_at(stream.folder, request.get("startTime", 0))
    return "b", 2**62


def _event(at: int, text: str) -> Doc:
    return {"timestamp": at, "message": text, "ingestionTime": at}


def _filtered(stream: Stream, at: int, text: str, place: str) -> Doc:
    identifier = f"{stream.folder.name}-{place}"
    return {"logStreamName": stream.name, "eventId": identifier, **_event(at, text)}


def _mark(token: str) -> tuple[int, int]:
    match = re.fullmatch(r"(\d{1,9})/(\d{1,18})", token)
    if match is None:
        raise ApiError("InvalidParameterException", "The specified nextToken is invalid.")
    return int(match[1]), int(match[2])


def _number(token: str) -> int:
    if not re.fullmatch(r"\d{1,9}", token):
        raise ApiError("InvalidParameterException", "The specified nextToken is invalid.")
    return int(token)

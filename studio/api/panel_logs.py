"""Logs of jobs and endpoints by the numbers of their lines, for a view that shows any of them.

CloudWatch's operations read a log from one end to the other. These answer what a person looks for
in a million lines: how many there are, those on the screen, the first error, all that match.
"""

from studio.api import panel_runs
from studio.api.panel_runs import Part
from studio.api.registry import Context, operation
from studio.db.resources import Doc
from studio.errors import ValidationException
from studio.runners import log_lines, log_search

_USUAL_LINES = 1_000
_USUAL_MATCHES = 10_000
_READ_BYTES = 2 * 2**20


@operation("studio", "DescribeLog")
def describe_log(ctx: Context, request: Doc) -> Doc:
    resource, parts = panel_runs.subject(ctx, request)
    part = panel_runs.chosen(resource, parts, request.get("Stream", ""))
    streams = [_stream(each) for each in parts]
    if part is None:
        return {"Streams": streams, "Lines": 0, "Bytes": 0, "Ended": False}
    lines, size = log_lines.of(part.folder).measure()
    errors = _errors(part) if request.get("Errors") else {}
    return {
        "Streams": streams,
        "Stream": part.name,
        "Lines": lines,
        "Bytes": size,
        "Ended": part.ended,
        **errors,
    }


@operation("studio", "GetLogLines")
def get_log_lines(ctx: Context, request: Doc) -> Doc:
    part = _required(ctx, request)
    index = log_lines.of(part.folder)
    found = index.window(request["Start"], request.get("Count", _USUAL_LINES))
    return {
        "Start": request["Start"],
        "LogLines": [_line(each) for each in found],
        "Lines": index.measure()[0],
    }


@operation("studio", "ReadLog")
def read_log(ctx: Context, request: Doc) -> Doc:
    index = log_lines.of(_required(ctx, request).folder)
    start = request["Start"]
    return {"Data": index.read(start, start + _READ_BYTES), "Bytes": index.measure()[1]}


@operation("studio", "SearchLog")
def search_log(ctx: Context, request: Doc) -> Doc:
    part = _required(ctx, request)
    kind = log_search.pattern if request.get("Regex") else log_search.plain
    try:
        places = kind(request["Query"], request.get("CaseSensitive", False))
        limit = request.get("Limit", _USUAL_MATCHES)
        found = log_search.search(part.folder, places, request.get("From", 0), limit)
    except ValueError as error:
        raise ValidationException(f"Query: not a regular expression: {error}.") from error
    except TimeoutError as error:
        raise ValidationException(
            "Query: this expression takes too long on a line; make it simpler."
        ) from error
    return {
        "Matches": list(found.lines),
        "Total": found.total,
        "Searched": found.searched,
        "Lines": log_lines.of(part.folder).measure()[0],
    }


def _required(ctx: Context, request: Doc) -> Part:
    resource, parts = panel_runs.subject(ctx, request)
    part = panel_runs.chosen(resource, parts, request.get("Stream", ""))
    if part is None:
        raise ValidationException(f"{resource.kind} {resource.name} has not started yet: no log.")
    return part


def _stream(part: Part) -> Doc:
    return {
        "Name": part.name,
        "Host": part.host,
        "CreationTime": part.run.created_at,
        "Bytes": log_lines.of(part.folder).measure()[1],
        "Ended": part.ended,
    }


def _errors(part: Part) -> Doc:
    last = log_search.last_traceback(part.folder)
    return {
        "FirstErrorLine": log_search.first_error(part.folder),
        "Traceback": {"Line": last.line, "Text": last.text} if last else None,
    }


def _line(line: log_lines.Line) -> Doc:
    cut = line.size > log_lines.SHOWN_BYTES
    return {"Time": line.at, "Text": line.text, "Bytes": line.size if cut else None}

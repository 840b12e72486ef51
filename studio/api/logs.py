"""CloudWatch Logs as clients read it: groups of runs, and groups of one's own."""

from studio.api import log_events, log_names, log_runs
from studio.api.registry import Context, operation
from studio.db.resources import Doc


@operation("logs", "DescribeLogStreams")
def describe_log_streams(ctx: Context, request: Doc) -> Doc:
    if request.get("orderBy") == "LastEventTime" and "logStreamNamePrefix" in request:
        raise log_names.invalid("Cannot order by LastEventTime with a logStreamNamePrefix.")
    group = log_names.required(request)
    of_runs = log_runs.managed(group)
    describe = log_runs.describe_streams if of_runs else log_events.describe_streams
    return describe(ctx, group, request)


@operation("logs", "GetLogEvents")
def get_log_events(ctx: Context, request: Doc) -> Doc:
    group = log_names.required(request)
    get = log_runs.get_events if log_runs.managed(group) else log_events.get_events
    return get(ctx, group, request)


@operation("logs", "FilterLogEvents")
def filter_log_events(ctx: Context, request: Doc) -> Doc:
    if "logStreamNames" in request and "logStreamNamePrefix" in request:
        raise log_names.invalid("logStreamNames and logStreamNamePrefix are mutually exclusive.")
    group = log_names.required(request)
    search = log_runs.filter_events if log_runs.managed(group) else log_events.filter_events
    return search(ctx, group, request)

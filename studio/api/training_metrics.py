"""What a training job says of its metrics: in its log, and in files of its own."""

from itertools import chain

from studio.api import metric_lines, metrics
from studio.db.resources import Doc, Resource
from studio.reconcile.steps import Followed, Observed, Point

_MANY_LINES, _MANY_BYTES = 5_000, 2**20


def follow(job: Resource, role: str) -> Followed:
    """Nobody reads the log of a job without metrics."""
    position = job.state.get("LogPositions", {}).get(role, 0)
    log = position if job.state["MetricDefinitions"] else None
    return Followed(log, job.state.get("MetricPositions", {}).get(role, {}))


def unread(run: Observed) -> bool:
    """The run said something that was not read before."""
    log, files = run.log, run.metrics
    return (log is not None and log.end > log.start) or bool(files and files.ends)


def behind(run: Observed) -> bool:
    """It says so much that there may be more than one look takes."""
    log, files = run.log, run.metrics
    lines = max(len(log.events) if log else 0, len(files.lines) if files else 0)
    return lines >= _MANY_LINES or (log is not None and log.end - log.start >= _MANY_BYTES)


def printed(state: Doc, runs: list[Observed]) -> tuple[Doc, list[Point]]:
    """The state once the pages of the logs are read, and what their lines say."""
    pages = {it.run.role: it.log for it in runs if it.log and it.log.end > it.log.start}
    if not pages:
        return state, []
    ends = {role: page.end for role, page in pages.items()}
    # Of several hosts the last value is the one with the latest time.
    events = sorted(chain(*(page.events for page in pages.values())), key=_time)
    found = metrics.scrape(state["MetricDefinitions"], events)
    positions = {**state.get("LogPositions", {}), **ends}
    return {**state, "LogPositions": positions, **metrics.final(state, found)}, found


def written(state: Doc, runs: list[Observed]) -> tuple[Doc, list[Point]]:
    """The state once the new lines of the files are read, and what they say."""
    pages = {it.run.role: it.metrics for it in runs if it.metrics and it.metrics.ends}
    if not pages:
        return state, []
    before = state.get("MetricPositions", {})
    ends = {role: {**before.get(role, {}), **page.ends} for role, page in pages.items()}
    found = [point for page in pages.values() for point in metric_lines.points(page.lines)]
    return {**state, "MetricPositions": {**before, **ends}}, found


def _time(event: tuple[int, str]) -> int:
    return event[0]

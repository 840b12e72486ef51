"""How long a job took, waited and ran: what it is billed for, and what it may still take.

A job that is interrupted waits for its turn and runs again. Time that it waits is not billed, and
counts against MaxWaitTimeInSeconds alone; time that it runs counts against MaxRuntimeInSeconds,
in all attempts together.
"""

from studio.api import training_checks
from studio.db.resources import Doc, Resource

_WAITING = ("Starting", "Pending", "Interrupted", "Restarting")


def training_seconds(state: Doc) -> int | None:
    """From the first start of the training until the end of the job; None until then."""
    start, end = state.get("TrainingStartTime"), state.get("TrainingEndTime")
    return None if start is None or end is None else _seconds(end - start)


def billable_seconds(state: Doc) -> int | None:
    """As `training_seconds`, without the time in which the job had no hosts."""
    start, end = state.get("TrainingStartTime"), state.get("TrainingEndTime")
    if start is None or end is None:
        return None
    return _seconds(end - start - _spent(state, _WAITING, start, end))


def left_to_run(job: Resource) -> float:
    """Seconds that the command of a next attempt may run; a little of nothing ends it at once."""
    limit = job.spec.get("StoppingCondition", {}).get("MaxRuntimeInSeconds")
    ran = _spent(job.state, ("Training",), 0, 2**62) / 1000
    return max(float(limit or training_checks.DEFAULT_RUNTIME) - ran, 0.1)


def left_to_wait(job: Resource, now: int) -> int | None:
    """Milliseconds until a job on managed spot instances must be done; None without a limit."""
    limit = job.spec.get("StoppingCondition", {}).get("MaxWaitTimeInSeconds")
    return None if limit is None else int(job.created_at + limit * 1000 - now)


def _spent(state: Doc, statuses: tuple[str, ...], start: int, end: int) -> int:
    """Milliseconds between `start` and `end` in which the job was in one of `statuses`."""
    return sum(
        max(min(it.get("EndTime", end), end) - max(it["StartTime"], start), 0)
        for it in state["Transitions"]
        if it["Status"] in statuses
    )


def _seconds(milliseconds: int) -> int:
    """At least one: clients divide by it."""
    return max(round(milliseconds / 1000), 1)

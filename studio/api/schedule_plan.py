"""What happens to a schedule: a pure plan, and what came of the calls that it makes.

Each time that is due makes one call, whose key is made of the schedule and that time: whatever
dies meanwhile, and wherever the clock is set, the same time never starts a second job. Of the times
that passed while nobody was there the last one is made up for; that others were missed is noted.
"""

import hashlib
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime

import structlog

from studio.api import schedule_times, schedules
from studio.db.resources import Doc, Resource
from studio.errors import ApiError
from studio.identity.principals import Principal, service_session
from studio.reconcile.steps import Call, Kind, Observed, Plan
from studio.settings import Settings

log = structlog.get_logger()

Perform = Callable[[Principal, Call], Doc]
"""Has a call answered for a principal; raises ApiError."""

_LOOK_MS = 30_000
"""The clock may be set, so it is asked every now and then, not only when something is due."""
_KEPT = 50
_PUNCTUAL_MS = 60_000
_MOST_ATTEMPTS = 185
_OLDEST_MS = 86_400_000
_LONGEST_PAUSE_MS = 300_000
_PASSING = ("ThrottlingException", "ResourceLimitExceeded", "InternalFailure", "ServiceUnavailable")


def kind(settings: Settings, perform: Perform, clock: Callable[[], int]) -> Kind:
    """The behaviour of schedules, for the reconciler; `clock` tells UTC milliseconds."""

    def call(schedule: Resource, step: Call) -> Resource:
        role, owner = step.role_arn, schedule.owner
        principal = service_session(settings.account, settings.role_name, role, owner)
        return noted(schedule, _answer(perform, principal, step), clock())

    return Kind(name=schedules.NOUN.kind, plan=plan, prepare=None, call=call)


def plan(schedule: Resource, _observed: list[Observed], now: int) -> Plan:
    """What to do next for a schedule."""
    state = schedule.state
    if state.get("Asked"):
        return Plan(schedule, (_call(schedule, state["Asked"][0], 1),), 0)
    due, retry = state["Due"], state["Retry"]
    if schedule.status != "ENABLED" or due is None:
        return Plan(replace(schedule, due_at=None))
    begin = max(due, retry["At"]) if retry else due
    if now < begin:
        return Plan(replace(schedule, due_at=begin), (), min(begin - now, _LOOK_MS))
    caught = _caught_up(schedule, now)
    if caught is not schedule:
        return Plan(caught, (), 0)
    return Plan(schedule, (_call(schedule, due, retry["Attempt"] if retry else 1),), 0)


def execution_id(schedule: Resource, due: int) -> str:
    """Of one time of a schedule: the same whenever it is asked for."""
    return hashlib.sha256(f"{schedule.id} {due}".encode()).hexdigest()[:16]


def noted(schedule: Resource, answer: Doc, now: int) -> Resource:
    """The schedule with what came of its call: an `Arn`, or the `Code` and `Message` of a
    refusal."""
    state = schedule.state
    asked: list[int] = state.get("Asked", [])
    due = asked[0] if asked else state["Due"]
    attempt = 1 if asked or not state["Retry"] else state["Retry"]["Attempt"]
    if "Code" in answer and not asked and _again(schedule, answer, attempt, now):
        pause = min(1000 * 2**attempt, _LONGEST_PAUSE_MS)
        retry = {"At": now + pause, "Attempt": attempt + 1, "Message": answer["Message"]}
        return replace(schedule, state={**state, "Retry": retry}, due_at=now + pause)
    run = {
        "ExecutionId": execution_id(schedule, due),
        "DueTime": due,
        "Time": now,
        "Attempts": attempt,
        "ByHand": bool(asked),
        "Status": "Failed" if "Code" in answer else "Started",
        **answer,
    }
    if asked:
        state = {**state, "Asked": asked[1:], "Runs": _with(state, run)}
        return replace(schedule, state=state)
    return _passed(schedule, due, run, now)


def _answer(perform: Perform, principal: Principal, step: Call) -> Doc:
    try:
        document = perform(principal, step)
    except ApiError as error:
        if error.code == "ResourceInUse" and step.key in error.message:
            return {}  # its name says so: the job of this very time is there already
        return {"Code": error.code, "Message": error.message[:1024]}
    except Exception:
        log.exception("call of a schedule failed", operation=step.operation)
        return {"Code": "InternalFailure", "Message": "An internal error occurred."}
    arns = [value for name, value in document.items() if name.endswith("Arn")]
    return {"Arn": arns[0]} if arns else {}


def _call(schedule: Resource, due: int, attempt: int) -> Call:
    given = schedule.spec["Target"]
    moment = datetime.fromtimestamp(due // 1000, UTC)
    values = {
        "attempt-number": str(attempt),
        "execution-id": execution_id(schedule, due),
        "scheduled-time": moment.strftime("%Y-%m-%dT%H:%M:%SZ"),
        "schedule-arn": schedule.arn,
    }
    body = schedules.filled(given.get("Input", "{}"), values)
    return Call(*schedules.target(given["Arn"]), given["RoleArn"], body, values["execution-id"])


def _caught_up(schedule: Resource, now: int) -> Resource:
    """The schedule at the last time that is due, with a note of those before; itself when there are
    none, and that one is not too old to be made up for."""
    state, spec = schedule.state, schedule.spec
    due = state["Due"]
    if now - due < _PUNCTUAL_MS or state["Retry"]:
        return schedule
    ends = [spec["EndDate"] - 1] if "EndDate" in spec else []
    times = schedules.times(spec, state["Anchor"])
    last = schedule_times.latest(times, due, min([now, *ends]))
    missed = {"Status": "Missed", "DueTime": due, "Time": now, "Attempts": 0, "ByHand": False}
    if now - last > _oldest_ms(schedule):
        text = "Studio did not run at this time, and until it was too late to make up for it."
        return _passed(schedule, last, {**missed, "LastDueTime": last, "Message": text}, now)
    if last == due:
        return schedule
    text = "Studio did not run at these times, or tried an earlier one again. The last is made up."
    before = {**missed, "LastDueTime": last, "Message": text}
    return replace(schedule, state={**state, "Due": last, "Runs": _with(state, before)})


def _passed(schedule: Resource, due: int, run: Doc, now: int) -> Resource:
    """The schedule behind the time `due`, of which `run` tells."""
    state, spec = schedule.state, schedule.spec
    following = schedules.next_due(spec, state["Anchor"], due)
    state = {**state, "Due": following, "Retry": None, "Runs": _with(state, run)}
    over = following is None and spec.get("ActionAfterCompletion") == "DELETE"
    deleted = now if over else None
    return replace(schedule, state=state, due_at=following, deleted_at=deleted)


def _with(state: Doc, run: Doc) -> list[Doc]:
    return [*state.get("Runs", []), run][-_KEPT:]


def _again(schedule: Resource, answer: Doc, attempt: int, now: int) -> bool:
    """Whether what went wrong may pass, and the schedule wants to wait for that."""
    policy = schedule.spec["Target"].get("RetryPolicy", {})
    most = policy.get("MaximumRetryAttempts", _MOST_ATTEMPTS)
    young = now - schedule.state["Due"] < _oldest_ms(schedule)
    return answer["Code"] in _PASSING and attempt <= most and young


def _oldest_ms(schedule: Resource) -> int:
    policy = schedule.spec["Target"].get("RetryPolicy", {})
    return int(policy.get("MaximumEventAgeInSeconds", _OLDEST_MS // 1000)) * 1000

"""Schedules as their page shows them: when they are due next, what became of the times that were,
and a start by hand."""

from dataclasses import replace

from studio.api import schedule_plan, schedules, store
from studio.api.registry import Context, operation
from studio.db.resources import Doc, Resource

_SHOWN = 5


@operation("studio", "DescribeSchedules")
def describe_schedules(ctx: Context, request: Doc) -> Doc:
    names = request.get("Names")
    found = [it for it in schedules.every(ctx) if names is None or it.spec["Name"] in names]
    return {"Schedules": [_shown(it) for it in found]}


@operation("studio", "PreviewSchedule")
def preview_schedule(ctx: Context, request: Doc) -> Doc:
    now = ctx.now()
    return {"Times": _next(request, now, now - 1)}


@operation("studio", "RunSchedule")
def run_schedule(ctx: Context, request: Doc) -> Doc:
    now = ctx.now()

    def asked(it: Resource) -> Resource:
        state = {**it.state, "Asked": [*it.state.get("Asked", []), now]}
        return replace(it, state=state, due_at=now)

    changed = store.change(ctx, schedules.NOUN, schedules.key(request), asked)
    return {"ExecutionId": schedule_plan.execution_id(changed, now)}


def _shown(it: Resource) -> Doc:
    state, enabled = it.state, it.status == "ENABLED"
    due = state["Due"]
    following = _next(it.spec, state["Anchor"], due) if due is not None else []
    retry = state["Retry"]
    return {
        **schedules.described(it),
        "NextTimes": [due, *following][:_SHOWN] if enabled and due is not None else [],
        "Runs": list(reversed(state.get("Runs", []))),
        "Waiting": retry["Message"] if retry else None,
    }


def _next(spec: Doc, anchor: int, moment: int) -> list[int]:
    found: list[int] = []
    due = schedules.next_due(spec, anchor, moment)
    while due is not None and len(found) < _SHOWN:
        found.append(due)
        due = schedules.next_due(spec, anchor, due)
    return found

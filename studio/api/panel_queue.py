"""The queue: who has what of this machine, who waits, and whose turn comes first."""

from dataclasses import replace
from functools import partial

from studio.api import queue_rows, store
from studio.api.registry import Context, operation
from studio.db import resources
from studio.db.resources import Doc, Resource
from studio.errors import ValidationException
from studio.reconcile import interruptions, priorities

_PAGE = 100


@operation("studio", "ListQueue")
def list_queue(ctx: Context, request: Doc) -> Doc:
    start, size = _start(request), request.get("MaxResults", _PAGE)
    places = ctx.broker.places()
    with ctx.db.read() as connection:
        waiting = queue_rows.waiting(connection, ctx, places[start : start + size])
        runs = [] if start else resources.open_runs(connection)
        holders = resources.several(connection, queue_rows.owners(runs))
    more = {"NextToken": str(start + size)} if start + size < len(places) else {}
    return {"Running": queue_rows.running(ctx, runs, holders), "Waiting": waiting, **more}


@operation("studio", "UpdateJobPriority")
def update_job_priority(ctx: Context, request: Doc) -> Doc:
    arn, priority = request["Arn"], request["Priority"]

    def changed(job: Resource) -> Resource:
        if job.kind not in queue_rows.KINDS:
            raise ValidationException(f"{job.arn} does not wait for a turn: it has no priority.")
        return replace(job, tags=store.merged(job.tags, [priorities.tag(priority)]))

    store.change_found(ctx, arn, partial(store.require_arn, ctx=ctx, arn=arn), changed)
    return {"Arn": arn, "Priority": priority}


@operation("studio", "InterruptJob")
def interrupt_job(ctx: Context, request: Doc) -> Doc:
    arn = request["Arn"]

    def changed(job: Resource) -> Resource:
        if not priorities.preemptible(job):
            raise ValidationException(
                f"{job.arn} is not to be interrupted: create it with EnableManagedSpotTraining, "
                f"a processing job with the tag {priorities.INTERRUPTIBLE}, or stop it."
            )
        with ctx.db.read() as connection:
            running = any(run.ended_at is None for run in resources.runs(connection, job.id))
        if job.status != "InProgress" or not running:
            raise ValidationException(f"{job.arn} does not run.")
        return interruptions.interrupted(job, f"Interrupted by {ctx.caller.principal.arn}.")

    store.change_found(ctx, arn, partial(store.require_arn, ctx=ctx, arn=arn), changed)
    return {"Arn": arn}


def _start(request: Doc) -> int:
    token = request.get("NextToken", "0")
    if not (token.isascii() and token.isdigit()):
        raise ValidationException("The NextToken is none of an earlier answer.")
    return int(token)

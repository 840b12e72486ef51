"""How jobs of every kind are stopped and deleted."""

from dataclasses import replace

from studio.api import store
from studio.api.registry import Context
from studio.db.resources import Doc, Resource
from studio.errors import ResourceInUse, ValidationException

FINAL = ("Completed", "Failed", "Stopped")
"""Nothing happens any more to a job of such a status."""


def stop(ctx: Context, noun: store.Noun, name: str) -> Doc:
    """Raises ApiError: there is no such job, or it has ended."""

    def stopped(job: Resource) -> Resource:
        if job.status in FINAL:
            raise ValidationException(
                f"The request was rejected because the {_called(noun)} is in status {job.status}"
            )
        return replace(job, desired="stopped", status="Stopping")

    store.change(ctx, noun, name, stopped)
    return {}


def delete(ctx: Context, noun: store.Noun, name: str) -> Doc:
    """Raises ApiError: there is no such job, or it has not ended."""

    def deleted(job: Resource) -> Resource:
        if job.status not in FINAL:
            raise ResourceInUse(
                f"The {_called(noun)} {job.arn} is in status {job.status}: stop it first."
            )
        return replace(job, deleted_at=ctx.now(), due_at=None)

    store.change(ctx, noun, name, deleted)
    return {}


def _called(noun: store.Noun) -> str:
    return noun.kind.replace("-", " ")

"""The S3 addresses in a request, and whether the role that will use them may.

Nobody reaches somebody else's bucket by having a job or a model read it: what a request refers to
is looked at as the role, on behalf of the caller, before anything is made.
"""

from collections.abc import Iterator
from dataclasses import replace
from functools import partial
from typing import Any

from studio.api.registry import Context, Operation
from studio.db.resources import Doc
from studio.errors import ApiError, ValidationException
from studio.identity.principals import service_session
from studio.s3.client import parse_uri
from studio.s3.errors import S3Error
from studio.s3.guard import GuardedStorage

# The customer's own texts, which nobody follows.
_TEXTS = {"Environment", "HyperParameters", "Tags", "ContainerArguments", "ContainerEntrypoint"}
_WRITTEN = ("Output", "Checkpoint", "Destination", "TensorBoard", "Profiler", "DebugHook")


def checked(ctx: Context, operation: Operation, request: Doc, role_arn: str) -> Context:
    """The context of an operation that sees of S3 what the role may.

    Raises AccessDeniedException; for the owner of the home, whose jobs fail with the reason
    instead, only a model's data are refused (ValidationException), as on AWS.
    """
    settings, caller = ctx.settings, ctx.caller.principal
    if caller.kind == "owner" and operation.name != "CreateModel":
        return ctx
    who = service_session(settings.account, settings.role_name, role_arn, caller.owner)
    for action, uri in _addresses(request):
        bucket, key = parse_uri(uri)
        try:
            ctx.buckets.check(who, action, bucket, key)
        except S3Error as error:
            if caller.kind == "owner":
                raise _no_model_data(uri, role_arn, settings.region) from error
            raise ApiError("AccessDeniedException", error.message, 403) from error
    return replace(ctx, store=GuardedStorage(ctx.store, partial(ctx.buckets.check, who)))


def _addresses(value: Any, action: str = "s3:GetObject") -> Iterator[tuple[str, str]]:
    """(action, s3:// address) of everything that is read or written."""
    if isinstance(value, dict):
        for name, member in value.items():
            if name not in _TEXTS:
                written = any(word in name for word in _WRITTEN)
                yield from _addresses(member, "s3:PutObject" if written else action)
    elif isinstance(value, list):
        for member in value:
            yield from _addresses(member, action)
    elif isinstance(value, str) and value.startswith("s3://"):
        yield action, value


def _no_model_data(uri: str, role_arn: str, region: str) -> ValidationException:
    return ValidationException(
        f'Could not access model data at {uri}. Please ensure that the role "{role_arn}" exists '
        'and that its trust relationship policy allows the action "sts:AssumeRole" for the '
        'service principal "sagemaker.amazonaws.com". Also ensure that the role has '
        f'"s3:GetObject" permissions and that the object is located in {region}.'
    )

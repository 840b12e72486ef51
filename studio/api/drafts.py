"""What is wrong with a request that somebody is still writing: what jobs of every kind share."""

import re
from collections.abc import Generator, Iterator

from studio.api import access, registry, sources, store
from studio.api.registry import Context
from studio.db.resources import Doc
from studio.environment import default_bucket
from studio.errors import ApiError, ValidationException
from studio.s3.client import parse_uri
from studio.wire import models, shapes

Fault = tuple[str, str]
"""Where, in the spelling of the request: `InputDataConfig[0].ContentType`; and what."""


def told(found: Iterator[Fault]) -> Doc:
    """The answer of an operation: each fault once."""
    return {
        "Faults": [{"Path": path, "Message": message} for path, message in dict.fromkeys(found)]
    }


def examined(create: str, given: Doc) -> Generator[Fault, None, tuple[Doc, set[str]] | None]:
    """What the model has against a request for the operation `create`; in the end the request and
    its members that are at fault, or None where nothing more can be told."""
    shape = models.service_model("sagemaker").operation_model(create).input_shape
    assert shape is not None
    try:
        request, violations = shapes.examine(shape, given)
    except ApiError as error:  # a value of a wrong type
        _, named, place = error.message.rpartition(" at '")
        yield _path(place.rstrip("'.")) if named else "", error.message
        return None
    for path, sentence in violations.found:
        yield _path(path), sentence
    return request, {
        _path(path).partition(".")[0].partition("[")[0] for path, _ in violations.found
    }


def refused(
    ctx: Context, create: str, noun: store.Noun, request: Doc
) -> Generator[Fault, None, Context | None]:
    """A name that is taken, and what the caller may not; in the end the context of one who may."""
    member = f"{create.removeprefix('Create')}Name"
    name = request.get(member, "")
    earlier = store.find(ctx, noun, name) if name else None
    if earlier is not None:
        yield member, noun.taken(earlier).message
    operation = registry.find("sagemaker", create)
    assert operation is not None
    try:
        return access.authorized(ctx, operation, request)
    except ValidationException as error:
        yield "RoleArn", error.message
    except ApiError as error:
        yield "", error.message
    return None


def no_data(ctx: Context, path: str, source: Doc) -> Iterator[Fault]:
    """A source of S3 in which a job would find nothing."""
    try:
        empty = sources.empty(source, ctx.store)
    except ApiError as error:
        yield path, error.message
        return
    if empty:
        yield path, f'No S3 objects found under S3 URL "{source["S3Uri"]}".'


def no_place(ctx: Context, path: str, uri: str) -> Iterator[Fault]:
    """An output that could not be stored. Whoever uses the default bucket makes it."""
    try:
        bucket, _ = parse_uri(uri)
    except ValidationException:  # told already
        return
    if bucket != default_bucket(ctx.settings) and not ctx.store.bucket_exists(bucket):
        yield path, f"The bucket {bucket} does not exist."


def _path(path: str) -> str:
    """`inputDataConfig.1.member.channelName`, as violations have it, in the request's spelling."""
    path = re.sub(r"\.(\d+)\.member", lambda match: f"[{int(match[1]) - 1}]", path)
    return ".".join(part[:1].upper() + part[1:] for part in path.split(".") if part != "member")

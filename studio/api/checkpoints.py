"""Checkpoints of a job: restored from S3 when it starts, stored there while it runs."""

from pathlib import PurePosixPath

from studio.api import channels
from studio.api.sources import Found
from studio.db.resources import Doc
from studio.errors import ApiError, ValidationException
from studio.reconcile.steps import Rejected
from studio.runners.base import Transfer
from studio.s3.client import Storage, parse_uri

_ML = PurePosixPath("/opt/ml")
_DEFAULT = "/opt/ml/checkpoints"
_OTHERS = ("input", "model", "output", "code")


def check(request: Doc) -> None:
    """Raises ValidationException when a CheckpointConfig cannot be executed."""
    if "CheckpointConfig" in request:
        parse_uri(request["CheckpointConfig"]["S3Uri"])
        folder(request)


def folder(request: Doc) -> str:
    """Where checkpoints are, relative to /opt/ml; "" when nobody wants them kept."""
    if "CheckpointConfig" not in request:
        return ""
    given = request["CheckpointConfig"].get("LocalPath") or _DEFAULT
    path = PurePosixPath(given)
    if not path.is_relative_to(_ML) or path == _ML or ".." in path.parts or "\0" in given:
        raise ValidationException(
            f"CheckpointConfig: the LocalPath {given!r} is not below {_ML}, where it must be here."
        )
    inside = path.relative_to(_ML)
    if inside.parts[0] in _OTHERS:
        raise ValidationException(
            f"CheckpointConfig: the LocalPath {given!r} is the place of something else."
        )
    return str(inside)


def prefix(request: Doc) -> str:
    """The S3 URI that the path of each checkpoint is appended to."""
    return str(request["CheckpointConfig"]["S3Uri"]).rstrip("/") + "/"


def restored(request: Doc, storage: Storage) -> list[Transfer]:
    """What is stored already, as files. Raises Rejected."""
    target = folder(request)
    if not target:
        return []
    bucket, start = parse_uri(prefix(request))
    try:
        found = [
            (Found(item, item.key[len(start) :]),)
            for item in storage.list(bucket, start)
            if not item.key.endswith("/")
        ]
        return channels.transfers(target, found, storage)
    except ApiError as error:
        raise Rejected(
            f"ClientError: The checkpoints under {prefix(request)} cannot be read: {error.message}"
        ) from error

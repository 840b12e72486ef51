"""Which objects a channel of a job holds, and under which names the job sees them."""

import json
from collections.abc import Iterator
from pathlib import PurePosixPath

from studio.db.resources import Doc
from studio.errors import ApiError, ValidationException
from studio.reconcile.steps import Rejected
from studio.runners.base import Transfer
from studio.s3.client import Storage, parse_uri

_MANIFEST_LIMIT = 64 * 2**20


def check(channels: list[Doc]) -> None:
    """Refuse what cannot be executed, before a job is made. Raises ValidationException."""
    names = [channel["ChannelName"] for channel in channels]
    if len(set(names)) != len(names):
        raise ValidationException("Channel names must be unique within a training job.")
    for channel in channels:
        _check(channel)


def transfers(
    channel: Doc, role_arn: str, storage: Storage, host: int = 0, hosts: int = 1
) -> list[Transfer]:
    """The objects of a channel as files under `input/data/<channel>`, for host `host` of `hosts`
    (counted from 0, among those that get this channel).

    Raises Rejected, in AWS's words, when there are none or a name cannot be a file's.
    """
    source = channel["DataSource"]["S3DataSource"]
    try:
        found = list(_objects(source, storage))
    except ApiError as error:
        raise _nothing(source, role_arn, error.message) from error
    if not found:
        raise _nothing(source, role_arn, "")
    if source.get("S3DataDistributionType") == "ShardedByS3Key":
        found = found[host::hosts]
    folder = PurePosixPath("input/data") / channel["ChannelName"]
    files = [_transfer(folder, *each, storage=storage) for each in found]
    _refuse_conflicts(files)
    return files


def _check(channel: Doc) -> None:
    name = channel["ChannelName"]
    source = channel["DataSource"].get("S3DataSource")
    if source is None:
        raise ValidationException(f"Channel {name}: only S3DataSource can be executed here.")
    if source["S3DataType"] == "AugmentedManifestFile":
        raise ValidationException(f"Channel {name}: AugmentedManifestFile is not executed yet.")
    if channel.get("InputMode") == "Pipe":
        raise ValidationException(
            f"Channel {name}: InputMode Pipe is not executed yet; use File or FastFile."
        )
    if channel.get("CompressionType", "None") != "None":
        raise ValidationException(f"Channel {name}: CompressionType Gzip is not executed yet.")
    parse_uri(source["S3Uri"])


def _objects(source: Doc, storage: Storage) -> Iterator[tuple[str, str, int, str]]:
    """(bucket, key, size, name in the channel) of each object."""
    bucket, key = parse_uri(source["S3Uri"])
    if source["S3DataType"] == "ManifestFile":
        yield from _manifest(bucket, key, storage)
        return
    for item in storage.list(bucket, key):
        if not item.key.endswith("/"):
            yield bucket, item.key, item.size, _relative(item.key, key)


def _manifest(bucket: str, key: str, storage: Storage) -> Iterator[tuple[str, str, int, str]]:
    """`[{"prefix": "s3://b/p/"}, "one", "two"]`: the form that `record_set` writes."""
    try:
        head, *names = json.loads(storage.read(bucket, key, _MANIFEST_LIMIT))
        prefix_bucket, prefix = parse_uri(head["prefix"])
    except (ValueError, TypeError, KeyError) as error:
        raise Rejected(f"ClientError: s3://{bucket}/{key} is not a valid manifest.") from error
    for name in names:
        item = storage.head(prefix_bucket, prefix + name)
        if item is None:
            raise Rejected(
                f"ClientError: The manifest s3://{bucket}/{key} names "
                f"s3://{prefix_bucket}/{prefix}{name}, which does not exist."
            )
        yield prefix_bucket, item.key, item.size, name


def _relative(key: str, prefix: str) -> str:
    """The name of an object under a prefix: what follows the folder that the prefix names."""
    if prefix and not prefix.endswith("/") and key.startswith(prefix + "/"):
        return key[len(prefix) + 1 :]
    return key[prefix.rfind("/") + 1 :]


def _transfer(
    folder: PurePosixPath, bucket: str, key: str, size: int, name: str, *, storage: Storage
) -> Transfer:
    parts = name.split("/")
    if any(part in ("", ".", "..") or "\0" in part or len(part.encode()) > 255 for part in parts):
        raise Rejected(f"ClientError: the object s3://{bucket}/{key} cannot be a file's name.")
    link, url = storage.source(bucket, key)
    return Transfer(path=str(folder.joinpath(*parts)), size=size, link=link, url=url)


def _refuse_conflicts(files: list[Transfer]) -> None:
    paths = {file.path for file in files}
    for file in files:
        for parent in PurePosixPath(file.path).parents:
            if str(parent) in paths:
                raise Rejected(
                    f"ClientError: the channel has an object {parent} and others below it; "
                    "a file cannot be a folder too."
                )


def _nothing(source: Doc, role_arn: str, detail: str) -> Rejected:
    bucket, _ = parse_uri(source["S3Uri"])
    return Rejected(
        f'ClientError: No S3 objects found under S3 URL "{source["S3Uri"]}" given in input data '
        "source. Please ensure that the bucket exists, that objects exist under that S3 prefix, "
        f'and that the role "{role_arn}" has "s3:ListBucket" permissions on bucket "{bucket}".'
        + (f" Error message from S3: {detail}" if detail else "")
    )

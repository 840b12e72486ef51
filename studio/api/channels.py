"""The channels of a job: what can be executed, and what a run needs to do so.

Modes: File (copies in a folder), FastFile (the same folder, without a copy where the store is in
this home), Pipe (FIFOs). Sources: studio.api.sources.
"""

import hashlib
import re
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import PurePosixPath
from random import Random
from typing import NamedTuple

from studio.api import sources
from studio.api.sources import Found, Record
from studio.db.resources import Doc
from studio.errors import ApiError, ValidationException
from studio.reconcile.steps import Rejected
from studio.runners.base import Part, Stream, Transfer
from studio.s3.client import Storage, parse_uri

_DATA = PurePosixPath("input/data")


class Content(NamedTuple):
    """The objects of a channel as a job found them. `digest` is of their names, sizes and ETags."""

    channel: str
    uri: str
    objects: int
    size: int
    """Bytes."""
    digest: str


@dataclass(frozen=True)
class Staged:
    """What a run needs for its channels: fields of RunSpec; and what is in them."""

    folders: tuple[str, ...] = ()
    inputs: tuple[Transfer, ...] = ()
    linked: tuple[str, ...] = ()
    streams: tuple[Stream, ...] = ()
    contents: tuple[Content, ...] = ()


@dataclass(frozen=True)
class Share:
    """A host, counted from 0, among the `hosts` that get a channel."""

    host: int = 0
    hosts: int = 1


ALL = Share()


def check(channels: list[Doc], mode: str = "File") -> None:
    """Refuse what cannot be executed, before a job is made; `mode` is TrainingInputMode.

    Raises ValidationException.
    """
    names = [channel["ChannelName"] for channel in channels]
    if len(set(names)) != len(names):
        raise ValidationException("Channel names must be unique within a job.")
    for channel in channels:
        _check(channel, channel.get("InputMode", mode))
    for channel in channels:
        name = channel["ChannelName"]
        taken = re.compile(re.escape(name) + r"_\d+")
        if _piped(channel, mode) and any(map(taken.fullmatch, names)):
            raise ValidationException(f"Channel {name}: another has the name of one of its pipes.")


def stage(
    channel: Doc, mode: str, role_arn: str, storage: Storage, share: Share = ALL, folder: str = ""
) -> Staged:
    """What a host needs to get its share of a channel, in `folder` if that is not the channel's.

    Raises Rejected, in AWS's words, when there is no object or a name cannot be a file's.
    """
    source = channel["DataSource"]["S3DataSource"]
    try:
        staged = _staged(channel, mode, storage, share, folder or _folder(channel))
    except ApiError as error:
        raise sources.nothing(source, role_arn, error) from error
    if staged is None:
        raise sources.nothing(source, role_arn)
    return staged


def _folder(channel: Doc) -> str:
    return str(_DATA / channel["ChannelName"])


def _staged(channel: Doc, mode: str, storage: Storage, share: Share, folder: str) -> Staged | None:
    source = channel["DataSource"]["S3DataSource"]
    found = sources.records(source, storage)
    if not found:
        return None
    contents = (content(channel["ChannelName"], source["S3Uri"], found),)
    if source.get("S3DataDistributionType") != "ShardedByS3Key":
        share = ALL
    if _piped(channel, mode):
        stream = _stream(channel, found, storage, share, folder)
        return Staged(streams=(stream,), contents=contents)
    fast = channel.get("InputMode", mode) == "FastFile"
    return Staged(
        folders=(folder,),
        inputs=tuple(
            transfers(folder, _shuffled(channel, found)[share.host :: share.hosts], storage)
        ),
        linked=(folder,) if fast else (),
        contents=contents,
    )


def content(name: str, uri: str, records: Iterable[Record]) -> Content:
    """Of all hosts' shares together; what a manifest says itself counts as it is written."""
    digest, objects, size = hashlib.sha256(), 0, 0
    for record in records:
        for part in record:
            if isinstance(part, Found):
                objects, size = objects + 1, size + part.item.size
                part = f"{part.name}\0{part.item.size}\0{part.item.etag}"
            digest.update(f"{part}\n".encode())
    return Content(name, uri, objects, size, f"sha256:{digest.hexdigest()}")


def joined(staged: Iterable[Staged]) -> Staged:
    """The needs of several channels together."""
    parts = list(staged)
    return Staged(
        folders=tuple(each for part in parts for each in part.folders),
        inputs=tuple(each for part in parts for each in part.inputs),
        linked=tuple(each for part in parts for each in part.linked),
        streams=tuple(each for part in parts for each in part.streams),
        contents=tuple(each for part in parts for each in part.contents),
    )


def transfers(folder: str, records: Iterable[Record], storage: Storage) -> list[Transfer]:
    """The objects as files below `folder`, which is relative to /opt/ml. Raises Rejected."""
    files: dict[str, Transfer] = {}
    for record in records:
        for found in record:
            if isinstance(found, Found):
                made = _transfer(folder, found, storage)
                files[made.path] = made
    _refuse_conflicts(files)
    return list(files.values())


def _check(channel: Doc, mode: str) -> None:
    name = channel["ChannelName"]
    source = channel["DataSource"].get("S3DataSource")
    if name in (".", ".."):
        raise ValidationException(f"Channel {name}: a folder cannot have this name.")
    if source is None:
        raise ValidationException(f"Channel {name}: only S3DataSource can be executed here.")
    kind = source["S3DataType"]
    if kind == "Converse":
        raise ValidationException(f"Channel {name}: S3DataType Converse is not executed here.")
    if kind == "AugmentedManifestFile" and mode != "Pipe":
        raise ValidationException(
            f"Channel {name}: AugmentedManifestFile can only be used if the InputMode is Pipe."
        )
    if (kind == "AugmentedManifestFile") != bool(source.get("AttributeNames")):
        raise ValidationException(
            f"Channel {name}: AttributeNames belong to AugmentedManifestFile, and only to that."
        )
    if kind != "S3Prefix" and mode == "FastFile":
        raise ValidationException(
            f"Channel {name}: InputMode FastFile can only be used with S3DataType S3Prefix."
        )
    _check_format(channel, mode)
    parse_uri(source["S3Uri"])


def _check_format(channel: Doc, mode: str) -> None:
    for member in ("CompressionType", "RecordWrapperType"):
        value = channel.get(member, "None")
        if value != "None" and mode != "Pipe":
            raise ValidationException(
                f"Channel {channel['ChannelName']}: {member} {value} can only be used if the "
                f"InputMode is Pipe; it is {mode}."
            )


def _piped(channel: Doc, mode: str) -> bool:
    return bool(channel.get("InputMode", mode) == "Pipe")


def _seed(channel: Doc) -> int | None:
    return channel["ShuffleConfig"]["Seed"] if "ShuffleConfig" in channel else None


def _shuffled(channel: Doc, records: list[Record]) -> list[Record]:
    """As in the first epoch of a Pipe channel, so that each host gets the same in every mode."""
    seed = _seed(channel)
    if seed is None:
        return records
    made = list(records)
    Random(f"{seed}/0").shuffle(made)
    return made


def _stream(
    channel: Doc, records: list[Record], storage: Storage, share: Share, path: str
) -> Stream:
    seed = _seed(channel)
    if seed is None:
        records, share = records[share.host :: share.hosts], ALL
    return Stream(
        path=path,
        records=tuple(tuple(_part(each, storage) for each in record) for record in records),
        seed=seed,
        host=share.host,
        hosts=share.hosts,
        gzip=channel.get("CompressionType") == "Gzip",
        wrap=channel.get("RecordWrapperType") == "RecordIO",
    )


def _part(found: Found | str, storage: Storage) -> Part:
    if isinstance(found, str):
        return Part(text=found)
    link, url = storage.source(found.item)
    return Part(size=found.item.size, link=link, url=url, name=found.uri)


def _transfer(folder: str, found: Found, storage: Storage) -> Transfer:
    parts = found.name.split("/")
    if any(part in ("", ".", "..") or "\0" in part or len(part.encode()) > 255 for part in parts):
        raise Rejected(f"ClientError: the object {found.uri} cannot be a file's name.")
    link, url = storage.source(found.item)
    return Transfer(path=f"{folder}/{found.name}", size=found.item.size, link=link, url=url)


def _refuse_conflicts(files: Iterable[str]) -> None:
    paths = set(files)
    for path in paths:
        folder = path.rpartition("/")[0]
        while folder:
            if folder in paths:
                raise Rejected(
                    f"ClientError: the channel has an object {folder} and others below it; "
                    "a file cannot be a folder too."
                )
            folder = folder.rpartition("/")[0]

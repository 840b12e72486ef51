"""What a source consists of: files below the root, or objects of S3."""

import os
import stat
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO, cast

from studio.data import objects
from studio.data.errors import DataError
from studio.data.protocol.data import Source

_MOST_FILES = 10_000


@dataclass(frozen=True)
class Item:
    """One file; `stamp` changes when its bytes do."""

    name: str
    size: int
    stamp: str
    open: Callable[[], BinaryIO]


@dataclass(frozen=True)
class Found:
    """All files of a source, in the order of their names; `place` is what a notebook calls it."""

    name: str
    place: str
    items: tuple[Item, ...]


def find(source: Source, root: Path) -> Found:
    """Raises DataError when there is nothing, or nothing that may be read."""
    if (source.uri is None) == (source.path is None):
        raise DataError("BadRequest", "A source has either a uri or a path.")
    found = _objects(source.uri) if source.uri is not None else _files(source.path or "", root)
    if not found.items:
        raise DataError("NotFound", f"There are no files in {found.place}.")
    if len(found.items) > _MOST_FILES:
        raise DataError("TooLarge", f"{found.place} has more than {_MOST_FILES:,} files.")
    return found


def _shown(name: str) -> bool:
    """Whether it is data: _SUCCESS, .crc and the like are not."""
    return not any(part.startswith((".", "_")) for part in name.split("/"))


def _files(path: str, root: Path) -> Found:
    place = root.joinpath(*[part for part in path.split("/") if part])
    outside = DataError("AccessDenied", f"{path} is not below the folder that Jupyter shows.")
    if "\0" in path or ".." in path.split("/"):
        raise outside
    real = Path(os.path.realpath(place))
    if not real.is_relative_to(root):
        raise outside
    if real.is_dir():
        inner = [it for it in sorted(real.rglob("*")) if it.is_file() and not it.is_symlink()]
        names = [(str(it.relative_to(real)), it) for it in inner]
        items = tuple(_file(name, it, root) for name, it in names if _shown(name))
    else:
        items = (_file(place.name, real, root),)
    return Found(place.name, path.lstrip("/"), items)


def _file(name: str, path: Path, root: Path) -> Item:
    try:
        it = path.stat()
    except OSError as error:
        raise DataError("NotFound", f"{name}: {error.strerror}.") from None
    if not stat.S_ISREG(it.st_mode):
        raise DataError("UnsupportedFormat", f"{name} is not a file.")
    stamp = f"{it.st_dev}-{it.st_ino}-{it.st_size}-{it.st_mtime_ns}"
    return Item(name, it.st_size, stamp, lambda: _open(path, root))


def _open(path: Path, root: Path) -> BinaryIO:
    """The file, looked at again once it is open: a link may have come in between."""
    try:
        file = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    except PermissionError:
        raise DataError("AccessDenied", f"{path.name} may not be read.") from None
    except OSError as error:
        raise DataError("NotFound", f"{path.name}: {error.strerror}.") from None
    if not Path(f"/proc/self/fd/{file}").readlink().is_relative_to(root):
        os.close(file)
        raise DataError("AccessDenied", f"{path.name} leads out of the folder that Jupyter shows.")
    return os.fdopen(file, "rb")


def _objects(uri: str) -> Found:
    bucket, _, key = uri.removeprefix("s3://").partition("/")
    if not uri.startswith("s3://") or not bucket:
        raise DataError("BadRequest", f"{uri} is no s3://bucket/key.")
    s3 = objects.client()
    name = key.rstrip("/").rpartition("/")[2] or bucket
    with objects.told(uri):
        one = _head(s3, bucket, key) if key and not key.endswith("/") else None
        listed = [one] if one else _list(s3, bucket, key)
    return Found(name, uri, tuple(_object(s3, bucket, key, it) for it in listed))


def _head(s3: Any, bucket: str, key: str) -> dict[str, Any] | None:
    """The object, None when there is none of this very key."""
    try:
        head = s3.head_object(Bucket=bucket, Key=key)
    except s3.exceptions.ClientError as error:
        if error.response["ResponseMetadata"]["HTTPStatusCode"] == 404:
            return None
        raise
    return {"Key": key, "Size": head["ContentLength"], "ETag": head["ETag"]}


def _list(s3: Any, bucket: str, key: str) -> list[dict[str, Any]]:
    """Objects below the prefix, as of a folder: `data` means `data/...`, not `database/...`."""
    prefix = key if not key or key.endswith("/") else f"{key}/"
    found: list[dict[str, Any]] = []
    for page in s3.get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix=prefix):
        found += [it for it in page.get("Contents", []) if it["Size"]]
        if len(found) > _MOST_FILES:
            break
    return [it for it in found if _shown(it["Key"][len(prefix) :])]


def _object(s3: Any, bucket: str, key: str, it: dict[str, Any]) -> Item:
    own = it["Key"]
    name = own.rpartition("/")[2] if own == key else own[len(key) :].lstrip("/")
    size, etag = it["Size"], it["ETag"]

    def opened() -> BinaryIO:
        return cast(BinaryIO, objects.ObjectFile(s3, bucket, own, etag, size))

    return Item(name, size, f"{bucket}/{own}-{etag}-{size}", opened)

"""Lays out /opt/ml for a run: files, folders, inputs, unpacked archives.

A job may write in its input folders, and must never change a stored object. So objects of small
channels are copied; those of large ones are hard links, which the sandbox binds read-only.
"""

import errno
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

from studio.container import archive

COPY_BYTES = 64 * 2**20
"""Channels up to this size are copied and writable."""

Doc = dict[str, Any]
Check = Callable[[], None]

_CHANNELS = "input/data/"
_CHUNK = 8 * 2**20
_FULL = (errno.ENOSPC, errno.EDQUOT)


class DownloadFailed(Exception):
    """An input could not be had; the message says which and why."""


def lay_out(spec: Doc, ml: Path, scratch: Path, linked: bool, check: Check) -> list[str]:
    """Make `ml` what the command finds at /opt/ml; folders of it to be bound read-only.

    `linked`: the run has a sandbox, so that large inputs may be hard links. `check` is called
    often, and may raise to end it. Raises DownloadFailed, archive.UnsafeArchive, OSError.
    """
    for folder in spec["folders"]:
        (ml / folder).mkdir(parents=True, exist_ok=True)
    for name, text in spec["files"].items():
        path = ml / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    read_only = sorted({*large_folders(spec["inputs"]), *spec["linked"]}) if linked else []
    remote = []
    made: set[str] = set()
    for each in spec["inputs"]:
        # Texts, not paths: a channel may have 100,000 objects.
        path = f"{ml}/{each['path']}"
        _make_folder(path.rpartition("/")[0], made)
        if each["link"]:
            _take(each, path, _folder(each["path"]) in read_only, check)
        else:
            remote.append((each, Path(path)))
        check()
    sources = [_source(each, scratch / str(n), remote) for n, each in enumerate(spec["archives"])]
    if remote:
        _fetch(remote, check)
    for each, source in zip(spec["archives"], sources, strict=True):
        _unpack(source, ml / each["path"], check)
    return read_only


def large_folders(inputs: list[Doc]) -> list[str]:
    """The channel folders whose stored files together exceed COPY_BYTES."""
    sizes: dict[str, int] = {}
    for each in inputs:
        if each["link"] and each["path"].startswith(_CHANNELS):
            sizes[_folder(each["path"])] = sizes.get(_folder(each["path"]), 0) + each["size"]
    return sorted(folder for folder, size in sizes.items() if size > COPY_BYTES)


def _folder(path: str) -> str:
    """input/data/<channel> of a file's path."""
    return "/".join(path.split("/")[:3])


def _make_folder(path: str, made: set[str]) -> None:
    if path in made:
        return
    try:
        Path(path).mkdir(parents=True, exist_ok=True)
    except ValueError as error:
        raise DownloadFailed(f"{path[:200]}: {error}") from error
    except OSError as error:
        if error.errno in _FULL:
            raise
        raise DownloadFailed(f"{path[:200]}: {error.strerror}") from error
    made.add(path)


def _take(each: Doc, path: str, link: bool, check: Check) -> None:
    name = path.rpartition("/")[2]
    try:
        if not (link and _linked(each["link"], path)):
            _copy(each["link"], path, check)
    except FileNotFoundError as error:
        raise DownloadFailed(f"{name}: the object was deleted meanwhile") from error
    except (OSError, ValueError) as error:
        if isinstance(error, OSError) and error.errno in _FULL:
            raise
        raise DownloadFailed(f"{name[:200]}: {error}") from error


def _linked(source: str, path: str) -> bool:
    """False where links cannot be: another file system, too many, not allowed."""
    try:
        os.link(source, path)
    except FileNotFoundError:
        raise
    except OSError:
        return False
    return True


def _copy(source: str, path: str, check: Check) -> None:
    reader = os.open(source, os.O_RDONLY)
    try:
        # A new file, always: what is there may be a link to a stored object.
        writer = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o666)
        try:
            while os.sendfile(writer, reader, None, _CHUNK):
                check()
        finally:
            os.close(writer)
    finally:
        os.close(reader)


def _source(each: Doc, scratch: Path, remote: list[tuple[Doc, Path]]) -> Path:
    """Where the archive is, or will be once `remote` has arrived."""
    if each["link"]:
        return Path(each["link"])
    scratch.parent.mkdir(parents=True, exist_ok=True)
    remote.append((each, scratch))
    return scratch


def _fetch(remote: list[tuple[Doc, Path]], check: Check) -> None:
    from studio.runners.shim import download  # not needed by most runs, and slow to import

    download.fetch(remote, check)


def _unpack(source: Path, target: Path, check: Check) -> None:
    try:
        archive.unpack(source, target, check=check)
    except FileNotFoundError as error:
        raise DownloadFailed("the model archive was deleted meanwhile") from error

"""Lays out /opt/ml for a run: files, folders, inputs, unpacked archives.

A job may write in its input folders, and must never change a stored object. So objects of small
channels are copied; those of large ones are hard links, which the sandbox binds read-only.
"""

import errno
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

COPY_BYTES = 64 * 2**20
"""Channels up to this size are copied and writable."""

Doc = dict[str, Any]

_THREADS = 8


class Refused(Exception):
    """An input could not be had or must not be used; `reason` is one of RunStatus's."""

    def __init__(self, reason: str, message: str) -> None:
        super().__init__(message)
        self.reason = reason


def lay_out(
    spec: Doc, ml: Path, scratch: Path, linked: bool, check: Callable[[], None]
) -> list[str]:
    """Make `ml` what the command finds at /opt/ml; folders of it to be bound read-only.

    `linked`: the run has a sandbox, so that large inputs may be hard links. `check` is called
    often and raises when the run has to end. Raises Refused, OSError.
    """
    check()
    for folder in spec["folders"]:
        (ml / folder).mkdir(parents=True, exist_ok=True)
    ml.mkdir(exist_ok=True)
    for name, text in spec["files"].items():
        path = _inside(ml, name)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    read_only = _large_folders(spec["inputs"]) if linked else []
    remote = []
    for each in spec["inputs"]:
        check()
        path = _made_room(ml, each["path"])
        if each["link"]:
            _take(each, path, _folder(each["path"]) in read_only)
        else:
            remote.append((each, path))
    if remote:
        _download_all(remote, check)
    for number, each in enumerate(spec["archives"]):
        _unpack(each, _inside(ml, each["path"]), scratch / f"archive-{number}", check)
    return read_only


def _inside(ml: Path, name: str) -> Path:
    parts = name.split("/")
    if name.startswith("/") or ".." in parts or "\0" in name:
        raise Refused("DownloadFailed", f"{name!a} cannot be a file's name")
    return ml / name


def _made_room(ml: Path, name: str) -> Path:
    path = _inside(ml, name)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.unlink(missing_ok=True)
    except OSError as error:
        if error.errno in (errno.ENAMETOOLONG, errno.EEXIST, errno.ENOTDIR, errno.EISDIR):
            said = f"{name!a} cannot be a file's name here: {error.strerror}"
            raise Refused("DownloadFailed", said) from error
        raise
    return path


def _large_folders(inputs: list[Doc]) -> list[str]:
    """The channel folders whose objects together exceed COPY_BYTES."""
    sizes: dict[str, int] = {}
    for each in inputs:
        sizes[_folder(each["path"])] = sizes.get(_folder(each["path"]), 0) + each["size"]
    return sorted(folder for folder, size in sizes.items() if size > COPY_BYTES)


def _folder(path: str) -> str:
    """input/data/<channel> of a file's path."""
    return "/".join(path.split("/")[:3])


def _take(each: Doc, path: Path, link: bool) -> None:
    import shutil  # not needed by a run without inputs

    try:
        if link and _linked(each["link"], path):
            return
        shutil.copyfile(each["link"], path)
    except FileNotFoundError as error:
        said = f"{path.name}: the object was deleted meanwhile"
        raise Refused("DownloadFailed", said) from error


def _linked(source: str, path: Path) -> bool:
    """False where the file system takes no link: another disk, too many, another's file."""
    try:
        os.link(source, path)
    except OSError as error:
        if error.errno in (errno.EXDEV, errno.EMLINK, errno.EPERM):
            return False
        raise
    return True


def _download_all(jobs: list[tuple[Doc, Path]], check: Callable[[], None]) -> None:
    from concurrent.futures import ThreadPoolExecutor  # 30 ms that local inputs need not pay

    from studio.runners.shim import download

    with ThreadPoolExecutor(_THREADS) as pool:
        for _ in pool.map(lambda job: download.fetch(job[0], job[1], check), jobs):
            pass


def _unpack(each: Doc, target: Path, scratch: Path, check: Callable[[], None]) -> None:
    from studio.container import archive

    source = Path(each["link"])
    if not each["link"]:
        scratch.parent.mkdir(parents=True, exist_ok=True)
        _download_all([(each, scratch)], check)
        source = scratch
    try:
        archive.unpack(source, target)
    except archive.UnsafeArchive as error:
        raise Refused("UnsafeArchive", str(error)) from error
    except FileNotFoundError as error:
        said = "the model archive was deleted meanwhile"
        raise Refused("DownloadFailed", said) from error
    finally:
        scratch.unlink(missing_ok=True)

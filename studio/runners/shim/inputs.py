"""Lays out /opt/ml for a run: files, folders, inputs, unpacked archives.

A job may write in its input folders, and must never change a stored object. So objects of small
channels are copied; those of large ones are hard links, which the sandbox binds read-only.
"""

import http.client
import os
import shutil
import time
import urllib.error
import urllib.request
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

from studio.container import archive

COPY_BYTES = 64 * 2**20
"""Channels up to this size are copied and writable."""

Doc = dict[str, Any]

_THREADS = 8
_ATTEMPTS = 5
_CHUNK = 2**20


class DownloadFailed(Exception):
    """An input could not be had; the message says which and why."""


def lay_out(spec: Doc, ml: Path, scratch: Path, linked: bool) -> list[str]:
    """Make `ml` what the command finds at /opt/ml; folders of it to be bound read-only.

    `linked`: the run has a sandbox, so that large inputs may be hard links.
    Raises DownloadFailed, archive.UnsafeArchive, OSError.
    """
    for folder in spec["folders"]:
        (ml / folder).mkdir(parents=True, exist_ok=True)
    for name, text in spec["files"].items():
        path = ml / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    read_only = large_folders(spec["inputs"]) if linked else []
    jobs = [
        (each, ml / each["path"], _folder(each["path"]) in read_only) for each in spec["inputs"]
    ]
    for _, path, _ in jobs:
        path.parent.mkdir(parents=True, exist_ok=True)
    _fetch_all(jobs)
    for number, each in enumerate(spec["archives"]):
        _unpack(each, ml / each["path"], scratch / f"archive-{number}")
    return read_only


def large_folders(inputs: list[Doc]) -> list[str]:
    """The channel folders whose objects together exceed COPY_BYTES."""
    sizes: dict[str, int] = {}
    for each in inputs:
        sizes[_folder(each["path"])] = sizes.get(_folder(each["path"]), 0) + each["size"]
    return sorted(folder for folder, size in sizes.items() if size > COPY_BYTES)


def _folder(path: str) -> str:
    """input/data/<channel> of a file's path."""
    return "/".join(path.split("/")[:3])


def _fetch_all(jobs: list[tuple[Doc, Path, bool]]) -> None:
    remote = [job for job in jobs if not job[0]["link"]]
    for each, path, link in jobs:
        if each["link"]:
            _take(each, path, link)
    if remote:
        with ThreadPoolExecutor(_THREADS) as pool:
            for _ in pool.map(lambda job: _download(job[0], job[1]), remote):
                pass


def _take(each: Doc, path: Path, link: bool) -> None:
    path.unlink(missing_ok=True)
    try:
        if link:
            os.link(each["link"], path)
        else:
            shutil.copyfile(each["link"], path)
    except FileNotFoundError as error:
        raise DownloadFailed(f"{path.name}: the object was deleted meanwhile") from error


def _download(each: Doc, path: Path) -> None:
    """Get the object, going on behind what arrived when the connection breaks."""
    last = ""
    for attempt in range(_ATTEMPTS):
        if attempt:
            time.sleep(min(2.0**attempt, 10.0))
        try:
            _receive(each["url"], path)
        except (OSError, http.client.HTTPException) as error:
            last = _reason(error)
            if isinstance(error, urllib.error.HTTPError) and error.code in (401, 403, 404):
                break
            continue
        if path.stat().st_size == each["size"]:
            return
        last = f"{path.stat().st_size} of {each['size']} bytes arrived"
        if path.stat().st_size > each["size"]:
            path.unlink()
    raise DownloadFailed(f"{path.name}: {last}")


def _receive(url: str, path: Path) -> None:
    have = path.stat().st_size if path.exists() else 0
    headers = {"Range": f"bytes={have}-"} if have else {}
    request = urllib.request.Request(url, headers=headers)
    with urllib.request.urlopen(request, timeout=60) as answer:
        mode = "ab" if have and answer.status == 206 else "wb"
        with path.open(mode) as file:
            shutil.copyfileobj(answer, file, _CHUNK)


def _reason(error: Exception) -> str:
    # Never the URL: it carries a signature.
    return f"HTTP {error.code}" if isinstance(error, urllib.error.HTTPError) else str(error)[:200]


def _unpack(each: Doc, target: Path, scratch: Path) -> None:
    source = Path(each["link"])
    if not each["link"]:
        scratch.parent.mkdir(parents=True, exist_ok=True)
        _download(each, scratch)
        source = scratch
    try:
        archive.unpack(source, target)
    except FileNotFoundError as error:
        raise DownloadFailed("the model archive was deleted meanwhile") from error
    finally:
        scratch.unlink(missing_ok=True)

"""Objects by HTTP: several at a time, going on where a broken connection left off."""

import errno
import http.client
import time
import urllib.error
import urllib.request
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from studio.runners.shim.inputs import Check, Doc, DownloadFailed

_THREADS = 8
_ATTEMPTS = 5
_CHUNK = 2**20
_TIMEOUT = 60.0
_FINAL = (400, 401, 403, 404, 410)
_FULL = (errno.ENOSPC, errno.EDQUOT)


def fetch(remote: list[tuple[Doc, Path]], check: Check) -> None:
    """GET each `url` to its path, all of its `size` bytes. Raises DownloadFailed, OSError.

    `check` is called between pieces; what it raises ends the downloads.
    """
    with ThreadPoolExecutor(_THREADS) as pool:
        for _ in pool.map(lambda job: _fetch_one(job[0], job[1], check), remote):
            pass


def _fetch_one(each: Doc, path: Path, check: Check) -> None:
    said, version = "", ""
    for attempt in range(_ATTEMPTS):
        _pause(attempt, check)
        try:
            version = _receive(each["url"], path, version, check)
        except (OSError, http.client.HTTPException) as error:
            if isinstance(error, OSError) and error.errno in _FULL:
                raise
            said = _reason(error)
            if isinstance(error, urllib.error.HTTPError) and error.code in _FINAL:
                break
            continue
        size = path.stat().st_size
        if size == each["size"]:
            return
        said = f"{size} of {each['size']} bytes arrived"
        if size > each["size"]:
            path.unlink()
    raise DownloadFailed(f"{path.name}: {said}")


def _pause(attempt: int, check: Check) -> None:
    """Longer before every further attempt; a request to stop is seen meanwhile."""
    until = time.monotonic() + (min(2.0**attempt, 10.0) if attempt else 0.0)
    while True:
        check()
        left = until - time.monotonic()
        if left <= 0:
            return
        time.sleep(min(left, 0.2))


def _receive(url: str, path: Path, version: str, check: Check) -> str:
    """What is missing of the object, or all of it when it changed meanwhile; its ETag."""
    have = path.stat().st_size if version and path.exists() else 0
    headers = {"Range": f"bytes={have}-", "If-Range": version} if have else {}
    request = urllib.request.Request(url, headers=headers)
    path.parent.mkdir(parents=True, exist_ok=True)
    with urllib.request.urlopen(request, timeout=_TIMEOUT) as answer:
        again = have and answer.status == 206
        with path.open("ab" if again else "wb") as file:
            while piece := answer.read(_CHUNK):
                file.write(piece)
                file.flush()
                check()
        return str(answer.headers.get("ETag", ""))


def _reason(error: Exception) -> str:
    # Never the URL: it carries a signature.
    if isinstance(error, urllib.error.HTTPError):
        return f"HTTP {error.code}"
    return (str(error) or type(error).__name__)[:200]

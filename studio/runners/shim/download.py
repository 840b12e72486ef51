"""Objects by HTTP: several at a time, going on where a broken connection left off."""

import errno
import http.client
import time
import urllib.error
import urllib.request
from concurrent.futures import FIRST_EXCEPTION, ThreadPoolExecutor, wait
from pathlib import Path

from studio.runners.shim.inputs import Check, Doc, DownloadFailed

_THREADS = 8
_ATTEMPTS = 5
_CHUNK = 2**20
_TIMEOUT = 60.0
_LOOK_SECONDS = 0.1
_FINAL = (400, 401, 403, 404, 410)
_FULL = (errno.ENOSPC, errno.EDQUOT)


def fetch(remote: list[tuple[Doc, Path]], check: Check) -> None:
    """GET each `url` to its path, all of its `size` bytes. Raises DownloadFailed, OSError.

    `check` is called often; what it raises is raised at once, also while a server keeps silent:
    the threads are left to themselves, for the shim has nothing else to do then but to end.
    """
    pool = ThreadPoolExecutor(_THREADS)
    waiting = {pool.submit(_fetch_one, each, path, check) for each, path in remote}
    try:
        while waiting:
            done, waiting = wait(waiting, _LOOK_SECONDS, FIRST_EXCEPTION)
            for each in done:
                each.result()
            check()
    finally:
        pool.shutdown(wait=False, cancel_futures=True)


def _fetch_one(each: Doc, path: Path, check: Check) -> None:
    said = ""
    versions: list[str] = []
    for attempt in range(_ATTEMPTS):
        _pause(attempt, check)
        try:
            _receive(each["url"], path, versions, check)
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
    until = time.monotonic() + (min(2.0 ** (attempt - 1), 10.0) / 2 if attempt else 0.0)
    while True:
        check()
        left = until - time.monotonic()
        if left <= 0:
            return
        time.sleep(min(left, 0.2))


def _receive(url: str, path: Path, versions: list[str], check: Check) -> None:
    """What is missing of the object, or all of it when it changed meanwhile.

    `versions` has the ETag of what is in `path`, if any.
    """
    have = path.stat().st_size if versions and path.exists() else 0
    headers = {"Range": f"bytes={have}-", "If-Range": versions[0]} if have else {}
    request = urllib.request.Request(url, headers=headers)
    with urllib.request.urlopen(request, timeout=_TIMEOUT) as answer:
        again = have and answer.status == 206
        versions[:] = filter(None, [answer.headers.get("ETag", "")])
        with path.open("ab" if again else "wb") as file:
            while piece := answer.read1(_CHUNK):
                file.write(piece)
                check()


def _reason(error: Exception) -> str:
    # Never the URL: it carries a signature.
    if isinstance(error, urllib.error.HTTPError):
        return f"HTTP {error.code}"
    return (str(error) or type(error).__name__)[:200]

"""Objects by HTTP: several at a time, going on where a broken connection left off."""

import errno
import http.client
import io
import time
import urllib.error
import urllib.request
from collections import deque
from collections.abc import Callable, Iterator
from concurrent.futures import FIRST_EXCEPTION, ThreadPoolExecutor, wait
from contextlib import closing
from pathlib import Path
from typing import IO, Any

from studio.runners.shim.inputs import Check, Doc, DownloadFailed

_THREADS = 8
_ATTEMPTS = 5
_AHEAD = 2 * _THREADS
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


def ahead(
    parts: list[Doc], local: Callable[[Doc], IO[bytes]]
) -> Iterator[tuple[Doc, Callable[[], IO[bytes]]]]:
    """Each part, in order, and how to open it; `local` opens what has no `url`.

    Small objects are fetched beforehand, several at a time. What is opened raises DownloadFailed.
    """
    pool = ThreadPoolExecutor(_THREADS)
    waiting: deque[tuple[Doc, Callable[[], IO[bytes]]]] = deque()
    try:
        for part in parts:
            if len(waiting) == _AHEAD:
                yield waiting.popleft()
            waiting.append((part, _opener(part, pool, local)))
        while waiting:
            yield waiting.popleft()
    finally:
        pool.shutdown(wait=False, cancel_futures=True)


def _opener(
    part: Doc, pool: ThreadPoolExecutor, local: Callable[[Doc], IO[bytes]]
) -> Callable[[], IO[bytes]]:
    if not part["url"]:
        return lambda: local(part)
    if part["size"] > _CHUNK:
        return lambda: io.BufferedReader(_Body(part), _CHUNK)
    fetched = pool.submit(lambda: b"".join(_content(part)))
    return lambda: io.BytesIO(fetched.result())


class _Body(io.RawIOBase):
    """The content of an object, as it arrives."""

    def __init__(self, part: Doc) -> None:
        self._pieces = _content(part)
        self._left = b""

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        piece = self._left or next(self._pieces, b"")
        count = min(len(buffer), len(piece))
        buffer[:count] = piece[:count]
        self._left = piece[count:]
        return count


def _content(part: Doc) -> Iterator[bytes]:
    """The `size` bytes of an object, whatever breaks meanwhile. Raises DownloadFailed."""
    have, version, said = 0, "", ""
    for attempt in range(_ATTEMPTS):
        _pause(attempt, _no_check)
        try:
            with closing(_asked(part["url"], have, version)) as answer:
                if have and answer.status != 206:
                    raise DownloadFailed(f"{part['name']}: the object changed while it was read")
                version = answer.headers.get("ETag", "")
                while piece := answer.read1(_CHUNK):
                    have += len(piece)
                    yield piece
        except (OSError, http.client.HTTPException) as error:
            said = _reason(error)
            if isinstance(error, urllib.error.HTTPError) and error.code in _FINAL:
                break
            continue
        if have == part["size"]:
            return
        said = f"{have} of {part['size']} bytes arrived"
        if have > part["size"] or not version:
            break
    raise DownloadFailed(f"{part['name']}: {said}")


def _no_check() -> None:
    """Whoever reads is ended from outside."""


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
    with closing(_asked(url, have, versions[0] if have else "")) as answer:
        again = have and answer.status == 206
        versions[:] = filter(None, [answer.headers.get("ETag", "")])
        with path.open("ab" if again else "wb") as file:
            while piece := answer.read1(_CHUNK):
                file.write(piece)
                check()


def _asked(url: str, have: int, version: str) -> Any:
    """The answer to a GET of what is missing of an object: all of it, if it changed meanwhile."""
    headers = {"Range": f"bytes={have}-", "If-Range": version} if have else {}
    request = urllib.request.Request(url, headers=headers)
    return urllib.request.urlopen(request, timeout=_TIMEOUT)


def _reason(error: Exception) -> str:
    # Never the URL: it carries a signature.
    if isinstance(error, urllib.error.HTTPError):
        return f"HTTP {error.code}"
    return (str(error) or type(error).__name__)[:200]

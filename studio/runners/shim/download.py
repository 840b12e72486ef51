"""One object by HTTP: in pieces, going on where a broken connection left off."""

import http.client
import time
import urllib.error
import urllib.request
from collections.abc import Callable
from pathlib import Path
from typing import Any

from studio.runners.shim.inputs import Refused

_ATTEMPTS = 5
_CHUNK = 2**20
_TIMEOUT = 60.0
_FINAL = (400, 401, 403, 404, 410)


def fetch(each: dict[str, Any], path: Path, check: Callable[[], None]) -> None:
    """GET `each["url"]` to `path` until all of `each["size"]` bytes are there. Raises Refused.

    `check` is called between pieces; what it raises ends the download.
    """
    said, version = "", ""
    for attempt in range(_ATTEMPTS):
        _pause(attempt, check)
        try:
            version = _receive(each["url"], path, version, check)
        except urllib.error.HTTPError as error:
            said = f"HTTP {error.code}"
            error.close()
            if error.code in _FINAL:
                break
            continue
        except (urllib.error.URLError, ConnectionError, TimeoutError) as error:
            said = str(error)[:200]
            continue
        except http.client.HTTPException as error:
            said = f"the connection was cut: {type(error).__name__}"
            continue
        size = path.stat().st_size
        if size == each["size"]:
            return
        said = f"{size} of {each['size']} bytes arrived"
        if size > each["size"]:
            path.unlink()
    # Never the URL: it carries a signature.
    raise Refused("DownloadFailed", f"{path.name}: {said}")


def _pause(attempt: int, check: Callable[[], None]) -> None:
    wait_until = time.monotonic() + (min(2.0**attempt, 10.0) / 4 if attempt else 0.0)
    while True:
        check()
        left = wait_until - time.monotonic()
        if left <= 0:
            return
        time.sleep(min(left, 0.2))


def _receive(url: str, path: Path, version: str, check: Callable[[], None]) -> str:
    """What is missing of the object, or all of it when it changed; its ETag."""
    have = path.stat().st_size if path.exists() and version else 0
    headers = {"Range": f"bytes={have}-", "If-Range": version} if have else {}
    request = urllib.request.Request(url, headers=headers)
    with urllib.request.urlopen(request, timeout=_TIMEOUT) as answer:
        mode = "ab" if have and answer.status == 206 else "wb"
        with path.open(mode) as file:
            while piece := answer.read(_CHUNK):
                file.write(piece)
                check()
        return str(answer.headers.get("ETag", ""))

"""A server of one model, or of those that come and go: AWS's multi-model contract.

`POST /models` loads the model of a folder under a name, `DELETE /models/NAME` unloads it,
`GET /models` lists them, `POST /models/NAME/invoke` asks one.
"""

import asyncio
import json
import logging
import os
import threading
from collections.abc import Callable
from concurrent.futures import Executor
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs

from studio.algorithms import server
from studio.algorithms.base import UserError, base_folder, cpus
from studio.algorithms.server import Answer, Ask, RequestError, document, invoked
from studio.http.request import Request

_PAGE = 100
_log = logging.getLogger(__name__)


def _nothing() -> None:
    """Nothing is left to do."""


@dataclass(frozen=True)
class Loaded:
    """A model that answers; `close` frees what Python would not."""

    ask: Ask
    close: Callable[[], None] = _nothing
    memory: int = 0
    """Bytes that it takes; 0: by how much this process grew when it was loaded."""


Load = Callable[[Path], Loaded]
"""The model in a folder. Raises UserError."""


def several() -> bool:
    """Whether models come and go."""
    return os.environ.get("SAGEMAKER_MULTI_MODEL", "").lower() == "true"


def serve(load: Load, threads: int = 0) -> None:
    """Serve until told to stop: the model of `base_folder()`, or any number of them. Raises
    UserError when the one cannot be loaded."""
    if several():
        host(load, threads or cpus() + 1)
    else:
        server.serve(load(base_folder() / "model").ask, threads)


def host(load: Load, threads: int, apart: bool = False) -> None:
    """Serve models that come and go, until told to stop. `apart`: they say themselves what memory
    they take, and several are loaded at once."""
    shelf = Shelf(load, nullcontext() if apart else threading.Lock())
    server.run(_paths(shelf), threads)
    shelf.clear()


class Shelf:
    """The models by name. For several threads."""

    def __init__(self, load: Load, loading: AbstractContextManager[Any]) -> None:
        """`loading` is held while a model is loaded."""
        self._load = load
        self._models: dict[str, tuple[Loaded, str]] = {}
        self._lock = threading.Lock()
        self._loading = loading

    def load(self, name: str, url: str) -> int:
        """Have the model in the folder `url` as `name`; the bytes that it takes. Raises
        RequestError 409, 507, and 500 for one that cannot be loaded."""
        if name in self._models:
            raise RequestError(409, f"Model {name} is loaded already.")
        with self._loading:
            before = _resident()
            loaded = self._loaded(url)
            grown = loaded.memory or max(_resident() - before, 0)
        with self._lock:
            if self._models.setdefault(name, (loaded, url))[0] is loaded:
                return grown
        loaded.close()
        raise RequestError(409, f"Model {name} is loaded already.")

    def unload(self, name: str) -> None:
        """Have it no more. Raises RequestError 404."""
        with self._lock:
            found = self._models.pop(name, None)
        if found is None:
            raise _missing(name)
        found[0].close()

    def get(self, name: str) -> tuple[Loaded, str]:
        """The model and its folder. Raises RequestError 404."""
        found = self._models.get(name)
        if found is None:
            raise _missing(name)
        return found

    def listing(self) -> list[dict[str, str]]:
        """All of them, by name."""
        with self._lock:
            return [_said(name, url) for name, (_, url) in sorted(self._models.items())]

    def clear(self) -> None:
        """Unload all."""
        for each in self.listing():
            self.unload(each["modelName"])

    def _loaded(self, url: str) -> Loaded:
        try:
            return self._load(Path(url))
        except MemoryError as error:
            raise RequestError(507, "There is no memory for the model.") from error
        except UserError as error:
            raise RequestError(500, str(error)) from error


def _paths(shelf: Shelf) -> server.Paths:
    """What a server of models that come and go is asked."""

    def add(pool: Executor, request: Request, _: str) -> "asyncio.Future[Answer]":
        return _on_thread(pool, lambda: _added(shelf, request.body))

    def listing(pool: Executor, request: Request, _: str) -> Answer:
        return document(_page(shelf.listing(), request.target))

    def get(pool: Executor, request: Request, name: str) -> Answer:
        return _answered(lambda: _said(name, shelf.get(name)[1]))

    def delete(pool: Executor, request: Request, name: str) -> "asyncio.Future[Answer]":
        return _on_thread(pool, lambda: _removed(shelf, name))

    return {
        "/models/([^/]+)/invoke": {b"POST": invoked(lambda name: shelf.get(name)[0].ask)},
        "/models": {b"POST": add, b"GET": listing},
        "/models/([^/]+)": {b"GET": get, b"DELETE": delete},
    }


def _on_thread(pool: Executor, work: Callable[[], Any]) -> "asyncio.Future[Answer]":
    return asyncio.get_running_loop().run_in_executor(pool, _answered, work)


def _answered(work: Callable[[], Any]) -> Answer:
    """What `work` returns, or a document of why it is refused."""
    try:
        return document(work())
    except RequestError as error:
        return _refused(error.status, error.message)
    except Exception as error:
        _log.exception("The model could not be loaded")
        return _refused(500, f"{type(error).__name__}: {error}")


def _refused(status: int, message: str) -> Answer:
    return document({"code": status, "type": "Error", "message": message}, status)


def _added(shelf: Shelf, body: bytes) -> dict[str, Any]:
    try:
        asked = json.loads(body)
        name, url = str(asked["model_name"]), str(asked["url"])
    except (ValueError, KeyError, TypeError):
        raise RequestError(400, "The body is no JSON with model_name and url.") from None
    return {**_said(name, url), "memoryBytes": shelf.load(name, url)}


def _removed(shelf: Shelf, name: str) -> dict[str, Any]:
    shelf.unload(name)
    return {"status": f'Model "{name}" unregistered'}


def _page(listed: list[dict[str, str]], target: bytes) -> dict[str, Any]:
    """The models behind the one that the query names."""
    query = parse_qs(target.partition(b"?")[2].decode("latin-1"))
    token = query.get("nextPageToken", [""])[-1]
    models = [it for it in listed if it["modelName"] > token]
    more = {"nextPageToken": models[_PAGE - 1]["modelName"]} if len(models) > _PAGE else {}
    return {"models": models[:_PAGE], **more}


def _said(name: str, url: str) -> dict[str, str]:
    return {"modelName": name, "modelUrl": url}


def _missing(name: str) -> RequestError:
    return RequestError(404, f"Model {name} is not loaded.")


def _resident() -> int:
    """Bytes of memory that this process has."""
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE")

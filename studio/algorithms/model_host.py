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
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from studio.algorithms import server
from studio.algorithms.base import UserError, base_folder, cpus
from studio.algorithms.server import Ask, Handler, Invocations, RequestError

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
    handlers = [
        ("/models", _Models),
        ("/models/([^/]+)/invoke", _Invoked),
        ("/models/([^/]+)", _Model),
    ]
    server.run(handlers, threads, shelf=shelf)
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


class _Answering(Handler):
    async def _on_thread(self, work: Callable[[], Any]) -> Any:
        """What `work` returns, if it is not refused: then None, and the refusal is answered."""
        try:
            return await asyncio.get_running_loop().run_in_executor(self.settings["pool"], work)
        except RequestError as error:
            self._refuse(error.status, error.message)
        except Exception as error:
            _log.exception("The model could not be loaded")
            self._refuse(500, f"{type(error).__name__}: {error}")
        return None

    def _refuse(self, status: int, message: str) -> None:
        self.set_status(status)
        self.finish({"code": status, "type": "Error", "message": message})


class _Models(_Answering):
    async def post(self) -> None:
        try:
            document = json.loads(self.request.body)
            name, url = str(document["model_name"]), str(document["url"])
        except (ValueError, KeyError, TypeError):
            self._refuse(400, "The body is no JSON with model_name and url.")
            return
        shelf: Shelf = self.settings["shelf"]
        memory = await self._on_thread(lambda: shelf.load(name, url))
        if memory is not None:
            self.finish({**_said(name, url), "memoryBytes": memory})

    def get(self) -> None:
        token = self.get_query_argument("nextPageToken", "")
        models = [it for it in self.settings["shelf"].listing() if it["modelName"] > token]
        page = {"models": models[:_PAGE]}
        more = {"nextPageToken": models[_PAGE - 1]["modelName"]} if len(models) > _PAGE else {}
        self.finish({**page, **more})


class _Model(_Answering):
    async def get(self, name: str) -> None:
        found = await self._on_thread(lambda: self.settings["shelf"].get(name))
        if found is not None:
            self.finish(_said(name, found[1]))

    async def delete(self, name: str) -> None:
        done = await self._on_thread(lambda: self.settings["shelf"].unload(name) or True)
        if done:
            self.finish({"status": f'Model "{name}" unregistered'})


class _Invoked(Invocations):
    def asks(self, name: str) -> Ask:
        ask: Ask = self.settings["shelf"].get(name)[0].ask
        return ask


def _said(name: str, url: str) -> dict[str, str]:
    return {"modelName": name, "modelUrl": url}


def _missing(name: str) -> RequestError:
    return RequestError(404, f"Model {name} is not loaded.")


def _resident() -> int:
    """Bytes of memory that this process has."""
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE")

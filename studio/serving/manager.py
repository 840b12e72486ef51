"""Brings models to a server and takes them away: lazily, once for all who wait, the oldest first.

The server speaks AWS's multi-model contract: `POST /models`, `DELETE /models/NAME`. What it has is
on the shelf, and nothing else is.
"""

import asyncio
import hashlib
import json
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from time import monotonic
from typing import Protocol, TypeVar

from studio.errors import ApiError
from studio.serving import artifacts
from studio.serving.artifacts import Folder, Source, Unavailable, Unfit
from studio.serving.log import Log
from studio.serving.model_counts import ModelCounts
from studio.serving.shelf import Model, Shelf

_CHECK_SECONDS = 2.0
_REMEMBER_SECONDS = 2.0
_THREADS = 4
_NO_ROOM, _ALREADY = 507, 409
_LONGEST = 1_024

T = TypeVar("T")


class ModelFailed(Exception):
    """The server could not load a model: `status` and `message` are its answer."""

    def __init__(self, status: int, message: str) -> None:
        super().__init__(message)
        self.status = status
        self.message = message


class Server(Protocol):
    """The model server, for what is no invocation."""

    async def ask(self, method: str, path: str, document: object = None) -> tuple[int, bytes]:
        """Status and body of its answer; 0 and a reason when there is none."""


@dataclass(frozen=True)
class Place:
    """Where models come from, and where they go."""

    home: Path
    run: str
    prefix: str
    """URI `s3://bucket/prefix/`, to which a TargetModel is added."""
    folder: Path
    """Of this machine: what the server sees as `seen`."""
    seen: str
    keep: bool = True
    """Models stay loaded after their requests."""


class Manager:
    """`get` a model for a request and `release` it; `tick` now and then."""

    def __init__(
        self, place: Place, server: Server, shelf: Shelf, counts: ModelCounts, log: Log
    ) -> None:
        self._place, self._server, self.shelf = place, server, shelf
        self._counts, self._log = counts, log
        self._folder = Folder(place.folder)
        self._threads = ThreadPoolExecutor(_THREADS, thread_name_prefix="artifact")
        self._room = asyncio.Lock()
        self._coming: dict[str, asyncio.Task[Model]] = {}
        self._going: dict[str, asyncio.Task[None]] = {}
        """By name: what the server is being asked to unload."""
        self._failed: dict[str, tuple[float, Exception]] = {}
        self._due: set[str] = set()
        self._looking: asyncio.Task[None] | None = None

    def loaded(self, target: str) -> Model | None:
        """The model, if it is there, with one more request: `release` it. Its artifact is looked
        up again in S3 now and then."""
        model = self.shelf.use(target)
        if model is not None:
            model.in_flight += 1
            if monotonic() - model.checked > _CHECK_SECONDS:
                self._due.add(target)
        return model

    async def acquire(self, target: str) -> Model:
        """The model, once it is there, with one more request: `release` it. There is one load for
        all who wait. Raises ModelFailed, Unfit, Unavailable, ApiError for a target that is none.
        """
        check(target)
        model = self.shelf.use(target)
        while model is None:
            known = self._failed.get(target)
            if known is not None and known[0] > monotonic():
                raise known[1].with_traceback(None)
            await asyncio.shield(self._bring(target))
            model = self.shelf.use(target)  # others may have needed its room meanwhile
        model.in_flight += 1
        return model

    async def unload(self, target: str) -> bool:
        """Take a model away once its requests are done; False when it is not loaded."""
        model = self.shelf.use(target)
        if model is None:
            return False
        await self._take_away(model)
        return True

    def release(self, model: Model) -> None:
        """One request of `model` is over."""
        model.in_flight -= 1
        passing = not self._place.keep and model.target not in self.shelf.pinned
        if passing and not model.in_flight and self.shelf.use(model.target) is model:
            self._take_away(model)

    def tick(self) -> None:
        """Look whether artifacts have changed that are in use, and bring what is pinned."""
        for target in self.shelf.pinned - self._coming.keys():
            known = self._failed.get(target)
            if self.shelf.use(target) is None and not (known and known[0] > monotonic()):
                self._bring(target)
        if self._due and self._looking is None:
            due, self._due = self._due, set()
            self._looking = asyncio.ensure_future(self._look(due))

    async def _look(self, targets: set[str]) -> None:
        try:
            found = await self._on_thread(lambda: self._find(list(targets)))
            for target, source in found.items():
                model = self.shelf.use(target)
                if model is None:
                    continue
                model.checked = monotonic()
                if isinstance(source, str):
                    self._take_away(model)
                elif source.etag != model.etag:
                    self._bring(target, source)
        except Unavailable as error:
            self._log("artifacts not looked at", reason=str(error))
        finally:
            self._looking = None

    def _find(self, targets: list[str]) -> dict[str, Source | str]:
        place = self._place
        return artifacts.find(place.home, place.run, place.prefix, targets)

    def _bring(self, target: str, source: Source | None = None) -> asyncio.Task[Model]:
        task = self._coming.get(target)
        if task is None:
            task = self._coming[target] = asyncio.ensure_future(self._brought(target, source))
            task.add_done_callback(lambda done: self._arrived(target, done))
        return task

    def _arrived(self, target: str, task: "asyncio.Task[Model]") -> None:
        del self._coming[target]
        error = None if task.cancelled() else task.exception()
        record = self.shelf.record(target)
        record.problem = str(error)[:_LONGEST] if error else ""
        if isinstance(error, Exception):
            self._failed[target] = (monotonic() + _REMEMBER_SECONDS, error)
            self._log("model not loaded", target=target, reason=record.problem)
            # One whose artifact is no good any more does not go on as if nothing had happened.
            before = self.shelf.use(target)
            if before is not None and not isinstance(error, Unavailable):
                self._take_away(before)
        else:
            self._failed.pop(target, None)
        if len(self._failed) > _LONGEST:
            self._failed.clear()

    async def _brought(self, target: str, source: Source | None) -> Model:
        begun = monotonic()
        found = source or (await self._on_thread(lambda: self._find([target])))[target]
        if isinstance(found, str):
            raise Unfit(found)
        name = hashlib.sha256(f"{target}\0{found.etag}".encode()).hexdigest()[:32]
        if name in self._going:
            await asyncio.wait([self._going[name]])
        size = await self._on_thread(lambda: self._provided(target, name, found))
        self._counts.add("ModelDownloadingTime", _us(begun))
        model = Model(target, name, found.etag, size, checked=monotonic())
        before = await self._make_room(model)
        try:
            await self._load(model)
        except BaseException:
            self.shelf.drop(model)
            self._folder.forget(name)
            raise
        finally:
            if before is not None:
                self._take_away(before)
        model.ready = True
        self.shelf.record(target).loads += 1
        self._counts.add("ModelLoadingWaitTime", _us(begun))
        await self._on_thread(lambda: self._folder.tidy({it.name for it in self.shelf.models()}))
        return model

    def _provided(self, target: str, name: str, source: Source) -> int:
        try:
            return self._folder.provide(name, source)
        except Unfit as error:
            raise Unfit(f"Failed to unpack model data({target}): {error}.") from error

    async def _make_room(self, model: Model) -> Model | None:
        """Have `model` on the shelf; the one of the same target that it takes the place of."""
        async with self._room:
            while (victims := self.shelf.victims(model.memory)) is None:
                await self._one_loaded()
            going = [self._take_away(each) for each in victims]
            before = self.shelf.put(model)
            # Nobody waits for long requests of others: their models take their memory with them.
            if going:
                await asyncio.wait(going, timeout=_CHECK_SECONDS)
            return before

    async def _one_loaded(self) -> None:
        """One of the models that are being loaded may be taken away, or has failed. Raises
        ModelFailed when there are none."""
        loading = [self._coming[it.target] for it in self.shelf.models() if not it.ready]
        if not loading:
            raise ModelFailed(_NO_ROOM, "There is no room for it beside the pinned models.")
        await asyncio.wait(loading, return_when=asyncio.FIRST_COMPLETED)
        await asyncio.sleep(0)  # who waited for it has it before it goes

    async def _load(self, model: Model) -> None:
        begun = monotonic()
        url = f"{self._place.seen}/{model.name}/model"
        document = {"model_name": model.name, "url": url}
        while True:
            status, body = await self._server.ask("POST", "/models", document)
            victim = self.shelf.oldest() if status == _NO_ROOM else None
            if victim is None:
                break
            await self._take_away(victim)
        if not 200 <= status < 300 and status != _ALREADY:
            raise ModelFailed(status, body.decode("utf-8", "replace")[:_LONGEST])
        model.memory = max(model.memory, _reported(body))
        self._counts.add("ModelLoadingTime", _us(begun))

    def _take_away(self, model: Model) -> "asyncio.Task[None]":
        """Nothing new goes to the model; it is unloaded once its requests are done."""
        task = self._going.get(model.name)
        if task is None:
            self.shelf.drop(model)
            task = self._going[model.name] = asyncio.ensure_future(self._taken_away(model))
            task.add_done_callback(lambda _: self._going.pop(model.name))
        return task

    async def _taken_away(self, model: Model) -> None:
        while model.in_flight:
            await asyncio.sleep(0.01)
        begun = monotonic()
        status, body = await self._server.ask("DELETE", f"/models/{model.name}")
        self._counts.add("ModelUnloadingTime", _us(begun))
        if not 200 <= status < 300 and status != 404:
            text = body.decode("utf-8", "replace")[:_LONGEST]
            self._log("model not unloaded", target=model.target, status=status, reason=text)

    async def reset(self) -> None:
        """Have the server unload what a front that died had it load."""
        for name in await self._names():
            await self._server.ask("DELETE", f"/models/{name}")

    async def _names(self) -> list[str]:
        names: list[str] = []
        token = ""
        while True:
            path = f"/models?nextPageToken={token}" if token else "/models"
            status, body = await self._server.ask("GET", path)
            if status != 200:
                return names
            page = json.loads(body)
            names += [str(it["modelName"]) for it in page.get("models", ())]
            token = page.get("nextPageToken") or page.get("next_page_token") or ""
            if not token:
                return names

    async def _on_thread(self, work: Callable[[], T]) -> T:
        return await asyncio.get_running_loop().run_in_executor(self._threads, work)


def check(target: str) -> None:
    """Raises ApiError for a TargetModel that could be no object below a prefix."""
    parts = target.removeprefix("/").split("/")
    bad = any(part in ("", ".", "..") for part in parts) or not target.isprintable()
    if bad or "\\" in target or len(target) > _LONGEST:
        raise ApiError("ValidationError", f"Invalid target model path: {target[:200]!a}.")


def now_ms() -> int:
    """UTC milliseconds."""
    return time.time_ns() // 1_000_000


def _us(begun: float) -> int:
    return int((monotonic() - begun) * 1e6)


def _reported(body: bytes) -> int:
    """Bytes that a server says a model takes; 0 when it does not."""
    try:
        return max(int(json.loads(body).get("memoryBytes", 0)), 0)
    except (ValueError, TypeError, AttributeError):
        return 0

"""Makes events of what commits note, and hands them out.

One thread. What it looks at by itself (logs, the load of the machine, the table of images) it looks
at only while somebody listens, or did a minute ago.
"""

import math
import queue
import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Collection, Mapping
from typing import Protocol

import structlog

from studio.api import image_table
from studio.api.panel_capacity import describe_capacity
from studio.api.registry import Context
from studio.db.provenance import Explained
from studio.db.resources import Doc, Resource, RunsStored, Stored
from studio.experiments.components import KIND
from studio.experiments.series import Settled
from studio.feed import messages, sight
from studio.feed.logwatch import LogWatch
from studio.feed.messages import Measured
from studio.feed.pace import Pace
from studio.feed.ring import Event, Numbered, Ring
from studio.identity.principals import Principal
from studio.metrics.store import Grown
from studio.s3.index import Touched

UNNUMBERED = 2**62
"""The number of what is sent whatever the listener knows."""

_LOOK_SECONDS = 0.5
_KNOWN = 20_000
_MOST_PLACES = 50

log = structlog.get_logger()


class Watched(Protocol):
    """A database, or an S3."""

    def watch(self, changed: Callable[[list[object]], None]) -> None:
        """Call `changed` with notes of what was stored; from any thread."""
        ...


class Audience(Protocol):
    """Those who listen."""

    @property
    def attends(self) -> bool:
        """Whether somebody listens, or may come back for what was missed."""
        ...

    @property
    def principals(self) -> Collection[Principal]:
        """Who they are, each once."""
        ...

    def send(self, frames: Mapping[Principal, list[tuple[int, bytes]]]) -> None:
        """Send each what it is told, with its number; from any thread."""
        ...


class Hub:
    """Runs from `start` until `close`. `stores` are those whose changes it is told of."""

    def __init__(self, ctx: Context, stores: Collection[Watched], audience: Audience) -> None:
        self._ctx = ctx
        self._audience = audience
        self._ring = Ring()
        self._notes: queue.SimpleQueue[list[object] | None] = queue.SimpleQueue()
        self._visible: OrderedDict[str, bytes] = OrderedDict()
        self._objects = Pace[Touched](0.2)
        self._metrics = Pace[Measured](0.5)
        self._loads = Pace[None](0.5)
        self._told: dict[Principal, Doc] = {}
        self._logs = LogWatch(ctx)
        self._images = image_table.version(ctx.settings.home)
        self._looked = -math.inf
        self._thread = threading.Thread(target=self._run, name="feed", daemon=True)
        for store in stores:
            store.watch(self._committed)

    def start(self) -> None:
        self._thread.start()

    def close(self) -> None:
        self._notes.put(None)
        if self._thread.is_alive():
            self._thread.join()

    def joined(self, principal: Principal, last_id: str) -> tuple[int, bytes]:
        """What a new listener is sent first, and the number of the last event in it. `last_id`
        is that of the last event that it knows, "" for none. Blocks."""
        self._notes.put([RunsStored(frozenset())])  # look at what nobody looked at
        last, missed = self._ring.after(last_id)
        ctx = sight.context(self._ctx, principal)
        frames = [b"retry: 1000\n\n"]
        if missed is None and last_id:
            frames.append(self._ring.frame(last, "reset", b"{}"))
        frames += [
            self._ring.frame(number, event.type, event.data)
            for number, event in missed or ()
            if sight.sees(ctx, event.subject)
        ]
        load = messages.capacity(describe_capacity(ctx, {}))
        frames.append(self._ring.frame(last, "capacity", load))
        return last, b"".join(frames)

    def _committed(self, notes: list[object]) -> None:
        """By whoever writes: while nobody listens no other need wake up for each commit."""
        if self._audience.attends:
            self._notes.put(notes)
        else:
            self._ring.skip()

    def _run(self) -> None:
        while (notes := self._taken()) is not None:
            try:
                self._turn(notes)
            except Exception:
                log.exception("feed failed")
                time.sleep(_LOOK_SECONDS)

    def _taken(self) -> list[object] | None:
        """What was noted since; after a while also when nothing was."""
        try:
            notes = self._notes.get(timeout=self._pause())
        except queue.Empty:
            return []
        while notes is not None and not self._notes.empty():
            more = self._notes.get()
            notes = None if more is None else notes + more
        return notes

    def _pause(self) -> float | None:
        if not self._audience.attends:
            return None
        due = min(self._objects.next(), self._metrics.next(), self._loads.next())
        return max(0.0, min(due, self._looked + _LOOK_SECONDS) - time.monotonic())

    def _turn(self, notes: list[object]) -> None:
        if not self._audience.attends:
            self._ring.skip()
            return
        events = [event for note in notes for event in self._noted(note)]
        now = time.monotonic()
        load_due = bool(self._loads.due(now))
        if load_due or now >= self._looked + _LOOK_SECONDS:
            self._looked = now
            events += self._logs.grown()
            events += self._images_changed()
        if load_due:  # behind the last look at those that have ended
            self._logs.refresh()
        if len(self._objects) > _MOST_PLACES:
            self._objects.replace(Touched(each.bucket, "") for each in list(self._objects))
        events += map(messages.object_, self._objects.due(now))
        events += (messages.metrics(self._ctx, each) for each in self._metrics.due(now))
        self._publish(events, load_due)

    def _noted(self, note: object) -> list[Event]:
        if isinstance(note, Stored) and messages.told(note.resource):
            self._loads.add(None)
            return [messages.resource(note, self._ctx.now())] if self._new(note.resource) else []
        if isinstance(note, Explained):
            return [messages.resource(Stored(note.resource, fresh=False), self._ctx.now())]
        if isinstance(note, RunsStored):
            self._loads.add(None)
        elif isinstance(note, Touched):
            self._objects.add(messages.folder(note))
        elif isinstance(note, Settled):
            for name, owner in note.components:
                self._metrics.add((KIND, name, owner))
        elif isinstance(note, Grown):
            for each in messages.measured(note.metrics):
                self._metrics.add(each)
        return []

    def _images_changed(self) -> list[Event]:
        """A look at the file: people and other programs may write it too."""
        before, self._images = self._images, image_table.version(self._ctx.settings.home)
        return [messages.images()] if self._images != before else []

    def _new(self, resource: Resource) -> bool:
        """Whether it looks different from what was told last."""
        now = messages.visible(resource)
        if self._visible.get(resource.id) == now:
            return False
        self._visible[resource.id] = now
        self._visible.move_to_end(resource.id)
        if len(self._visible) > _KNOWN:
            self._visible.popitem(last=False)
        return True

    def _publish(self, events: list[Event], load: bool) -> None:
        numbered = self._ring.add(events)
        principals = list(self._audience.principals)
        self._told = {it: self._told[it] for it in principals if it in self._told}
        frames = {it: self._frames(it, numbered, load) for it in principals}
        self._audience.send({it: found for it, found in frames.items() if found})

    def _frames(
        self, principal: Principal, numbered: list[Numbered], load: bool
    ) -> list[tuple[int, bytes]]:
        ctx = sight.context(self._ctx, principal)
        found = [
            (number, self._ring.frame(number, event.type, event.data))
            for number, event in numbered
            if sight.sees(ctx, event.subject)
        ]
        if load and (document := self._load(ctx)) is not None:
            load_now = messages.capacity(document)
            found.append((UNNUMBERED, self._ring.frame(self._ring.last, "capacity", load_now)))
        return found

    def _load(self, ctx: Context) -> Doc | None:
        """The load of the machine, if it is not what the caller was told last. What memory is
        free changes all the time, and is no news by itself."""
        document = describe_capacity(ctx, {})
        shown = {name: value for name, value in document.items() if name != "Memory"}
        if self._told.get(ctx.caller.principal) == shown:
            return None
        self._told[ctx.caller.principal] = shown
        return document

"""Stores objects and records until its disk fails: `power_writer.py HOME SEED [careless]`.

It says on standard output what it begins, `begin KEY WHAT`, and what was acknowledged, `done KEY`;
WHAT is the number of the new content, or `-` when the key is removed. `row NAME` is a record that
was acknowledged; its object was before. A `careless` one forgets every sync of a file.
"""

import hashlib
import itertools
import os
import random
import sys
import threading
from pathlib import Path

from sqlalchemy import Connection

from studio import daemon
from studio.db import migrate, resources
from studio.db.resources import Resource
from studio.db.session import Database
from studio.experiments import components, series
from studio.experiments.series import Batch, points
from studio.s3 import multipart
from studio.s3.index import NO_CHECKSUM
from studio.s3.multipart import Claim
from studio.s3.store import NO_ATTRIBUTES, Content, ObjectStore, Target
from studio.s3.versions import NO_CONDITION
from studio.settings import Settings

SIZES = (0, 1, 4096, 70_000)
KEYS = 3


def body(key: str, number: int) -> bytes:
    line = f"{key} {number:10d} ".encode()
    size = SIZES[number % len(SIZES)]
    return line + (line * (size // len(line) + 1))[:size]


def take(store: ObjectStore, data: bytes) -> Content:
    writer = store.writer()
    writer.write(data)
    etag = hashlib.md5(data, usedforsecurity=False).hexdigest()
    return Content(writer.keep(), len(data), etag, sums=writer.sums())


def say(*words: object) -> None:
    os.write(1, (" ".join(map(str, words)) + "\n").encode())


class Writer:
    """Writes below keys of its own."""

    def __init__(self, store: ObjectStore, db: Database, name: str, seed: int) -> None:
        self._store, self._db, self._name = store, db, name
        self._random = random.Random(f"{seed} {name}")
        self._numbers = itertools.count((seed * 10 + ord(name) % 10) * 100_000)

    def run(self) -> None:
        acts = (self._put, self._put, self._delete, self._copy, self._complete, self._record)
        acts += (self._measure, self._measure)
        try:
            while True:
                key = f"{self._name}-{self._random.randrange(KEYS)}"
                self._random.choice(acts)(key, next(self._numbers))
        except Exception:
            os._exit(0)  # the disk is gone

    def _put(self, key: str, number: int) -> None:
        say("begin", key, number)
        self._store.put("bucket", key, take(self._store, body(key, number)))
        say("done", key)

    def _delete(self, key: str, _number: int) -> None:
        say("begin", key, "-")
        self._store.delete("bucket", [Target(key)])
        say("done", key)

    def _copy(self, key: str, number: int) -> None:
        source = f"source-{self._name}"
        self._store.put("bucket", source, take(self._store, body(key, number)))
        say("begin", key, number)
        self._store.put("bucket", key, self._store.linked("bucket", source)[1])
        say("done", key)

    def _complete(self, key: str, number: int) -> None:
        begun = multipart.create(self._store, "bucket", key, NO_ATTRIBUTES, NO_CHECKSUM)
        part = multipart.put_part(self._store, begun, 1, take(self._store, body(key, number)))
        say("begin", key, number)
        claims = [Claim(1, part.etag)]
        multipart.complete(self._store, ("bucket", key, begun.id), claims, NO_CONDITION)
        say("done", key)

    def _record(self, _key: str, number: int) -> None:
        key = f"model-{self._name}-{number}"
        self._put(key, number)
        made = Resource(
            "0" * 12, "us-east-1", "model", key, f"arn:{key}", "S", {"Key": key, "N": number}, 1, 1
        )
        self._db.write(lambda c: resources.insert(c, made))
        say("row", key)

    def _measure(self, _key: str, number: int) -> None:
        """A value of a metric, at a step that no other has; now and then all are settled."""
        batch = Batch("m", points([(number, number, float(number))]))
        self._db.write(lambda c: series.arrive(c, component(c), [batch]))
        say("row", f"point-{number}")
        if self._random.random() < 0.3:
            self._db.write(series.settle)


def component(connection: Connection) -> int:
    """The number of the trial component that metrics are of; made when it is not there."""
    place = "0" * 12, "us-east-1", components.KIND, "series"
    found = resources.find(connection, *place)
    if found is None:
        found = Resource(*place, "arn:series", "", {}, 1, 1)
        resources.insert(connection, found)
    return components.number(connection, found.id)


def main(home: str, seed: str, how: str = "") -> None:
    if how == "careless":
        os.fsync = lambda _fd: None
    daemon.prepare(Path(home))
    db = Database(Settings(Path(home)).database)
    migrate.upgrade(db)
    store = ObjectStore(Path(home) / "s3")
    store.create_bucket("bucket", "us-east-1")
    say("ready")
    for name in "abc":
        threading.Thread(target=Writer(store, db, name, int(seed)).run).start()


if __name__ == "__main__":
    main(*sys.argv[1:])

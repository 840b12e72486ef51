"""The scrubber: reads what lies on the disk and names what is not what was stored.

It goes through the objects in order, slowly, and remembers in `scrub.json` how far it came and what
it found. Objects of a release that kept no sums are given some: from then on they are watched.
"""

import hashlib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import structlog
from sqlalchemy import select

from studio.db.session import Database
from studio.errors import StudioError
from studio.s3 import damage, index, schema
from studio.s3.blobs import Blobs
from studio.s3.damage import Damage
from studio.s3.index import BlobFacts, StoredObject
from studio.s3.integrity import BLOCK, DamagedContent, Reader, Summer
from studio.s3.schema import BUCKET

_BATCH = 256
_START = {"bucket": "", "key": "", "rank": index.NEWEST}

log = structlog.get_logger()


def check(database: Database, blobs: Blobs) -> Iterator[Damage]:
    """Every object of the store, at full speed; the damaged ones. Writes nothing."""
    for stored in _stored(database, dict(_START)):
        if (found := examine(database, blobs, stored)) is not None:
            yield found


def check_home(home: Path) -> list[Damage]:
    """`check` of the store in a home, whether or not Studio runs there."""
    path = home / "s3" / "index.db"
    if not path.exists():
        return []
    database = Database(f"sqlite:///{path}")
    try:
        with database.read() as connection:
            if schema.number(connection) != schema.VERSION:
                raise StudioError("Start this release once: it upgrades the store's index.")
        return list(check(database, Blobs(home / "s3")))
    finally:
        database.close()


class Stopped(Exception):
    """What a `pause` raises to end the scrubbing."""


class Scrubber:
    """Goes on where it stopped. `pause` is called with the bytes of every block that was read."""

    def __init__(
        self, root: Path, database: Database, blobs: Blobs, pause: Callable[[int], None]
    ) -> None:
        self._root = root
        self._database = database
        self._blobs = blobs
        self._pause = pause

    def run(self, now: int, every: int) -> None:
        """A cycle, or the rest of one; nothing until `every` milliseconds after the last began."""
        state = damage.read(self._root)
        if state["at"] is None:
            if now < state["began"] + every:
                return
            state = {**state, "began": now, "at": dict(_START)}
        try:
            for stored in _stored(self._database, state["at"]):
                self._pause(0)  # of what has no content no block is read
                self._note(state, stored)
                state["at"] = {"bucket": stored.bucket, "key": stored.key, "rank": stored.rank}
            state["at"] = None
            state["damaged"] = [each for each in state["damaged"] if self._still(each)]
        except Stopped:
            pass
        damage.write(self._root, state)

    def _note(self, state: dict[str, Any], stored: StoredObject) -> None:
        found = examine(self._database, self._blobs, stored, self._pause)
        others = [each for each in state["damaged"] if each["blob"] != stored.blob]
        if found is not None:
            log.error("s3 object damaged", object=found.name(), blob=found.blob, what=found.what)
            others.append(vars(found))
        if others != state["damaged"]:
            state["damaged"] = others
            damage.write(self._root, state)
        if found is None:
            _adopt(self._database, self._blobs, stored)

    def _still(self, known: dict[str, Any]) -> bool:
        """Whether the index still names the blob."""
        with self._database.read() as connection:
            where = known["bucket"], known["key"], known["version"]
            found = index.find_version(connection, *where)
        return found is not None and found.blob == known["blob"]


def examine(
    database: Database,
    blobs: Blobs,
    stored: StoredObject,
    pause: Callable[[int], None] = lambda _: None,
) -> Damage | None:
    """Read the whole of an object. None when it is as stored, or has gone meanwhile."""
    with database.read() as connection:
        facts = index.find_blob(connection, stored.blob)
    try:
        plain = "-" not in stored.etag and not facts.sums
        with Reader(blobs.path(stored.blob), stored.size, facts, lambda _: None) as file:
            md5 = hashlib.md5(usedforsecurity=False)
            while block := file.read(BLOCK):
                if plain:
                    md5.update(block)
                pause(len(block))
        if not plain or md5.hexdigest() == stored.etag:
            return None
        what = "its MD5 is not its ETag"
    except DamagedContent as error:
        what = error.what
    except FileNotFoundError:
        what = "its file is missing"
    except OSError as error:
        what = f"it cannot be read: {error.strerror}"
    with database.read() as connection:
        found = index.find_version(connection, stored.bucket, stored.key, stored.version)
    if found is None or found.blob != stored.blob:
        return None
    return Damage(stored.bucket, stored.key, stored.version, stored.blob, what)


def on_battery(supplies: Path = Path("/sys/class/power_supply")) -> bool:
    """Whether the machine runs on a battery: nothing then reads the disk for its own sake."""
    online = []
    for supply in supplies.glob("*/online"):
        try:
            online.append(supply.read_text().strip() == "1")
        except OSError:
            continue
    return bool(online) and not any(online)


def _adopt(database: Database, blobs: Blobs, stored: StoredObject) -> None:
    """Sums for a blob of a release that kept none."""
    with database.read() as connection:
        facts = index.find_blob(connection, stored.blob)
    if facts.sums or facts.parts or not stored.size:
        return
    summer = Summer()
    try:
        with Reader(blobs.path(stored.blob), stored.size, facts, lambda _: None) as file:
            while chunk := file.read(BLOCK):
                summer.update(chunk)
    except (FileNotFoundError, DamagedContent):
        return

    def work(connection: Any) -> None:
        where = stored.bucket, stored.key, stored.version
        found = index.find_version(connection, *where)
        if found is not None and found.blob == stored.blob:
            index.keep_blob(connection, stored.blob, BlobFacts(summer.sums()))

    database.write(work)


def _stored(database: Database, at: dict[str, Any]) -> Iterator[StoredObject]:
    """All versions that have content, behind `at`."""
    with database.read() as connection:
        names = list(connection.execute(select(BUCKET.c.name)).scalars())
    for name in names:
        if name < at["bucket"]:
            continue
        after = (at["key"], at["rank"]) if name == at["bucket"] else ("", index.NEWEST)
        while True:
            with database.read() as connection:
                batch = index.versions_above(connection, name, "", after, _BATCH)
            yield from (stored for stored in batch if stored.blob)
            if len(batch) < _BATCH:
                break
            after = batch[-1].key, batch[-1].rank

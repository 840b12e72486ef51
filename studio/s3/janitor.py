"""What the store does by itself: ends of lives, forgotten uploads, scrubbing. One quiet thread."""

import itertools
import threading
import time
from collections.abc import Iterator

import structlog

from studio.s3 import index, lifecycle, multipart, scrub
from studio.s3.errors import S3Error
from studio.s3.index import Bucket, StoredObject
from studio.s3.lifecycle import DAY, Rule
from studio.s3.multipart import UPLOAD_DAYS
from studio.s3.scrub import Scrubber, Stopped
from studio.s3.store import ObjectStore, Target
from studio.s3.versions import Condition

_WAKE_SECONDS = 3600.0
_FIRST_SECONDS = 60.0  # a start has better things to do
_BATCH = 256
_SCRUB_DAYS = 7
_SCRUB_SECONDS = 2400.0  # of each hour, until a cycle is done
_SCRUB_BYTES_PER_SECOND = 16 << 20

log = structlog.get_logger()


class Janitor:
    """Works for `store` until it is closed; `pass_once` is all that it does, once."""

    def __init__(self, store: ObjectStore, wake_seconds: float = _WAKE_SECONDS) -> None:
        self._store = store
        self._seconds = wake_seconds
        self._done: dict[str, tuple[int, object]] = {}
        self._stop = threading.Event()
        self._scrubber = Scrubber(store.root, store.database, store.blobs, self._pause)
        self._until = 0.0
        self._thread = threading.Thread(target=self._run, name="s3-janitor", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def close(self) -> None:
        self._stop.set()
        if self._thread.is_alive():
            self._thread.join()

    def pass_once(self) -> None:
        abort_old_uploads(self._store)
        for bucket in self._store.buckets():
            self._expire(bucket)
        self._until = time.monotonic() + _SCRUB_SECONDS
        self._scrubber.run(self._store.now(), _SCRUB_DAYS * DAY)

    def _pause(self, size: int) -> None:
        """Leave the disk to others most of the time, all of it on battery."""
        stop = self._stop.wait(size / _SCRUB_BYTES_PER_SECOND)
        if stop or time.monotonic() > self._until or scrub.on_battery():
            raise Stopped

    def _expire(self, bucket: Bucket) -> None:
        """Lives end at midnight: once a day is enough, and when the rules have changed."""
        rules = lifecycle.rules_of(bucket)
        mark = (self._store.now() // DAY, rules)
        if rules and self._done.get(bucket.name) != mark:
            expire(self._store, bucket)
            self._done[bucket.name] = mark

    def _run(self) -> None:
        wait = min(_FIRST_SECONDS, self._seconds)
        while not self._stop.wait(wait):
            wait = self._seconds
            try:
                self.pass_once()
            except Exception as error:
                log.error("s3 janitor failed", exc_info=error)


def expire(store: ObjectStore, bucket: Bucket) -> int:
    """Carry out the rules of a bucket; how many objects, versions and markers went."""
    rules, now, count = lifecycle.rules_of(bucket), store.now(), 0
    keys = itertools.groupby(_rows(store, bucket.name), key=lambda row: row.key)
    due = itertools.chain.from_iterable(_due(rules, list(rows), now) for _, rows in keys)
    while targets := list(itertools.islice(due, _BATCH)):
        try:
            results = store.delete(bucket.name, targets)
        except S3Error:  # the bucket went
            break
        count += sum(not isinstance(result, S3Error) for result in results)
    if count:
        log.info("s3 objects expired", bucket=bucket.name, count=count)
    return count


def abort_old_uploads(store: ObjectStore) -> int:
    """Abort what a rule wants aborted, and uploads that nobody has touched for a week."""
    now, count = store.now(), 0
    rules = {bucket.name: lifecycle.rules_of(bucket) for bucket in store.buckets()}
    with store.database.read() as connection:
        uploads = index.uploads_untouched_since(connection, now)
    for upload, touched in uploads:
        due = lifecycle.upload_expiry(rules.get(upload.bucket, []), upload.key, upload.created)
        if touched + UPLOAD_DAYS * DAY > now and (due is None or due[0] > now):
            continue
        try:
            multipart.abort(store, upload.bucket, upload.key, upload.id)
        except S3Error:
            continue
        count += 1
    if count:
        log.info("s3 uploads aborted", count=count)
    return count


def _due(rules: list[Rule], versions: list[StoredObject], now: int) -> list[Target]:
    """What goes of one key; `versions` from new to old."""
    newest, targets = versions[0], []
    if newest.marker:
        if len(versions) == 1 and lifecycle.marker_expires(rules, newest, now):
            targets.append(Target(newest.key, newest.version))
    else:
        end = lifecycle.expiry(rules, newest)
        if end is not None and end[0] <= now:
            # What was written again meanwhile stays.
            same = Condition(if_match=newest.etag, modified=newest.modified // 1000)
            targets.append(Target(newest.key, condition=same))
    since, newer = newest.modified, 0
    for old in versions[1:]:
        if lifecycle.noncurrent_expires(rules, old, since, newer, now):
            targets.append(Target(old.key, old.version))
        since, newer = old.modified, newer + 1
    return targets


def _rows(store: ObjectStore, bucket: str) -> Iterator[StoredObject]:
    after = ("", index.NEWEST)
    while True:
        with store.database.read() as connection:
            batch = index.versions_above(connection, bucket, "", after, _BATCH)
        yield from batch
        if len(batch) < _BATCH:
            return
        after = batch[-1].key, batch[-1].rank

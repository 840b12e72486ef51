"""Replaces an object while strace makes system calls fail: `disk_faults.py ROOT`.

Says how two attempts and a look at the object ended. strace counts calls for each thread: this one
writes, while nobody else does.
"""

import hashlib
import os
import sys
from pathlib import Path

from studio import durable
from studio.s3.store import Content, ObjectStore

OLD, NEW = b"old" * 50_000, b"new" * 50_000


def put(store: ObjectStore, data: bytes) -> None:
    writer = store.writer()
    try:
        writer.write(data)
        etag = hashlib.md5(data, usedforsecurity=False).hexdigest()
        blob = writer.keep()
    except BaseException:
        writer.discard()
        raise
    store.put("bucket", "key", Content(blob, len(data), etag, sums=writer.sums()))


def attempt(store: ObjectStore) -> str:
    try:
        put(store, NEW)
    except Exception as error:
        return getattr(error, "code", None) or os.strerror(getattr(error, "errno", 0) or 0)
    return "stored"


def main(root: str) -> None:
    store = ObjectStore(Path(root))
    print("first", attempt(store))
    print("second", attempt(store))
    with store.open("bucket", "key")[1] as file:
        data = file.read()
    print("content", "old" if data == OLD else "new" if data == NEW else "torn")
    print("failure", durable.failure() or store.database.failure or "none")
    sys.stdout.flush()
    os._exit(0)


if __name__ == "__main__":
    main(*sys.argv[1:])

"""A process that stores objects until it is killed: `s3_writer.py <root>`.

Each acknowledged write is a line `<key> <number>` on standard output.
"""

import itertools
import sys
import threading
from pathlib import Path

from studio.s3 import multipart
from studio.s3.index import NO_CHECKSUM
from studio.s3.intake import Intake
from studio.s3.multipart import Claim
from studio.s3.store import NO_ATTRIBUTES, Content, ObjectStore, Target
from studio.s3.versions import NO_CONDITION
from studio.wire import sigv4

SIZE = 300_000
_PLAIN = sigv4.Verified("AKIA", "s3", "v4-header", "UNSIGNED-PAYLOAD", "", b"", "", "")


def body(number: int) -> bytes:
    """Differs in every part from that of another number."""
    return f"{number:10d}".encode() * (SIZE // 10)


def take(store: ObjectStore, data: bytes) -> Content:
    intake = Intake({}, _PLAIN, len(data), store)
    for start in range(0, len(data), 65536):
        intake.feed(data[start : start + 65536])
    return intake.finish().stored()


def main(root: str) -> None:
    store = ObjectStore(Path(root))
    store.create_bucket("bucket", "us-east-1")
    threads = [
        threading.Thread(target=write, args=(store, f"k{index}", how))
        for index, how in enumerate((put, put, replace, upload))
    ]
    for thread in threads:
        thread.start()


def write(store: ObjectStore, key: str, how: object) -> None:
    for number in itertools.count():
        how(store, key, number)  # type: ignore[operator]
        sys.stdout.write(f"{key} {number}\n")
        sys.stdout.flush()


def put(store: ObjectStore, key: str, number: int) -> None:
    store.put("bucket", key, take(store, body(number)))


def replace(store: ObjectStore, key: str, number: int) -> None:
    store.put("bucket", "other", take(store, body(number)))
    _, content = store.linked("bucket", "other")
    store.delete("bucket", [Target("other")])
    store.put("bucket", key, content)


def upload(store: ObjectStore, key: str, number: int) -> None:
    begun = multipart.create(store, "bucket", key, NO_ATTRIBUTES, NO_CHECKSUM)
    part = multipart.put_part(store, begun, 1, take(store, body(number)))
    claims = [Claim(1, part.etag)]
    multipart.complete(store, ("bucket", key, begun.id), claims, NO_CONDITION)


if __name__ == "__main__":
    main(sys.argv[1])

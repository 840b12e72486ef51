"""A process that uploads one object in parts and says each step: `s3_uploader.py <root>`."""

import os
import sys
import time
from pathlib import Path

import s3_writer

from studio.s3 import multipart
from studio.s3.index import NO_CHECKSUM
from studio.s3.multipart import Claim
from studio.s3.store import NO_ATTRIBUTES, ObjectStore
from studio.s3.versions import NO_CONDITION

BODIES = [b"1" * (5 << 20), b"2" * (5 << 20), b"3" * 1000]


def main(root: str) -> None:
    store = ObjectStore(Path(root))
    store.create_bucket("bucket", "us-east-1")
    begun = multipart.create(store, "bucket", "k", NO_ATTRIBUTES, NO_CHECKSUM)
    say(f"created {begun.id}")
    claims = []
    for number, body in enumerate(BODIES, 1):
        part = multipart.put_part(store, begun, number, s3_writer.take(store, body))
        claims.append(Claim(number, part.etag))
        say(f"part {number}")
    say("completing")
    multipart.complete(store, ("bucket", "k", begun.id), claims, NO_CONDITION)
    say("done")
    time.sleep(60)


def say(text: str) -> None:
    os.write(1, f"{text}\n".encode())


if __name__ == "__main__":
    main(sys.argv[1])

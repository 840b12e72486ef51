"""Many clients of one key, and of lists, at once."""

import hashlib
import itertools
import random
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from botocore.exceptions import ClientError

_LENGTHS = random.Random(1)
_LISTERS = 2


class Crowd:
    """Clients that write one key, read it, and list their own keys, for some `seconds`."""

    def __init__(
        self, client: Callable[[], Any], bucket: str, writers: int, readers: int, seconds: float
    ) -> None:
        self.client, self.bucket, self.writers, self.readers = client, bucket, writers, readers
        self.bodies = [bytes([65 + at]) * _LENGTHS.randrange(1, 400_000) for at in range(writers)]
        self.etags = {hashlib.md5(body).hexdigest(): body for body in self.bodies}
        self.end = time.monotonic() + seconds
        self.acknowledged: set[str] = set()
        self.counts = {"writes": 0, "reads": 0, "lists": 0}
        self.problems: list[str] = []
        self._lock = threading.Lock()

    def run(self) -> None:
        with ThreadPoolExecutor(self.writers + self.readers + _LISTERS) as pool:
            work = [pool.submit(self._write, at) for at in range(self.writers)]
            work += [pool.submit(self._read) for _ in range(self.readers)]
            work += [pool.submit(self._list) for _ in range(_LISTERS)]
            for each in work:
                each.result()

    def _write(self, at: int) -> None:
        client = self.client()
        for number in itertools.count():
            if self._over("writes"):
                return
            client.put_object(Bucket=self.bucket, Key="k", Body=self.bodies[at])
            self._count("writes")
            client.put_object(Bucket=self.bucket, Key=f"own/{at}/{number}", Body=b"")
            self.acknowledged.add(f"own/{at}/{number}")

    def _read(self) -> None:
        client = self.client()
        while not self._over("reads"):
            self._count("reads")
            known = bool(self.acknowledged)
            try:
                answer = client.get_object(Bucket=self.bucket, Key="k")
            except ClientError as error:
                if error.response["Error"]["Code"] != "NoSuchKey" or known:
                    self.problems.append(str(error))
                continue
            body = answer["Body"].read()
            if self.etags.get(answer["ETag"].strip('"')) != body:
                self.problems.append(f"{answer['ETag']} with {len(body)} bytes")

    def _list(self) -> None:
        pages = self.client().get_paginator("list_objects_v2")
        while not self._over("lists"):
            before = set(self.acknowledged)
            found = {
                entry["Key"]
                for page in pages.paginate(Bucket=self.bucket, PaginationConfig={"PageSize": 50})
                for entry in page.get("Contents", [])
            }
            self._count("lists")
            if missing := before - found:
                self.problems.append(f"missing from the list: {sorted(missing)[:3]}")

    def _over(self, what: str) -> bool:
        """However slow the machine is, something is done."""
        return self.counts[what] > 0 and time.monotonic() > self.end

    def _count(self, what: str) -> None:
        with self._lock:
            self.counts[what] += 1

"""Stored files are changed, cut, removed, replaced and exchanged behind the store's back."""

import os
import random
import tempfile
from collections.abc import Callable
from pathlib import Path

import apsw
from botocore.exceptions import BotoCoreError, ClientError, IncompleteReadError
from chaos.house import BUCKET, BrokenPromise, House, eventually, house
from chaos.invariants import broken
from chaos.outcome import Report
from urllib3.exceptions import HTTPError

from studio.s3 import damage
from studio.s3.scrub import check_home

_SIZES = (1, 4096, 1 << 20, (3 << 20) + 5, 8 << 20, (9 << 20) + 1)
_WHOLE = 8 << 20
"""Up to this size nothing is sent of what is damaged."""
_CYCLE_SECONDS = 300.0


def harmed(repeats: int, seed: int, cycle: bool = True) -> Report:
    """`repeats` objects are harmed, as many are not. With `cycle` the scrubber of the running
    control plane has to find them too."""
    chance = random.Random(seed)
    with tempfile.TemporaryDirectory(prefix="chaos-") as folder, house(Path(folder)) as home:
        for number in range(repeats):
            size = chance.choice(_SIZES)
            home.put(f"bad/{number}", chance.randbytes(size))
            home.put(f"good/{number}", chance.randbytes(size))
        bad = {key: body for key, body in home.acknowledged.items() if key.startswith("bad/")}
        files, done = _files(home), dict.fromkeys(HARMS, 0)
        for key in bad:
            how = chance.choice([*HARMS])
            HARMS[how](files[key], chance)
            done[how] += 1
            home.acknowledged.pop(key)
        wrong = [said for key in bad for said in _reads(home, key, bad[key], chance)]
        wrong += broken(home)
        named = {each.key for each in check_home(home.home)}
        if named != set(bad):
            wrong.append(f"scrub names {len(named)} of {len(bad)}: {sorted(named ^ set(bad))[:5]}")
        if cycle:
            wrong += _found(home, set(bad))
        for key in bad:
            home.put(key, chance.randbytes(100))
        wrong += broken(home)
        wrong += [f"{each.name()} was replaced and is damaged" for each in check_home(home.home)]
    return Report(
        "F18 files that rot",
        "never a wrong byte; the scrubber names each",
        repeats,
        seed,
        {name: str(count) for name, count in done.items()},
        tuple(wrong),
    )


def _files(home: House) -> dict[str, Path]:
    connection = apsw.Connection(
        str(home.home / "s3" / "index.db"), flags=apsw.SQLITE_OPEN_READONLY
    )
    try:
        rows = connection.execute("SELECT key, blob FROM object").fetchall()
    finally:
        connection.close()
    return {key: home.home / "s3" / "blobs" / blob[:2] / blob for key, blob in rows}


def _flip(path: Path, chance: random.Random) -> None:
    data = bytearray(path.read_bytes())
    data[chance.randrange(len(data))] ^= 1 << chance.randrange(8)
    _replace(path, bytes(data))


def _cut(path: Path, chance: random.Random) -> None:
    path.chmod(0o600)
    os.truncate(path, chance.randrange(path.stat().st_size))


def _remove(path: Path, _: random.Random) -> None:
    path.unlink()


def _link(path: Path, _: random.Random) -> None:
    other = path.with_suffix(".moved")
    path.rename(other)
    path.symlink_to(other)


def _exchange(path: Path, chance: random.Random) -> None:
    _replace(path, chance.randbytes(path.stat().st_size))


def _pipe(path: Path, _: random.Random) -> None:
    path.unlink()
    os.mkfifo(path)


HARMS: dict[str, Callable[[Path, random.Random], None]] = {
    "flipped": _flip,
    "cut": _cut,
    "removed": _remove,
    "linked": _link,
    "exchanged": _exchange,
    "piped": _pipe,
}


def _replace(path: Path, data: bytes) -> None:
    path.chmod(0o600)
    path.write_bytes(data)


def _reads(home: House, key: str, body: bytes, chance: random.Random) -> list[str]:
    """What was wrong with the whole of a harmed object, and with a piece of it."""
    start = chance.randrange(len(body))
    end = chance.randrange(start, len(body))
    piece = _read(home, key, Range=f"bytes={start}-{end}")
    found = []
    if piece[0] == 200 and piece[1] != body[start : end + 1]:
        found.append(f"{key}: wrong bytes in a range")
    status, data = _read(home, key)
    if status == 200:
        found.append(f"{key}: {len(data)} bytes as if it were whole")
    elif not body.startswith(data):
        found.append(f"{key}: wrong bytes before the end")
    elif len(body) <= _WHOLE and status != 500:
        found.append(f"{key}: answered {status}")
    return found


def _read(home: House, key: str, **how: str) -> tuple[int, bytes]:
    """The status and the body; 0 when the answer was broken off."""
    data = b""
    try:
        answer = home.client("s3").get_object(Bucket=BUCKET, Key=key, **how)
        for chunk in answer["Body"].iter_chunks(1 << 16):
            data += chunk
        return 200, data
    except ClientError as error:
        return int(error.response["ResponseMetadata"]["HTTPStatusCode"]), b""
    except (BotoCoreError, IncompleteReadError, HTTPError):
        return 0, data


def _found(home: House, bad: set[str]) -> list[str]:
    """By the scrubber that runs once a week, and a minute after a start."""
    home.kill()
    (home.home / "s3" / "scrub.json").unlink(missing_ok=True)
    home.start()
    try:
        eventually(
            lambda: {each.key for each in damage.known(home.home / "s3")} == bad,
            _CYCLE_SECONDS,
            "the scrubber finds what was harmed",
        )
    except BrokenPromise as error:
        return [str(error)]
    return []

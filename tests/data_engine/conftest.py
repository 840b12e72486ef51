"""Fixtures of the data engine's tests.

`room`: a root and a cache of its own, `room.told` is what was told. `made`: writes a file below
the root and returns its Source.
"""

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from studio.data.profile import profile
from studio.data.protocol.data import Source
from studio.data.protocol.profiles import ProfilePart, ProfileRequest
from studio.data.room import Room


@dataclass
class TestRoom(Room):
    __test__ = False
    told: list[Any] = field(default_factory=list)


@pytest.fixture
def room(tmp_path: Path) -> TestRoom:
    root, cache = tmp_path / "root", tmp_path / "cache"
    root.mkdir()
    cache.mkdir()
    room = TestRoom(root.resolve(), cache, 1 << 30, lambda part: None)
    room.tell = room.told.append
    return room


@pytest.fixture
def made(room: TestRoom) -> Callable[..., Source]:
    def make(content: Any, name: str = "data.csv", **options: Any) -> Source:
        path = room.root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        if isinstance(content, pd.DataFrame):
            content.to_csv(path, index=False)
        else:
            path.write_bytes(content if isinstance(content, bytes) else content.encode())
        return Source(path=name, **options)

    return make


@pytest.fixture
def profiled(room: TestRoom, made: Callable[..., Source]) -> Callable[..., Any]:
    """The complete profile of some content. What takes a while is told in parts: its columns are
    together here."""

    def look(content: Any, target: str | None = None, name: str = "data.csv") -> Any:
        room.told.clear()
        last = profile(ProfileRequest(made(content, name), target), room)
        before = [it for it in room.told if isinstance(it, ProfilePart) and it.phase == last.phase]
        return replace(last, columns=[column for it in (*before, last) for column in it.columns])

    return look

"""What a request finds around it: where it may read and write, and whom it tells how far it is."""

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from studio.data.protocol.data import Progress

_PAUSE = 0.2


@dataclass
class Room:
    """`root`: files are read below it only. `cache`: converted data, at most `disk` bytes of it."""

    root: Path
    cache: Path
    disk: int
    tell: Callable[[object], None]
    afterwards: list[Callable[[], object]] = field(default_factory=list)
    """What is done once the request is answered, for the next one."""
    _told: float = field(default=0.0)

    def progress(self, share: float, doing: str) -> None:
        """Tells at most five times a second."""
        now = time.monotonic()
        if now - self._told >= _PAUSE:
            self._told = now
            self.tell(Progress(min(max(share, 0.0), 1.0), doing))

"""What a shim tells of its run while it goes on: `status.json`, and words to the control plane."""

import json
import time
from pathlib import Path
from typing import Any

from studio import hint

_WORD_SECONDS = 1.0


class State:
    """What is known so far. Whoever changes a member tells."""

    def __init__(self, folder: Path, home: str, follows_log: bool) -> None:
        """`follows_log`: somebody may read the log as it grows."""
        self._folder, self._home, self._follows_log = folder, home, follows_log
        self.stages: list[tuple[str, int]] = []
        self.started_at: int | None = None
        self.address = self.waits_for = self.image = ""
        self._untold = self._unread = False
        self._told_at = 0.0

    def enter(self, stage: str) -> None:
        """The run is in another stage."""
        self.stages.append((stage, now()))
        self.tell()

    def known(self) -> dict[str, Any]:
        """What stays true when it has ended."""
        return {"stages": self.stages, "started_at": self.started_at, "image": self.image}

    def tell(self) -> None:
        """Write status.json; on a full disk `tell_again` does."""
        document = {**self.known(), "address": self.address, "waits_for": self.waits_for}
        temporary = self._folder / ".status.json"
        try:
            temporary.write_text(json.dumps(document))
            temporary.replace(self._folder / "status.json")
            self._untold = False
        except OSError:
            self._untold = True
        self.hint()

    def tell_again(self, grown: bool, at: float) -> None:
        """What could not be told; that there are new lines, once a second at the most."""
        if self._untold:
            self.tell()
        self._unread = self._unread or (grown and self._follows_log)
        if self._unread and at - self._told_at >= _WORD_SECONDS:
            self.hint(hint.LINES)
            self._unread, self._told_at = False, at

    def hint(self, mark: str = "") -> None:
        """A word that there is something to see."""
        hint.tell(self._home, self._folder.name, mark)


def now() -> int:
    """UTC milliseconds."""
    return time.time_ns() // 1_000_000

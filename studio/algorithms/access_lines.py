"""Lines of an access log on the standard output, in the form that web servers have."""

import asyncio
import json
import sys
import time


class AccessLines:
    """Lines of one moment are written by one call. For one event loop."""

    def __init__(self) -> None:
        self._held: list[str] = []
        self._second = 0
        self._moment = ""

    def add(self, peer: str, first: str, status: int, size: int, agent: str) -> None:
        """A request, of which `first` is the first line, was answered with `size` bytes."""
        if not self._held:
            asyncio.get_running_loop().call_soon(self.flush)
        self._held.append(
            f'{peer} - - [{self._now()}] "{first}" {status} {size} "-" {json.dumps(agent)}\n'
        )

    def flush(self) -> None:
        """Write what is held."""
        held, self._held = self._held, []
        sys.stdout.write("".join(held))
        sys.stdout.flush()

    def _now(self) -> str:
        second = int(time.time())
        if second != self._second:
            self._second = second
            self._moment = time.strftime("%d/%b/%Y:%H:%M:%S +0000", time.gmtime(second))
        return self._moment

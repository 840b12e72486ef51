"""Where shims come from: a process that has imported their program once, and forks it for each run.

It ends by itself when the process that began it has ended, also by `kill -9`; the shims go on.
"""

import subprocess
import sys
import threading
import weakref
from collections.abc import Callable, Mapping
from pathlib import Path

from studio.runners.shim import claim

_ROOT = Path(__file__).parents[2]
_BOOT = (
    "import sys; sys.path.insert(0, sys.argv[1]); "
    "from studio.runners.shim.main import serve; serve()"
)


class Nursery:
    """Begins with the first shim. `home` is for those who look at the list of processes."""

    def __init__(self, home: Path, environment: Mapping[str, str]) -> None:
        self._home, self._environment = home, environment
        self._process: subprocess.Popen[bytes] | None = None
        self._end: Callable[[], object] = lambda: None
        self._lock = threading.Lock()

    def start(self, folder: Path, contained: bool) -> bool:
        """Whether the run in `folder` belongs to a shim now: to a new one, unless it had one.
        `contained`: the run is a container."""
        asked = (claim.CONTAINER if contained else claim.PROCESS) + bytes(folder) + b"\0"
        with self._lock:
            # Somebody may have ended it between two runs, or while it worked for this one.
            return self._ask(asked) or self._ask(asked)

    def _ask(self, asked: bytes) -> bool:
        process = self._living()
        assert process.stdin is not None
        assert process.stdout is not None
        try:
            process.stdin.write(asked)
        except BrokenPipeError:
            return False
        return process.stdout.read(1) == b"1"

    def _living(self) -> "subprocess.Popen[bytes]":
        if self._process is None or self._process.poll() is not None:
            self._end()
            self._process = subprocess.Popen(
                [sys.executable, "-I", "-S", "-c", _BOOT, str(_ROOT), str(self._home)],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
                cwd="/",
                start_new_session=True,
                env=self._environment,
                bufsize=0,  # what could not be written is not tried again when it is closed
            )
            self._end = weakref.finalize(self, _end, self._process)
        return self._process


def _end(process: "subprocess.Popen[bytes]") -> None:
    """Nobody asks any more: it ends by itself."""
    assert process.stdin is not None
    assert process.stdout is not None
    process.stdin.close()
    process.stdout.close()
    process.wait()

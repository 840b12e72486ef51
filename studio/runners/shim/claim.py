"""The claim on a run: `pid.json`, made whole and only once. Whoever has it may start the run."""

import json
import os
from pathlib import Path
from typing import Any

from studio import durable, processes

PROCESS, CONTAINER = b"p", b"c"
"""What a run is, to whoever makes it a shim."""


def claim(folder: Path, identity: dict[str, Any]) -> bool:
    """True when the run in `folder` now belongs to the process of `identity`, for good."""
    temporary = folder / f".pid.{os.getpid()}.{os.urandom(4).hex()}"
    try:
        with temporary.open("xb") as file:
            file.write(json.dumps(identity).encode())
            file.flush()
            os.fsync(file.fileno())
        os.link(temporary, folder / "pid.json")
    except FileExistsError:
        return False
    finally:
        temporary.unlink(missing_ok=True)
    durable.sync_dir(folder)
    return True


def nobody() -> dict[str, Any]:
    """The identity that makes sure that no process starts a run."""
    return {"pid": 0, "starttime": 0, "boot_id": processes.boot_id()}

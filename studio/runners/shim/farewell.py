"""The last that a shim says of its run: how it ended, also where the disk is full."""

import errno
import time
from pathlib import Path
from typing import Any

from studio import durable
from studio.container import files
from studio.runners.shim.notes import Notes

_FULL = (errno.ENOSPC, errno.EDQUOT)
_PAUSE_SECONDS = 0.1


def say_last(folder: Path, notes: Notes, document: dict[str, Any]) -> None:
    """Note the end of the log and write exit.json.

    On a full disk the run gives back what nobody needs, then waits for more.
    """
    while folder.is_dir():
        try:
            notes.end()
            durable.write_json(folder / "exit.json", document)
            return
        except OSError as error:
            if error.errno not in _FULL:
                raise
        files.remove_tree(folder / "tmp")
        if document["outputs"] or document["phase"] == "failed":
            files.remove_tree(folder / "ml")
        time.sleep(_PAUSE_SECONDS)

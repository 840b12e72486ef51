"""Lets the user of an image have the files of a run that are ours."""

import os
import shutil
import stat
from pathlib import Path


def open_up(folder: Path) -> None:
    """Let everybody read and write what lies in `folder`, into which nobody else can look: the
    folder of the run around it is closed. Stored objects that are linked there are copied first.
    """
    for place, folders, files in os.walk(folder):
        for name in folders:
            _widen(Path(place, name), 0o777)
        for name in files:
            path = Path(place, name)
            known = path.lstat()
            if stat.S_ISREG(known.st_mode) and known.st_nlink > 1:
                copy = path.with_name(f".{os.getpid()}.copy")
                shutil.copyfile(path, copy)
                copy.replace(path)
            _widen(path, 0o666)
    folder.chmod(0o777)


def _widen(path: Path, more: int) -> None:
    mode = path.lstat().st_mode
    if not stat.S_ISLNK(mode):
        path.chmod(stat.S_IMODE(mode) | more)

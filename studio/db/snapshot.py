"""Copies of a SQLite database, taken while others write to it."""

import os
from pathlib import Path

import apsw

from studio import durable
from studio.errors import StudioError


def take(source: Path, target: Path) -> None:
    """A database of its own at `target`: `source` as of one moment, durable, whole or absent."""
    temporary = target.with_name(f".{target.name}.new")  # what a crash left of it goes here
    temporary.unlink(missing_ok=True)
    # Without the right to write, the log of a database that nobody has open could not be read.
    connection = apsw.Connection(str(source), flags=apsw.SQLITE_OPEN_READWRITE)
    try:
        connection.set_busy_timeout(5000)
        connection.execute("VACUUM INTO ?", (str(temporary),))
        fd = os.open(temporary, os.O_RDONLY)
        try:
            durable.sync(fd)
        finally:
            os.close(fd)
        temporary.chmod(0o600)
        temporary.replace(target)
    finally:
        connection.close()
        temporary.unlink(missing_ok=True)
    durable.sync_dir(target.parent)


def check(path: Path) -> None:
    """Raises StudioError when a database is not in itself as it should be."""
    connection = apsw.Connection(str(path), flags=apsw.SQLITE_OPEN_READWRITE)
    try:
        found = connection.execute("PRAGMA integrity_check").fetchall()
        orphans = connection.execute("PRAGMA foreign_key_check").fetchall()
    except apsw.Error as error:
        raise StudioError(f"{path.name} is no sound database: {error}.") from error
    finally:
        connection.close()
    if found != [("ok",)] or orphans:
        said = found[0][0] if found != [("ok",)] else f"{len(orphans)} references to nothing"
        raise StudioError(f"{path.name} is damaged: {said}.")

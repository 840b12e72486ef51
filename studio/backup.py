"""A home in one file, taken while Studio runs, and a home made of such a file.

The file is a tar whose last member, `manifest.json`, names all others with size and SHA-256: a file
that was cut short has none. The records are copied first, then the names of objects, then the
objects: what a record speaks of is there. Until the end no content of an object is removed.
"""

import hashlib
import io
import json
import os
import re
import shutil
import stat
import tarfile
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

import apsw

from studio import __version__, durable
from studio.db import snapshot
from studio.errors import StudioError
from studio.s3.blobs import Blobs
from studio.settings import Settings

_FORMAT = 1
_MANIFEST = "manifest.json"
_KEPT = ("studio.toml", "images.json", "credentials.json", "secret.key")
_NAME = re.compile(r"[A-Za-z0-9_-][A-Za-z0-9._-]*(/[A-Za-z0-9_-][A-Za-z0-9._-]*){0,3}", re.ASCII)
_BLOBS = "s3/blobs/"
_BACKLOG = "async/backlog.db"
_CHUNK = 1 << 20
_LARGEST_MANIFEST = 1 << 30
# Of a boot that never was: a run that somebody else goes on with is not ours.
_ELSEWHERE = {"pid": 0, "starttime": 0, "boot_id": "restored"}


@dataclass(frozen=True)
class Saved:
    """What a backup holds."""

    files: int
    size: int
    """Bytes."""
    objects: int
    taken_at: float
    """Seconds since the epoch; what was acknowledged before is in it."""
    database: str
    """`sqlite`, or `postgresql`: then the records are not in it."""

    def document(self) -> dict[str, Any]:
        return dict(vars(self))


def save(settings: Settings, target: Path) -> Saved:
    """Write the backup of a home to `target`, replacing it. Raises StudioError."""
    home = settings.home
    if not (home / "credentials.json").exists():
        raise StudioError(f"{home} is no home of Studio: there is nothing to save.")
    if target.absolute().is_relative_to(home):
        raise StudioError("A backup does not belong into the home that it saves.")
    if not target.absolute().parent.is_dir():
        raise StudioError(f"There is no folder {target.absolute().parent} to save the home in.")
    partial = target.with_name(f".{target.name}.{os.getpid()}")
    try:
        scratch = tempfile.TemporaryDirectory(dir=target.parent, prefix=".studio-backup-")
        with scratch, partial.open("xb") as file:
            partial.chmod(0o600)  # it holds keys
            saved = _written(settings, Path(scratch.name), file)
            file.flush()
            os.fsync(file.fileno())
        partial.replace(target)
        durable.sync_dir(target.absolute().parent)
    except (OSError, apsw.Error) as error:
        raise StudioError(f"The backup failed: {error}") from error
    finally:
        partial.unlink(missing_ok=True)
    return saved


def restore(source: Path, home: Path) -> Saved:
    """Make `home`, which must be absent or empty, of a backup; whole or not at all.

    Raises StudioError. Jobs that ran when the backup was taken have failed in the new home.
    """
    if home.exists() and (not home.is_dir() or any(home.iterdir())):
        raise StudioError(f"{home} is not empty: a backup is restored into a new home only.")
    if not source.is_file():
        raise StudioError(f"There is no backup {source}.")
    home.parent.mkdir(parents=True, exist_ok=True)
    fresh = Path(tempfile.mkdtemp(dir=home.parent, prefix=f".{home.name}.restored-"))
    try:
        manifest = _unpacked(source, fresh)
        _check(fresh)
        _let_go(fresh)
        durable.sync_tree(fresh)
        fresh.replace(home)
        durable.sync_dir(home.parent)
    except (OSError, EOFError, ValueError, tarfile.TarError, apsw.Error) as error:
        raise StudioError(f"{source} cannot be restored: {error}") from error
    finally:
        shutil.rmtree(fresh, ignore_errors=True)
    return Saved(**manifest["saved"])


def _written(settings: Settings, scratch: Path, file: IO[bytes]) -> Saved:
    home, digests = settings.home, dict[str, dict[str, Any]]()
    with (
        Blobs.held(home / "s3"),
        tarfile.open(fileobj=file, mode="w", format=tarfile.PAX_FORMAT) as tar,
    ):
        taken = time.time()
        blobs = _databases(settings, scratch)
        for name, path in _files(home, scratch, blobs):
            added = _add(tar, name, path)
            if added is not None:
                digests[name] = added
            elif name.startswith(_BLOBS):
                raise StudioError(
                    f"The content {path} of an object is missing: studio scrub names it."
                )
        saved = Saved(
            files=len(digests),
            size=sum(each["size"] for each in digests.values()),
            objects=len(blobs),
            taken_at=taken,
            database="postgresql" if settings.database_url else "sqlite",
        )
        manifest = {"format": _FORMAT, "version": __version__, "saved": saved.document()}
        text = json.dumps({**manifest, "files": digests}).encode()
        header = _header(_MANIFEST, len(text))
        tar.addfile(header, io.BytesIO(text))
    return saved


def _databases(settings: Settings, scratch: Path) -> list[str]:
    """Copies of the databases; which blobs they name."""
    if not settings.database_url and (settings.home / "studio.db").exists():
        snapshot.take(settings.home / "studio.db", scratch / "studio.db")
    if (settings.home / _BACKLOG).exists():
        snapshot.take(settings.home / _BACKLOG, scratch / "backlog.db")
    if not (settings.home / "s3" / "index.db").exists():
        return []
    snapshot.take(settings.home / "s3" / "index.db", scratch / "index.db")
    return _named_blobs(scratch / "index.db")


def _files(home: Path, scratch: Path, blobs: list[str]) -> Iterator[tuple[str, Path]]:
    yield from ((name, home / name) for name in _KEPT)
    for name in ("tls", "models"):
        yield from ((f"{name}/{it.name}", it) for it in sorted((home / name).glob("[!.]*")))
    yield "studio.db", scratch / "studio.db"
    yield "s3/index.db", scratch / "index.db"
    # An answer that went to S3 in between is there; its request, which still waits, is asked anew.
    yield _BACKLOG, scratch / "backlog.db"
    for path in sorted((home / "async" / "answers").glob("[!.]*")):
        yield f"async/answers/{path.name}", path
    yield from ((f"{_BLOBS}{blob[:2]}/{blob}", home / _BLOBS / blob[:2] / blob) for blob in blobs)
    for folder in sorted((home / "runs").glob("*")):
        # The index of a log before the log: it never speaks of lines that are not there.
        for path in sorted(folder.glob("*"), reverse=True):
            if path.name != "pid.json":
                yield f"runs/{folder.name}/{path.name}", path


def _add(tar: tarfile.TarFile, name: str, path: Path) -> dict[str, Any] | None:
    """Add the regular file at `path`, as long as it is now; None when there is none."""
    try:
        fd = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
    except OSError as error:
        if (
            isinstance(error, FileNotFoundError)
            or stat.S_IFMT(path.lstat().st_mode) != stat.S_IFREG
        ):
            return None
        raise
    with os.fdopen(fd, "rb") as file:
        status = os.fstat(fd)
        if not stat.S_ISREG(status.st_mode) or not _NAME.fullmatch(name):
            return None
        summed = _Summed(file)
        tar.addfile(_header(name, status.st_size), summed)  # type: ignore[arg-type]
    return {"size": status.st_size, "sha256": summed.digest.hexdigest()}


def _header(name: str, size: int) -> tarfile.TarInfo:
    header = tarfile.TarInfo(name)
    header.size, header.mode, header.mtime = size, 0o600, int(time.time())
    return header


class _Summed:
    """A file that is summed as it is read."""

    def __init__(self, file: IO[bytes]) -> None:
        self._file = file
        self.digest = hashlib.sha256()

    def read(self, size: int) -> bytes:
        data = self._file.read(size)
        self.digest.update(data)
        return data


def _named_blobs(path: Path) -> list[str]:
    connection = apsw.Connection(str(path), flags=apsw.SQLITE_OPEN_READONLY)
    try:
        union = " UNION ".join(f"SELECT blob FROM {it}" for it in ("object", "version", "part"))
        return [blob for (blob,) in connection.execute(union) if blob]
    finally:
        connection.close()


def _unpacked(source: Path, folder: Path) -> dict[str, Any]:
    """Unpack into `folder`, comparing each file with the manifest, which is returned."""
    found: dict[str, dict[str, Any]] = {}
    manifest: dict[str, Any] | None = None
    with tarfile.open(source, "r|") as tar:
        for member in tar:
            content = tar.extractfile(member) if member.isreg() else None
            if content is None or not _NAME.fullmatch(member.name) or manifest is not None:
                raise StudioError(
                    f"{source} is no backup of Studio: {member.name[:80]!r} is in it."
                )
            if member.name == _MANIFEST:
                manifest = _manifest(content)
                continue
            found[member.name] = _extracted(content, folder / member.name)
    if manifest is None:
        raise StudioError(f"{source} is cut short: it ends before its manifest.")
    for name in sorted(found.keys() | manifest["files"].keys()):
        if found.get(name) != manifest["files"].get(name):
            raise StudioError(f"{source} is damaged: {name} is not what was saved.")
    return manifest


def _manifest(content: IO[bytes]) -> dict[str, Any]:
    try:
        manifest: dict[str, Any] = json.loads(content.read(_LARGEST_MANIFEST))
        known = manifest["format"] == _FORMAT and isinstance(manifest["files"], dict)
    except (ValueError, KeyError, TypeError, RecursionError):
        known, manifest = False, {}
    if not known:
        raise StudioError(
            f"Studio {__version__} does not know the backup's format: use the release that made it."
        )
    return manifest


def _extracted(content: IO[bytes], path: Path) -> dict[str, Any]:
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    digest, size = hashlib.sha256(), 0
    mode = 0o444 if _BLOBS in str(path) else 0o600
    fd = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, mode)
    with os.fdopen(fd, "wb") as file:
        while chunk := content.read(_CHUNK):
            digest.update(chunk)
            size += file.write(chunk)
    return {"size": size, "sha256": digest.hexdigest()}


def _check(home: Path) -> None:
    for path in (home / "studio.db", home / "s3" / "index.db"):
        if path.exists():
            snapshot.check(path)
    if (home / "s3" / "index.db").exists():
        for blob in _named_blobs(home / "s3" / "index.db"):
            if not (home / _BLOBS / blob[:2] / blob).exists():
                raise StudioError(
                    f"The backup is damaged: the content {blob} of an object is missing."
                )


def _let_go(home: Path) -> None:
    """Runs that had not ended may go on where they were: here they are lost, and start no more."""
    folders = {path for path in (home / "runs").glob("*") if not (path / "exit.json").exists()}
    if (home / "studio.db").exists():
        connection = apsw.Connection(str(home / "studio.db"))
        query = "SELECT id FROM run WHERE phase IN ('pending', 'running')"
        opened = {home / "runs" / each for (each,) in connection.execute(query)}
        connection.close()
        folders |= {folder for folder in opened if not (folder / "exit.json").exists()}
    for folder in folders:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        durable.write_json(folder / "pid.json", _ELSEWHERE)

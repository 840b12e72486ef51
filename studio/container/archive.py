"""Archives of models and outputs: unpacked without trust, packed without surprises.

Standard library only: it runs in the shim. `tarfile.extractall` is never called: every filter of
it has been escaped from (CVE-2025-4517 and its kin). Only regular files and folders exist here.
"""

import gzip
import os
import shutil
import stat
import tarfile
import time
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

MEMBERS = 10_000
DEPTH = 32
NAME_BYTES = 1_024
HEADER_BYTES = 2**20
RATIO = 200
FREE_RATIO_BYTES = 64 * 2**20
"""Up to here any ratio is fine: small models of zeros are models too."""
RESERVE_BYTES = 64 * 2**20
"""What stays free on the disk."""

_CHUNK = 2**20
_META = (
    tarfile.XHDTYPE,
    tarfile.XGLTYPE,
    tarfile.SOLARIS_XHDTYPE,
    tarfile.GNUTYPE_LONGNAME,
    tarfile.GNUTYPE_LONGLINK,
)


class UnsafeArchive(Exception):
    """The archive was refused; the message names the member and the reason."""


class _Member(tarfile.TarInfo):
    """A header whose extensions are bounded: tarfile would read any size into memory."""

    def _proc_member(self, archive: tarfile.TarFile) -> Any:
        if self.type in _META and not 0 <= self.size <= HEADER_BYTES:
            raise UnsafeArchive(f"unsafe archive: a header of {self.size} bytes")
        return super()._proc_member(archive)  # type: ignore[misc]


def unpack(archive: Path, target: Path, seconds: float = 3_600.0) -> None:
    """Unpack a tar.gz into `target`, a folder that is made here and must not exist or be empty.

    Files get mode 0644, folders 0755. Raises UnsafeArchive, leaving `target` empty, for anything
    but regular files and folders below it, for more than MEMBERS members, for content that would
    fill the disk or is compressed beyond RATIO, and for what cannot be read.
    """
    target.mkdir(parents=True, exist_ok=True)
    try:
        _unpack(archive, target, time.monotonic() + seconds)
    except (tarfile.TarError, EOFError, zlib.error, gzip.BadGzipFile, ValueError) as error:
        empty(target)
        raise UnsafeArchive(f"model archive unreadable: {_sentence(error)}") from error
    except BaseException:
        empty(target)
        raise


def pack(folder: Path, target: Path, compress: bool = True) -> bool:
    """Pack what is in `folder` into `target`, synced; False, and no file, when there is nothing.

    Members come in the order of their names, without owners. A symbolic link that leads to a
    regular file inside `folder` is packed as that file; other links and special files are left
    out: whoever unpacks would have to refuse them.
    """
    files = list(_entries(folder))
    if not files:
        return False
    target.parent.mkdir(parents=True, exist_ok=True)
    with target.open("wb") as raw:
        if compress:
            with gzip.GzipFile("", "wb", compresslevel=1, fileobj=raw, mtime=0) as packed:
                _write(files, packed)
        else:
            _write(files, raw)
        raw.flush()
        os.fsync(raw.fileno())
    return True


def pack_nothing(target: Path) -> None:
    """An archive without members, synced: what a job that left no model has."""
    target.parent.mkdir(parents=True, exist_ok=True)
    with target.open("wb") as raw:
        with gzip.GzipFile("", "wb", fileobj=raw, mtime=0) as packed:
            _write([], packed)
        raw.flush()
        os.fsync(raw.fileno())


def empty(folder: Path) -> None:
    """Remove everything in `folder`, through no link."""
    for entry in os.scandir(folder):
        if entry.is_dir(follow_symlinks=False):
            remove_tree(Path(entry.path))
        else:
            Path(entry.path).unlink()


def remove_tree(folder: Path) -> None:
    """Remove `folder`, also when a job took its own rights on a folder in it away."""
    for root, names, _ in os.walk(folder):
        for name in (*names, "."):
            path = Path(root) / name
            if not path.is_symlink():
                path.chmod(0o700)
    shutil.rmtree(folder, ignore_errors=True)


def read_text(root: Path, relative: str, limit: int) -> str:
    """The first `limit` bytes of a regular file below `root`, reached through no link; else ""."""
    *folders, name = relative.split("/")
    fd = os.open(root, os.O_RDONLY | os.O_DIRECTORY)
    try:
        for folder in folders:
            inner = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW, dir_fd=fd)
            os.close(fd)
            fd = inner
        file = os.open(name, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK, dir_fd=fd)
    except OSError:
        return ""
    finally:
        os.close(fd)
    with os.fdopen(file, "rb") as opened:
        if not stat.S_ISREG(os.fstat(file).st_mode):
            return ""
        return opened.read(limit).decode("utf-8", "replace")


def _unpack(archive: Path, target: Path, deadline: float) -> None:
    free = shutil.disk_usage(target).free - RESERVE_BYTES
    allowed = max(FREE_RATIO_BYTES, archive.stat().st_size * RATIO)
    seen: set[str] = set()
    total = 0
    root = os.open(target, os.O_RDONLY | os.O_DIRECTORY)
    try:
        with tarfile.open(archive, "r|gz", tarinfo=_Member) as tar:
            for member in tar:
                parts = _checked(member, seen)
                total += member.size
                if total > free:
                    raise UnsafeArchive(f"no space left on the disk for {total} bytes of model")
                if total > allowed:
                    raise UnsafeArchive(f"unsafe archive: more than {RATIO} times its size")
                if time.monotonic() > deadline:
                    raise UnsafeArchive("unsafe archive: it takes too long to unpack")
                _place(tar, member, parts, root)
    finally:
        os.close(root)


def _checked(member: tarfile.TarInfo, seen: set[str]) -> list[str]:
    """The parts of a member's name; raises UnsafeArchive."""
    name = member.name
    shown = ascii(name[:200])
    if not (member.isreg() or member.isdir()):
        raise UnsafeArchive(f"unsafe archive member {shown}: neither a file nor a folder")
    parts = [part for part in name.split("/") if part not in ("", ".")]
    outside = name.startswith("/") or ".." in parts or "\\" in name or "\0" in name
    if outside or len(name.encode("utf-8", "surrogateescape")) > NAME_BYTES:
        raise UnsafeArchive(f"unsafe archive member {shown}: its name leads elsewhere")
    if len(parts) > DEPTH:
        raise UnsafeArchive(f"unsafe archive member {shown}: too many folders")
    if member.size < 0 or member.sparse is not None:
        raise UnsafeArchive(f"unsafe archive member {shown}: its size is not plain")
    key = "/".join(parts)
    if key and key.casefold() in seen and not member.isdir():
        raise UnsafeArchive(f"unsafe archive member {shown}: it is there twice")
    seen.add(key.casefold())
    if len(seen) > MEMBERS:
        raise UnsafeArchive(f"unsafe archive: more than {MEMBERS} members")
    return parts


def _place(tar: tarfile.TarFile, member: tarfile.TarInfo, parts: list[str], root: int) -> None:
    folders = parts if member.isdir() else parts[:-1]
    fd = os.dup(root)
    try:
        for folder in folders:
            fd = _entered(fd, folder)
        if member.isreg():
            if not parts:
                raise UnsafeArchive("unsafe archive: a file without a name")
            _write_file(tar, member, parts[-1], fd)
    except (FileExistsError, NotADirectoryError) as error:
        raise UnsafeArchive(f"unsafe archive member {member.name!a}: a clash") from error
    finally:
        os.close(fd)


def _entered(fd: int, folder: str) -> int:
    """The descriptor of a folder in that of `fd`, which is closed."""
    try:
        os.mkdir(folder, 0o755, dir_fd=fd)
    except FileExistsError:
        pass
    inner = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW, dir_fd=fd)
    os.close(fd)
    return inner


def _write_file(tar: tarfile.TarFile, member: tarfile.TarInfo, name: str, fd: int) -> None:
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW
    source = tar.extractfile(member)
    assert source is not None
    with os.fdopen(os.open(name, flags, 0o644, dir_fd=fd), "wb") as file:
        shutil.copyfileobj(source, file, _CHUNK)


def _entries(folder: Path) -> Iterator[tuple[str, Path]]:
    """(name in the archive, file or folder to read), sorted; nothing when `folder` is a link."""
    if folder.is_symlink() or not folder.is_dir():
        return
    inside = folder.resolve()
    for root, folders, files in os.walk(folder):
        folders.sort()
        for name in sorted((*folders, *files)):
            path = Path(root) / name
            real = path.resolve() if path.is_symlink() else path
            linked = path.is_symlink()
            if linked and (not real.is_relative_to(inside) or not real.is_file()):
                continue
            if real.is_file() or (real.is_dir() and not linked):
                yield str(path.relative_to(folder)), real


def _write(files: list[tuple[str, Path]], out: Any) -> None:
    with tarfile.open(fileobj=out, mode="w|", format=tarfile.PAX_FORMAT) as tar:
        for name, path in files:
            info = tar.gettarinfo(path, name)
            info.uid = info.gid = 0
            info.uname = info.gname = ""
            if info.islnk():
                # A second name of a file in the folder: packed as a file of its own.
                info.type, info.linkname = tarfile.REGTYPE, ""
                info.size = path.stat().st_size
            if info.isreg():
                with path.open("rb") as source:
                    tar.addfile(info, source)
            else:
                tar.addfile(info)


def _sentence(error: Exception) -> str:
    text = str(error).strip() or type(error).__name__
    return text.splitlines()[0][:200]

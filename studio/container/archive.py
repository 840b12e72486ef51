"""Archives of models and outputs: unpacked without trust, packed without surprises.

Standard library only: it runs in the shim. `tarfile.extractall` is never called: every filter of
it has been escaped from (CVE-2025-4517 and its kin). Only regular files and folders exist here.
"""

import gzip
import os
import shutil
import tarfile
import time
import unicodedata
import zlib
from collections.abc import Callable
from io import BufferedReader
from pathlib import Path
from typing import IO, Any

from studio.container.files import empty

MEMBERS = 10_000
DEPTH = 32
NAME_BYTES = 1_024
HEADER_BYTES = 64 * 1024
"""Longest header extension of one member; all of an archive may have HEADERS_BYTES together."""
HEADERS_BYTES = 16 * 2**20
RATIO = 200
FREE_RATIO_BYTES = 64 * 2**20
"""Up to here any ratio is fine: small models of zeros are models too."""
RESERVE_BYTES = 64 * 2**20
"""What stays free on the disk."""

_CHUNK = 2**20
_CHAIN = 8
_PART_BYTES = 255
_GZIP = b"\x1f\x8b"
_META = (
    tarfile.XHDTYPE,
    tarfile.XGLTYPE,
    tarfile.SOLARIS_XHDTYPE,
    tarfile.GNUTYPE_LONGNAME,
    tarfile.GNUTYPE_LONGLINK,
)


_Names = dict[str, tuple[str, "_Names"]]


class UnsafeArchive(Exception):
    """The archive was refused; the message names the member and the reason."""


class _Member(tarfile.TarInfo):
    """A header whose extensions are bounded: tarfile would read any size and depth into memory.

    A header that cannot be read ends the unpacking: tarfile takes it for the end of the archive.
    """

    @classmethod
    def frombuf(cls, buf: Any, encoding: str, errors: str) -> "_Member":
        try:
            return super().frombuf(buf, encoding, errors)
        except tarfile.EOFHeaderError:  # type: ignore[attr-defined]
            raise
        except tarfile.HeaderError as error:
            raise UnsafeArchive(f"model archive unreadable: {error}") from error

    def _proc_member(self, archive: Any) -> Any:
        if self.type == tarfile.GNUTYPE_SPARSE:
            raise UnsafeArchive(f"unsafe archive member {self.name[:200]!a}: its size is not plain")
        if self.type not in _META:
            return super()._proc_member(archive)  # type: ignore[misc]
        depth, total = getattr(archive, "studio_headers", (0, 0))
        total += self.size
        if not 0 <= self.size <= HEADER_BYTES or total > HEADERS_BYTES or depth >= _CHAIN:
            raise UnsafeArchive(f"unsafe archive: a header of {self.size} bytes")
        archive.studio_headers = (depth + 1, total)
        try:
            return super()._proc_member(archive)  # type: ignore[misc]
        finally:
            archive.studio_headers = (depth, archive.studio_headers[1])

    def _refuse_sparse(self, *_: Any) -> None:
        raise UnsafeArchive("unsafe archive member: its size is not plain")

    _proc_gnusparse_00 = _proc_gnusparse_01 = _proc_gnusparse_10 = _refuse_sparse


def unpack(
    archive: Path,
    target: Path,
    seconds: float = 3_600.0,
    check: Callable[[], None] = lambda: None,
) -> None:
    """Unpack a tar.gz, or a plain tar, into `target`: a folder that is empty or is made here.

    Files and folders have plain modes. Raises UnsafeArchive, leaving `target` empty, for anything
    but regular files and folders below it, for more than MEMBERS members, for content that would
    fill the disk or is compressed beyond RATIO, and for what cannot be read to its end. `check`
    is called now and then; what it raises ends the unpacking in the same way.
    """
    target.mkdir(parents=True, exist_ok=True)
    try:
        _unpack(archive, target, time.monotonic() + seconds, check)
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
    files = _entries(folder)
    if not files:
        return False
    _pack(files, target, compress)
    return True


def pack_nothing(target: Path) -> None:
    """An archive without members, synced: what a job that left no model has."""
    _pack([], target, True)


def write(target: Path, fill: Callable[[tarfile.TarFile], None], compress: bool) -> None:
    """An archive with what `fill` adds to it, synced; no file at all when that fails."""
    target.parent.mkdir(parents=True, exist_ok=True)
    try:
        with target.open("wb") as raw:
            if compress:
                with gzip.GzipFile("", "wb", compresslevel=1, fileobj=raw, mtime=0) as squeezed:
                    _tar(squeezed, fill)
            else:
                _tar(raw, fill)
            raw.flush()
            os.fsync(raw.fileno())
    except BaseException:
        target.unlink(missing_ok=True)
        raise


def packed(archive: Path) -> bool:
    """Whether it is compressed."""
    with archive.open("rb") as file:
        return file.read(2) == _GZIP


def opened(archive: Path) -> gzip.GzipFile | BufferedReader:
    """The plain bytes of an archive, compressed or not."""
    # tarfile's own reader of gzip streams checks neither sums nor the end.
    return gzip.open(archive, "rb") if packed(archive) else archive.open("rb")


def _pack(files: list[tuple[str, Path]], target: Path, compress: bool) -> None:
    write(target, lambda tar: _add(files, tar), compress)


def _tar(out: Any, fill: Callable[[tarfile.TarFile], None]) -> None:
    with tarfile.open(fileobj=out, mode="w|", format=tarfile.PAX_FORMAT) as tar:
        fill(tar)


def _unpack(archive: Path, target: Path, deadline: float, check: Callable[[], None]) -> None:
    free = shutil.disk_usage(target).free - RESERVE_BYTES
    allowed = max(FREE_RATIO_BYTES, archive.stat().st_size * RATIO)
    seen: _Names = {}
    count = total = 0
    root = os.open(target, os.O_RDONLY | os.O_DIRECTORY)
    try:
        with (
            opened(archive) as source,
            tarfile.open(fileobj=source, mode="r|", tarinfo=_Member) as tar,
        ):
            for member in tar:
                parts = _checked(member)
                _note(member, parts, seen)
                count += 1
                total += member.size
                if count > MEMBERS:
                    raise UnsafeArchive(f"unsafe archive: more than {MEMBERS} members")
                if total > free:
                    raise UnsafeArchive(f"no space left on the disk for {total} bytes of model")
                if total > allowed:
                    raise UnsafeArchive(f"unsafe archive: more than {RATIO} times its size")
                if time.monotonic() > deadline:
                    raise UnsafeArchive("unsafe archive: it takes too long to unpack")
                _place(tar, member, parts, root, check)
            _drain(source)
    finally:
        os.close(root)


def _drain(source: gzip.GzipFile | BufferedReader) -> None:
    """Read on to the end, where the checksum is; padding may follow a tar, no more."""
    for _ in range(16):
        if not source.read(_CHUNK):
            return
    raise UnsafeArchive("unsafe archive: there is more behind its end")


def _checked(member: tarfile.TarInfo) -> list[str]:
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
    if any(len(part.encode("utf-8", "surrogateescape")) > _PART_BYTES for part in parts):
        raise UnsafeArchive(f"unsafe archive member {shown}: its name is too long")
    if member.size < 0 or member.sparse is not None or (member.isdir() and member.size):
        raise UnsafeArchive(f"unsafe archive member {shown}: its size is not plain")
    return parts


def _note(member: tarfile.TarInfo, parts: list[str], seen: _Names) -> None:
    """Refuse what is there already, also by a name that some file systems take for the same."""
    names = seen
    for number, part in enumerate(parts, 1):
        folded = unicodedata.normalize("NFC", unicodedata.normalize("NFC", part).casefold())
        known = names.get(folded)
        again = number == len(parts) and member.isreg()
        if known is not None and (again or known[0] != part):
            shown = ascii(member.name[:200])
            raise UnsafeArchive(f"unsafe archive member {shown}: it is there twice")
        names = names.setdefault(folded, (part, {}))[1]


def _place(
    tar: tarfile.TarFile,
    member: tarfile.TarInfo,
    parts: list[str],
    root: int,
    check: Callable[[], None],
) -> None:
    folders = parts if member.isdir() else parts[:-1]
    fd = os.dup(root)
    try:
        for folder in folders:
            fd = _entered(fd, folder)
        if member.isreg():
            if not parts:
                raise UnsafeArchive("unsafe archive: a file without a name")
            _write_file(tar.extractfile(member), parts[-1], fd, check)
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


def _write_file(source: IO[bytes] | None, name: str, fd: int, check: Callable[[], None]) -> None:
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW
    assert source is not None
    with os.fdopen(os.open(name, flags, 0o644, dir_fd=fd), "wb") as file:
        check()
        while chunk := source.read(_CHUNK):
            file.write(chunk)
            check()


def _entries(folder: Path) -> list[tuple[str, Path]]:
    """(name in the archive, file or folder to read), sorted; nothing when `folder` is a link."""
    if folder.is_symlink() or not folder.is_dir():
        return []
    inside = folder.resolve()
    found = []
    waiting = [folder]
    while waiting:
        here = waiting.pop()
        _readable(here, 0o700)
        for entry in os.scandir(here):
            path = Path(entry.path)
            real = Path(os.path.realpath(path)) if entry.is_symlink() else path
            if entry.is_dir(follow_symlinks=False):
                waiting.append(path)
            elif not real.is_file() or (entry.is_symlink() and not real.is_relative_to(inside)):
                continue
            found.append((str(path.relative_to(folder)), real))
    return sorted(found)


def _readable(path: Path, rights: int) -> None:
    """A job may have taken the rights on its own files away, and still wants them kept."""
    if not os.access(path, os.R_OK | (os.X_OK if rights & 0o100 else 0)):
        path.chmod(rights)


def _add(files: list[tuple[str, Path]], tar: tarfile.TarFile) -> None:
    for name, path in files:
        info = tar.gettarinfo(path, name)
        info.uid = info.gid = 0
        info.uname = info.gname = ""
        if info.islnk():
            # A second name of a file in the folder: packed as a file of its own.
            info.type, info.linkname = tarfile.REGTYPE, ""
            info.size = path.stat().st_size
        if info.isreg():
            _readable(path, 0o600)
            with path.open("rb") as source:
                tar.addfile(info, source)
        else:
            tar.addfile(info)


def _sentence(error: Exception) -> str:
    text = str(error).strip() or type(error).__name__
    return text.splitlines()[0][:200]

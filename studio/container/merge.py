"""The archives that the hosts of a job left, as one."""

import tarfile
from pathlib import Path

from studio.container import archive


def merged(paths: list[Path]) -> Path:
    """The only archive with members, else a new one beside the first with those of all.

    AWS asks hosts to write no file of the same name; where they do, the first of `paths` wins.
    A name that is a file at one host and a folder at another is that of the first, too.
    """
    full = [path for path in paths if _first(path) is not None]
    if len(full) < 2:
        return full[0] if full else paths[0]
    target = paths[0].with_name(f"merged-{paths[0].name}")
    archive.write(target, lambda tar: _copy(full, tar), compress=archive.packed(full[0]))
    return target


def _copy(paths: list[Path], target: tarfile.TarFile) -> None:
    files: set[str] = set()
    folders: set[str] = set()
    for path in paths:
        with archive.opened(path) as source, tarfile.open(fileobj=source, mode="r|") as tar:
            for member in tar:
                above = {str(parent) for parent in Path(member.name).parents}
                if member.name in files or member.name in folders or above & files:
                    continue
                target.addfile(member, None if member.isdir() else tar.extractfile(member))
                (folders if member.isdir() else files).add(member.name)


def _first(path: Path) -> tarfile.TarInfo | None:
    with archive.opened(path) as source, tarfile.open(fileobj=source, mode="r|") as tar:
        return tar.next()

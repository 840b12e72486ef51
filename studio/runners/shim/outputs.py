"""What a command left behind, as archives."""

import errno
from pathlib import Path
from typing import Any

from studio import durable
from studio.container import archive

Doc = dict[str, Any]


def packed(wanted: list[Doc], ml: Path, target: Path) -> tuple[list[Doc], str, str]:
    """The archives in `target` of what is `wanted`; reason and words if not all could be made."""
    made: list[Doc] = []
    try:
        _pack(wanted, ml, target, made)
    except Exception as error:
        full = isinstance(error, OSError) and error.errno in (errno.ENOSPC, errno.EDQUOT)
        said = f"what the run left could not be packed: {error}"
        return made, "NoSpace" if full else "StartFailed", said
    return made, "", ""


def _pack(wanted: list[Doc], ml: Path, target: Path, made: list[Doc]) -> None:
    """Add an archive in `target`, complete and synced, to `made` for each of `wanted`."""
    for output in wanted:
        path = target / output["archive"]
        present = archive.pack(ml / output["folder"], path, output["compress"])
        if not present:
            if output["skip_empty"]:
                continue
            archive.pack_nothing(path)
        durable.sync_dir(target)
        size = path.stat().st_size
        made.append({"archive": output["archive"], "path": str(path), "size": size})

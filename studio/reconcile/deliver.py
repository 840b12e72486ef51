"""Stores the files of a folder that a run handed over."""

import os
from pathlib import Path

from studio.container import files
from studio.s3.client import Storage, parse_uri


def deliver(folder: Path, uri: str, storage: Storage) -> None:
    """Each file below `folder` becomes an object, `uri` and its path; then the folder is removed.

    Nothing happens when it is gone: it was delivered before. Raises ApiError, OSError.
    """
    bucket, prefix = parse_uri(uri)
    for here, _, names in os.walk(folder):
        for name in sorted(names):
            path = Path(here) / name
            storage.put_file(bucket, f"{prefix}{path.relative_to(folder)}", path)
    files.remove_tree(folder)

"""Where a script lies: in the folder `code`, in the model, or in an archive among the channels."""

import shutil
from pathlib import Path

from studio.container import archive
from studio.container.script.failure import ScriptError


def folder(base: Path, submitted: str) -> Path:
    """The folder of the script. `submitted` is what the SDK says: an s3:// URI, which the platform
    has unpacked to `code`, or a folder or archive below /opt/ml. Raises ScriptError."""
    code = base / "code"
    if not submitted or submitted.startswith("s3://"):
        return code
    place = base / Path(submitted).relative_to("/opt/ml") if _ours(submitted) else Path(submitted)
    if place.is_dir():
        return place
    if not place.is_file():
        raise ScriptError(f"The script's folder or archive {submitted} does not exist.")
    try:
        archive.unpack(place, code)
    except archive.UnsafeArchive as error:
        raise ScriptError(f"{submitted}: {error}") from error
    return code


def interpreter() -> str:
    """The Python that the script runs in: the one that comes first in PATH. Raises ScriptError."""
    for name in ("python3", "python"):
        if found := shutil.which(name):
            return found
    raise ScriptError("No Python is in PATH.")


def _ours(place: str) -> bool:
    return place == "/opt/ml" or place.startswith("/opt/ml/")

"""Archives as models and sources come in: `model.tar.gz` and the like."""

import io
import tarfile
from collections.abc import Mapping


def archive(files: Mapping[str, str | bytes]) -> bytes:
    """The `tar.gz` of these files."""
    made = io.BytesIO()
    with tarfile.open(fileobj=made, mode="w:gz") as tar:
        for name, text in files.items():
            data = text.encode() if isinstance(text, str) else text
            member = tarfile.TarInfo(name)
            member.size = len(data)
            tar.addfile(member, io.BytesIO(data))
    return made.getvalue()

"""Files of samples: each begins with its time, which rises; the last ones are found quickly.

A file is begun anew when it is large, and the one before is kept beside it. Nothing is synced: a
power cut may cost the last samples.
"""

import struct
from dataclasses import dataclass
from pathlib import Path
from typing import Any

_LARGEST = 2**20
_BLOCK = 256


@dataclass(frozen=True)
class Samples:
    """The samples in the file `name` of a folder; `form` is their struct, which begins with Q."""

    name: str
    form: struct.Struct

    def append(self, folder: Path, sample: tuple[Any, ...]) -> None:
        """Raises OSError on a full disk."""
        path, size = folder / self.name, self.form.size
        with path.open("ab") as file:
            end = file.tell()
            if end % size:  # a full disk cut the last one short
                file.truncate(end // size * size)
            file.write(self.form.pack(*sample))
        if end + size >= _LARGEST:
            path.replace(folder / f"{self.name}.old")

    def read(self, folder: Path, after: int) -> list[tuple[Any, ...]]:
        """The samples later than `after`, in order."""
        found = self._later(folder / self.name, after)
        if not found or found[0][0] > after:
            # All of the file is later: the end of the one before may be too.
            found = self._later(folder / f"{self.name}.old", after) + found
        return [each for each in found if each[0] > after]

    def _later(self, path: Path, after: int) -> list[tuple[Any, ...]]:
        """The last samples of a file, from one that is not later than `after` if there is one."""
        form = self.form
        try:
            with path.open("rb") as file:
                position = file.seek(0, 2) // form.size * form.size
                data = b""
                while position > 0 and (not data or form.unpack_from(data)[0] > after):
                    step = min(_BLOCK * form.size, position)
                    position -= step
                    file.seek(position)
                    data = file.read(step) + data
        except FileNotFoundError:
            return []
        return list(form.iter_unpack(data))

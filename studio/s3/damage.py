"""What the scrubber found, as it is kept between its cycles. Imports nothing heavy."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from studio import durable

_FILE = "scrub.json"


@dataclass(frozen=True)
class Damage:
    """An object, or version of it, whose content is not what was stored."""

    bucket: str
    key: str
    version: str
    blob: str
    what: str

    def name(self) -> str:
        version = "" if self.version == "null" else f" (version {self.version})"
        return f"s3://{self.bucket}/{self.key}{version}"


def known(root: Path) -> list[Damage]:
    """What the scrubber of the store in `root` found and did not see mended."""
    return [Damage(**each) for each in read(root)["damaged"]]


def read(root: Path) -> dict[str, Any]:
    """When the last cycle began (milliseconds), where it is (None: at its end), what it found."""
    return durable.read_json(root / _FILE) or {"began": 0, "at": None, "damaged": []}


def write(root: Path, state: dict[str, Any]) -> None:
    durable.write_json(root / _FILE, state)

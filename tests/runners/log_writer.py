"""A log as a job and its shim write it."""

from pathlib import Path

from studio.runners.shim import notes


class Writer:
    """Writes a log and its notes into a folder that need not exist."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.clock = 1_000
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "log").touch()

    def write(self, data: bytes, noted: bool = True) -> None:
        with (self.folder / "log").open("ab") as file:
            file.write(data)
        self.clock += 7
        if noted:
            self.note()

    def note(self) -> None:
        notes.append(self.folder / "log.idx", self.clock, (self.folder / "log").stat().st_size)

    def end(self) -> None:
        self.note()
        (self.folder / "exit.json").write_text("{}")

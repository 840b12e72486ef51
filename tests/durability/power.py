"""A disk whose power can be cut: a file system in a file, stopped before it writes its journal.

What only the memory of the kernel knows is lost, as when the machine loses its power: the ioctl is
that of Linux's own tests of file systems (FS_IOC_SHUTDOWN, for ext4 and xfs).
"""

import contextlib
import fcntl
import os
import shutil
import struct
import subprocess
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

_SHUTDOWN = 0x8004587D  # _IOR('X', 125, __u32)
_NO_LOG_FLUSH = 2
_SIZES = {"ext4": 128, "xfs": 320}  # MiB; the files are sparse
_FORMAT = {"ext4": ("mkfs.ext4", "-q", "-F"), "xfs": ("mkfs.xfs", "-q", "-f")}


@dataclass(frozen=True)
class Disk:
    """Mounted at `path` while it has power."""

    image: Path
    path: Path
    options: str

    def cut(self) -> None:
        """Nothing that was not synced survives; whoever writes gets errors from now on."""
        fd = os.open(self.path, os.O_RDONLY)
        try:
            fcntl.ioctl(fd, _SHUTDOWN, struct.pack("I", _NO_LOG_FLUSH))
        finally:
            os.close(fd)

    def reboot(self) -> None:
        self.unmount()
        self.mount()

    def mount(self) -> None:
        options = ",".join(filter(None, ("loop", self.options)))
        _run("mount", "-o", options, self.image, self.path)

    def unmount(self) -> None:
        # Whoever was killed may hold it a moment longer.
        for _ in range(1000):
            done = subprocess.run(["umount", self.path], capture_output=True, check=False)
            if done.returncode == 0:
                return
            time.sleep(0.05)
        _run("umount", self.path)


def lacking(kind: str) -> str | None:
    """What a disk of this kind needs and does not find; None when it has all."""
    if os.geteuid() != 0:
        return "root"
    if shutil.which(_FORMAT[kind][0]) is None:
        return _FORMAT[kind][0]
    command = ["unshare", "--mount", "losetup", "--find"]
    done = subprocess.run(command, capture_output=True, check=False)
    return None if done.returncode == 0 else "loop devices"


@contextlib.contextmanager
def disk(folder: Path, kind: str, options: str) -> Iterator[Disk]:
    """A new disk. Raises CalledProcessError."""
    made = Disk(folder / "disk.img", folder / "disk", options)
    with made.image.open("wb") as image:
        image.truncate(_SIZES[kind] << 20)
    _run(*_FORMAT[kind], made.image)
    made.path.mkdir()
    made.mount()
    try:
        yield made
    finally:
        made.unmount()
        made.image.unlink()


def _run(*command: object) -> None:
    subprocess.run(list(map(str, command)), check=True, capture_output=True)

"""What this machine is made of, as far as it tells without asking a driver that may hang."""

import os
import re
from functools import cache
from pathlib import Path
from typing import Any

Doc = dict[str, Any]

_GPUS = Path("/proc/driver/nvidia/gpus")


@cache
def of_machine() -> Doc:
    """Its CPU, how many cores it has, its memory and its GPUs."""
    model = re.search(r"^model name\s*:\s*(.+)$", _text(Path("/proc/cpuinfo")), re.MULTILINE)
    return {
        "Cpu": model[1].strip() if model else os.uname().machine,
        "Cores": os.cpu_count() or 1,
        "MemoryInMB": os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE") // 2**20,
        "Gpus": [_gpu(place) for place in sorted(_GPUS.glob("*/information"))],
    }


def _gpu(place: Path) -> str:
    model = re.search(r"^Model:\s*(.+)$", _text(place), re.MULTILINE)
    return model[1].strip() if model else "GPU"


def _text(place: Path) -> str:
    try:
        return place.read_text(encoding="utf-8", errors="replace")
    except OSError:
        return ""

"""The engine of this machine, as the control plane sees it: whether containers can run, and how."""

import os
import re
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from studio.environment import hook_folder
from studio.errors import StudioError
from studio.runners.docker import client, document
from studio.runners.docker.engine import SECONDS, Engine, EngineError, EngineGone, address
from studio.settings import Settings

ASK_SECONDS = 3.0
"""Of an engine that somebody waits for."""
_REMEMBER_SECONDS = 5.0
INSTALL = (
    "Install Docker (apt-get install docker.io, or https://docs.docker.com/engine/install), let "
    "your user reach its socket, and see `studio doctor`."
)
_SAFE_RUNC = {(1, 2): 8, (1, 3): 3}
_SAFE_TOOLKIT = (1, 17, 8)
_BRIDGE_FILTER = Path("/proc/sys/net/bridge/bridge-nf-call-iptables")
_TOLD = ("InitBinary", "SecurityOptions", "Runtimes", "DiscoveredDevices")
_FRESH_SECONDS = 60.0
_known: dict[str, "_Look"] = {}


@dataclass(frozen=True)
class _Look:
    """What was seen of an engine, and when."""

    at: float
    obstacle: str = ""
    info: dict[str, Any] | None = None


def obstacle(settings: Settings) -> str:
    """Why no container can run here, as a sentence with the way out; "" when they can."""
    if settings.runner == "process":
        return "The setting runner is `process`, which keeps containers from being started."
    try:
        path = address(settings.docker_host)
    except ValueError as error:
        return str(error)
    known = _known.get(path)
    if known is None or time.monotonic() - known.at > _REMEMBER_SECONDS:
        known = _known[path] = _look(path)
    return known.obstacle


def engine(settings: Settings, seconds: float = SECONDS) -> Engine:
    """The engine, which may take `seconds` for each answer. Raises StudioError when no container
    can run here."""
    if said := obstacle(settings):
        raise StudioError(said)
    return Engine(address(settings.docker_host), seconds)


def options(settings: Settings) -> dict[str, Any]:
    """What the client of a container needs of the settings. Raises StudioError."""
    try:
        path = address(settings.docker_host)
    except ValueError as error:
        raise StudioError(str(error)) from error
    known = _known.get(path)
    fresh = known is not None and time.monotonic() - known.at < _FRESH_SECONDS
    return {
        "socket": path,
        # The engine takes long to tell it; without it the client asks.
        "info": known.info if known and fresh else None,
        "configs": _configs(settings),
        "pull": settings.image_pull,
        "root": settings.container_root,
        "user": [os.getuid(), os.getgid()],
        "hook": str(hook_folder()),
        "locks": str(settings.home / "docker" / "locks"),
    }


def end_left_over(settings: Settings, folder: Path) -> None:
    """Remove the container of a run whose shim is no more. An engine that does not answer is asked
    again by those who sweep."""
    if not (folder / client.SAYS).exists():
        return
    try:
        engine = Engine(address(settings.docker_host), ASK_SECONDS)
        client.remove(engine, document.name(folder.name))
    except (EngineGone, EngineError, ValueError):
        pass


@dataclass(frozen=True)
class Machine:
    """What an engine runs on."""

    gpus: bool = False
    toolkit: str = ""
    """What the NVIDIA Container Toolkit says of its version."""
    bridges_filtered: bool = True
    """The kernel can keep the containers of one network apart: it has br_netfilter."""


def machine(gpus: bool, toolkit: str) -> Machine:
    """This one."""
    return Machine(gpus, toolkit, _BRIDGE_FILTER.exists())


def weaknesses(
    version: dict[str, Any], info: dict[str, Any], machine: Machine
) -> list[tuple[str, str]]:
    """(what is weak, what to do) of an engine that works."""
    found = []
    for part in version.get("Components") or []:
        if part["Name"] == "runc" and _older(part["Version"], _SAFE_RUNC):
            text = f"runc {part['Version']} lets containers out (CVE-2025-31133, CVE-2025-52881)"
            found.append((text, "update runc to 1.2.8, 1.3.3 or newer"))
    if str(info.get("CgroupVersion", "2")) == "1":
        found.append(("cgroup v1", "boot with systemd.unified_cgroup_hierarchy=1"))
    if not info.get("InitBinary"):
        found.append(("no docker-init", "install tini"))
    if not machine.bridges_filtered and not document.rootless(info):
        text = "no br_netfilter in the kernel: unless the engine loads it, no container starts"
        found.append((text, "modprobe br_netfilter, and name it in /etc/modules-load.d"))
    known = re.search(r"\d+\.\d+\.\d+", machine.toolkit)
    if known and _numbers(known[0]) < _SAFE_TOOLKIT:
        text = f"NVIDIA Container Toolkit {known[0]} runs code of images (CVE-2025-23266)"
        found.append((text, "update it to 1.17.8 or newer"))
    cdi = any("nvidia" in str(each) for each in info.get("DiscoveredDevices") or [])
    if machine.gpus and not cdi and "nvidia" not in (info.get("Runtimes") or {}):
        text = "GPUs of this machine cannot be given to containers"
        found.append((text, "install the NVIDIA Container Toolkit, 1.17.8 or newer"))
    return found


def _older(version: str, safe: dict[tuple[int, int], int]) -> bool:
    """Than the first release of its line that is safe; lines that are not named are newer."""
    numbers = _numbers(version)
    if len(numbers) < 3:
        return False
    major, minor, patch = numbers
    return (major, minor) < min(safe) or patch < safe.get((major, minor), 0)


def _numbers(version: str) -> tuple[int, ...]:
    match = re.match(r"(\d+)\.(\d+)\.(\d+)", version)
    return tuple(map(int, match.groups())) if match else ()


def _look(path: str) -> _Look:
    now = time.monotonic()
    if not Path(path).exists():
        return _Look(now, f"There is no Docker engine here: {path} does not exist. {INSTALL}")
    try:
        info = Engine(path, ASK_SECONDS).call("GET", "/info")
    except EngineGone as error:
        return _Look(now, f"The Docker engine does not answer ({error}). {INSTALL}")
    except EngineError as error:
        return _Look(now, f"The Docker engine is too old, Docker 20.10 or newer is needed: {error}")
    return _Look(now, "", {name: info.get(name) for name in _TOLD})


def _configs(settings: Settings) -> list[str]:
    """Folders with a `config.json` of registries' credentials, the home's own first."""
    usual = os.environ.get("DOCKER_CONFIG") or str(Path.home() / ".docker")
    return [str(settings.home / "docker"), usual]

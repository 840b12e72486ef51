"""What is kept ready for a time: Pythons, each in the sandbox of a run that nobody has yet, and
containers that wait for one.

One is made for each host of a job that asks for it, once that has ended, and serves one run of the
same pool: of the same owner, role, image and machine. See studio.runners.shim.warm.
"""

import os
import re
import signal
import time
from pathlib import Path
from typing import Any

from studio import durable, processes
from studio.container import files, worker
from studio.environment import hook_folder
from studio.runners.base import RunSpec
from studio.runners.docker import document
from studio.runners.shim import warm
from studio.settings import Settings

RECORD = ".studio-imports"
"""Name of the file in /tmp where a run leaves the names of the modules that it had imported."""
VARIABLE = "STUDIO_RECORD_IMPORTS"
"""Variable that asks the hook for that file."""

_MOST_BYTES, _MOST_MODULES = 512 * 1024, 5_000
_MODULE = re.compile(r"[A-Za-z_]\w*(\.\w+)*")


def folder(settings: Settings, spec: RunSpec) -> Path:
    """Where that is which is kept ready because of the run `spec`."""
    return _pool(settings, spec) / spec.id


def template(spec: RunSpec) -> RunSpec:
    """What is started: the machine of the run `spec`, without anything of its job."""
    return RunSpec(
        id=f"warm-{spec.id}",
        command=("python3", worker.__file__),
        env={"PYTHONPATH": str(hook_folder())} if not spec.image else _chosen(spec.env),
        resources=spec.resources,
        network=spec.network,
        python=spec.python,
        pool=spec.pool,
        image=spec.image,
    )


def ticket(spec: RunSpec, tmp: Path, until: int) -> dict[str, Any]:
    """What the shim is told, beside the sandbox: `tmp` is the /tmp of the ended run `spec`."""
    said = files.read_text(tmp, RECORD, _MOST_BYTES).splitlines()
    modules = [name for name in dict.fromkeys(said) if _MODULE.fullmatch(name)]
    return {"pool": _pool_name(spec), "until": until, "modules": modules[:_MOST_MODULES]}


def prolong(place: Path, until: int) -> bool:
    """Keep it until then, if it is there; a time that has passed ends it."""
    known = durable.read_json(place / warm.TICKET)
    if known is None or not processes.alive(durable.read_json(place / "pid.json")):
        files.remove_tree(place)
        return False
    try:
        durable.write_json(place / warm.TICKET, {**known, "until": until})
    except FileNotFoundError:
        return False  # taken, or gone, this moment
    return True


def end_all(settings: Settings) -> None:
    """End all that is kept ready in a home; returns when it is gone."""
    shims = []
    for place in (settings.home / "warm").glob("*/*"):
        shim = durable.read_json(place / "pid.json")
        if shim is not None and prolong(place, 0):
            shims.append(shim)
    while living := [shim for shim in shims if processes.alive(shim)]:
        for shim in living:
            os.kill(shim["pid"], signal.SIGTERM)  # it looks at its time now
        time.sleep(0.02)


def take(settings: Settings, spec: RunSpec, target: Path) -> bool:
    """Make what is kept ready for runs like `spec` that of the run whose folder `target` will be;
    False for want of one."""
    try:
        places = sorted(_pool(settings, spec).iterdir())
    except FileNotFoundError:
        return False
    return any(_taken(place, target) for place in places if not place.name.startswith("."))


def _chosen(env: dict[str, str]) -> dict[str, str]:
    """What a container is made by, of the variables of a run."""
    return {name: env[name] for name in (document.WRITABLE,) if name in env}


def _taken(place: Path, target: Path) -> bool:
    known = durable.read_json(place / warm.TICKET)
    ready = (place / warm.READY).exists()
    if known is None or not ready or known["until"] / 1000 <= time.time():
        return False
    shim = durable.read_json(place / "pid.json")
    if not processes.alive(shim):
        files.remove_tree(place)
        return False
    try:
        place.rename(target)
    except OSError:
        return False  # somebody was faster, or it is gone
    if not processes.alive(shim):  # killed this moment
        files.remove_tree(target)
        return False
    durable.sync_dir(target.parent)
    return True


def _pool(settings: Settings, spec: RunSpec) -> Path:
    return settings.home / "warm" / _pool_name(spec)


def _pool_name(spec: RunSpec) -> str:
    return f"{spec.pool}-{spec.network.host}"

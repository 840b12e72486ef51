"""The images that `studio images build` makes: which of them are there, and whether containers can
run at all."""

import shlex
import sys
from datetime import UTC, datetime
from typing import Any

from studio.api.registry import Context, operation
from studio.db.resources import Doc
from studio.runners.docker import building, engines
from studio.runners.docker.engine import EngineError, EngineGone
from studio.settings import Settings

_STUDIO = (sys.executable, "-m", "studio.cli")
"""A login shell need not have `studio` in its PATH."""


@operation("studio", "ListStudioImages")
def list_studio_images(ctx: Context, _request: Doc) -> Doc:
    return listed(ctx.settings)


def listed(settings: Settings) -> Doc:
    """Each image of ours, and whether the engine has it."""
    there, obstacle = _known(settings)
    return {
        "Images": [_shown(name, there.get(name, {})) for name in building.EXTRAS],
        "Obstacle": obstacle,
        "Command": shlex.join([*_STUDIO, "images", "build"]),
    }


def _known(settings: Settings) -> tuple[dict[str, Doc], str]:
    """What the engine knows of each, and why there is none."""
    if obstacle := engines.obstacle(settings):
        return {}, obstacle
    try:
        found = list(building.listed(engines.engine(settings, engines.ASK_SECONDS)))
    except (EngineError, EngineGone) as error:
        return {}, str(error)
    return {it["Name"]: it for it in found}, ""


def _shown(name: str, known: dict[str, Any]) -> Doc:
    return {
        "Name": name,
        "Uri": building.reference(name),
        "Built": bool(known.get("Id")),
        "Digest": known.get("Id"),
        "Bytes": known.get("Size"),
        "CreationTime": _milliseconds(known.get("Created")),
    }


def _milliseconds(text: str | None) -> int | None:
    """`2026-11-22T03:55:00.123456789Z`, as the engine tells times."""
    if not text:
        return None
    at = datetime.strptime(text[:19], "%Y-%m-%dT%H:%M:%S").replace(tzinfo=UTC)
    return int(at.timestamp() * 1000)

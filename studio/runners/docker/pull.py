"""The image of a run: what the engine has, else what it pulls, with words on how far it is."""

import time
from collections.abc import Callable
from typing import Any

from studio.runners.docker import registry
from studio.runners.docker.engine import Engine, EngineError, EngineGone

Doc = dict[str, Any]

_STALL_SECONDS = 120.0
_TELL_SECONDS = 1.0


class ImageUnavailable(Exception):
    """The image cannot be had; the message says which and why."""


def image(engine: Engine, spec: Doc, tell: Callable[[str], None], check: Callable[[], None]) -> Doc:
    """What the engine knows of the run's image, once it has it.

    `tell` is told how far the pull is, `check` may raise to end it.
    Raises ImageUnavailable, EngineError, EngineGone.
    """
    name = spec["image"]
    known = engine.image(name)
    if known is not None and spec["engine"]["pull"] != "always":
        return known
    tell("Downloading the training image" if not spec["server"] else "Downloading the image")
    try:
        _pull(engine, name, spec["engine"]["configs"], tell, check)
    except (EngineError, EngineGone) as error:
        if known is None:
            raise ImageUnavailable(_sentence(name, error)) from error
    found = engine.image(name)
    if found is None:
        raise ImageUnavailable(_sentence(name, "the engine does not have it after the pull"))
    return found


def _pull(
    engine: Engine,
    name: str,
    configs: list[str],
    tell: Callable[[str], None],
    check: Callable[[], None],
) -> None:
    layers: dict[str, tuple[int, int]] = {}
    told = 0.0
    query = {"fromImage": name if _tagged(name) else f"{name}:latest"}
    for said in engine.lines(
        "/images/create", query, registry.header(name, configs), _STALL_SECONDS
    ):
        check()
        if "error" in said:
            raise EngineError(500, str(said["error"]))
        progress = said.get("progressDetail") or {}
        if progress.get("total") and said.get("status") == "Downloading":
            layers[said.get("id", "")] = int(progress["current"]), int(progress["total"])
        if layers and time.monotonic() - told > _TELL_SECONDS:
            told = time.monotonic()
            tell(_progress(layers))


def _progress(layers: dict[str, tuple[int, int]]) -> str:
    done = sum(current for current, _ in layers.values()) / 1e6
    total = sum(whole for _, whole in layers.values()) / 1e6
    return f"Downloading the training image: {done:.0f} of {total:.0f} MB"


def _tagged(name: str) -> bool:
    return ":" in name.rpartition("/")[2] or "@" in name


def _sentence(name: str, error: object) -> str:
    return (
        f"The image {name} could not be had: {error}. Check its name; for a private registry, "
        "`docker login` on this machine."
    )

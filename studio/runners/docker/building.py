"""Images of ours: what is in them, whether they are there, and how they are built."""

import io
import tarfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from studio.errors import StudioError
from studio.runners.docker.engine import Engine, EngineError, EngineGone

Doc = dict[str, Any]

EXTRAS = {
    "algorithms": "xgboost-cpu>=3.0",
    "lightgbm": "lightgbm>=4.5 scikit-learn>=1.6",
    "mlflow": "mlflow-skinny>=2.14 scikit-learn>=1.6 xgboost-cpu>=3.0",
    "onnx": "onnxruntime>=1.20",
    "pytorch": "torch",
    "sklearn": "scikit-learn>=1.6",
    "xgboost": "xgboost-cpu>=3.0 scikit-learn>=1.6",
}
"""Image -> what pip installs in it beside the packages that all have."""
_PACKAGE = Path(__file__).parents[2]
_DOCKERFILE = _PACKAGE / "images" / "Dockerfile"
_SHIPPED = ("__init__.py", "algorithms", "container", "client", "hook", "tracking.py")
_SECONDS = 1_800.0


def reference(name: str) -> str:
    """The image as the engine knows it."""
    return f"studio-{name}:latest"


def listed(engine: Engine) -> Iterator[Doc]:
    """`Name`, `Image`, and `Id`, `Size` (bytes) and `Created` of those that are there."""
    for name in EXTRAS:
        known = engine.image(reference(name)) or {}
        yield {
            "Name": name,
            "Image": reference(name),
            "Id": known.get("Id"),
            "Size": known.get("Size"),
            "Created": known.get("Created"),
        }


def build(engine: Engine, name: str, base: str, offline: bool, network: str) -> Iterator[str]:
    """What the engine says while it builds; `offline`: `base` has the packages already.

    Raises StudioError.
    """
    arguments = {"BASE": base, "EXTRA": EXTRAS[name]}
    if offline:
        arguments |= {"EXTRA": "", "INSTALL": ""}
    try:
        for said in engine.build(reference(name), _context(), arguments, network, _SECONDS):
            if "error" in said:
                raise StudioError(f"{reference(name)} could not be built: {said['error']}")
            yield from str(said.get("stream", "")).splitlines()
    except (EngineError, EngineGone) as error:
        raise StudioError(f"{reference(name)} could not be built: {error}") from error


def _context() -> bytes:
    made = io.BytesIO()
    with tarfile.open(fileobj=made, mode="w") as tar:
        tar.add(_DOCKERFILE, "Dockerfile")
        for name in _SHIPPED:
            tar.add(_PACKAGE / name, f"studio/{name}", filter=_shipped)
    return made.getvalue()


def _shipped(entry: tarfile.TarInfo) -> tarfile.TarInfo | None:
    if Path(entry.name).name == "__pycache__":
        return None
    entry.uid = entry.gid = 0
    entry.uname = entry.gname = "root"
    return entry

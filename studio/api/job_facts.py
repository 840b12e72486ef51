"""What a job runs with: image, environment, digests of its inputs, machine, seed.

Whoever wants the same result again needs the same of all of them.
"""

import hashlib
import re
from collections.abc import Iterable
from functools import cache, lru_cache
from importlib.util import find_spec
from pathlib import Path

from studio.api import job_documents
from studio.api.channels import Content
from studio.api.images import Program
from studio.db.resources import Doc
from studio.runners import environments, hardware
from studio.runners.base import Resources

_SEED = re.compile(r"(.*[_.-])?(seed|random_state)", re.IGNORECASE)


def facts(spec: Doc, program: Program, python: str, contents: Iterable[Content]) -> Doc:
    """Of the job that the request `spec` made, with the interpreter that its runs have."""
    return {
        "Environment": environments.of(python),
        "Image": _image(job_documents.image(spec), program, python),
        "Inputs": [
            {
                "ChannelName": each.channel,
                "Uri": each.uri,
                "Objects": each.objects,
                "Bytes": each.size,
                "Digest": each.digest,
            }
            for each in contents
        ],
        "Hardware": hardware.of_machine(),
        "Seeds": [
            {"Name": name, "Value": value}
            for name, value in spec.get("HyperParameters", {}).items()
            if _SEED.fullmatch(name)
        ],
    }


def allotted(resources: Resources) -> Doc:
    """What a run may take of the machine."""
    return {
        "Cpus": resources.cpus,
        "MemoryInMB": resources.memory_mb or None,
        "Gpus": resources.gpus,
    }


def _image(uri: str, program: Program, python: str) -> Doc:
    """An image stands for a program of this machine: its digest is that of the program's files."""
    if program.container:
        return {"Uri": uri}  # its digest is known when the engine has it
    if program.image is not None:
        places = _files(program.image.module)
    else:
        given = python or environments.of("")["Executable"]
        places = (Path(given).resolve(),)
    return {"Uri": uri, "Digest": _digest(places, tuple(it.stat().st_mtime_ns for it in places))}


@cache
def _files(module: str) -> tuple[Path, ...]:
    """Of an algorithm, and of what lies beside it, which it may use."""
    found = find_spec(module.rpartition(".")[0] or module)
    folders = found.submodule_search_locations if found else None
    return tuple(sorted(it for folder in folders or () for it in Path(folder).rglob("*.py")))


@lru_cache(maxsize=32)
def _digest(places: tuple[Path, ...], _changed: tuple[int, ...]) -> str:
    digest = hashlib.sha256()
    for place in places:
        digest.update(hashlib.sha256(place.read_bytes()).digest())
    return f"sha256:{digest.hexdigest()}"

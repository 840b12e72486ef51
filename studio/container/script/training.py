"""A training job's script: its packages, its variables, and then this process becomes it.

So signals, exit status and output are the script's own, and nothing stands between. A Python of
the script's own environment that waits for it, with its packages imported, becomes it instead.
"""

import json
import os
import sys
from pathlib import Path
from typing import NoReturn

from studio.container.script import job as jobs
from studio.container.script import launch, packages, remote, source, variables
from studio.container.script.failure import ScriptError

HAND_OVER = "STUDIO_HAND_OVER"
"""Variable with a descriptor: the command is written there, for another process to become it."""


def train(base: Path, framework: str) -> NoReturn:
    """Never returns. Raises ScriptError."""
    job = jobs.read(base)
    code = source.folder(base, str(job.own.get("submit_directory", "")))
    if not (code / job.entry_point).is_file():
        raise ScriptError(f"The script {job.entry_point} is not in {_names(code)}.")
    python = packages.provided(code, source.interpreter())
    environment = {**os.environ, **variables.of(job, framework), **_paths(code)}
    if job.asked("mpi_enabled") and job.host != job.first:
        raise SystemExit(remote.serve(job.host, launch.port(environment), code, environment))
    command = launch.command(job, python, code, environment)
    sys.stdout.write(f"Invoking script with the following command:\n\n{' '.join(command)}\n\n")
    sys.stdout.flush()
    if handed := environment.pop(HAND_OVER, ""):
        told = {"command": command, "environment": environment, "folder": str(code)}
        with os.fdopen(int(handed), "w", encoding="utf-8") as pipe:
            json.dump(told, pipe)
        raise SystemExit(0)
    os.chdir(code)
    os.execvpe(command[0], command, environment)


def _paths(code: Path) -> dict[str, str]:
    """Modules beside the script are found by its children, too."""
    given = os.environ.get("PYTHONPATH", "")
    return {"PYTHONPATH": os.pathsep.join(filter(None, [given, str(code)]))}


def _names(code: Path) -> str:
    names = sorted(it.name for it in code.iterdir()) if code.is_dir() else []
    return f"its source ({', '.join(names[:20])})" if names else "its source, which is empty"

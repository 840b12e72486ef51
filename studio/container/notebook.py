"""`python -m studio.container.notebook`: runs the notebook of a job, in the way of AWS's images for
notebook jobs and their program `amazon_sagemaker_scheduler`.

It goes by the variables that AWS's clients set, SM_INPUT_NOTEBOOK_NAME and the like; the job's
hyperparameters are the notebook's parameters. What the cells show goes to the log at once, and the
notebook is written after each of them: to the folder of the checkpoints where the job has one,
which is stored while it runs, else to that of the output. At the end an HTML page is beside it.
"""

import ast
import asyncio
import json
import logging
import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

# ruff: noqa: E402
# The schema of notebooks has no addresses to check, and this takes more than a second to build the
# grammar of addresses. Jupyter's server brings it.
sys.modules["rfc3987_syntax"] = None  # type: ignore[assignment]
import nbformat
from jupyter_client.kernelspec import KernelSpecManager
from jupyter_client.manager import AsyncKernelManager
from nbclient import NotebookClient
from nbclient.exceptions import CellExecutionError, CellTimeoutError, DeadKernelError
from nbformat import NotebookNode

_ML = "/opt/ml"
_TAG, _INJECTED = "parameters", "injected-parameters"
_ANSI = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]")
_FAILURE_CHARACTERS = 1024
_FAILED, _REFUSED, _TERMINATED = 1, 2, 128 + signal.SIGTERM


class Refused(Exception):
    """The notebook cannot be run as it is; the text says why, and what to do."""


@dataclass(frozen=True)
class Job:
    """What a job says of its notebook; folders are those of this machine."""

    source: Path
    work: Path
    """Where the notebook finds the files that came with it, and may write."""
    target: Path
    parameters: Mapping[str, str]
    init_script: str = ""

    @classmethod
    def read(cls, base: Path, environment: Mapping[str, str]) -> "Job":
        """The job that is laid out below `base`. Raises Refused."""
        name = environment.get("SM_INPUT_NOTEBOOK_NAME", "")
        if not name:
            raise Refused("The variable SM_INPUT_NOTEBOOK_NAME must name the notebook to run.")
        folder = _input_folder(base, environment)
        source = folder / _plain("SM_INPUT_NOTEBOOK_NAME", name)
        if not source.is_file():
            raise Refused(f"There is no notebook {name} in {folder}.")
        target = _plain("SM_OUTPUT_NOTEBOOK_NAME", environment.get("SM_OUTPUT_NOTEBOOK_NAME", name))
        given = _document(base / "input/config/hyperparameters.json")
        return cls(
            source,
            base / "code",
            _output_folder(base) / target,
            {key: str(value) for key, value in given.items() if not key.startswith("sagemaker_")},
            _plain("SM_INIT_SCRIPT", environment.get("SM_INIT_SCRIPT", "")),
        )


def main() -> int:
    """Run the notebook of this job; the exit status."""
    base = Path(os.environ.get("SAGEMAKER_BASE_DIR") or _ML)
    try:
        job = Job.read(base, os.environ)
        notebook = _read(job.source)
        inject(notebook, job.parameters)
        shutil.copytree(job.source.parent, job.work, dirs_exist_ok=True)
        _initialize(job)
        return asyncio.run(_executed(job, notebook, base))
    except Refused as error:
        _fail(base, str(error))
        return _REFUSED


def inject(notebook: NotebookNode, given: Mapping[str, str]) -> None:
    """Put a cell with the values `given` behind the one with the tag `parameters`, or first.

    A text stays a text where the notebook has one; else it is a literal of JSON or of Python, if it
    can be read as one.
    Raises Refused for a notebook that is not of Python.
    """
    cells = [cell for cell in notebook.cells if _INJECTED not in _tags(cell)]
    notebook.cells = cells
    if not given:
        return
    language = notebook.metadata.get("kernelspec", {}).get("language") or "python"
    if language.lower() != "python":
        raise Refused(f"Parameters can be given to notebooks of Python; this one is of {language}.")
    place = next((n for n, cell in enumerate(cells, 1) if _TAG in _tags(cell)), 0)
    known = defaults(cells[place - 1].source) if place else {}
    lines = [f"{name} = {_value(name, text, known)!r}" for name, text in given.items()]
    source = "\n".join(["# Parameters of this job", *lines])
    made: Any = nbformat.v4.new_code_cell  # without types
    cell = made(source, metadata={"tags": [_INJECTED]})
    if notebook.nbformat_minor < 5:  # cells have no ids yet
        del cell["id"]
    cells.insert(place, cell)


def defaults(source: str) -> dict[str, Any]:
    """Name -> value of the assignments of literals in a cell; nothing is evaluated."""
    try:
        statements = ast.parse(source).body
    except (SyntaxError, ValueError):
        return {}
    found: dict[str, Any] = {}
    for each in statements:
        targets = each.targets if isinstance(each, ast.Assign) else [getattr(each, "target", None)]
        value = getattr(each, "value", None)
        if len(targets) == 1 and isinstance(targets[0], ast.Name) and value is not None:
            try:
                found[targets[0].id] = ast.literal_eval(value)
            except ValueError:
                continue
    return found


async def _executed(job: Job, notebook: NotebookNode, base: Path) -> int:
    """Run the cells; whatever happens, what there is of them is kept."""
    with tempfile.TemporaryDirectory(dir="/tmp") as runtime:  # addresses of sockets are short
        client = _Client(notebook, job, Path(runtime))
        try:
            # The kernel ends before the job does: what it writes at its exit is part of the job.
            await client.async_execute(cwd=str(job.work), cleanup_kc=True)
        except (CellExecutionError, CellTimeoutError, DeadKernelError, RuntimeError) as error:
            if client.stopping:
                _say("stopped")
                return _TERMINATED
            _fail(base, client.failure(error))
            return _FAILED
        finally:
            _write(job.target, notebook)
            _write_page(job.target, notebook)
    return 0


class _Client(NotebookClient):
    """Runs the cells one after the other in the first `python` of PATH: the environment that was
    chosen for the job."""

    def __init__(self, notebook: NotebookNode, job: Job, runtime: Path) -> None:
        self._kernels = _manager(runtime)
        super().__init__(
            notebook,
            km=self._kernels,
            timeout=None,
            record_timing=True,
            on_notebook_start=self._started,
            on_cell_execute=self._begun,
            on_cell_executed=self._done,
        )
        self.stopping = False
        self._job = job
        self._count = sum(_runs(cell) for cell in notebook.cells)
        self._number = self._index = 0

    def failure(self, error: Exception) -> str:
        """Which cell, what, and the end of the traceback, as long as a reason may be."""
        where = f"Cell {self._number} of {self._count} failed"
        if not self._number:
            return _kernel_trouble(error)
        if isinstance(error, CellExecutionError):
            head = f"{where}: {error.ename}: {_ANSI.sub('', error.evalue)}"
            room = _FAILURE_CHARACTERS - len(head) - 2
            trace = _trace(self.nb.cells[self._index])
            return f"{head}\n\n{trace[-room:]}" if room > 0 else head[:_FAILURE_CHARACTERS]
        if isinstance(error, DeadKernelError):
            return f"{where}: the kernel died, for want of memory perhaps."
        return f"{where}: {error}"

    def output(
        self, outs: list[NotebookNode], msg: dict[str, Any], display_id: str | None, cell_index: int
    ) -> NotebookNode | None:
        shown: NotebookNode | None = super().output(outs, msg, display_id, cell_index)
        if shown is not None:
            sys.stdout.write(_text(shown))
            sys.stdout.flush()
        return shown

    def _started(self, **_about: Any) -> None:
        # Stead of nbclient's own handler, which would take the kernel's outputs with it.
        asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, self._stop)

    def _stop(self) -> None:
        self.stopping = True
        self._interruption = asyncio.ensure_future(self._kernels.interrupt_kernel())

    def _begun(self, cell_index: int, **_about: Any) -> None:
        self._number, self._index = self._number + 1, cell_index
        _say(f"cell {self._number} of {self._count}")

    def _done(self, execute_reply: dict[str, Any], **_about: Any) -> None:
        _write(self._job.target, self.nb)
        if execute_reply["content"]["status"] == "ok":
            part = 100 * self._number / self._count
            _say(f"cell {self._number} of {self._count} done, {part:.1f} %")


def _manager(runtime: Path) -> AsyncKernelManager:
    folder = runtime / "kernels" / "job"
    folder.mkdir(parents=True)
    argv = ["python", "-m", "ipykernel_launcher", "-f", "{connection_file}"]
    spec = {"argv": argv, "display_name": "Python of the job", "language": "python"}
    (folder / "kernel.json").write_text(json.dumps(spec), encoding="utf-8")
    specs = KernelSpecManager(kernel_dirs=[str(folder.parent)], ensure_native_kernel=False)
    # Sockets in a folder of its own, not ports: nobody else of this machine is on them.
    return AsyncKernelManager(
        kernel_name="job",
        kernel_spec_manager=specs,
        transport="ipc",
        connection_file=str(runtime / "kernel.json"),
    )


def _kernel_trouble(error: Exception) -> str:
    probe = subprocess.run(
        ["python", "-c", "import ipykernel"], capture_output=True, text=True, check=False
    )
    if probe.returncode:
        python = shutil.which("python")
        return f"{python} has no kernel for notebooks. Install it there: pip install ipykernel"
    return f"The kernel did not start: {error}"


def _read(path: Path) -> NotebookNode:
    try:
        notebook: NotebookNode = nbformat.read(path, as_version=4)  # type: ignore[no-untyped-call]
    except Exception as error:
        raise Refused(f"{path.name} is no notebook: {error}") from error
    return notebook


def _write(path: Path, notebook: NotebookNode) -> None:
    with _fresh(path) as fresh:
        nbformat.write(notebook, fresh)  # type: ignore[no-untyped-call]


def _write_page(path: Path, notebook: NotebookNode) -> None:
    """The notebook as a page to look at. For want of it no job fails."""
    try:
        from nbconvert.exporters.html import HTMLExporter  # a second, that the cells need not wait

        exporter: Any = HTMLExporter
        about = {"metadata": {"name": path.stem}}
        text, _ = exporter().from_notebook_node(notebook, about)
        with _fresh(path.with_suffix(".html")) as fresh:
            fresh.write_text(text, encoding="utf-8")
    except Exception:
        logging.exception("no HTML page of %s", path.name)


@contextmanager
def _fresh(path: Path) -> Iterator[Path]:
    """A file that takes the place of `path` as a whole."""
    path.parent.mkdir(parents=True, exist_ok=True)
    fresh = path.parent / f".{path.name}.new"
    yield fresh
    fresh.replace(path)


def _initialize(job: Job) -> None:
    """Run the script that came with the notebook, before its first cell."""
    if not job.init_script:
        return
    _say(f"init script {job.init_script}")
    done = subprocess.run(["bash", job.init_script], cwd=job.work, check=False)
    if done.returncode:
        raise Refused(f"The init script {job.init_script} ended with {done.returncode}.")


def _input_folder(base: Path, environment: Mapping[str, str]) -> Path:
    """Where the notebook is: the channel that is named, else the only one."""
    given = environment.get("SM_EXECUTION_INPUT_PATH", "")
    if given:
        return base / Path(given).relative_to(_ML) if given.startswith(f"{_ML}/") else Path(given)
    channels = sorted(_document(base / "input/config/inputdataconfig.json"))
    if len(channels) != 1:
        raise Refused("The variable SM_EXECUTION_INPUT_PATH must say where the notebook is.")
    return base / "input/data" / channels[0]


def _output_folder(base: Path) -> Path:
    kept = base / "input/config/checkpointconfig.json"
    if not kept.is_file():
        return base / "output/data"
    given = _document(kept).get("LocalPath") or f"{_ML}/checkpoints"
    return base / Path(given).relative_to(_ML)


def _document(path: Path) -> dict[str, Any]:
    document: dict[str, Any] = (
        json.loads(path.read_text(encoding="utf-8")) if path.is_file() else {}
    )
    return document


def _plain(variable: str, name: str) -> str:
    if "/" in name or name in (".", ".."):
        raise Refused(f"{variable} must be the name of a file, without a folder: {name!r}")
    return name


def _value(name: str, text: str, known: Mapping[str, Any]) -> Any:
    if not name.isidentifier():
        raise Refused(f"{name!r} cannot be a parameter of a notebook: it is no name in Python.")
    if isinstance(known.get(name), str):
        return text
    for read in (partial(json.loads, parse_constant=_no_constant), ast.literal_eval):
        try:
            return read(text)
        except (ValueError, SyntaxError, RecursionError):
            continue
    return text


def _no_constant(name: str) -> Any:
    raise ValueError(name)  # NaN is no literal of Python


def _tags(cell: NotebookNode) -> list[str]:
    tags: list[str] = cell.metadata.get("tags", [])
    return tags


def _runs(cell: NotebookNode) -> bool:
    return cell.cell_type == "code" and bool(cell.source.strip())


def _text(output: NotebookNode) -> str:
    """What of an output can be read in a log."""
    if output.output_type == "stream":
        return str(output.text)
    if output.output_type == "error":
        return _ANSI.sub("", "\n".join(output.traceback)) + "\n"
    return str(output.data.get("text/plain", "")) + "\n"


def _trace(cell: NotebookNode) -> str:
    """The traceback that a cell ended with."""
    return "".join(_text(it) for it in cell.outputs if it.output_type == "error")


def _say(text: str) -> None:
    sys.stdout.write(f"Notebook: {text}\n")
    sys.stdout.flush()


def _fail(base: Path, text: str) -> None:
    _say(f"failed. {text.partition(chr(10))[0]}")
    failure = base / "output" / "failure"
    failure.parent.mkdir(parents=True, exist_ok=True)
    failure.write_text(text, encoding="utf-8")


if __name__ == "__main__":
    sys.exit(main())

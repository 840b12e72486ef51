"""Runs the two example notebooks against a Studio in a temporary home, telling what happens.

`make demo` starts it with the Python of `.venv-sdk`, where AWS's SDKs are; `studio` is on the PATH.
The exit status is 1 when a cell fails.
"""

import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import nbformat
from nbclient import NotebookClient
from nbclient.exceptions import CellExecutionError

EXAMPLES = Path(__file__).parent
NOTEBOOKS = ("salary.ipynb", "bank.ipynb")
_START = time.monotonic()
_WIDTH = 160
# A terminal follows the progress; a file shall stay readable.
_BOLD, _DIM, _PLAIN = ("\x1b[1m", "\x1b[2m", "\x1b[0m") if sys.stdout.isatty() else ("", "", "")


def main() -> int:
    home = Path(tempfile.mkdtemp(prefix="studio-demo-"))
    say(f"Starting Studio in {home}")
    try:
        studio("serve", "--home", home, "--detach")
        enter(json.loads(studio("env", "--home", home, "--format", "json")))
        failed = [name for name in NOTEBOOKS if not run(EXAMPLES / name)]
    finally:
        say("Stopping Studio and removing its home")
        studio("stop", "--home", home, "--all")
        shutil.rmtree(home)
    if failed:
        say(f"Failed: {', '.join(failed)}")
        return 1
    say(f"Both tutorials ran from beginning to end in {elapsed():.0f} seconds.")
    return 0


def studio(*arguments: object) -> str:
    """What the command prints; the demo ends when it fails."""
    done = subprocess.run(
        ["studio", *map(str, arguments)], stdout=subprocess.PIPE, text=True, check=False
    )
    if done.returncode:
        sys.exit(f"`studio {arguments[0]}` failed.")
    return done.stdout


def enter(variables: dict[str, str | None]) -> None:
    """Make this process, and the kernels it starts, clients of Studio."""
    for name, value in variables.items():
        if value is None:
            os.environ.pop(name, None)
        else:
            os.environ[name] = value


def run(path: Path) -> bool:
    """Execute a notebook cell by cell. True when every cell succeeded."""
    notebook = nbformat.read(path, as_version=4)
    client = TalkingClient(
        notebook,
        timeout=600,
        kernel_name="python3",
        resources={"metadata": {"path": EXAMPLES}},
        # Errors only: the kernel's warning about TCP on loopback is no news to anybody here.
        extra_arguments=["--IPKernelApp.log_level=40"],
    )
    try:
        client.execute()
    except CellExecutionError as error:
        print(f"\n{error.ename}: {error.evalue}")
        return False
    return True


class TalkingClient(NotebookClient):
    """Prints headings, code and outputs while the notebook runs."""

    async def async_execute_cell(self, cell, cell_index, **options):
        if cell.cell_type == "markdown":
            for heading in re.findall(r"^#+ (.*)", cell.source, re.MULTILINE):
                say(heading)
        elif cell.source:
            print("\n" + _DIM + indented(cell.source) + _PLAIN, flush=True)
        return await super().async_execute_cell(cell, cell_index, **options)

    def output(self, outs, message, display_id, cell_index):
        content = message["content"]
        if message["msg_type"] == "stream":
            print(legible(content["text"]), end="", flush=True)
        elif "data" in content:
            print(summary(content["data"]), flush=True)
        return super().output(outs, message, display_id, cell_index)


def legible(text: str) -> str:
    """A job's log without the lines that only programs read, and without their full length."""
    lines = text.splitlines(keepends=True)
    return "".join(clipped(line) for line in lines if "#metrics {" not in line)


def clipped(line: str) -> str:
    if len(line) <= _WIDTH:
        return line
    return line[:_WIDTH] + "..." + _PLAIN + ("\n" if line.endswith("\n") else "")


def summary(data: dict[str, object]) -> str:
    """An output as a terminal can show it."""
    if "application/vnd.plotly.v1+json" in data:
        figure = data["application/vnd.plotly.v1+json"]
        return f"[figure: {figure['layout']['title']['text']}]"
    return str(data.get("text/plain", ""))


def indented(text: str) -> str:
    return "\n".join(f"    {line}" for line in text.splitlines())


def say(text: str) -> None:
    print(f"\n{_BOLD}[{elapsed():5.1f} s] {text}{_PLAIN}", flush=True)


def elapsed() -> float:
    return time.monotonic() - _START


if __name__ == "__main__":
    sys.exit(main())

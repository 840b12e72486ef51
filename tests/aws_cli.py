"""The AWS command line, unmodified: each command in a process of its own, forked from one that has
imported it, which takes longer than most commands do."""

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any


@dataclass(frozen=True)
class CommandLine:
    """`aws` in an environment, with `folder` to work in."""

    folder: Path
    _forker: "subprocess.Popen[str]"

    def run(self, *arguments: object) -> "subprocess.CompletedProcess[str]":
        """What became of `aws` with these arguments."""
        command = list(map(str, arguments))
        with tempfile.TemporaryDirectory() as said:
            output, errors = Path(said) / "output", Path(said) / "errors"
            self._forker.stdin.write(json.dumps([command, str(output), str(errors)]) + "\n")
            self._forker.stdin.flush()
            status = int(self._forker.stdout.readline())
            return subprocess.CompletedProcess(
                command, status, output.read_text(), errors.read_text()
            )


@contextmanager
def command_line(env: dict[str, str], folder: Path) -> Iterator[CommandLine]:
    with subprocess.Popen(
        [sys.executable, __file__],
        env=env,
        cwd=folder,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as forker:
        yield CommandLine(folder, forker)


def _fork_for_each_line() -> None:
    from awscli.clidriver import create_clidriver  # of the forker alone: it takes long

    driver = create_clidriver()
    for line in sys.stdin:
        child = os.fork()
        if not child:
            _run(driver, *json.loads(line))
        print(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]), flush=True)


def _run(driver: Any, command: list[str], output: str, errors: str) -> None:
    """One command, to the end of this process."""
    for number, file in enumerate((os.devnull, output, errors)):
        os.dup2(os.open(file, os.O_RDWR | os.O_CREAT), number)
    sys.argv = ["aws", *command]
    status = 1
    try:
        status = driver.main(command)
    except SystemExit as end:
        status = end.code
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(status)


if __name__ == "__main__":
    _fork_for_each_line()

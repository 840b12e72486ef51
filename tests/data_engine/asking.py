"""A worker as the Jupyter server runs it, and what it answers line by line."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

from waiting import PATIENCE_SECONDS


class Worker:
    """The worker's process; `ask` reads on until an answer is complete."""

    def __init__(self, root: Path, cache: Path, env: Any = None, *options: str) -> None:
        command = [sys.executable, "-m", "studio.data.worker", "--root", root, "--cache", cache]
        pipe = subprocess.PIPE
        self.process = subprocess.Popen([*command, *options], env=env, stdin=pipe, stdout=pipe)
        self.others: list[Any] = []

    def __enter__(self) -> "Worker":
        return self

    def __exit__(self, *_: object) -> None:
        self.process.stdin.close()
        self.process.wait(PATIENCE_SECONDS)
        self.process.stdout.close()

    def send(self, **document: Any) -> None:
        self.process.stdin.write(json.dumps(document).encode() + b"\n")
        self.process.stdin.flush()

    def line(self) -> Any:
        line = self.process.stdout.readline()
        assert line, "the worker has ended"
        return json.loads(line)

    def answer(self, id: str) -> list[Any]:
        """The lines of one request, to its last; others are put aside."""
        found = [it for it in self.others if it["id"] == id]
        self.others = [it for it in self.others if it["id"] != id]
        while not found or not found[-1].get("final"):
            line = self.line()
            (found if line["id"] == id else self.others).append(line)
        return found

    def ask(self, verb: str, **args: Any) -> Any:
        """The last part of an answer, or its error."""
        self.send(id="ask", verb=verb, args=args)
        last = self.answer("ask")[-1]
        return last.get("part") or last["error"]

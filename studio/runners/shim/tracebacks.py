"""The traceback that a program ended with, among the last lines of its log.

A process group of PyTorch begins the lines of a traceback with the rank of its process, and
torchrun tells which of its processes failed first: what the others say is what came of that.
Version 3 of the SDK takes the spaces from the ends of all lines.
"""

import re
from dataclasses import dataclass

_HEADER = "Traceback (most recent call last):"
_EXCEPTION = re.compile(r"[A-Za-z_][\w.]*(?::.*)?$")
_NAMED_SO = re.compile(r"[\w.]+(?:Error|Exception|Exit|Interrupt|Warning)(?::.*)?$")
LAUNCHERS = "torch.distributed.elastic."
"""How the exceptions begin with which torchrun says that a process of its failed."""
_RANK = re.compile(r"\[rank(\d+)\]: ?")
_FIRST_FAILURE = "Root Cause (first observed failure):"
_FAILURE = re.compile(r"^\s*rank\s+: (\d+).*?^\s*exitcode\s+: (-?\d+)", re.DOTALL | re.MULTILINE)
_FAILURE_CHARACTERS = 1_000


@dataclass(frozen=True)
class Failure:
    """Of a process of torchrun's; `code` is negative for a signal."""

    rank: str
    code: int


def first_failure(lines: list[str]) -> Failure | None:
    """What torchrun names as the cause; None when nothing was started by it."""
    told = "\n".join(lines).rpartition(_FIRST_FAILURE)
    match = _FAILURE.search(told[2][:_FAILURE_CHARACTERS]) if told[1] else None
    return Failure(match[1], int(match[2])) if match else None


def last(lines: list[str]) -> list[str]:
    """Its lines, to that of the exception; none without one."""
    failure = first_failure(lines)
    said = _said(lines, failure.rank if failure else "")
    launchers: list[str] = []
    for start in range(len(said) - 1, -1, -1):
        if said[start].strip() == _HEADER:
            found = _block(said, start)
            # What torchrun raises says that a script of it failed: look for that one's own.
            if not found or not found[-1].startswith(LAUNCHERS):
                return found
            launchers = found
    return [] if failure else launchers


def _said(lines: list[str], rank: str) -> list[str]:
    """The lines without their ranks; without those of others, if it is known who failed."""
    found = [(_RANK.match(line), line) for line in lines]
    return [
        line[match.end() :] if match else line
        for match, line in found
        if match is None or rank in ("", match[1])
    ]


def _block(lines: list[str], start: int) -> list[str]:
    for end in range(start + 1, len(lines)):
        line = lines[end]
        # Where nothing is indented, a line of the program stands behind that of its file.
        expected = _NAMED_SO if lines[end - 1].startswith('File "') else _EXCEPTION
        if line and not line[0].isspace() and expected.match(line):
            return lines[start : end + 1]
    return []

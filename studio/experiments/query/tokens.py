"""The words of a query: numbers, texts, names and signs, each with its place."""

import re
from dataclasses import dataclass
from typing import Literal

LONGEST = 25_000
"""Characters of a query: a name has ten thousand, and each may need a backslash."""

_TOKEN = re.compile(
    r"""(?P<space>\s+)
    | (?P<number>(?:\d[\d_]*(?:\.\d*)?|\.\d+)(?:[eE][+-]?\d+)?)(?![\w])
    | (?P<text>"(?:[^"\\\n]|\\.)*"|'(?:[^'\\\n]|\\.)*')
    | (?P<name>[^\W\d]\w*)
    | (?P<sign>\*\*|//|==|!=|<=|>=|[<>+\-*/%~()\[\].,])""",
    re.VERBOSE,
)
_ESCAPE = re.compile(r"\\(?:x([0-9a-fA-F]{2})|u([0-9a-fA-F]{4})|U([0-9a-fA-F]{8})|(.))", re.DOTALL)
_ESCAPED = {"n": "\n", "t": "\t", "r": "\r", "\\": "\\", '"': '"', "'": "'"}
_MEANT = {
    "=": "Two signs compare: write ==.",
    "&": "Write 'and'.",
    "|": "Write 'or'.",
    "!": "Write 'not', or != to compare.",
    '"': "This text has no end: another quotation mark is missing.",
    "'": "This text has no end: another quotation mark is missing.",
    "{": "A list is written in square brackets: [3, 5].",
}


class QueryError(Exception):
    """Why a query cannot be asked; `start` and `end` are places in it, in characters."""

    def __init__(self, message: str, start: int, end: int) -> None:
        super().__init__(message)
        self.message = message
        self.start = start
        self.end = end


@dataclass(frozen=True)
class Token:
    """`text` is as it was written; `value` what a number or a text stands for."""

    kind: Literal["number", "text", "name", "sign", "end"]
    text: str
    start: int
    end: int
    value: float | str = ""


def tokens(query: str) -> list[Token]:
    """The words of a query, with an `end` behind the last. Raises QueryError."""
    if len(query) > LONGEST:
        raise QueryError(f"A query has at most {LONGEST:,} characters.", LONGEST, len(query))
    found = []
    place = 0
    while place < len(query):
        match = _TOKEN.match(query, place)
        if match is None:
            raise _unknown(query, place)
        if match.lastgroup != "space":
            found.append(_token(match))
        place = match.end()
    return [*found, Token("end", "", len(query), len(query))]


def quoted(text: str) -> str:
    """The text as a query writes it."""
    body = text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
    return '"' + body.replace("\r", "\\r").replace("\t", "\\t") + '"'


def _token(match: re.Match[str]) -> Token:
    text, start, end = match[0], match.start(), match.end()
    if match.lastgroup == "number":
        return Token("number", text, start, end, float(text.replace("_", "")))
    if match.lastgroup == "text":
        return Token("text", text, start, end, _unquoted(match))
    return Token("name" if match.lastgroup == "name" else "sign", text, start, end)


def _unquoted(match: re.Match[str]) -> str:
    def character(escape: re.Match[str]) -> str:
        code = escape[1] or escape[2] or escape[3]
        if code is None and escape[4] in _ESCAPED:
            return _ESCAPED[escape[4]]
        if code is None:
            return escape[0]  # as it is: patterns are full of them
        if int(code, 16) > 0x10FFFF:
            start = match.start() + 1 + escape.start()
            raise QueryError("There is no such character.", start, start + len(escape[0]))
        return chr(int(code, 16))

    text = _ESCAPE.sub(character, match[0][1:-1])
    # No database keeps them: NUL, and halves of characters.
    if "\0" in text or any("\ud800" <= each <= "\udfff" for each in text):
        raise QueryError("A text has no such character.", match.start(), match.end())
    return text


def _unknown(query: str, place: int) -> QueryError:
    sign = query[place]
    if sign.isdigit() or sign == ".":
        end = re.compile(r"[\w.]+").match(query, place)
        return QueryError("This is no number.", place, end.end() if end else place + 1)
    text = _MEANT.get(sign, f"A query has no {sign!r}.")
    until = len(query) if sign in "\"'" else place + 1
    while query[place : place + 2] in ("&&", "||") and until == place + 1:
        until += 1
    return QueryError(text, place, until)

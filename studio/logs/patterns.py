"""CloudWatch's filter patterns: terms, and conditions on events that are JSON objects.

https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/FilterAndPatternSyntax.html
A pattern is compiled to a function of a message. What looks like a pattern of columns or a regular
expression is refused: it would match something else than the writer means.
"""

import json
import re
from collections.abc import Callable
from fnmatch import fnmatchcase
from typing import Any

Matches = Callable[[str], bool]
Value = Callable[[Any], bool]

_TERM = re.compile(r'([?-]?)(?:"((?:[^"\\]|\\.)*)"|([^\s"]\S*))(?=\s|$)')
_TOKEN = re.compile(
    r'\s*(?:(?P<selector>\$(?:\.[\w-]+|\["[^"]*"\]|\[(?:\d+|\*)\])*)'
    r'|"(?P<text>(?:[^"\\]|\\.)*)"|(?P<sign>&&|\|\||!=|<=|>=|[=<>(){}])|(?P<word>[^\s"&|!<>=(){}]+))'
)
_STEP = re.compile(r'\.([\w-]+)|\["([^"]*)"\]|\[(\d+|\*)\]')
_DEEPEST = 32


class Invalid(ValueError):
    """The pattern is none, or of a kind that is not executed; the text says which."""


def compiled(pattern: str) -> Matches:
    """Whether a message meets the pattern. Raises Invalid."""
    text = pattern.strip()
    if text.startswith("{"):
        holds = _Conditions(text).parsed()
        return lambda message: holds(_object(message))
    if text.startswith(("[", "%")):
        raise Invalid("Only patterns of terms and of JSON are executed: no columns, no %regex%.")
    return _terms(text)


def _terms(text: str) -> Matches:
    """All of `plain`, none of `-minus`, one of `?any`."""
    sorted_: dict[str, list[str]] = {"": [], "-": [], "?": []}
    position = 0
    while position < len(text):
        match = _TERM.match(text, position)
        if match is None:
            raise Invalid("Invalid filter pattern: a quotation mark has no second one.")
        sign, quoted, word = match.groups()
        sorted_[sign].append(word if quoted is None else re.sub(r"\\(.)", r"\1", quoted))
        position = len(text) - len(text[match.end() :].lstrip())
    every, none, some = sorted_[""], sorted_["-"], sorted_["?"]
    return lambda message: (
        all(term in message for term in every)
        and not any(term in message for term in none)
        and (not some or any(term in message for term in some))
    )


def _object(message: str) -> Any:
    try:
        found = json.loads(message)
    except (ValueError, RecursionError):
        return None
    return found if isinstance(found, dict | list) else None


class _Conditions:
    """A pattern like `{ ($.a = 1) && $.b.c[0] != "x*" }`: reads its tokens once, left to right."""

    def __init__(self, text: str) -> None:
        self._tokens: list[tuple[str, str]] = []
        self._next = 0
        position, text = 0, text.rstrip()
        while position < len(text):
            match = _TOKEN.match(text, position)
            if match is None:
                raise Invalid(f"Invalid character in the filter pattern at {position}.")
            kind = str(match.lastgroup)
            self._tokens.append((kind, match[kind]))
            position = match.end()

    def parsed(self) -> Value:
        self._expect("{")
        holds = self._either(0)
        self._expect("}")
        if self._next < len(self._tokens):
            raise Invalid("Invalid filter pattern: something follows the last brace.")
        return lambda value: value is not None and holds(value)

    def _either(self, depth: int) -> Value:
        if depth > _DEEPEST:
            raise Invalid("Invalid filter pattern: its parentheses are nested too deep.")
        choices = [self._both(depth)]
        while self._take("||"):
            choices.append(self._both(depth))
        return lambda value: any(each(value) for each in choices)

    def _both(self, depth: int) -> Value:
        parts = [self._one(depth)]
        while self._take("&&"):
            parts.append(self._one(depth))
        return lambda value: all(each(value) for each in parts)

    def _one(self, depth: int) -> Value:
        if self._take("("):
            holds = self._either(depth + 1)
            self._expect(")")
            return holds
        kind, selector = self._token()
        if kind != "selector":
            raise Invalid(f"Invalid filter pattern: {selector!r} where a selector should be.")
        condition = self._condition()
        return lambda value: condition(_selected(value, selector))

    def _condition(self) -> Value:
        """Of the list of values that a selector finds."""
        kind, sign = self._token()
        if kind == "word":
            return self._named(sign.upper())
        if sign not in ("=", "!=", "<", ">", "<=", ">="):
            raise Invalid(f"Invalid filter pattern: {sign!r} where an operator should be.")
        kind, text = self._token()
        if kind == "text":
            text = re.sub(r"\\(.)", r"\1", text)
        elif kind != "word":
            raise Invalid(f"Invalid filter pattern: {text!r} where a value should be.")
        elif text.startswith("%"):
            raise Invalid("Regular expressions in filter patterns are not executed.")
        if sign in ("=", "!="):
            equal = _equal(text, quoted=kind == "text")
            wanted = sign == "="
            return lambda found: any(equal(each) is wanted for each in found)
        return _ordered(sign, text)

    def _named(self, word: str) -> Value:
        kind, what = self._token()
        named = f"{word} {what.upper()}"
        if kind != "word" or named not in _NAMED:
            raise Invalid(f"Invalid filter pattern: {named!r} is no condition.")
        return _NAMED[named]

    def _token(self) -> tuple[str, str]:
        if self._next == len(self._tokens):
            raise Invalid("Invalid filter pattern: it ends too early.")
        self._next += 1
        return self._tokens[self._next - 1]

    def _take(self, sign: str) -> bool:
        here = self._tokens[self._next : self._next + 1] == [("sign", sign)]
        self._next += here
        return here

    def _expect(self, sign: str) -> None:
        if not self._take(sign):
            raise Invalid(f"Invalid filter pattern: {sign!r} is missing.")


_NAMED: dict[str, Value] = {
    "NOT EXISTS": lambda found: not found,
    "IS NULL": lambda found: None in found,
    "IS TRUE": lambda found: any(each is True for each in found),
    "IS FALSE": lambda found: any(each is False for each in found),
}


def _selected(value: Any, selector: str) -> list[Any]:
    """What `$.a.b[0]` names in a document; `[*]` is every element."""
    found = [value]
    for name, quoted, index in _STEP.findall(selector):
        if index == "*":
            found = [each for it in found if isinstance(it, list) for each in it]
        elif index:
            place = int(index)
            found = [it[place] for it in found if isinstance(it, list) and place < len(it)]
        else:
            key = name or quoted
            found = [it[key] for it in found if isinstance(it, dict) and key in it]
    return found


def _equal(text: str, quoted: bool) -> Callable[[Any], bool]:
    number = None if quoted else _number(text)
    # These mean something to fnmatch, and stand for themselves in CloudWatch.
    literal = re.sub(r"[\[?]", r"[\g<0>]", text)

    def equal(value: Any) -> bool:
        if _is_number(value):
            return number is not None and value == number
        return isinstance(value, str) and fnmatchcase(value, literal)

    return equal


def _ordered(sign: str, text: str) -> Value:
    number = _number(text)
    if number is None:
        raise Invalid(f"Invalid filter pattern: {text!r} is no number.")
    holds: Callable[[float], bool] = {
        "<": lambda value: value < number,
        ">": lambda value: value > number,
        "<=": lambda value: value <= number,
        ">=": lambda value: value >= number,
    }[sign]
    return lambda found: any(_is_number(each) and holds(each) for each in found)


def _number(text: str) -> float | None:
    if not re.fullmatch(r"[-+]?(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d{1,3})?", text):
        return None
    return float(text)


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)

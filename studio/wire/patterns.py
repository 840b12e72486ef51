"""The patterns of service models: Java's regular expressions, meant for the whole value."""

from functools import cache

import regex

_SECONDS = 0.25
_TOKEN = regex.compile(r"\\p\{\w+\}|\\.|.", regex.DOTALL)

# What Java confines to ASCII; each is the inside of a character class.
_ASCII = {
    r"\d": "0-9",
    r"\w": "a-zA-Z0-9_",
    r"\p{ASCII}": r"\x00-\x7F",
    r"\p{Print}": r"\x20-\x7E",
    r"\p{Alnum}": "a-zA-Z0-9",
}
# Every character outside the basic plane, as the surrogate pairs that Java sees.
_SURROGATES = r"\uD800\uDC00-\uDBFF\uDFFF"


def matches(pattern: str, value: str) -> bool:
    """Whether the whole `value` satisfies `pattern`.

    True for a pattern that cannot be compiled, False for a value that takes too long to judge.
    """
    compiled = compile_java(pattern)
    if compiled is None:
        return True
    try:
        return compiled.fullmatch(value, timeout=_SECONDS, concurrent=True) is not None
    except TimeoutError:
        return False


@cache
def compile_java(pattern: str) -> "regex.Pattern[str] | None":
    """`pattern` for the regex package, or None where it has no meaning there."""
    try:
        return regex.compile(_translated(pattern))
    except regex.error:
        return None


def _translated(pattern: str) -> str:
    parts: list[str] = []
    in_class = after_set = False
    for token in _TOKEN.findall(pattern.replace(_SURROGATES, r"\U00010000-\U0010FFFF")):
        ascii_set = _ascii(token, pattern)
        if ascii_set is not None:
            parts.append(ascii_set if in_class else f"[{ascii_set}]")
        elif token == "-" and in_class and after_set:
            parts.append(r"\-")  # not the middle of a range: what precedes it is a set
        else:
            parts.append(token)
        in_class = token == "[" or (in_class and token != "]")
        after_set = ascii_set is not None
    return "".join(parts)


def _ascii(token: str, pattern: str) -> str | None:
    """None as well where the pattern joins a set with its complement: `[\\s\\S]` is anything."""
    if len(token) == 2 and token.upper() in pattern and token.upper() != token:
        return None
    return _ASCII.get(token)

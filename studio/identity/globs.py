"""AWS's wildcards: `*` is any text, `?` any one character. Linear, whatever the pattern."""

from functools import lru_cache


def matches(pattern: str, text: str) -> bool:
    """Whether the whole of `text` is of the form `pattern`."""
    first, *rest = _pieces(pattern)
    if not rest:
        return len(first) == len(text) and _at(first, text, 0)
    *middle, last = rest
    end = len(text) - len(last)
    if end < len(first) or not _at(first, text, 0) or not _at(last, text, end):
        return False
    position = len(first)
    for piece in middle:
        found = _find(piece, text, position, end)
        if found < 0:
            return False
        position = found + len(piece)
    return position <= end


def escaped(text: str) -> str:
    """`text` where a pattern is wanted: its wildcards stand for themselves."""
    return text.replace("*", _STAR).replace("?", _QUESTION)


# Private-use characters for wildcards that are meant literally.
_STAR, _QUESTION = "\uf8f0", "\uf8f1"


@lru_cache(maxsize=4096)
def _pieces(pattern: str) -> tuple[str, ...]:
    return tuple(pattern.split("*"))


def _at(piece: str, text: str, start: int) -> bool:
    if "?" not in piece and _STAR not in piece and _QUESTION not in piece:
        return text.startswith(piece, start)
    if start + len(piece) > len(text):
        return False
    return all(
        wanted in ("?", text[start + offset])
        or (wanted, text[start + offset]) in ((_STAR, "*"), (_QUESTION, "?"))
        for offset, wanted in enumerate(piece)
    )


def _find(piece: str, text: str, start: int, end: int) -> int:
    if "?" not in piece and _STAR not in piece and _QUESTION not in piece:
        return text.find(piece, start, end)
    places = range(start, end - len(piece) + 1)
    return next((place for place in places if _at(piece, text, place)), -1)

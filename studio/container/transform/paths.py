"""The part of JSONPath that batch transform understands: `$`, children, `*`, positions, slices.

A child is `.name` or `['name']`, several are `['one','two']`; a position is `[0]` or `[-1]`,
several are `[0,2:]`. There are no filters and no scripts: a path is parsed, never evaluated.
"""

import re
from collections.abc import Iterator
from typing import Any, NamedTuple

_STEP = re.compile(
    r"\.?\[\s*(?P<names>(?:'[^']*'|\"[^\"]*\")(?:\s*,\s*(?:'[^']*'|\"[^\"]*\"))*)\s*\]"
    r"|\.?\[\s*(?P<places>[-\d:][-\d:,\s]*)\s*\]"
    r"|\.?\[\s*(?P<every>\*)\s*\]|\.(?P<all>\*)"
    r"|\.(?P<name>[^\s.\[\]*'\",()?@]+)"
)
_NAME = re.compile(r"'([^']*)'|\"([^\"]*)\"")
_PLACE = re.compile(r"(-?\d+)|(-?\d*):(-?\d*)")

Place = int | slice
Step = tuple[str, ...] | tuple[Place, ...] | None
"""Names, or positions, that are chosen; None: all of them."""


class PathError(ValueError):
    """A text is no path, or a value has not what a path names."""


class Path(NamedTuple):
    """A parsed path; without steps it is `$`, the whole value."""

    steps: tuple[Step, ...]

    def select(self, value: Any) -> Any:
        """The part of a JSON value that the path names. Raises PathError when it is not there."""
        for number, step in enumerate(self.steps):
            if not _single(step):
                rest = Path(self.steps[number + 1 :])
                if isinstance(value, dict) and step is not None:
                    return {name: rest.select(_child(value, name)) for name in step}
                return [rest.select(each) for each in _several(value, step)]
            assert step is not None
            value = _child(value, step[0])
        return value


def parse(text: str) -> Path:
    """The path that a text is. Raises PathError."""
    text = text.strip()
    if not text.startswith("$"):
        raise PathError(f"{text!r} is not a JSONPath: it must begin with $.")
    return Path(tuple(_steps(text)))


def _steps(text: str) -> Iterator[Step]:
    position = 1
    while position < len(text):
        match = _STEP.match(text, position)
        if match is None:
            raise PathError(
                f"{text!r} is not a JSONPath that batch transform supports: it cannot be read "
                f"from {text[position:]!r} on."
            )
        position = match.end()
        if match["names"]:
            yield tuple(one or other for one, other in _NAME.findall(match["names"]))
        elif match["places"]:
            yield tuple(_place(each.strip(), text) for each in match["places"].split(","))
        elif match["name"]:
            yield (match["name"],)
        else:
            yield None


def _place(word: str, text: str) -> Place:
    match = _PLACE.fullmatch(word)
    if match is None:
        raise PathError(f"{text!r}: {word!r} is neither a position nor a slice.")
    if match[1]:
        return int(match[1])
    return slice(*(int(each) if each else None for each in (match[2], match[3])))


def _single(step: Step) -> bool:
    return step is not None and len(step) == 1 and not isinstance(step[0], slice)


def _several(value: Any, step: Step) -> Iterator[Any]:
    if step is None:
        if not isinstance(value, list | dict):
            raise PathError("* names nothing of a value that is no array and no object")
        yield from value.values() if isinstance(value, dict) else value
        return
    for place in step:
        if isinstance(place, slice):
            if not isinstance(value, list):
                raise PathError("a slice names nothing of a value that is no array")
            yield from value[place]
        else:
            yield _child(value, place)


def _child(value: Any, name: Any) -> Any:
    try:
        if isinstance(value, dict if isinstance(name, str) else list):
            return value[name]
    except (KeyError, IndexError):
        pass
    raise PathError(f"the record has no {name!r}")

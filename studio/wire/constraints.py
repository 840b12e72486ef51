"""What a model demands of a value, and the sentences in which AWS says that it is not met."""

from collections.abc import Callable, Iterator
from typing import Any

from botocore.model import Shape

from studio.errors import ValidationException
from studio.wire import patterns

_LONGEST_SHOWN = 1024
_Check = tuple[str, Callable[[Any], bool]]


class Violations:
    """Collects what is wrong with a request, so that one answer tells all of it."""

    def __init__(self) -> None:
        self.found: list[tuple[str, str]] = []
        """(path, sentence) of each."""

    def check(self, shape: Shape, value: Any, path: str) -> None:
        """Note every constraint of `shape` that `value` does not meet."""
        for text, holds in _checks(shape):
            if not holds(value):
                self.add(value, path, text, hidden=_hidden(shape))

    def check_members(
        self, what: str, shape: Shape, values: Any, container: Any, path: str
    ) -> None:
        """Note that some of the plain values in a list or map do not meet `shape`.

        AWS then names the container and every constraint of its members.
        """
        checks = list(_checks(shape))
        if any(not holds(value) for value in values for _, holds in checks):
            texts = ", ".join(text for text, _ in checks)
            text = f"{what} must satisfy constraint: [{texts}]"
            self.add(container, path, text, hidden=_hidden(shape))

    def add(self, value: Any, path: str, text: str, hidden: bool = False) -> None:
        shown = "'***'" if hidden else "null" if value is None else f"'{_shown(value)}'"
        sentence = f"Value {shown} at '{path}' failed to satisfy constraint: {text}"
        self.found.append((path, sentence))

    def raise_any(self) -> None:
        """Raises ValidationException if anything was noted."""
        count = len(self.found)
        if count:
            errors = "1 validation error" if count == 1 else f"{count} validation errors"
            sentences = "; ".join(sentence for _, sentence in self.found)
            raise ValidationException(f"{errors} detected: {sentences}")


def _checks(shape: Shape) -> Iterator[_Check]:
    facts = shape.metadata
    if "enum" in facts and not shape.name.endswith("InstanceType"):
        # Instance types come faster than models, and Studio has its own.
        values = facts["enum"]
        yield f"Member must satisfy enum value set: [{', '.join(values)}]", values.__contains__
    if "pattern" in facts:
        pattern = facts["pattern"]
        text = f"Member must satisfy regular expression pattern: {pattern}"
        yield text, lambda value: patterns.matches(pattern, value)
    measure = _MEASURES.get(shape.type_name, ("value", lambda value: value))
    yield from _bounds(facts, *measure)


def _bounds(facts: dict[str, Any], noun: str, size: Callable[[Any], Any]) -> Iterator[_Check]:
    if "max" in facts:
        most = facts["max"]
        text = f"Member must have {noun} less than or equal to {most}"
        yield text, lambda value: size(value) <= most
    if "min" in facts:
        least = facts["min"]
        text = f"Member must have {noun} greater than or equal to {least}"
        yield text, lambda value: size(value) >= least


_MEASURES: dict[str, tuple[str, Callable[[Any], Any]]] = {
    kind: ("length", len) for kind in ("string", "blob", "list", "map")
}


def _hidden(shape: Shape) -> bool:
    return bool(shape.metadata.get("sensitive"))


def _shown(value: Any) -> str:
    text = _java(value)
    return text if len(text) <= _LONGEST_SHOWN else text[:_LONGEST_SHOWN] + "..."


def _java(value: Any) -> str:
    """As Java's toString writes it."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, dict):
        return "{" + ", ".join(f"{key}={_java(item)}" for key, item in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ", ".join(map(_java, value)) + "]"
    return str(value)

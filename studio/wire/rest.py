"""rest-json for services whose operations are told by method and path: EventBridge's scheduler.

Members of a request that its path or its query hold join those of its body.
"""

import re
from collections.abc import Callable, Mapping
from functools import cache
from typing import Any
from urllib.parse import parse_qs, unquote

from botocore.model import ListShape, OperationModel, Shape

from studio.errors import ApiError
from studio.wire import models, shapes
from studio.wire.shapes import Doc, SerializationException

SERVICES = ("scheduler",)
"""Each is signed for under its own name."""

_LABEL = re.compile(r"\{(\w+)\}")


def find(service: str, method: str, path: str) -> tuple[str, dict[str, str]]:
    """The operation that a request is for, and what its path says: label -> value.

    Raises ApiError when the service has none there.
    """
    for name, wanted, pattern in _operations(service):
        if method == wanted and (match := pattern.fullmatch(path)):
            return name, {label: unquote(value) for label, value in match.groupdict().items()}
    text = f"{service} has no operation at {method[:16]} {path[:256]}."
    raise ApiError("UnknownOperationException", text, 404)


def read_request(
    operation: OperationModel, labels: Mapping[str, str], query: str, body: Any
) -> Doc:
    """The validated document of a request; `body` is its JSON."""
    shape = operation.input_shape
    if shape is None:
        return {}
    if not isinstance(body, dict):
        raise SerializationException("The body of the request is not a JSON object.")
    asked = parse_qs(query, keep_blank_values=True)
    document = dict(body)
    for name, member in shape.members.items():
        wire = shapes.wire_name(member, name)
        place = member.serialization.get("location")
        if place:  # where the model wants it, and nowhere else
            document.pop(wire, None)
        if place == "uri":
            document[wire] = labels[wire]
        elif place == "querystring" and wire in asked:
            document[wire] = _value(member, asked[wire])
    return shapes.load(shape, document)


@cache
def _operations(service: str) -> list[tuple[str, str, re.Pattern[str]]]:
    """Name, method and path of each."""
    model = models.service_model(service)
    found = [model.operation_model(name) for name in model.operation_names]
    return [(it.name, it.http["method"], _pattern(it.http["requestUri"])) for it in found]


def _pattern(uri: str) -> re.Pattern[str]:
    path = re.escape(uri.partition("?")[0]).replace(r"\{", "{").replace(r"\}", "}")
    return re.compile(_LABEL.sub(r"(?P<\1>[^/]+)", path))


def _value(member: Shape, texts: list[str]) -> Any:
    """A query has texts only: numbers are those that the model says are."""
    if isinstance(member, ListShape):
        return [_value(member.member, [text]) for text in texts]
    read = _READERS.get(member.type_name)
    try:
        return read(texts[-1]) if read else texts[-1]
    except ValueError:
        return texts[-1]  # of the wrong type, which is said where every type is checked


_READERS: dict[str, Callable[[str], Any]] = {"integer": int, "long": int, "float": float}

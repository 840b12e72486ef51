"""XML documents as the model of S3 describes them: the one schema of all configurations."""

import re
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any
from xml.etree.ElementTree import Element

from studio.s3.xml import NAMESPACE, document, malformed, parse
from studio.wire import models

_INTEGER = re.compile("-?[0-9]{1,18}", re.ASCII)


def read(body: bytes, shape: str, root: str = "") -> dict[str, Any]:
    """A document `root`, else named as its shape, by the names of the shape's members.

    S3Error MalformedXML unless it fits.
    """
    model = models.service_model("s3").shape_for(shape)
    found: dict[str, Any] = _value(parse(body, root or shape), model)
    return found


def write(value: Mapping[str, Any], shape: str, root: str = "") -> bytes:
    """The document of a value that `read` gave."""
    model = models.service_model("s3").shape_for(shape)
    return document(root or shape, _pairs(value, model), NAMESPACE)


def _value(element: Element, shape: Any) -> Any:
    if shape.type_name == "structure":
        return _structure(element, shape)
    if shape.type_name == "list":
        return [_value(child, shape.member) for child in element]
    text = (element.text or "").strip() if shape.type_name != "string" else element.text or ""
    if len(element):
        raise malformed()
    return _scalar(text, shape)


def _structure(element: Element, shape: Any) -> dict[str, Any]:
    names = {_name(member, key): key for key, member in shape.members.items()}
    values: dict[str, Any] = {}
    for child in element:
        key = names.get(child.tag)
        if key is None:
            raise malformed()
        member = shape.members[key]
        if member.serialization.get("flattened"):
            values.setdefault(key, []).append(_value(child, member.member))
        elif key in values:
            raise malformed()
        else:
            values[key] = _value(child, member)
    if any(key not in values for key in shape.required_members):
        raise malformed()
    return values


def _scalar(text: str, shape: Any) -> Any:
    if shape.type_name == "boolean":
        if text not in ("true", "false"):
            raise malformed()
        return text == "true"
    if shape.type_name in ("integer", "long"):
        if not _INTEGER.fullmatch(text):
            raise malformed()
        return int(text)
    if shape.type_name == "timestamp":
        try:
            datetime.fromisoformat(text)
        except ValueError as error:
            raise malformed() from error
    if shape.metadata.get("enum") and text not in shape.metadata["enum"]:
        raise malformed()
    return text


def _pairs(value: Mapping[str, Any], shape: Any) -> list[tuple[str, Any]]:
    pairs: list[tuple[str, Any]] = []
    for key, member in shape.members.items():
        if key not in value:
            continue
        name = _name(member, key)
        if member.type_name == "list":
            items = [_written(item, member.member) for item in value[key]]
            flat = member.serialization.get("flattened")
            inner = member.member.serialization.get("name", "member")
            pairs += [(name, item) for item in items] if flat else [(name, _named(inner, items))]
        else:
            pairs.append((name, _written(value[key], member)))
    return pairs


def _written(value: Any, shape: Any) -> Any:
    return _pairs(value, shape) if shape.type_name == "structure" else value


def _named(name: str, items: Sequence[Any]) -> list[tuple[str, Any]]:
    return [(name, item) for item in items]


def _name(member: Any, key: str) -> str:
    name: str = member.serialization.get("name", key)
    return name

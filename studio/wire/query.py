"""The query protocol: a form whose names are paths into the request, answered in XML."""

import base64
import re
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any
from urllib.parse import parse_qsl
from xml.sax.saxutils import escape

from botocore.model import ListShape, MapShape, OperationModel, Shape, StructureShape

from studio.errors import ApiError
from studio.wire.shapes import Doc, wire_name

_MOST_FIELDS = 10_000
_DEEPEST = 32
_NOT_XML = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")

_NUMBER = re.compile(r"-?[0-9]{1,400}(\.[0-9]{1,400})?([eE][-+]?[0-9]{1,3})?")

_Tree = dict[str, Any]


def parse_form(text: str) -> dict[str, str]:
    """Names and values of a form or query string. Raises ApiError(MalformedQueryString)."""
    try:
        pairs = parse_qsl(
            text, keep_blank_values=True, errors="strict", max_num_fields=_MOST_FIELDS
        )
    except ValueError:
        raise _malformed() from None
    form = dict(pairs)
    if len(form) != len(pairs):
        raise _malformed()
    return form


def unflatten(shape: Shape, form: Mapping[str, str]) -> Any:
    """The JSON value that `form` stands for, with the types that `shape` gives its members."""
    tree: _Tree = {}
    for name, value in form.items():
        *folders, last = name.split(".")
        if len(folders) > _DEEPEST:
            raise _malformed()
        node = tree
        for folder in folders:
            node = node.setdefault(folder, {})
            if not isinstance(node, dict):
                raise _malformed()
        if last in node:
            raise _malformed()
        node[last] = value
    return _typed(shape, tree)


def dump_xml(operation: OperationModel, document: Doc, request_id: str) -> bytes:
    """The answer to `operation`."""
    namespace = operation.service_model.metadata["xmlNamespace"]
    shape = operation.output_shape
    result = ""
    if shape is not None:
        wrapper = shape.serialization.get("resultWrapper", f"{operation.name}Result")
        result = f"<{wrapper}>{_members(shape, document)}</{wrapper}>"
    meta = f"<ResponseMetadata><RequestId>{escape(request_id)}</RequestId></ResponseMetadata>"
    name = f"{operation.name}Response"
    return f'<{name} xmlns="{namespace}">{result}{meta}</{name}>\n'.encode()


def dump_error(code: str, message: str, kind: str, namespace: str, request_id: str) -> bytes:
    """The answer to a request that is refused."""
    error = (
        f"<Error><Type>{kind}</Type><Code>{_escaped(code)}</Code>"
        f"<Message>{_escaped(message)}</Message></Error>"
    )
    request = f"<RequestId>{escape(request_id)}</RequestId>"
    return f'<ErrorResponse xmlns="{namespace}">{error}{request}</ErrorResponse>\n'.encode()


def _typed(shape: Shape, node: Any) -> Any:
    if isinstance(node, dict):
        return _branch(shape, node)
    if isinstance(shape, ListShape | MapShape) and node == "":
        return [] if isinstance(shape, ListShape) else {}
    if shape.type_name in ("integer", "long", "float", "double"):
        return _number(shape, node)
    if shape.type_name == "boolean":
        return {"true": True, "false": False}.get(node, node)
    return node


def _branch(shape: Shape, node: _Tree) -> Any:
    match shape:
        case StructureShape():
            return {
                wire: _typed(member, node[wire])
                for name, member in shape.members.items()
                if (wire := wire_name(member, name)) in node
            }
        case ListShape():
            if not shape.serialization.get("flattened"):
                node = _only(node, shape.member.serialization.get("name", "member"))
            return [_typed(shape.member, item) for item in _in_order(node)]
        case MapShape():
            if not shape.serialization.get("flattened"):
                node = _only(node, "entry")
            key, value = wire_name(shape.key, "key"), wire_name(shape.value, "value")
            entries = [item for item in _in_order(node) if isinstance(item, dict)]
            return {item.get(key, ""): _typed(shape.value, item.get(value)) for item in entries}
    return node


def _only(node: _Tree, name: str) -> _Tree:
    inner = node.get(name)
    if not isinstance(inner, dict):
        raise _malformed()
    return inner


def _in_order(node: _Tree) -> list[Any]:
    if not all(re.fullmatch(r"[0-9]{1,9}", position) for position in node):
        raise _malformed()
    return [node[position] for position in sorted(node, key=int)]


def _number(shape: Shape, text: str) -> Any:
    """A number where the text is one; else the text, whose type is refused later."""
    if not _NUMBER.fullmatch(text):
        return text
    whole = shape.type_name not in ("float", "double") and text.lstrip("-").isdigit()
    return int(text) if whole else float(text)


def _members(shape: StructureShape, document: Doc) -> str:
    return "".join(
        _element(wire_name(member, name), member, document[name])
        for name, member in shape.members.items()
        if document.get(name) is not None
    )


def _element(name: str, shape: Shape, value: Any) -> str:
    match shape:
        case StructureShape():
            inner = _members(shape, value)
        case ListShape():
            item = shape.member.serialization.get("name", "member")
            if shape.serialization.get("flattened"):
                return "".join(_element(name, shape.member, each) for each in value)
            inner = "".join(_element(item, shape.member, each) for each in value)
        case MapShape():
            inner = "".join(_entry(shape, key, item) for key, item in value.items())
        case _:
            inner = _escaped(_text(shape, value))
    return f"<{name}>{inner}</{name}>"


def _entry(shape: MapShape, key: str, value: Any) -> str:
    names = wire_name(shape.key, "key"), wire_name(shape.value, "value")
    pair = _element(names[0], shape.key, key) + _element(names[1], shape.value, value)
    return f"<entry>{pair}</entry>"


def _text(shape: Shape, value: Any) -> str:
    if shape.type_name == "timestamp":
        return datetime.fromtimestamp(value // 1000, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    if shape.type_name == "boolean":
        return "true" if value else "false"
    if shape.type_name == "blob":
        return base64.b64encode(value).decode()
    return str(value)


def _escaped(text: str) -> str:
    """XML has no way to write some characters."""
    return escape(_NOT_XML.sub("\ufffd", text))


def _malformed() -> ApiError:
    return ApiError("MalformedQueryString", "The query string contains a syntax error.")

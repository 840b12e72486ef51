"""Names of properties as Search spells them, and the values that a document has under them.

`InputDataConfig.DataSource.S3DataSource.S3Uri` walks the model's shapes; `HyperParameters.eta`
ends in a map; `Tags.team` and `Metrics.accuracy` pick an entry of a list by its key. Lists on the
way fan out: the property then has several values. Case does not matter in names of the model:
AWS's own suggestions spell them in lower case.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Literal

from botocore.model import ListShape, MapShape, Shape, StructureShape

from studio.db.resources import Doc

Type = Literal["text", "number", "boolean", "timestamp", "free", "object"]
"""free: text of a user, which may be a number. object: not a value, it only exists or not."""

_TYPES: dict[str, Type] = {
    "string": "text",
    "integer": "number",
    "long": "number",
    "float": "number",
    "double": "number",
    "boolean": "boolean",
    "timestamp": "timestamp",
}


@dataclass(frozen=True)
class Pick:
    """The entry of a list whose `member` is `key`; its `value` is what counts."""

    member: str
    key: str
    value: str


@dataclass(frozen=True)
class Property:
    """`name` in the model's spelling. `shape` is what lies there, lists taken off."""

    name: str
    type: Type
    path: tuple[str | Pick, ...]
    shape: Shape

    def values(self, document: Doc) -> Iterator[Any]:
        """Every value that the document has there; none when it is missing."""
        return _values(document, self.path)


def resolve(root: Shape, name: str) -> Property | None:
    """The property of a document of shape `root`; None when there is none of that name."""
    path: list[str] = []
    shape, rest = root, name.split(".")
    while rest:
        if isinstance(shape, StructureShape):
            picked = _picked(shape, path, rest)
            if picked is not None:
                return picked
            member = _member(shape, rest.pop(0))
            if member is None:
                return None
            path.append(member)
            shape = _bare(shape.members[member])
        elif isinstance(shape, MapShape):
            # A key of a map may hold dots.
            path.append(".".join(rest))
            shape, rest = _bare(shape.value), []
            if shape.type_name == "string":
                return Property(".".join(path), "free", tuple(path), shape)
        else:
            return None
    return Property(".".join(path), _TYPES.get(shape.type_name, "object"), tuple(path), shape)


def _picked(shape: StructureShape, path: list[str], rest: list[str]) -> Property | None:
    """Tags.<key> and Metrics.<name>."""
    steps: tuple[str | Pick, ...]
    first, key = rest[0].lower(), ".".join(rest[1:])
    if key and first == "tags" and "Tags" in shape.members:
        name = ".".join((*path, "Tags", key))
        steps = (*path, "Tags", Pick("Key", key, "Value"))
        return Property(name, "text", steps, Shape("Text", {"type": "string"}))
    if key and first == "metrics" and "FinalMetricDataList" in shape.members:
        name = ".".join((*path, "Metrics", key))
        steps = (*path, "FinalMetricDataList", Pick("MetricName", key, "Value"))
        return Property(name, "number", steps, Shape("Number", {"type": "double"}))
    return None


def _member(shape: StructureShape, name: str) -> str | None:
    return next((it for it in shape.members if it.lower() == name.lower()), None)


def _bare(shape: Shape) -> Shape:
    while isinstance(shape, ListShape):
        shape = shape.member
    return shape


def _values(value: Any, path: tuple[str | Pick, ...]) -> Iterator[Any]:
    if isinstance(value, list):
        for item in value:
            yield from _values(item, path)
    elif value is None:
        return
    elif not path:
        yield value
    elif isinstance(step := path[0], Pick):
        if value.get(step.member) == step.key:
            yield value[step.value]
    else:
        yield from _values(value.get(step), path[1:])

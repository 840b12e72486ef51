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
"""free: a text of a user, which may be a number, or a number. object: not a value, it only exists
or not."""

_STATISTICS = ("Min", "Max", "Avg", "StdDev", "Count", "Last", "TimeStamp")
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
class Either:
    """Whichever of the members is there."""

    members: tuple[str, ...]


_Step = str | Pick | Either


@dataclass(frozen=True)
class Property:
    """`name` in the model's spelling. `shape` is what lies there, lists taken off."""

    name: str
    type: Type
    path: tuple[_Step, ...]
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
            return _entry(_bare(shape.value), path, rest)
        else:
            return None
    return Property(".".join(path), _TYPES.get(shape.type_name, "object"), tuple(path), shape)


def _entry(value: Shape, path: list[str], rest: list[str]) -> Property:
    """HyperParameters.<key>, Parameters.<name>, InputArtifacts.<name>.Value; keys may hold dots."""
    member = _member(value, rest[-1]) if isinstance(value, StructureShape) and rest[1:] else None
    if isinstance(value, StructureShape) and member:
        steps = (*path, ".".join(rest[:-1]), member)
        shape = value.members[member]
        return Property(".".join(steps), _TYPES[shape.type_name], steps, shape)
    steps = (*path, ".".join(rest))
    if value.type_name == "string":
        return Property(".".join(steps), "free", steps, value)
    if isinstance(value, StructureShape) and "NumberValue" in value.members:
        either = Either(("NumberValue", "StringValue"))
        return Property(".".join(steps), "free", (*steps, either), value)
    return Property(".".join(steps), "object", steps, value)


def _picked(shape: StructureShape, path: list[str], rest: list[str]) -> Property | None:
    """Tags.<key> and Metrics.<name>."""
    steps: tuple[_Step, ...]
    first, key = rest[0].lower(), ".".join(rest[1:])
    if key and first == "tags" and "Tags" in shape.members:
        name = ".".join((*path, "Tags", key))
        steps = (*path, "Tags", Pick("Key", key, "Value"))
        return Property(name, "text", steps, Shape("Text", {"type": "string"}))
    if key and first == "metrics" and "Metrics" in shape.members:
        return _summarised(path, rest[1:])
    if key and first == "metrics" and "FinalMetricDataList" in shape.members:
        name = ".".join((*path, "Metrics", key))
        steps = (*path, "FinalMetricDataList", Pick("MetricName", key, "Value"))
        return Property(name, "number", steps, Shape("Number", {"type": "double"}))
    return None


def _summarised(path: list[str], rest: list[str]) -> Property:
    """Metrics.<name>.<Max, Min, Last, ...> of a component; without one of them the last value."""
    value = next((it for it in _STATISTICS if it.lower() == rest[-1].lower()), None)
    value, key = (value, rest[:-1]) if value and rest[1:] else ("Last", rest)
    pick = Pick("MetricName", ".".join(key), value)
    name = ".".join((*path, "Metrics", *key, value))
    kind: Type = "timestamp" if value == "TimeStamp" else "number"
    return Property(name, kind, (*path, "Metrics", pick), Shape("Number", {"type": "double"}))


def _member(shape: StructureShape, name: str) -> str | None:
    return next((it for it in shape.members if it.lower() == name.lower()), None)


def _bare(shape: Shape) -> Shape:
    while isinstance(shape, ListShape):
        shape = shape.member
    return shape


def _values(value: Any, path: tuple[_Step, ...]) -> Iterator[Any]:
    if isinstance(value, list):
        for item in value:
            yield from _values(item, path)
    elif value is None:
        return
    elif not path:
        yield value
    elif isinstance(step := path[0], Pick):
        if value.get(step.member) == step.key:
            yield from _values(value.get(step.value), path[1:])
    elif isinstance(step, Either):
        yield from (value[it] for it in step.members if it in value)
    else:
        yield from _values(value.get(step), path[1:])

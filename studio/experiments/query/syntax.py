"""What a query is made of. Values are numbers or texts; conditions hold, or not, or are unknown.

Every node knows its place in the query, in characters.
"""

from dataclasses import dataclass, field
from typing import Literal

Place = tuple[int, int]
NOWHERE: Place = (0, 0)


@dataclass(frozen=True)
class Number:
    """A number that is written in the query."""

    value: float
    place: Place = field(default=NOWHERE, compare=False)


@dataclass(frozen=True)
class Text:
    """A text that is written in the query."""

    value: str
    place: Place = field(default=NOWHERE, compare=False)


@dataclass(frozen=True)
class Ago:
    """The moment so many seconds before the query is asked."""

    seconds: float
    place: Place = field(default=NOWHERE, compare=False)


@dataclass(frozen=True)
class Field:
    """What a trial component has: `kind` is attribute, parameter, metric or tag.

    `aspect` of a metric: one of `vocabulary.ASPECTS`.
    """

    kind: Literal["attribute", "parameter", "metric", "tag"]
    name: str
    aspect: str = ""
    place: Place = field(default=NOWHERE, compare=False)


@dataclass(frozen=True)
class Arithmetic:
    """`operator`: + - * / // % **."""

    operator: str
    left: "Value"
    right: "Value"
    place: Place = field(default=NOWHERE, compare=False)
    depth: int = field(default=1, compare=False)


@dataclass(frozen=True)
class Call:
    """A function of values: one of `vocabulary.FUNCTIONS` or `METHODS`, or `negative`."""

    function: str
    arguments: tuple["Value", ...]
    place: Place = field(default=NOWHERE, compare=False)
    depth: int = field(default=1, compare=False)


Value = Number | Text | Ago | Field | Arithmetic | Call


@dataclass(frozen=True)
class Comparison:
    """`operator`: == != < <= > >=."""

    operator: str
    left: Value
    right: Value
    place: Place = field(default=NOWHERE, compare=False)


@dataclass(frozen=True)
class Among:
    """`value in [...]`."""

    value: Value
    numbers: tuple[float, ...]
    texts: tuple[str, ...]
    place: Place = field(default=NOWHERE, compare=False)


@dataclass(frozen=True)
class TextTest:
    """What a text is asked: `kind` is contains, startswith, endswith or matches."""

    kind: str
    value: Value
    text: str
    place: Place = field(default=NOWHERE, compare=False)


@dataclass(frozen=True)
class Missing:
    """`value is None`."""

    value: Value
    place: Place = field(default=NOWHERE, compare=False)


@dataclass(frozen=True)
class Truth:
    """True or False."""

    value: bool
    place: Place = field(default=NOWHERE, compare=False)


@dataclass(frozen=True)
class Flag:
    """An attribute that is true or false: `starred`."""

    name: str
    place: Place = field(default=NOWHERE, compare=False)


@dataclass(frozen=True)
class Not:
    item: "Condition"
    place: Place = field(default=NOWHERE, compare=False)


@dataclass(frozen=True)
class Every:
    """`and`."""

    items: tuple["Condition", ...]
    place: Place = field(default=NOWHERE, compare=False)


@dataclass(frozen=True)
class Some:
    """`or`."""

    items: tuple["Condition", ...]
    place: Place = field(default=NOWHERE, compare=False)


Condition = Comparison | Among | TextTest | Missing | Truth | Flag | Not | Every | Some
Node = Value | Condition


def fields(node: Node) -> list[Field]:
    """The fields that are asked for, from left to right."""
    match node:
        case Field():
            return [node]
        case Flag():
            return [Field("attribute", node.name, "", node.place)]
        case Arithmetic() | Comparison():
            return fields(node.left) + fields(node.right)
        case Call():
            return [found for each in node.arguments for found in fields(each)]
        case Every() | Some():
            return [found for each in node.items for found in fields(each)]
        case Not():
            return fields(node.item)
        case Among() | TextTest() | Missing():
            return fields(node.value)
        case _:
            return []

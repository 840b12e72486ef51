"""What a trial component must have for a condition to hold: the others need not be looked at."""

from studio.experiments.query.scope import plain
from studio.experiments.query.syntax import (
    Among,
    Comparison,
    Condition,
    Every,
    Field,
    Flag,
    Missing,
    Not,
    Some,
    TextTest,
    Truth,
    Value,
    fields,
)


def needed(node: Condition, wanted: bool = True) -> set[Field]:
    """Fields without which the condition, or unless `wanted` its opposite, holds nowhere.

    What is missing satisfies neither a comparison nor its opposite, and what is reckoned with it
    is missing as well.
    """
    match node:
        case Truth() | Flag():
            return set()
        case Not():
            return needed(node.item, not wanted)
        case Every() | Some():
            items = [needed(each, wanted) for each in node.items]
            every = isinstance(node, Every) == wanted
            return set.union(*items) if every else set.intersection(*items)
        case Missing():
            return set() if wanted else _fields(node.value)
        case Comparison():
            return _fields(node.left) | _fields(node.right)
        case Among() | TextTest():
            return _fields(node.value)


def _fields(value: Value) -> set[Field]:
    return {plain(it) for it in fields(value) if it.kind != "attribute"}

"""A SearchExpression as one test of a document; what AWS refuses is refused."""

from collections.abc import Callable, Iterator

from botocore.model import Shape

from studio.api.search import comparisons
from studio.api.search.comparisons import Test
from studio.api.search.properties import Property, resolve
from studio.db.resources import Doc
from studio.errors import ValidationException

_MOST_ELEMENTS = 20
_MOST_IN_ALL = 50
_LISTS = ("Filters", "NestedFilters", "SubExpressions")

Names = Callable[[str], Property]
"""The property of a name. Raises ValidationException for an unknown one."""


def names(shape: Shape, prefix: str = "") -> Names:
    """Names of the properties of a document; those below `prefix` may go without it."""

    def named(name: str) -> Property:
        found = resolve(shape, name) or (resolve(shape, f"{prefix}.{name}") if prefix else None)
        if found is None:
            raise ValidationException(f"Unknown property name: {name}")
        return found

    return named


def check(expression: Doc) -> None:
    """Raises ValidationException for an expression that is empty, too large or too costly."""
    parts = list(_parts(expression))
    filters = [each for part in parts for each in _filters(part)]
    sizes = [sum(len(part.get(name, ())) for name in _LISTS) for part in parts]
    nested = sum(len(part.get("NestedFilters", ())) for part in parts)
    if not all(sizes):
        raise ValidationException(
            "A SearchExpression must have at least one subexpression, filter, or nested filter."
        )
    if max(sizes) > _MOST_ELEMENTS:
        raise ValidationException(f"A SearchExpression can have {_MOST_ELEMENTS} elements at most.")
    if len(parts) - 1 + nested + len(filters) > _MOST_IN_ALL:
        raise ValidationException(
            "The maximum number of recursive SubExpressions, NestedFilters, and Filters in a "
            f"SearchExpression is {_MOST_IN_ALL}."
        )
    if sum(each.get("Operator") == "Contains" for each in filters) > 1:
        raise ValidationException("'CONTAINS' operator usage limit of 1 exceeded.")


def asked(expression: Doc) -> Iterator[str]:
    """The names of all properties that the expression asks for."""
    for part in _parts(expression):
        yield from (it["Name"] for it in part.get("Filters", ()))
        yield from (it["NestedPropertyName"] for it in part.get("NestedFilters", ()))


def compiled(expression: Doc, named: Names) -> Test:
    """The test. Raises ValidationException for unknown names and impossible comparisons."""
    tests = [_filter(each, named) for each in expression.get("Filters", ())]
    tests += [_nested(each, named) for each in expression.get("NestedFilters", ())]
    tests += [compiled(each, named) for each in expression.get("SubExpressions", ())]
    enough = any if expression.get("Operator") == "Or" else all
    return lambda document: enough(test(document) for test in tests)


def _filter(filter_: Doc, named: Names) -> Test:
    found = named(filter_["Name"])
    return comparisons.test(found, filter_.get("Operator", "Equals"), filter_.get("Value"))


def _nested(nested: Doc, named: Names) -> Test:
    """One and the same object below the property has to satisfy all filters."""
    above = named(nested["NestedPropertyName"])
    if above.type != "object":
        raise ValidationException(f"The property {above.name} has no properties of its own.")
    below = names(above.shape)

    def relative(name: str) -> Property:
        start = f"{nested['NestedPropertyName']}."
        if not name.lower().startswith(start.lower()):
            raise ValidationException(
                f"The property {name} is not part of {nested['NestedPropertyName']}."
            )
        return below(name[len(start) :])

    tests = [_filter(each, relative) for each in nested["Filters"]]
    return lambda document: any(
        all(test(each) for test in tests) for each in above.values(document)
    )


def _parts(expression: Doc) -> Iterator[Doc]:
    yield expression
    for part in expression.get("SubExpressions", ()):
        yield from _parts(part)


def _filters(part: Doc) -> Iterator[Doc]:
    """The filters of one expression, nested ones too."""
    yield from part.get("Filters", ())
    for nested in part.get("NestedFilters", ()):
        yield from nested["Filters"]

"""Puts the parts of a query together, and says what does not fit."""

import difflib
from dataclasses import dataclass, replace

from studio import expressions
from studio.experiments.query import vocabulary
from studio.experiments.query.moments import moment, seconds
from studio.experiments.query.syntax import (
    Ago,
    Among,
    Arithmetic,
    Call,
    Comparison,
    Condition,
    Field,
    Flag,
    Missing,
    Not,
    Number,
    Place,
    Text,
    TextTest,
    Truth,
    Value,
)
from studio.experiments.query.tokens import QueryError, Token
from studio.experiments.query.vocabulary import type_of, written


@dataclass(frozen=True)
class List:
    """`[3, 5]`, which stands only behind `in`."""

    items: tuple["Part", ...]
    place: Place


@dataclass(frozen=True)
class Nothing:
    """`None`, which stands only behind `is`."""

    place: Place


Part = Value | Condition | List | Nothing

_LONGEST_PATTERN, _DEEPEST = 500, 40
_VALUES = (Number, Text, Ago, Field, Arithmetic, Call)


def condition(part: Part) -> Condition:
    """The part, which must be a condition. Raises QueryError."""
    if isinstance(part, Field) and type_of(part) == "flag":
        return Flag(part.name, part.place)
    if isinstance(part, Field):
        name = written(part)
        raise QueryError(f"A condition is missing: {name} > 1, or has({name}).", *part.place)
    if isinstance(part, (*_VALUES, List, Nothing)):
        raise QueryError("Here is a value, not a condition: compare it.", *part.place)
    return part


def value(part: Part) -> Value:
    """The part, which must be a value. Raises QueryError."""
    if isinstance(part, Nothing):
        raise QueryError("None stands only behind 'is': metric.auc is None.", *part.place)
    if isinstance(part, List):
        raise QueryError("A list stands only behind 'in'.", *part.place)
    if not isinstance(part, _VALUES):
        raise QueryError("Here is a condition, not a value.", *part.place)
    return part


def moved(part: Part, place: Place) -> Part:
    """The part at another place: with the parentheses around it."""
    return replace(part, place=place)


def arithmetic(operator: str, left: Part, right: Part) -> Arithmetic:
    """Raises QueryError for what is no number."""
    one, other = _number(left), _number(right)
    place = left.place[0], right.place[1]
    # The remainder takes both of its values twice, and they theirs.
    steps = 5 if operator == "%" else 1
    return Arithmetic(operator, one, other, place, _deeper(place, one, other, steps=steps))


def signed(sign: Token, part: Part) -> Value:
    """`-x` or `+x`."""
    number = _number(part)
    place = sign.start, number.place[1]
    if sign.text == "+":
        return replace(number, place=place)
    if isinstance(number, Number):
        return Number(-number.value, place)
    return Call("negative", (number,), place, _deeper(place, number))


def comparison(operator: str, left: Part, right: Part) -> Condition:
    """Raises QueryError for what cannot be compared so."""
    place = left.place[0], right.place[1]
    if operator in ("is", "is not"):
        return _missing(operator, left, right, place)
    if operator in ("in", "not in"):
        found = _in(left, right, place)
        return Not(found, place) if operator == "not in" else found
    if operator == "~":
        return TextTest("matches", _text(left), _pattern(right), place)
    if isinstance(left, Truth) or isinstance(right, Truth):
        return _is_true(operator, left, right, place)
    return _compared(operator, left, right, place)


def method(name: Token, part: Part, arguments: list[Part], end: int) -> Part:
    """`name.lower()`, `name.contains("x")`. Raises QueryError."""
    place = part.place[0], end
    if name.text in vocabulary.METHODS:
        if arguments:
            raise QueryError(f"{name.text}() takes nothing.", name.start, end)
        of = _text(part)
        return Call(name.text, (of,), place, _deeper(place, of))
    if name.text not in vocabulary.TESTS:
        known = (*vocabulary.METHODS, *vocabulary.TESTS)
        text = f"A text has no {name.text}(){_meant(name.text, known)} It has {', '.join(known)}."
        raise QueryError(text, name.start, name.end)
    if len(arguments) != 1:
        raise QueryError(f'{name.text}() takes one text: {name.text}("...").', name.start, end)
    asked = _pattern if name.text == "matches" else _written_text
    return TextTest(name.text, _text(part), asked(arguments[0]), place)


def no_attribute(part: Part, name: Token) -> QueryError:
    """The error for `(...).name`."""
    if name.text in (*vocabulary.METHODS, *vocabulary.TESTS):
        return QueryError(f"Parentheses are missing: {name.text}(...).", name.start, name.end)
    return QueryError(f"This has no {name.text!r}.", name.start, name.end)


def call(word: Token, arguments: list[Part], end: int) -> Part:
    """`log(x)`, `has(x)`, `ago("2d")`. Raises QueryError."""
    place = word.start, end
    if word.text == "has":
        return Not(Missing(_only(word, arguments, end), place), place)
    if word.text == "ago":
        return Ago(_seconds(_only(word, arguments, end)), place)
    if word.text not in vocabulary.FUNCTIONS:
        known = ("ago", "has", *vocabulary.FUNCTIONS)
        text = f"There is no function {word.text}(){_meant(word.text, known)}"
        raise QueryError(text, word.start, word.end)
    least, most = vocabulary.FUNCTIONS[word.text]
    if not least <= len(arguments) <= most:
        count = "one value" if most == 1 else f"{least} to {most} values"
        raise QueryError(f"{word.text}() takes {count}.", *place)
    checked = _text if word.text == "len" else _number
    values = tuple(map(checked, arguments))
    return Call(word.text, values, place, _deeper(place, *values))


def attribute(word: Token) -> Field:
    """What every trial component has. Raises QueryError."""
    if word.text in vocabulary.ATTRIBUTES:
        return Field("attribute", word.text, "", (word.start, word.end))
    meant = _meant(word.text, (*vocabulary.ATTRIBUTES, *vocabulary.KINDS))
    ways = f"metric.{word.text}, param.{word.text} or tag.{word.text}"
    text = f"There is no {word.text!r}{meant} What a component logged is written {ways}."
    raise QueryError(text, word.start, word.end)


def _deeper(place: Place, *values: Value, steps: int = 1) -> int:
    """How deep what is made of the values is. Raises QueryError when it is too deep."""
    depth = steps + max(getattr(each, "depth", 0) for each in values)
    if depth > _DEEPEST:
        raise QueryError(f"More than {_DEEPEST} steps in a row are reckoned here.", *place)
    return depth


def _only(word: Token, arguments: list[Part], end: int) -> Value:
    if len(arguments) != 1:
        raise QueryError(f"{word.text}() takes one value.", word.start, end)
    return value(arguments[0])


def _number(part: Part) -> Value:
    found = value(part)
    kind = type_of(found)
    if kind in ("text", "texts", "flag"):
        name = written(found) if isinstance(found, Field) else "This"
        raise QueryError(f"{name} is a text; a number is needed.", *found.place)
    return found


def _text(part: Part) -> Value:
    found = value(part)
    if type_of(found) in ("number", "time", "flag"):
        name = written(found) if isinstance(found, Field) else "This"
        raise QueryError(f"{name} is a number; a text is needed.", *found.place)
    return found


def _written_text(part: Part) -> str:
    if not isinstance(part, Text):
        raise QueryError("A text in quotation marks is needed.", *part.place)
    return part.value


def _pattern(part: Part) -> str:
    text = _written_text(part)
    if len(text) > _LONGEST_PATTERN:
        raise QueryError(f"A pattern has at most {_LONGEST_PATTERN} characters.", *part.place)
    try:
        expressions.compiled(text)
    except ValueError as error:
        raise QueryError(f"This is no regular expression: {error}.", *part.place) from error
    return text


def _seconds(part: Value) -> float:
    found = seconds(part.value) if isinstance(part, Text) else None
    if found is None:
        raise QueryError('How long ago: ago("90s"), "15m", "12h", "2d" or "1w".', *part.place)
    return found


def _missing(operator: str, left: Part, right: Part, place: Place) -> Condition:
    if isinstance(right, Truth):
        return _is_true("==" if operator == "is" else "!=", left, right, place)
    if not isinstance(right, Nothing):
        raise QueryError(f"Only None stands behind {operator!r}: write ==.", *right.place)
    missing = Missing(value(left), place)
    return missing if operator == "is" else Not(missing, place)


def _is_true(operator: str, left: Part, right: Part, place: Place) -> Condition:
    flag, truth = (left, right) if isinstance(right, Truth) else (right, left)
    if not isinstance(truth, Truth) or operator not in ("==", "!="):
        raise QueryError("True and False are not compared so.", *place)
    found = condition(flag)
    return found if truth.value == (operator == "==") else Not(found, place)


def _in(left: Part, right: Part, place: Place) -> Condition:
    if isinstance(left, Text) and not isinstance(right, List):
        return TextTest("contains", _text(right), left.value, place)
    if not isinstance(right, List):
        raise QueryError("A list stands behind 'in': param.depth in [3, 5].", *right.place)
    asked = value(left)
    items = [_alike(asked, value(each)) for each in right.items]
    numbers = tuple(each.value for each in items if isinstance(each, Number))
    texts = tuple(each.value for each in items if isinstance(each, Text))
    if len(numbers) + len(texts) < len(items):
        raise QueryError("In a list stand numbers and texts only.", *right.place)
    return Among(asked, numbers, texts, place)


def _compared(operator: str, left: Part, right: Part, place: Place) -> Condition:
    if isinstance(left, List) or isinstance(right, List):
        raise QueryError("A list stands only behind 'in'.", *place)
    one, other = value(left), value(right)
    if isinstance(one, (Text, Number)):
        one = _alike(other, one)
    else:
        other = _alike(one, other)
    types = {type_of(one), type_of(other)}
    if "texts" in types and not (isinstance(one, Text) or isinstance(other, Text)):
        raise QueryError("Experiments and trials are compared with a written text.", *place)
    return Comparison(operator, one, other, place)


def _alike(asked: Value, given: Value) -> Value:
    """What is written, as what it is compared with has it: a moment for times."""
    of, it = type_of(asked), type_of(given)
    if of == "time" and isinstance(given, Text):
        found = moment(given.value)
        if found is None:
            text = 'This is no time: write "2026-11-21", "2026-11-21T14:30", or ago("2d").'
            raise QueryError(text, *given.place)
        return Number(found, given.place)
    texts, numbers = ("text", "texts"), ("number", "time")
    if (of in numbers and it in texts) or (of in texts and it in numbers):
        one, other = ("number", "text") if of in numbers else ("text", "number")
        name = written(asked) if isinstance(asked, Field) else "the other"
        raise QueryError(f"This is a {other}, and {name} is a {one}.", *given.place)
    if it == "flag":
        raise QueryError("starred is true or false: compare it with True.", *given.place)
    return given


def _meant(name: str, known: tuple[str, ...]) -> str:
    near = difflib.get_close_matches(name, known, 1)
    return f"; did you mean {near[0]!r}?" if near else "."

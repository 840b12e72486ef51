"""From the text of a query to what it is made of. Nothing of it is ever run as Python.

condition  = and { "or" and }            and     = not { "and" not }
not        = "not" not | comparison
comparison = sum { ( == != < <= > >= ~ | in | not in | is | is not ) sum }
sum        = term { (+ | -) term }       term    = factor { (* | / | // | %) factor }
factor     = (- | +) factor | power      power   = atom [ "**" factor ]
atom       = number | text | field | function "(" ... ")" | "(" condition ")" | "[" ... "]"
"""

from collections.abc import Callable
from typing import Literal, cast

from studio.experiments.query import build, syntax, vocabulary
from studio.experiments.query.build import List, Nothing, Part
from studio.experiments.query.syntax import Condition, Value
from studio.experiments.query.tokens import QueryError, Token, tokens

_DEEPEST = 90
"""Levels; parentheses take three. What is below must not be too deep for Python."""
_MOST_PARTS = 900
"""Fields and operators: a database takes a thousand in a row."""
_COMPARED = ("==", "!=", "<", "<=", ">", ">=", "~")


def condition(query: str) -> Condition:
    """What a query says; of a blank one True. Raises QueryError."""
    words = tokens(query)
    if len(words) == 1:
        return syntax.Truth(True)
    return build.condition(_Parser(words).whole())


def value(text: str) -> Value:
    """A column: a field, or an expression of fields. Raises QueryError."""
    return build.value(_Parser(tokens(text)).whole())


class _Parser:
    def __init__(self, words: list[Token]) -> None:
        self._words = words
        self._at = 0
        self._depth = 0
        self._parts = 0

    def whole(self) -> Part:
        """All of the text as one part."""
        part = self._or()
        if self._next.kind != "end":
            raise self._unexpected()
        return part

    @property
    def _next(self) -> Token:
        return self._words[self._at]

    def _take(self) -> Token:
        taken = self._next
        self._at += 1
        return taken

    def _takes(self, *texts: str) -> Token | None:
        """The next word, when it is one of these signs or names."""
        if self._next.kind in ("sign", "name") and self._next.text in texts:
            return self._take()
        return None

    def _expect(self, sign: str, instead: str) -> Token:
        taken = self._takes(sign)
        if taken is None:
            raise self._unexpected(instead)
        return taken

    def _or(self) -> Part:
        return self._joined("or", self._and, syntax.Some)

    def _and(self) -> Part:
        return self._joined("and", self._not, syntax.Every)

    def _joined(
        self,
        word: str,
        part: Callable[[], Part],
        node: type[syntax.Every] | type[syntax.Some],
    ) -> Part:
        parts = [self._deeper(part)]
        while self._takes(word):
            parts.append(self._deeper(part))
        if len(parts) == 1:
            return parts[0]
        items = tuple(map(build.condition, parts))
        return self._counted(node(items, (items[0].place[0], items[-1].place[1])))

    def _not(self) -> Part:
        word = self._takes("not")
        if word is None:
            return self._comparison()
        item = build.condition(self._deeper(self._not))
        return self._counted(syntax.Not(item, (word.start, item.place[1])))

    def _comparison(self) -> Part:
        left = self._sum()
        found: list[Condition] = []
        while (operator := self._operator()) is not None:
            right = self._sum()
            found.append(build.comparison(operator, left, right))
            self._counted(found[-1])
            left = right
        if not found:
            return left
        if len(found) == 1:
            return found[0]
        return syntax.Every(tuple(found), (found[0].place[0], found[-1].place[1]))

    def _operator(self) -> str | None:
        if (sign := self._takes(*_COMPARED, "in")) is not None:
            return sign.text
        if self._takes("is"):
            return "is not" if self._takes("not") else "is"
        after = self._words[min(self._at + 1, len(self._words) - 1)]
        if self._next.text == "not" and self._next.kind == "name" and after.text == "in":
            self._at += 2
            return "not in"
        return None

    def _sum(self) -> Part:
        return self._reckoned(("+", "-"), self._term)

    def _term(self) -> Part:
        return self._reckoned(("*", "/", "//", "%"), self._factor)

    def _reckoned(self, signs: tuple[str, ...], part: Callable[[], Part]) -> Part:
        left = part()
        while (sign := self._takes(*signs)) is not None:
            left = self._counted(build.arithmetic(sign.text, left, part()))
        return left

    def _factor(self) -> Part:
        sign = self._takes("-", "+")
        if sign is None:
            return self._power()
        return build.signed(sign, self._deeper(self._factor))

    def _power(self) -> Part:
        base = self._postfix()
        if self._takes("**"):
            return self._counted(build.arithmetic("**", base, self._deeper(self._factor)))
        return base

    def _postfix(self) -> Part:
        """An atom, and what is asked of it: `name.lower().contains("xgb")`."""
        part = self._atom()
        if not isinstance(part, (syntax.Number, syntax.Text)):
            self._counted(part)
        while self._takes("."):
            if self._next.kind != "name":
                raise self._unexpected("a name behind the dot")
            name = self._take()
            if self._next.text != "(":
                raise build.no_attribute(part, name)
            arguments, end = self._arguments()
            part = self._counted(build.method(name, part, arguments, end))
        return part

    def _atom(self) -> Part:
        word = self._next
        if word.kind == "number":
            return syntax.Number(cast("float", self._take().value), (word.start, word.end))
        if word.kind == "text":
            return syntax.Text(cast("str", self._take().value), (word.start, word.end))
        if self._takes("("):
            inner = self._deeper(self._or)
            end = self._expect(")", "a closing parenthesis")
            return build.moved(inner, (word.start, end.end))
        if self._takes("["):
            return self._list(word)
        if word.kind == "name" and word.text not in ("and", "or", "not", "in", "is"):
            return self._named(self._take())
        raise self._unexpected("a field, a number or a text")

    def _list(self, first: Token) -> Part:
        parts = self._separated("]", "a comma or a closing bracket")
        return List(tuple(parts), (first.start, self._words[self._at - 1].end))

    def _arguments(self) -> tuple[list[Part], int]:
        self._expect("(", "a parenthesis")
        parts = self._separated(")", "a closing parenthesis")
        return parts, self._words[self._at - 1].end

    def _separated(self, close: str, instead: str) -> list[Part]:
        parts: list[Part] = []
        while not self._takes(close):
            parts.append(self._deeper(self._or))
            if not self._takes(",") and self._next.text != close:
                raise self._unexpected(instead)
        return parts

    def _named(self, word: Token) -> Part:
        place = word.start, word.end
        if word.text in ("True", "False"):
            return syntax.Truth(word.text == "True", place)
        if word.text == "None":
            return Nothing(place)
        if word.text in vocabulary.KINDS:
            return self._field(word)
        if self._next.text == "(":
            arguments, end = self._arguments()
            return build.call(word, arguments, end)
        return build.attribute(word)

    def _field(self, word: Token) -> syntax.Field:
        """`metric.auc`, `param["a b"]`, `param.model.depth`, `metric.auc.max`."""
        names = self._field_names(word)
        end = self._words[self._at - 1].end
        kind = cast('Literal["parameter", "metric", "tag"]', vocabulary.KINDS[word.text])
        aspect = ""
        if kind == "metric" and len(names) > 1 and names[-1] in vocabulary.ASPECTS:
            aspect = names.pop()
        if kind == "metric" and aspect == "last":
            aspect = ""
        return syntax.Field(kind, ".".join(names), aspect, (word.start, end))

    def _field_names(self, word: Token) -> list[str]:
        if self._takes("["):
            if self._next.kind != "text":
                raise self._unexpected(f'a name as a text, {word.text}["..."]')
            names = [str(self._take().value)]
            self._expect("]", "a closing bracket")
        elif self._takes("."):
            names = [self._segment()]
        else:
            text = f'Which? Write {word.text}.NAME, or {word.text}["any name"].'
            raise QueryError(text, word.start, word.end)
        while self._next.text == "." and self._words[self._at + 1].kind == "name":
            if self._words[min(self._at + 2, len(self._words) - 1)].text == "(":
                break  # a method
            self._at += 1
            names.append(self._segment())
        return names

    def _segment(self) -> str:
        if self._next.kind != "name":
            raise self._unexpected("a name behind the dot")
        return self._take().text

    def _deeper(self, part: Callable[[], Part]) -> Part:
        self._depth += 1
        if self._depth > _DEEPEST:
            raise QueryError("This is nested too deeply.", self._next.start, self._next.end)
        found = part()
        self._depth -= 1
        return found

    def _counted(self, part: Part) -> Part:
        self._parts += 1
        if self._parts > _MOST_PARTS:
            raise QueryError(f"A query has at most {_MOST_PARTS:,} parts.", *part.place)
        return part

    def _unexpected(self, instead: str = "") -> QueryError:
        word = self._next
        here = "the query ends" if word.kind == "end" else f"here is {word.text!r}"
        wanted = f"Expected {instead}, but {here}." if instead else f"Not expected: {word.text!r}."
        start = max(word.start - 1, 0) if word.kind == "end" else word.start
        return QueryError(wanted, start, max(word.end, start + 1))

"""The conditions of a policy: operators over the keys of a request.

https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_condition_operators.html
Keys are compared without regard to case; a request's context holds them in lower case.
"""

import base64
import binascii
import ipaddress
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime

from studio.identity import globs

Context = Mapping[str, tuple[str, ...]]

_Test = Callable[[str, str], bool]
"""(wanted, present) -> whether they agree."""

_NOTHING = "\0"  # neither names nor keys hold it


@dataclass(frozen=True)
class Condition:
    """One line of a Condition block. It holds when any of `values` agrees with the request."""

    operator: str
    key: str
    values: tuple[str, ...]
    quantifier: str = ""
    if_exists: bool = False

    def holds(self, context: Context) -> bool:
        present = context.get(self.key, ())
        if self.operator == "null":
            return any((value == "true") == (not present) for value in self.values)
        if not present and self.quantifier != "foranyvalue":
            # A request without the key: a negated operator is met, the others only IfExists.
            return self.if_exists or self.operator in _NEGATED or self.quantifier == "forallvalues"
        return self._agrees(present, context)

    def _agrees(self, present: tuple[str, ...], context: Context) -> bool:
        wanted = [resolved(value, context) for value in self.values]
        test = _OPERATORS[_NEGATED.get(self.operator, self.operator)]
        negated = self.operator in _NEGATED
        hits = [any(test(each, value) for each in wanted) != negated for value in present]
        if self.quantifier == "foranyvalue" or (not negated and not self.quantifier):
            return any(hits)
        return all(hits)


def parse(operator: str, key: str, values: tuple[str, ...]) -> Condition:
    """Raises ValueError for an operator that AWS lacks, or a value that is not of its kind."""
    quantifier, plain, if_exists = _split(operator)
    if not known(operator):
        raise ValueError(f"Invalid Condition type : {operator}")
    values = tuple(value.lower() for value in values) if plain in ("null", "bool") else values
    check = _CHECKS.get(_NEGATED.get(plain, plain))
    for value in values:
        if check is not None and "${" not in value:
            check(value)
    return Condition(plain, key.lower(), values, quantifier, if_exists)


def known(operator: str) -> bool:
    """Whether AWS has the operator."""
    quantifier, plain, if_exists = _split(operator)
    return quantifier in ("", "foranyvalue", "forallvalues") and (
        plain in _OPERATORS or plain in _NEGATED or (plain == "null" and not if_exists)
    )


def _split(operator: str) -> tuple[str, str, bool]:
    """(quantifier, operator, whether IfExists), in lower case."""
    quantifier, _, name = operator.lower().rpartition(":")
    plain = name.removesuffix("ifexists")
    return quantifier, plain, plain != name


def resolved(pattern: str, context: Context) -> str:
    """`pattern` with its policy variables replaced: `${aws:username}`, `${*}`.

    Where one is unknown nothing can match.
    """
    if "${" not in pattern:
        return pattern
    made, rest = "", pattern
    while "${" in rest:
        before, _, rest = rest.partition("${")
        name, closed, after = rest.partition("}")
        if not closed:
            return made + before + "${" + rest
        key, _, default = name.partition(",")
        literal = name if name in ("*", "?", "$") else ""
        value = context.get(key.strip().lower(), (default.strip().strip("'") or _NOTHING,))
        made += before + globs.escaped(literal or value[0])
        rest = after
    return made + rest


def _number(text: str) -> float:
    if len(text) > 64:
        raise ValueError(f"Invalid number: {text[:64]}")
    return float(text)


def _date(text: str) -> float:
    """Seconds since the epoch, of a number or of ISO 8601."""
    if text.replace(".", "", 1).isdigit():
        if _number(text) >= 2**63:
            raise ValueError(f"Invalid date: {text}")
        return _number(text)
    moment = datetime.fromisoformat(text)
    return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp()


def _address(wanted: str, present: str) -> bool:
    return ipaddress.ip_address(present) in ipaddress.ip_network(wanted, strict=False)


def _arn(wanted: str, present: str) -> bool:
    """Field by field: a wildcard does not reach over a colon of the first five."""
    pattern, value = wanted.split(":", 5), present.split(":", 5)
    return len(pattern) == len(value) and all(map(globs.matches, pattern, value))


def _bool(text: str) -> None:
    if text not in ("true", "false"):
        raise ValueError(f"Invalid Boolean: {text[:64]}")


def _base64(text: str) -> None:
    try:
        base64.b64decode(text, validate=True)
    except binascii.Error as error:
        raise ValueError(f"Invalid binary value: {text[:64]}") from error


def _safely(test: _Test) -> _Test:
    """A request's value that is not of the operator's kind does not agree."""

    def tested(wanted: str, present: str) -> bool:
        try:
            return test(wanted, present)
        except ValueError:
            return False

    return tested


_OPERATORS: dict[str, _Test] = {
    "stringequals": lambda wanted, present: globs.matches(globs.escaped(wanted), present),
    "stringequalsignorecase": lambda wanted, present: globs.matches(
        globs.escaped(wanted.lower()), present.lower()
    ),
    "stringlike": globs.matches,
    "numericequals": _safely(lambda wanted, present: _number(present) == _number(wanted)),
    "numericlessthan": _safely(lambda wanted, present: _number(present) < _number(wanted)),
    "numericlessthanequals": _safely(lambda wanted, present: _number(present) <= _number(wanted)),
    "numericgreaterthan": _safely(lambda wanted, present: _number(present) > _number(wanted)),
    "numericgreaterthanequals": _safely(
        lambda wanted, present: _number(present) >= _number(wanted)
    ),
    "dateequals": _safely(lambda wanted, present: _date(present) == _date(wanted)),
    "datelessthan": _safely(lambda wanted, present: _date(present) < _date(wanted)),
    "datelessthanequals": _safely(lambda wanted, present: _date(present) <= _date(wanted)),
    "dategreaterthan": _safely(lambda wanted, present: _date(present) > _date(wanted)),
    "dategreaterthanequals": _safely(lambda wanted, present: _date(present) >= _date(wanted)),
    "bool": lambda wanted, present: present.lower() == wanted,
    "binaryequals": lambda wanted, present: present == wanted,
    "ipaddress": _safely(_address),
    "arnequals": _arn,
    "arnlike": _arn,
}
_NEGATED = {
    "stringnotequals": "stringequals",
    "stringnotequalsignorecase": "stringequalsignorecase",
    "stringnotlike": "stringlike",
    "numericnotequals": "numericequals",
    "datenotequals": "dateequals",
    "notipaddress": "ipaddress",
    "arnnotequals": "arnequals",
    "arnnotlike": "arnlike",
}
_CHECKS: dict[str, Callable[[str], object]] = {
    **{name: _number for name in _OPERATORS if name.startswith("numeric")},
    **{name: _date for name in _OPERATORS if name.startswith("date")},
    "bool": _bool,
    "null": _bool,
    "binaryequals": _base64,
    "ipaddress": lambda text: ipaddress.ip_network(text, strict=False),
}

"""Filter patterns, as CloudWatch's documentation explains them."""

import json

import pytest

from studio.logs import patterns

EVENT = json.dumps(
    {
        "a": 1,
        "latency": 12.5,
        "name": "hello world",
        "list": ["x1", "y", {"deep": 3}],
        "none": None,
        "yes": True,
        "no": False,
        "[odd?]": "[z?",
    }
)


@pytest.mark.parametrize(
    ("pattern", "holds"),
    [
        ("{ $.a = 1 }", True),
        ("{ $.a = 1.0 }", True),
        ('{ $.a = "1" }', False),
        ("{ $.a != 1 }", False),
        ("{ $.a != 2 }", True),
        ("{ $.absent != 2 }", False),
        ("{$.latency>12}", True),
        ("{ $.latency >= 12.5 && $.latency <= 1.25e1 }", True),
        ("{ $.name > 1 }", False),
        ('{ $.name = "hello world" }', True),
        ("{ $.name = hello* }", True),
        ("{ $.name = hell }", False),
        ("{ $.list[0] = x1 }", True),
        ("{ $.list[9] = x1 }", False),
        ("{ $.list[*] = y }", True),
        ("{ $.list[2].deep = 3 }", True),
        ('{ $["[odd?]"] = "[z?" }', True),
        ('{ $["[odd?]"] = "[zz" }', False),
        ("{ $.none IS NULL }", True),
        ("{ $.absent IS NULL }", False),
        ("{ $.absent NOT EXISTS }", True),
        ("{ $.a NOT EXISTS }", False),
        ("{ $.yes IS TRUE && $.no IS FALSE }", True),
        ("{ $.yes = 1 }", False),
        ("{ $.a = 2 || $.a = 1 && $.yes IS TRUE }", True),
        ("{ ($.a = 2 || $.a = 1) && $.yes IS FALSE }", False),
        ("", True),
        ("hello", True),
        ('"hello world" -other', True),
        ('-"hello world"', False),
        ("?nothing ?hello", True),
        ("?nothing ?else", False),
        ('"\\"a\\": 1"', True),
    ],
)
def test_patterns(pattern: str, holds: bool):
    assert patterns.compiled(pattern)(EVENT) is holds


@pytest.mark.parametrize("message", ["a=1", "[1]", '"text"', "{", "[" * 100_000, "NaN", ""])
def test_what_is_no_json_object_meets_no_condition(message: str):
    assert not patterns.compiled("{ $.a = 1 }")(message)
    assert not patterns.compiled("{ $.a != 1 }")(message)


@pytest.mark.parametrize(
    "pattern",
    [
        '"open',
        'term "open',
        "{ $.a",
        "{ a = 1 }",
        "{ $.a = }",
        "{ $.a = 1 } more",
        "{ $.a < text }",
        "{ $.a IS ODD }",
        "{ $.a = 1 && }",
        "{ $.a = %regex% }",
        "{" + "(" * 500 + "$.a = 1" + ")" * 500 + "}",
        "[one, two]",
        "%regex%",
    ],
)
def test_what_is_no_pattern_is_refused(pattern: str):
    with pytest.raises(patterns.Invalid):
        patterns.compiled(pattern)

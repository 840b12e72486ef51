"""What queries are made of, and what is said of those that are none."""

import re
from pathlib import Path

import pytest

from studio.experiments.query import parser
from studio.experiments.query.syntax import (
    Among,
    Arithmetic,
    Comparison,
    Every,
    Field,
    Flag,
    Missing,
    Not,
    Number,
    Some,
    Text,
    TextTest,
)
from studio.experiments.query.tokens import QueryError
from studio.experiments.query.vocabulary import written

PAGE = Path(__file__).parents[2] / "docs" / "reference" / "query-language.md"
AUC, DEPTH = Field("metric", "auc"), Field("parameter", "depth")
EXAMPLES = [
    line
    for block in re.findall(r"```query\n(.*?)```", PAGE.read_text(), re.DOTALL)
    for line in block.splitlines()
]


@pytest.mark.parametrize("query", EXAMPLES)
def test_examples_of_the_page(query: str) -> None:
    parser.condition(query)


MEANINGS = {
    "metric.auc > .9 and param.depth == 3 or starred": Some(
        (
            Every((Comparison(">", AUC, Number(0.9)), Comparison("==", DEPTH, Number(3.0)))),
            Flag("starred"),
        )
    ),
    "not starred and starred": Every((Not(Flag("starred")), Flag("starred"))),
    "1 < metric.auc <= 2": Every(
        (Comparison("<", Number(1.0), AUC), Comparison("<=", AUC, Number(2.0)))
    ),
    "2 + 3 * metric.auc ** -2 ** 2 > 0": Comparison(
        ">",
        Arithmetic(
            "+",
            Number(2.0),
            Arithmetic(
                "*",
                Number(3.0),
                Arithmetic("**", AUC, parser.value("-(2 ** 2)")),
            ),
        ),
        Number(0.0),
    ),
    "8 - 4 - 2 > 0": Comparison(
        ">",
        Arithmetic("-", Arithmetic("-", Number(8.0), Number(4.0)), Number(2.0)),
        Number(0.0),
    ),
    'param["a\\n\\"b"] in [1, "x", -2.5]': Among(Field("parameter", 'a\n"b'), (1.0, -2.5), ("x",)),
    "param.depth not in [1]": Not(Among(DEPTH, (1.0,), ())),
    "'x' in name": TextTest("contains", Field("attribute", "name"), "x"),
    "name ~ '^a\\d'": TextTest("matches", Field("attribute", "name"), "^a\\d"),
    "has(metric.auc.max)": Not(Missing(Field("metric", "auc", "max"))),
    "metric.auc.last is None": Missing(AUC),
    "metric.max.max is not None": Not(Missing(Field("metric", "max", "max"))),
    "tag.a.b.max == 'x'": Comparison("==", Field("tag", "a.b.max"), Text("x")),
    "created_at > '1970-01-02'": Comparison(
        ">", Field("attribute", "created_at"), Number(86_400.0)
    ),
    "starred == False": Not(Flag("starred")),
}


@pytest.mark.parametrize("query", MEANINGS)
def test_meaning(query: str) -> None:
    assert parser.condition(query) == MEANINGS[query]


WRONG = {
    "metric.auc > ": ("Expected a field, a number or a text, but the query ends.", 12, 13),
    "param.x = 3": ("Two signs compare: write ==.", 8, 9),
    "starred && starred": ("Write 'and'.", 8, 10),
    "depth > 3": (
        "There is no 'depth'. What a component logged is written metric.depth, param.depth or "
        "tag.depth.",
        0,
        5,
    ),
    "staus == 'x'": (
        "There is no 'staus'; did you mean 'status'? What a component logged is written "
        "metric.staus, param.staus or tag.staus.",
        0,
        5,
    ),
    "metric.auc > 'x'": ("This is a text, and metric.auc is a number.", 13, 16),
    "created_at > 'soon'": (
        'This is no time: write "2026-11-21", "2026-11-21T14:30", or ago("2d").',
        13,
        19,
    ),
    "(starred": ("Expected a closing parenthesis, but the query ends.", 7, 8),
    "param.x": ("A condition is missing: param.x > 1, or has(param.x).", 0, 7),
    "name.matches('(')": (
        "This is no regular expression: missing ) at position 1.",
        13,
        16,
    ),
    "name.matches('((a{99}){99}){99}')": (
        "This is no regular expression: it repeats too often, and would take all memory.",
        13,
        32,
    ),
    "'abc": ("This text has no end: another quotation mark is missing.", 0, 4),
    "param.x == None": ("None stands only behind 'is': metric.auc is None.", 11, 15),
    "log(name) > 1": ("name is a text; a number is needed.", 4, 8),
    "lgo(1) > 1": ("There is no function lgo(); did you mean 'log'?", 0, 3),
    "param.x in 3": ("A list stands behind 'in': param.depth in [3, 5].", 11, 12),
    "metric > 1": ('Which? Write metric.NAME, or metric["any name"].', 0, 6),
    "__import__('os')": ("There is no function __import__().", 0, 10),
    "name == '\\u0000'": ("A text has no such character.", 8, 16),
    "\U0001f600 > 1": ("A query has no '\U0001f600'.", 0, 1),
}


@pytest.mark.parametrize("query", WRONG)
def test_what_is_wrong(query: str) -> None:
    with pytest.raises(QueryError) as error:
        parser.condition(query)
    assert (error.value.message, error.value.start, error.value.end) == WRONG[query]


@pytest.mark.parametrize(
    "query",
    [
        "(" * 5_000,
        "not " * 5_000 + "starred",
        "-" * 15_000 + "1 > 0",
        "1" + "+1" * 9_000 + "> 0",
        "1" + "**1" * 6_000 + "> 0",
        "starred" + " and starred" * 1_600,
        "[" * 5_000,
        "name" + ".lower()" * 2_400 + " == 'x'",
        "x" * 25_001,
    ],
)
def test_what_is_too_much_is_refused(query: str) -> None:
    with pytest.raises(QueryError):
        parser.condition(query)


@pytest.mark.parametrize(
    "field",
    [
        Field("metric", "val/loss", "min"),
        Field("parameter", 'a "b" \\ \n\t'),
        Field("tag", "loss.max"),
        Field("metric", "max", "max"),
        Field("parameter", "été"),
        Field("parameter", ""),
        Field("attribute", "name"),
        Field("metric", '"' * 10_000, "min"),
    ],
)
def test_what_is_written_is_read(field: Field) -> None:
    assert parser.value(written(field)) == field

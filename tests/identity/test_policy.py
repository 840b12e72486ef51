"""The evaluator against AWS's rules, and against generated policies."""

import json
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from studio.identity import globs, managed
from studio.identity.documents import Malformed, parse
from studio.identity.policy import Question, decide, names


def policy(*statements: dict, form: str = "identity"):
    document = {"Version": "2012-10-17", "Statement": list(statements)}
    return parse(json.dumps(document), form)


def allow(action="s3:GetObject", resource="*", **more):
    return {"Effect": "Allow", "Action": action, "Resource": resource, **more}


def deny(action="s3:GetObject", resource="*", **more):
    return allow(action, resource, **more) | {"Effect": "Deny"}


def asked(action="s3:GetObject", resource="arn:aws:s3:::b/k", foreign=False, **context):
    known = {name.replace("__", ":"): (value,) for name, value in context.items()}
    return Question(action, resource, known, foreign)


def test_nothing_is_allowed_by_itself_and_a_deny_wins():
    assert decide([], asked()) == "implicitDeny"
    assert decide([policy(allow())], asked()) == "allowed"
    for both in ([policy(allow(), deny())], [policy(deny()), policy(allow())]):
        assert decide(both, asked()) == "explicitDeny"


@pytest.mark.parametrize(
    ("action", "resource", "decision"),
    [
        ("s3:*", "*", "allowed"),
        ("S3:getobject", "*", "allowed"),
        ("s3:Get?bject", "arn:aws:s3:::b/*", "allowed"),
        ("s3:PutObject", "*", "implicitDeny"),
        ("s3:GetObject", "arn:aws:s3:::b", "implicitDeny"),
        ("s3:GetObject", "arn:aws:s3:::B/*", "implicitDeny"),
        (["iam:*", "s3:G*"], ["arn:aws:s3:::a/*", "arn:aws:s3:::b/?"], "allowed"),
    ],
)
def test_actions_and_resources(action, resource, decision):
    assert decide([policy(allow(action, resource))], asked()) == decision


def test_not_action_and_not_resource():
    spared = {"Effect": "Allow", "NotAction": "iam:*", "NotResource": "arn:aws:s3:::secret/*"}
    assert decide([policy(spared)], asked()) == "allowed"
    assert decide([policy(spared)], asked("iam:GetRole")) == "implicitDeny"
    assert decide([policy(spared)], asked(resource="arn:aws:s3:::secret/k")) == "implicitDeny"


@pytest.mark.parametrize(
    ("condition", "context", "holds"),
    [
        ({"StringEquals": {"s3:prefix": ["a/", "b/"]}}, {"s3__prefix": "b/"}, True),
        ({"StringEquals": {"S3:Prefix": "a/"}}, {"s3__prefix": "a/x"}, False),
        ({"StringEquals": {"s3:prefix": "a/"}}, {}, False),
        ({"StringEqualsIfExists": {"s3:prefix": "a/"}}, {}, True),
        ({"StringNotEquals": {"s3:prefix": "a/"}}, {}, True),
        ({"StringNotEquals": {"s3:prefix": ["a/", "b/"]}}, {"s3__prefix": "b/"}, False),
        ({"StringLike": {"s3:prefix": "a/*"}}, {"s3__prefix": "a/x"}, True),
        ({"StringEquals": {"s3:prefix": "a/*"}}, {"s3__prefix": "a/x"}, False),
        ({"StringNotLike": {"s3:prefix": "a/*"}}, {"s3__prefix": "a/x"}, False),
        ({"StringEqualsIgnoreCase": {"s3:prefix": "A"}}, {"s3__prefix": "a"}, True),
        ({"NumericLessThan": {"s3:max-keys": "10"}}, {"s3__max-keys": "9"}, True),
        ({"NumericLessThan": {"s3:max-keys": 10}}, {"s3__max-keys": "ten"}, False),
        ({"NumericGreaterThanEquals": {"s3:max-keys": 10}}, {"s3__max-keys": "10"}, True),
        ({"DateGreaterThan": {"aws:t": "2020-01-01T00:00:00Z"}}, {"aws__t": "2021-01-01"}, True),
        ({"DateLessThan": {"aws:t": "1577836800"}}, {"aws__t": "2021-01-01T00:00:00Z"}, False),
        ({"Bool": {"aws:SecureTransport": False}}, {"aws__securetransport": "false"}, True),
        ({"IpAddress": {"aws:SourceIp": "10.0.0.0/8"}}, {"aws__sourceip": "10.1.2.3"}, True),
        ({"NotIpAddress": {"aws:SourceIp": "10.0.0.0/8"}}, {"aws__sourceip": "10.1.2.3"}, False),
        ({"IpAddress": {"aws:SourceIp": "10.0.0.0/8"}}, {"aws__sourceip": "no"}, False),
        (
            {"ArnLike": {"aws:a": "arn:aws:iam::1:role/x*"}},
            {"aws__a": "arn:aws:iam::1:role/xy"},
            True,
        ),
        ({"ArnLike": {"aws:a": "arn:*:role/x"}}, {"aws__a": "arn:aws:iam::1:role/x"}, False),
        ({"Null": {"s3:prefix": "true"}}, {}, True),
        ({"Null": {"s3:prefix": True}}, {"s3__prefix": "a"}, False),
        ({"ForAllValues:StringEquals": {"aws:TagKeys": "a"}}, {}, True),
        ({"ForAnyValue:StringEquals": {"aws:TagKeys": "a"}}, {}, False),
    ],
)
def test_conditions(condition, context, holds):
    found = decide([policy(allow(Condition=condition))], asked(**context))
    assert found == ("allowed" if holds else "implicitDeny")


def test_every_condition_must_hold():
    both = {"StringEquals": {"a:x": "1", "a:y": "2"}, "Bool": {"a:z": "true"}}
    given_all = {"a__x": "1", "a__y": "2", "a__z": "true"}
    assert decide([policy(allow(Condition=both))], asked(**given_all)) == "allowed"
    for name in given_all:
        fewer = {key: value for key, value in given_all.items() if key != name}
        assert decide([policy(allow(Condition=both))], asked(**fewer)) == "implicitDeny"


def test_many_values_of_a_key():
    question = Question("s3:GetObject", "*", {"aws:tagkeys": ("a", "b")})
    every = policy(allow(Condition={"ForAllValues:StringEquals": {"aws:TagKeys": ["a", "b", "c"]}}))
    assert decide([every], question) == "allowed"
    some = policy(allow(Condition={"ForAnyValue:StringEquals": {"aws:TagKeys": "b"}}))
    assert decide([some], question) == "allowed"
    only = policy(allow(Condition={"ForAllValues:StringEquals": {"aws:TagKeys": "b"}}))
    assert decide([only], question) == "implicitDeny"


def test_variables():
    own = policy(allow(resource="arn:aws:s3:::home/${aws:username}/*"))
    key = "arn:aws:s3:::home/ann/x"
    assert decide([own], asked(resource=key, aws__username="ann")) == "allowed"
    assert decide([own], asked(resource=key, aws__username="*")) == "implicitDeny"
    assert decide([own], asked(resource="arn:aws:s3:::home//x")) == "implicitDeny"
    literal = policy(allow(resource="arn:aws:s3:::home/${*}"))
    assert decide([literal], asked(resource="arn:aws:s3:::home/*")) == "allowed"
    assert decide([literal], asked(resource="arn:aws:s3:::home/x")) == "implicitDeny"


def test_principals_of_trust_policies():
    def trusts(principal):
        statement = {"Effect": "Allow", "Principal": principal, "Action": "sts:AssumeRole"}
        asker = (("AWS", "arn:aws:iam::1:user/ann"), ("AWS", "1"))
        question = Question("sts:AssumeRole", "r", principals=asker)
        return decide([policy(statement, form="trust")], question) == "allowed"

    assert trusts({"AWS": "arn:aws:iam::1:user/ann"})
    assert trusts({"AWS": ["2", "1"]})
    assert trusts("*")
    assert not trusts({"AWS": "arn:aws:iam::1:user/*"})
    assert not trusts({"Service": "sagemaker.amazonaws.com"})
    assert not trusts({"Service": "*"})


def test_what_is_somebody_elses_must_be_named():
    for resource, allowed in {
        "*": False,
        "arn:aws:s3:::*": False,
        "arn:aws:s3:::*/k": False,
        "arn:aws:s3:::b/*": True,
        "arn:aws:s3:::b*": True,
    }.items():
        found = decide([policy(allow(resource=resource))], asked(foreign=True))
        assert (found == "allowed") == allowed, resource
    everything = policy(allow("*", "*"))
    assert decide([everything], asked(foreign=True)) == "allowed"
    spared = {"Effect": "Allow", "Action": "s3:*", "NotResource": "arn:aws:s3:::x"}
    assert decide([policy(spared)], asked(foreign=True)) == "implicitDeny"
    assert decide([policy(allow("*", "*"), deny())], asked(foreign=True)) == "explicitDeny"
    assert names("arn:aws:sagemaker:*:*:endpoint/ann-*")
    assert not names("arn:aws:sagemaker:*:*:endpoint/*")
    assert names("arn:aws:logs:*:*:log-group:/aws/sagemaker/Endpoints/e:*")


@pytest.mark.parametrize(
    "text",
    [
        "",
        "[]",
        "{}",
        "{",
        '{"Statement": []}',
        '{"Statement": "x"}',
        '{"Version": "2013-01-01", "Statement": []}',
        '{"Statement": [], "Statement": []}',
        "[" * 100_000,
        '{"Statement": ' + "9" * 100_000 + "}",
        '{"Statement": NaN}',
    ],
)
def test_what_is_no_policy(text):
    with pytest.raises(Malformed):
        parse(text)


@pytest.mark.parametrize(
    "statement",
    [
        allow() | {"Colour": "red"},
        allow() | {"Effect": "Maybe"},
        {"Action": "s3:*", "Resource": "*"},
        {"Effect": "Allow", "Resource": "*"},
        {"Effect": "Allow", "Action": "s3:*"},
        allow() | {"NotAction": "s3:*"},
        allow() | {"NotResource": "*"},
        allow("GetObject"),
        allow("s3:Get Object"),
        allow([]),
        allow(7),
        allow(resource="b/*"),
        allow(resource=[]),
        allow() | {"Principal": "*"},
        allow() | {"Sid": 3},
        allow(Condition=[]),
        allow(Condition={"StringEquals": "x"}),
        allow(Condition={"Matches": {"a:b": "c"}}),
        allow(Condition={"Some:StringEquals": {"a:b": "c"}}),
        allow(Condition={"NumericEquals": {"a:b": "many"}}),
        allow(Condition={"DateEquals": {"a:b": "soon"}}),
        allow(Condition={"IpAddress": {"a:b": "300.1.1.1"}}),
        allow(Condition={"Bool": {"a:b": "perhaps"}}),
        allow(Condition={"StringEquals": {"a:b": {}}}),
    ],
)
def test_what_is_no_statement(statement):
    with pytest.raises(Malformed):
        policy(statement)


def test_forms():
    with pytest.raises(Malformed, match="prohibited field Resource"):
        policy(allow() | {"Principal": "*"}, form="trust")
    with pytest.raises(Malformed, match="Missing required field Principal"):
        policy(allow(), form="resource")
    with pytest.raises(Malformed, match="SID"):
        policy(allow(Sid="a"), allow(Sid="a"))
    assert policy(allow() | {"Principal": {"AWS": "1"}}, form="resource")


def test_every_managed_policy_is_one():
    for text in managed.POLICIES.values():
        assert parse(text)


_PATTERN = st.text(st.sampled_from("ab*?"), max_size=10)
_TEXT = st.text(st.sampled_from("ab*?"), max_size=12)


@given(_PATTERN, _TEXT)
def test_globs_as_regular_expressions(pattern, text):
    expression = re.escape(pattern).replace(r"\*", ".*").replace(r"\?", ".")
    assert globs.matches(pattern, text) == bool(re.fullmatch(expression, text, re.DOTALL))


@given(_TEXT, _TEXT)
def test_what_is_escaped_matches_itself_only(text, other):
    assert globs.matches(globs.escaped(text), text)
    assert globs.matches(globs.escaped(text), other) == (text == other)


def test_a_hostile_glob_costs_nothing():
    assert not globs.matches("*a" * 200 + "b", "a" * 20_000)


_STATEMENTS = st.lists(
    st.builds(
        lambda effect, action, resource: {
            "Effect": effect,
            "Action": f"s3:{action}",
            "Resource": f"arn:aws:s3:::{resource}",
        },
        st.sampled_from(["Allow", "Deny"]),
        st.sampled_from(["*", "Get*", "GetObject", "PutObject"]),
        st.sampled_from(["*", "b/*", "b/k", "c/*"]),
    ),
    max_size=6,
)


@given(_STATEMENTS, _STATEMENTS, st.booleans())
def test_laws(some, more, foreign):
    """Any Deny that applies wins, more Denies never allow, order and grouping do not matter."""
    question = asked(foreign=foreign)
    one, two = policy(*some) if some else (), policy(*more) if more else ()
    together = decide([one, two], question)
    assert together == decide([two, one], question)
    assert together == decide([(*two, *one)], question)
    parts = {decide([one], question), decide([two], question)}
    if "explicitDeny" in parts:
        assert together == "explicitDeny"
    else:
        assert together == ("allowed" if "allowed" in parts else "implicitDeny")
    if foreign and together == "allowed":
        assert decide([one, two], asked()) == "allowed"


@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.text(),
        lambda inner: (
            st.lists(inner)
            | st.dictionaries(
                st.sampled_from(
                    [
                        "Version",
                        "Statement",
                        "Effect",
                        "Action",
                        "Resource",
                        "Condition",
                        "Principal",
                        "StringEquals",
                    ]
                )
                | st.text(max_size=3),
                inner,
            )
        ),
    )
)
def test_any_json_is_a_policy_or_malformed(document):
    for form in ("identity", "trust", "resource"):
        try:
            assert parse(json.dumps(document), form)
        except Malformed:
            pass

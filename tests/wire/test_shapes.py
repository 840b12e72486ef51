"""Every kind of value and constraint, against the real models."""

import json
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from botocore.model import Shape, ShapeResolver
from hypothesis import given
from hypothesis import strategies as st

from studio.errors import ApiError, ValidationException
from studio.wire import models, patterns, shapes

SHAPES = {
    "Thing": {
        "type": "structure",
        "required": ["Name"],
        "members": {
            "Name": {"shape": "Name"},
            "Colour": {"shape": "Colour"},
            "Size": {"shape": "Size"},
            "Weight": {"shape": "Weight"},
            "When": {"shape": "When"},
            "Data": {"shape": "Data"},
            "On": {"shape": "On"},
            "Words": {"shape": "Words"},
            "Things": {"shape": "Things"},
            "Env": {"shape": "Env"},
            "Choice": {"shape": "Choice"},
            "Kind": {"shape": "FancyInstanceType"},
            "Hidden": {"shape": "Hidden"},
        },
    },
    "Name": {"type": "string", "pattern": "[a-z]+", "min": 1, "max": 5},
    "Colour": {"type": "string", "enum": ["red", "blue"]},
    "FancyInstanceType": {"type": "string", "enum": ["ml.a", "ml.b"]},
    "Hidden": {"type": "string", "max": 3, "sensitive": True},
    "Size": {"type": "integer", "min": 1, "max": 10},
    "Weight": {"type": "double", "max": 2},
    "When": {"type": "timestamp"},
    "Data": {"type": "blob", "max": 4},
    "On": {"type": "boolean"},
    "Words": {"type": "list", "member": {"shape": "Name"}, "max": 2},
    "Things": {"type": "list", "member": {"shape": "Thing"}},
    "Env": {"type": "map", "key": {"shape": "Name"}, "value": {"shape": "Name"}, "max": 2},
    "Choice": {
        "type": "structure",
        "union": True,
        "members": {"A": {"shape": "Size"}, "B": {"shape": "Name"}},
    },
}


def shape(name: str = "Thing") -> Shape:
    return ShapeResolver(SHAPES).get_shape_by_name(name)


def load(**members: Any) -> dict[str, Any]:
    return shapes.load(shape(), {"Name": "a"} | members)


def message(**members: Any) -> str:
    with pytest.raises(ValidationException) as caught:
        load(**members)
    return caught.value.message


def prefix(count: int = 1) -> str:
    return f"{count} validation error{'s' if count > 1 else ''} detected: "


def test_unknown_members_and_nulls_are_dropped():
    assert load(Other={"a": 1}, Colour=None) == {"Name": "a"}


def test_violations_are_told_all_at_once_in_the_words_of_aws():
    assert message(Name="x!!xxx") == (
        "2 validation errors detected: "
        "Value 'x!!xxx' at 'name' failed to satisfy constraint: "
        "Member must satisfy regular expression pattern: [a-z]+; "
        "Value 'x!!xxx' at 'name' failed to satisfy constraint: "
        "Member must have length less than or equal to 5"
    )


def test_training_job_name_as_aws_words_it():
    model = models.operation_model("sagemaker", "DescribeTrainingJob")
    with pytest.raises(ValidationException) as caught:
        shapes.load(model.input_shape, {"TrainingJobName": "x!!" + "y" * 70})
    text = caught.value.message
    assert text.startswith(prefix(2) + "Value 'x!!yyy")
    assert "at 'trainingJobName' failed to satisfy constraint: Member must satisfy regular" in text
    assert text.endswith("Member must have length less than or equal to 63")


@pytest.mark.parametrize(
    ("members", "text"),
    [
        (
            {"Name": None},
            "Value null at 'name' failed to satisfy constraint: Member must not be null",
        ),
        (
            {"Colour": "grey"},
            "Value 'grey' at 'colour' failed to satisfy constraint: "
            "Member must satisfy enum value set: [red, blue]",
        ),
        (
            {"Size": 0},
            "Value '0' at 'size' failed to satisfy constraint: "
            "Member must have value greater than or equal to 1",
        ),
        (
            {"Weight": 2.5},
            "Value '2.5' at 'weight' failed to satisfy constraint: "
            "Member must have value less than or equal to 2",
        ),
        (
            {"Words": ["a", "b", "c"]},
            "Value '[a, b, c]' at 'words' failed to satisfy constraint: "
            "Member must have length less than or equal to 2",
        ),
        (
            {"Words": ["a", "B"]},
            "Value '[a, B]' at 'words' failed to satisfy constraint: Member must satisfy "
            "constraint: [Member must satisfy regular expression pattern: [a-z]+, Member must "
            "have length less than or equal to 5, Member must have length greater than or equal "
            "to 1]",
        ),
        (
            {"Things": [{"Name": "a"}, {"Name": "a", "Size": 11}]},
            "Value '11' at 'things.2.member.size' failed to satisfy constraint: "
            "Member must have value less than or equal to 10",
        ),
        (
            {"Env": {"a": "B"}},
            "Value '{a=B}' at 'env' failed to satisfy constraint: Map value must satisfy "
            "constraint: [Member must satisfy regular expression pattern: [a-z]+, Member must "
            "have length less than or equal to 5, Member must have length greater than or equal "
            "to 1]",
        ),
        (
            {"Choice": {"A": 1, "B": "b"}},
            "Value '{A=1, B=b}' at 'choice' failed to satisfy constraint: "
            "Exactly one of [A, B] must be set",
        ),
        (
            {"Hidden": "secret"},
            "Value '***' at 'hidden' failed to satisfy constraint: "
            "Member must have length less than or equal to 3",
        ),
    ],
)
def test_each_constraint(members, text):
    assert message(**members) == prefix() + text


def test_map_keys_are_constrained():
    assert "Map keys must satisfy constraint: [" in message(Env={"A": "b"})


def test_long_values_are_not_sent_back_whole():
    assert len(message(Name="x" * 1_000_000)) < 3_000


def test_new_instance_types_are_welcome():
    assert load(Kind="ml.z99.metal")["Kind"] == "ml.z99.metal"


@pytest.mark.parametrize(
    ("given_value", "milliseconds"),
    [
        (1529870369.986, 1529870369986),
        (0, 0),
        (-1.5, -1500),
        ("2018-06-24T19:59:29.986Z", 1529870369986),
        ("2018-06-24T21:59:29.986+02:00", 1529870369986),
        ("2018-06-24T19:59:29.986", 1529870369986),
    ],
)
def test_timestamps(given_value, milliseconds):
    assert load(When=given_value)["When"] == milliseconds


@given(st.integers(-62_000_000_000_000, 250_000_000_000_000))
def test_timestamps_survive_the_wire(milliseconds):
    sent = json.loads(json.dumps(shapes.dump(shape(), {"When": milliseconds})))
    assert load(**sent)["When"] == milliseconds


@pytest.mark.parametrize(
    "members",
    [
        {"Name": 1},
        {"Name": True},
        {"Name": ["a"]},
        {"Name": {"a": "b"}},
        {"Size": "1"},
        {"Size": 1.5},
        {"Size": True},
        {"Size": 2**31},
        {"Weight": "1"},
        {"Weight": float("inf")},
        {"Weight": 10**400},
        {"On": "true"},
        {"On": 1},
        {"When": "soon"},
        {"When": True},
        {"When": 1e18},
        {"Data": "not base64!"},
        {"Words": "a"},
        {"Words": [1]},
        {"Words": [None]},
        {"Env": []},
        {"Things": {}},
        {"Choice": "A"},
    ],
)
def test_wrong_types(members):
    with pytest.raises(ApiError) as caught:
        load(**members)
    assert caught.value.code == "SerializationException"
    assert " at '" in caught.value.message


def test_values_of_every_kind_come_through():
    sent = {
        "Name": "abc",
        "Colour": "red",
        "Size": 10.0,
        "Weight": 1,
        "When": 1.5,
        "Data": "AAEC",
        "On": False,
        "Words": ["a"],
        "Things": [{"Name": "b"}],
        "Env": {"k": "v"},
        "Choice": {"B": "b"},
    }
    document = shapes.load(shape(), sent)
    assert (document["Size"], document["When"], document["Data"]) == (10, 1500, b"\x00\x01\x02")
    assert shapes.dump(shape(), document) == sent


def test_dump_leaves_out_what_the_shape_lacks():
    assert shapes.dump(shape(), {"Name": "a", "Spec": 1, "Colour": None}) == {"Name": "a"}


def test_threads_that_meet_a_shape_at_once_write_all_of_it(monkeypatch):
    slow = shapes.wire_name
    begun = threading.Event()

    def wire_name(member: Shape, name: str) -> str:
        begun.set()
        time.sleep(0.01)
        return slow(member, name)

    monkeypatch.setattr(shapes, "wire_name", wire_name)
    thing, document = shape(), {"Name": "a", "Size": 1, "On": True, "Words": ["b"]}
    with ThreadPoolExecutor(1) as pool:
        first = pool.submit(shapes.dump, thing, document)
        begun.wait(10)
        time.sleep(0.03)
        assert shapes.dump(thing, document) == first.result() == document


def test_a_model_is_read_once_by_all_who_ask_at_once(monkeypatch):
    monkeypatch.delitem(models._models, "sts", raising=False)
    with ThreadPoolExecutor(4) as pool:
        found = list(pool.map(models.service_model, ["sts"] * 4))
    assert all(each is found[0] for each in found)


def test_every_pattern_of_our_services_has_a_meaning():
    known = ("sagemaker", "sagemaker-runtime", "logs", "sts", "iam")
    skipped = {
        pattern
        for service in known
        for name in models.service_model(service).shape_names
        if (pattern := models.service_model(service).shape_for(name).metadata.get("pattern"))
        and patterns.compile_java(pattern) is None
    }
    assert skipped == set()


@pytest.mark.parametrize(
    ("pattern", "good", "bad"),
    [
        ("[a-z]+", ["abc"], ["abc\n", "xabc!", ""]),
        ("^[a-z]+$", ["abc"], ["abc\n"]),
        (r"\d+", ["12"], ["\u0661"]),
        (r"[\w-_]*", ["a-_"], ["\u00e9", "a b"]),
        (r"[\S\s]*", ["\u00a0 x\n\u00e9"], []),
        (r"[\p{L}\p{N}]*", ["\u00e91"], ["!"]),
        (r"[\p{Print}]*", ["~ "], ["\u00e9", "\t"]),
        (r"\p{ASCII}*", ["\t~"], ["\u00e9"]),
        (r"[\u0020-\uD7FF\uE000-\uFFFD\uD800\uDC00-\uDBFF\uDFFF\t]*", ["a\U0001f600"], ["\n"]),
    ],
)
def test_patterns_mean_what_java_means(pattern, good, bad):
    assert all(patterns.matches(pattern, value) for value in good)
    assert not any(patterns.matches(pattern, value) for value in bad)


def test_patterns_that_explode_are_cut_short():
    # Without a limit this runs longer than any test may.
    assert not patterns.matches("(a|aa)+", "a" * 80 + "b")


def test_every_operation_can_be_loaded_and_dumped():
    for service in ("sagemaker", "logs", "sts", "iam"):
        for name in models.service_model(service).operation_names:
            operation = models.operation_model(service, name)
            if operation.input_shape is not None:
                example = minimal(operation.input_shape)
                # Patterns are not met by "a": nothing else may be wrong.
                complaint = complaint_about(operation.input_shape, example)
                assert not complaint or "pattern" in complaint
            if operation.output_shape is not None:
                assert shapes.dump(operation.output_shape, {}) == {}


def complaint_about(wanted: Shape, value: Any) -> str:
    try:
        shapes.load(wanted, value)
    except ValidationException as error:
        return error.message
    return ""


def minimal(wanted: Shape) -> Any:
    """A value with all required members and nothing else."""
    facts = wanted.metadata
    match wanted.type_name:
        case "structure":
            names = wanted.required_members or list(wanted.members)[: wanted.is_tagged_union]
            return {
                shapes.wire_name(wanted.members[n], n): minimal(wanted.members[n]) for n in names
            }
        case "list":
            return [minimal(wanted.member)] * facts.get("min", 1)
        case "map":
            return {minimal(wanted.key): minimal(wanted.value)}
        case "string":
            return facts["enum"][0] if "enum" in facts else "a" * max(1, facts.get("min", 1))
        case "boolean":
            return True
        case "blob":
            return "AAAA"
    return max(facts.get("min", 0), 0)

"""Forms and XML against botocore's own serializer and parser."""

from datetime import UTC, datetime
from typing import Any
from urllib.parse import urlencode

import pytest
from botocore.parsers import create_parser
from botocore.serialize import create_serializer
from hypothesis import given
from hypothesis import strategies as st

from studio.errors import ApiError
from studio.wire import models, protocols, query

# What XML and forms can carry: no control characters, no lone surrogates.
text = st.text(st.characters(codec="utf-8", categories=("L", "N", "P", "S", "Zs")), max_size=20)
XML = {"Content-Type": "text/xml"}


def through_a_form(operation: str, params: dict[str, Any], service: str = "iam") -> Any:
    model = models.operation_model(service, operation)
    assert model is not None
    assert model.input_shape is not None
    sent = create_serializer("query", include_validation=False).serialize_to_request(params, model)[
        "body"
    ]
    form = query.parse_form(urlencode(sent))
    assert form.pop("Action") == operation
    return query.unflatten(model.input_shape, form)


@given(
    st.lists(st.fixed_dictionaries({"Key": text, "Value": text}), max_size=12),
    text,
    st.integers(3600, 43200),
)
def test_forms_of_botocore_are_understood(tags, name, seconds):
    params = {
        "RoleName": name,
        "AssumeRolePolicyDocument": "{}",
        "MaxSessionDuration": seconds,
        "Tags": tags,
    }
    assert through_a_form("CreateRole", params) == params


@given(st.lists(text, max_size=12))
def test_lists_keep_their_order(actions):
    params = {"PolicySourceArn": "arn:aws:iam::000000000000:role/r", "ActionNames": actions}
    assert through_a_form("SimulatePrincipalPolicy", params) == params


def test_booleans_and_numbers_have_their_types():
    assert through_a_form("ListPolicies", {"OnlyAttached": True, "MaxItems": 7}) == {
        "OnlyAttached": True,
        "MaxItems": 7,
    }


@given(text, text, st.integers(0, 4_000_000_000))
def test_xml_is_understood_by_botocore(name, description, seconds):
    model = models.operation_model("iam", "GetRole")
    assert model is not None
    role = {
        "Path": "/",
        "RoleName": name,
        "RoleId": "AROA",
        "Arn": "arn:aws:iam::000000000000:role/r",
        "CreateDate": seconds * 1000,
        "Description": description,
        "MaxSessionDuration": 3600,
        "Tags": [{"Key": "<&>", "Value": name}],
    }
    answer = protocols.query_response(model, {"Role": role}, "id-1")
    parsed = create_parser("query").parse(
        {"body": answer.body, "headers": XML, "status_code": 200}, model.output_shape
    )
    assert parsed["ResponseMetadata"]["RequestId"] == "id-1"
    wanted = role | {"CreateDate": datetime.fromtimestamp(seconds, UTC)}
    assert parsed["Role"] == wanted


@given(st.text(), st.sampled_from([400, 404, 500]))
def test_errors_are_understood_by_botocore(message, status):
    error = ApiError("ValidationException", message, status)
    answer = protocols.query_error(error, "https://sts.amazonaws.com/doc/2011-06-15/", "id-2")
    parsed = create_parser("query").parse(
        {"body": answer.body, "headers": XML, "status_code": status}, None
    )
    assert parsed["Error"]["Code"] == "ValidationError"
    assert parsed["Error"]["Type"] == ("Receiver" if status == 500 else "Sender")
    assert parsed["ResponseMetadata"]["RequestId"] == "id-2"


@pytest.mark.parametrize(
    "form",
    ["Tags.member.x.Key=a", "Tags.1.Key=a", "Tags.member=a&Tags.member.1.Key=b", "a=1&a=2"],
)
def test_forms_that_mean_nothing(form):
    model = models.operation_model("iam", "TagRole")
    assert model is not None
    assert model.input_shape is not None
    with pytest.raises(ApiError) as caught:
        query.unflatten(model.input_shape, query.parse_form(form))
    assert caught.value.code == "MalformedQueryString"


def test_targets_are_those_of_the_models():
    for prefix, service in protocols.JSON_TARGETS.items():
        assert models.service_model(service).metadata["targetPrefix"] == prefix
    for signed, service in protocols.QUERY_SERVICES.items():
        model = models.service_model(service)
        assert "query" in (model.protocol, *model.metadata["protocols"])
        assert model.signing_name == signed

"""Logs and series of jobs: of others' nobody learns anything, unless a policy names the job."""

import pytest
from botocore.exceptions import ClientError
from people_of import equip, user

CALLS = {
    "describe_log": {},
    "get_log_lines": {"Start": 0},
    "read_log": {"Start": 0},
    "search_log": {"Query": "secret"},
    "get_metric_series": {},
}


@pytest.fixture(scope="module", name="ann")
def ann_fixture(plane):
    ann = user(plane, "ann", "AmazonSageMakerFullAccess", "AmazonS3FullAccess")
    equip(ann, "ann")
    return ann


def of_ann(kind: str) -> dict[str, str]:
    return {"Kind": kind, "Name": "ann-job" if kind == "training-job" else "ann-endpoint"}


@pytest.mark.parametrize("call", CALLS)
@pytest.mark.parametrize("kind", ["training-job", "endpoint"])
def test_of_others_nobody_learns_anything(plane, ann, call, kind):
    bob = user(plane, f"bob-{kind}-{call}", "AmazonSageMakerFullAccess")
    with pytest.raises(ClientError) as refused:
        getattr(bob.client("studio"), call)(**of_ann(kind), **CALLS[call])
    assert "not found" in str(refused.value) or "Could not find" in str(refused.value)
    told = ann.client("studio").describe_log(**of_ann(kind))
    assert told["Streams"] == []


def test_the_owner_of_the_home_sees_all(plane, ann):
    assert plane.client("studio").describe_log(**of_ann("training-job"))["Lines"] == 0


@pytest.mark.parametrize("call", CALLS)
def test_an_action_is_needed(plane, ann, call):
    carl = user(plane, f"carl-{call}", "AmazonS3FullAccess")
    action = "".join(part.capitalize() for part in call.split("_"))
    with pytest.raises(ClientError, match=f"studio:{action}"):
        getattr(carl.client("studio"), call)(**of_ann("training-job"), **CALLS[call])


def test_who_may_only_look_may_read_logs_too(plane):
    dora = user(plane, "dora", "AmazonSageMakerReadOnly")
    for call, request in CALLS.items():
        with pytest.raises(ClientError, match="not found"):
            getattr(dora.client("studio"), call)(**of_ann("training-job"), **request)

"""Who sees where a job came from."""

import pytest
from botocore.exceptions import ClientError
from people_of import allow, document, equip, user

CELL = {"Id": "0a1b2c3d", "Source": "fit()", "SourceLength": 5, "ExecutionCount": 7}
ORIGIN = {"Kind": "notebook", "Path": "/home/ann/trees.ipynb", "Cell": CELL}
ARN = "arn:aws:sagemaker:us-east-1:000000000000:training-job/ann-job"


@pytest.fixture(scope="module", name="ann")
def ann_fixture(plane):
    ann = user(plane, "ann", "AmazonSageMakerFullAccess", "AmazonS3FullAccess")
    equip(ann, "ann")
    ann.client("studio").put_provenance(Arn=ARN, Provenance=ORIGIN)
    return ann


def jobs_of_cell(person):
    found = person.client("studio").list_cell_jobs(CellIds=["0a1b2c3d"])["Jobs"]
    return [(it["Name"], it["NotebookPath"], it["ExecutionCount"]) for it in found]


def test_whose_it_is_and_the_owner_of_the_home(plane, ann):
    for person in (ann, plane):
        found = person.client("studio").get_provenance(Arn=ARN)["Provenance"]
        assert {**found, "RecordedAt": None} == {**ORIGIN, "RecordedAt": None}
        assert jobs_of_cell(person) == [("ann-job", "/home/ann/trees.ipynb", 7)]


def test_others_hear_nothing(plane, ann):
    bob = user(plane, "bob", "AmazonSageMakerFullAccess")
    with pytest.raises(ClientError, match="Could not find"):
        bob.client("studio").get_provenance(Arn=ARN)
    with pytest.raises(ClientError, match="Could not find"):
        bob.client("studio").put_provenance(Arn=ARN, Provenance=ORIGIN)
    assert jobs_of_cell(bob) == []


def test_a_policy_that_names_the_job_shows_it(plane, ann):
    policy = document(allow("studio:GetProvenance", [ARN, "*"]))
    carl = user(plane, "carl", policy=policy)
    assert carl.client("studio").get_provenance(Arn=ARN)["Provenance"]["Kind"] == "notebook"


@pytest.mark.parametrize(
    "change",
    [
        {"Kind": "oracle"},
        {"Path": "a\0b"},
        {"Cell": {"Source": "x" * 65_537}},
        {"Git": {"Root": "/", "Patch": "x" * 262_145}},
    ],
)
def test_refusals(plane, ann, change):
    with pytest.raises(ClientError, match="ValidationException"):
        plane.client("studio").put_provenance(Arn=ARN, Provenance={**ORIGIN, **change})

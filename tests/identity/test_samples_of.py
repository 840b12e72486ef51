"""Who is shown rows that a model was trained on: only who may read them."""

import pytest
from botocore.exceptions import ClientError
from people_of import IMAGE, ROLE, allow, document, equip, user

PREFIX = "arn:aws:sagemaker:us-east-1:000000000000"
NAMED = [f"{PREFIX}:model/ann-trained", f"{PREFIX}:training-job/ann-job", "*"]
LOOK = allow("studio:GetSampleRequest", NAMED)


@pytest.fixture(scope="module", name="ann")
def ann_fixture(plane):
    """She has a model `ann-trained` of the job `ann-job`."""
    ann = user(plane, "ann", "AmazonSageMakerFullAccess", "AmazonS3FullAccess")
    equip(ann, "ann")
    artifact = "out/ann-job/output/model.tar.gz"
    s3 = ann.client("s3")
    s3.put_object(Bucket="ann-data", Key="train/rows.csv", Body=b"1 0:0.5 3:2\n")
    s3.put_object(Bucket="ann-data", Key=artifact, Body=b"model")
    ann.client("sagemaker").create_model(
        ModelName="ann-trained",
        ExecutionRoleArn=ROLE,
        PrimaryContainer={"Image": IMAGE, "ModelDataUrl": f"s3://ann-data/{artifact}"},
    )
    return ann


def sample(person):
    return person.client("studio").get_sample_request(ModelName="ann-trained")


def test_whose_they_are_and_the_owner_of_the_home(plane, ann):
    for person in (ann, plane):
        assert sample(person)["Samples"] == [{"ContentType": "text/libsvm", "Body": "0:0.5 3:2"}]


def test_others_do_not_find_the_model(plane, ann):
    bob = user(plane, "bob", "AmazonSageMakerFullAccess", "AmazonS3FullAccess")
    with pytest.raises(ClientError, match="Could not find model"):
        sample(bob)


def test_who_may_see_the_model_and_not_the_data_gets_no_row(plane, ann):
    carl = user(plane, "carl", policy=document(LOOK))
    found = sample(carl)
    assert (found["Origin"], found["Samples"]) == ("None", [])
    assert "not authorized" in found["Message"] or "Access Denied" in found["Message"]


def test_who_may_see_both_gets_them(plane, ann):
    data = allow(["s3:GetObject", "s3:ListBucket"], ["arn:aws:s3:::ann-data*"])
    dora = user(plane, "dora", policy=document(LOOK, data))
    assert sample(dora)["Origin"] == "TrainingData"

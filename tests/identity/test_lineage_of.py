"""Lineage of several users: each sees their own."""

import pytest
from botocore.exceptions import ClientError
from people_of import allow, document, equip, user


def test_everybody_has_lineage_of_their_own(plane):
    people = [
        user(plane, name, "AmazonSageMakerFullAccess", "AmazonS3FullAccess")
        for name in ("liam", "lena")
    ]
    for person, name in zip(people, ("liam", "lena"), strict=True):
        equip(person, name)
    [mine], [hers] = (
        person.client("sagemaker").list_artifacts(ArtifactType="Image")["ArtifactSummaries"]
        for person in people
    )
    assert mine["ArtifactArn"] != hers["ArtifactArn"]
    missing = people[0].client("sagemaker").exceptions.ResourceNotFound
    with pytest.raises(missing):
        people[0].client("sagemaker").query_lineage(StartArns=[hers["ArtifactArn"]])
    with pytest.raises(missing):
        people[0].client("sagemaker").add_association(
            SourceArn=mine["ArtifactArn"], DestinationArn=hers["ArtifactArn"]
        )
    shown = people[0].client("studio").describe_lineage(Arns=[hers["ArtifactArn"]])
    assert (shown["Total"], shown["Vertices"]) == (0, [])


def test_a_policy_may_name_an_artifact(plane):
    owner = plane.client("sagemaker")
    shared, other = (
        owner.create_artifact(Source={"SourceUri": f"s3://shared/{name}"}, ArtifactType="DataSet")
        for name in ("this", "other")
    )
    policy = document(allow("sagemaker:DescribeArtifact", shared["ArtifactArn"]))
    reader = user(plane, "lois", policy=policy).client("sagemaker")
    found = reader.describe_artifact(ArtifactArn=shared["ArtifactArn"])
    assert found["Source"]["SourceUri"] == "s3://shared/this"
    with pytest.raises(ClientError, match="not authorized") as caught:
        reader.describe_artifact(ArtifactArn=other["ArtifactArn"])
    assert caught.value.response["Error"]["Code"] == "AccessDeniedException"

"""The classes of `sagemaker.lineage`, unmodified."""

import pytest
from sdk_programs import PYTHONS, run

pytestmark = [
    pytest.mark.timeout(600),
    pytest.mark.skipif(not PYTHONS["v2"].exists(), reason="`make setup` makes it"),
]


def test_lineage_of_version_2(studio, tmp_path):
    told = run(["v2_lineage"], studio.env, tmp_path)["v2_lineage"]
    values = told.values
    assert values["hand"] == ["1", "by-hand", "by-hand"]
    assert values["data"].endswith("/lineage/train.csv")
    assert [arn.rpartition("/")[2] for arn in values["jobs"]] == ["lineage-sdk"]
    # The archive in S3, and the model that was created of it.
    assert values["models"] == ["ModelArtifact", "ModelArtifact"]
    assert values["deployed"]
    assert values["contexts"] == [True]
    assert values["component_data"] == [values["data"]]
    assert values["component_models"] == 2
    assert values["table"] == [
        ["Input", "DataSet", "ContributedTo"],
        ["Input", "Image", "ContributedTo"],
        ["Output", "Model", "Produced"],
    ]
    assert told.strangers == []

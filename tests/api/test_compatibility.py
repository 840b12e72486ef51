"""The page of operations is what the code says."""

import re
from pathlib import Path

import botocore
import pytest

from studio.api import compatibility, registry
from studio.wire import models

PAGE = Path(__file__).parents[2] / "docs" / "compatibility.md"


def test_page_is_current():
    committed = PAGE.read_text()
    version = re.search(r"botocore ([0-9.]*[0-9])", committed)
    assert version
    if version[1] != botocore.__version__:
        pytest.skip(f"the page was written for the models of botocore {version[1]}")
    assert committed == compatibility.page()


def test_every_registered_operation_exists():
    registry.load()
    for operation in registry.all_operations():
        assert models.operation_model(operation.service, operation.name) is not None
        assert operation.function.__module__.startswith("studio.api.")


def test_page_tells_states_apart():
    states = dict(compatibility._states("s3"))
    assert states["PutObject"] == states["CompleteMultipartUpload"] == "executes"
    assert states["ListObjectsV2"] == states["PutBucketPolicy"] == "executes"
    assert states["PutBucketReplication"] == states["ListDirectoryBuckets"] == "not yet"
    assert dict(compatibility._states("sagemaker-runtime"))["InvokeEndpoint"] == "executes"
    states = dict(compatibility._states("sagemaker"))
    assert states["CreateTrainingJob"] == "executes"
    assert states["CreateDomain"] == "not yet"

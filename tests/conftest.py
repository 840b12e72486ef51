"""Fixtures for every room.

`plane`: a control plane's port in this process, shared by the tests of a module.
"""

from collections.abc import Iterator

import plane as planes
import pytest


@pytest.fixture(scope="module")
def plane(tmp_path_factory: pytest.TempPathFactory) -> Iterator[planes.Plane]:
    with planes.running(tmp_path_factory.mktemp("home")) as running:
        yield running

"""`jupyter`: a Jupyter server that has started a Studio of its own, shared by a module's tests."""

from collections.abc import Iterator

import pytest
from jupyters import RunningJupyter, ended, running_jupyter


@pytest.fixture(scope="module")
def jupyter(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningJupyter]:
    folder = tmp_path_factory.mktemp("jupyter")
    home = folder / "home"
    with ended(home), running_jupyter(folder, home) as running:
        yield running

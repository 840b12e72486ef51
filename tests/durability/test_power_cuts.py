"""A power cut loses nothing that was acknowledged, and tears nothing that was not."""

import pytest
from durability import power, power_cuts


@pytest.fixture(autouse=True, params=power_cuts.KINDS)
def kind(request) -> str:
    lacking = power.lacking(power_cuts.KINDS[request.param][0])
    if lacking is not None:
        pytest.skip(f"no power can be cut here: it needs {lacking}")
    return request.param


@pytest.mark.root
def test_power_cuts(tmp_path, kind):
    assert power_cuts.experiment(tmp_path, kind, cuts=1) == []


@pytest.mark.root
@pytest.mark.parametrize("kind", ["ext4-writeback"], indirect=True)
def test_without_syncs_something_is_lost(tmp_path, kind):
    """The experiment can fail: a store that forgets to sync does not pass it."""
    assert power_cuts.experiment(tmp_path, kind, cuts=1, how="careless") != []

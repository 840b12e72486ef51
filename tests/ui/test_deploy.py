"""A deployment that fails is told of, and what it half made is cleaned up."""

from browser_flows import patient, run_flow


@patient
def test_deploy(tmp_path):
    run_flow("deploy", tmp_path)

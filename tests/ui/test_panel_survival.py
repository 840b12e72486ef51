"""Nothing is lost when processes die or a second browser is open."""

from browser_flows import patient, run_flow


@patient
def test_survival(tmp_path):
    run_flow("survival", tmp_path)

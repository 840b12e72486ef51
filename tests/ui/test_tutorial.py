"""The salary tutorial in a browser, with the mouse and the keyboard alone."""

from browser_flows import patient, run_flow


@patient
def test_tutorial(tmp_path):
    run_flow("tutorial", tmp_path)

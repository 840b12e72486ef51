"""Trial components side by side: queries, live values, differences, views in files."""

from browser_flows import patient, run_flow


@patient
def test_compare(tmp_path):
    run_flow("compare", tmp_path)

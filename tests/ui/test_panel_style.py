"""The panels' sources: ESLint with Jupyter's rules, Prettier."""

from browser_flows import patient, run_npm


@patient
def test_style():
    run_npm("lint")

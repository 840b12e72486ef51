"""The panels' own tests of models and components, by Jest."""

from browser_flows import patient, run_npm


@patient
def test_units():
    run_npm("test", "--", "--ci", "--silent")

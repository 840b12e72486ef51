"""The panels' own tests of models and components, by Jest."""

from flows import run_npm


def test_units():
    run_npm("test", "--", "--ci", "--silent")

"""The panels' sources: ESLint with Jupyter's rules, Prettier."""

from flows import run_npm


def test_style():
    run_npm("lint")

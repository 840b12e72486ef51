"""The process runner keeps what every runner promises, with and without a sandbox."""

import pytest
from runner_contract import Bench, RunnerContract

from studio.runners import sandbox
from studio.settings import Settings


class TestProcessRunner(RunnerContract):
    @pytest.fixture
    def bench(self, bench: Bench) -> Bench:
        return bench


def test_this_machine_has_a_sandbox(tmp_path):
    """Else half of the tests here would say less than they seem to."""
    assert sandbox.available(), "install bubblewrap and allow user namespaces"
    assert sandbox.wanted(Settings(home=tmp_path, sandbox="always"))

"""The panels' types are those of the service models; `make types` writes them."""

from pathlib import Path

from studio.wire import typescript

CHECKED_IN = Path(__file__).parents[2] / "labextension/src/wire.ts"


def test_what_is_checked_in_is_current():
    assert CHECKED_IN.read_text() == typescript.source()

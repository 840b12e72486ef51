"""The panels' types of the protocol are those of the dataclasses."""

from pathlib import Path

from studio.data import typescript

CHECKED_IN = Path(__file__).parents[2] / "labextension/src/core/protocol.ts"


def test_protocol_is_up_to_date() -> None:
    assert CHECKED_IN.read_text() == typescript.source(), "run `make types`"

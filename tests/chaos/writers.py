"""Many clients write, read and list the same keys at once."""

import tempfile
from pathlib import Path

from chaos.house import BUCKET, house
from chaos.invariants import broken
from chaos.outcome import Report
from chaos.store_errors import unnamed
from s3.s3_crowd import Crowd

_CLIENTS = 16


def crowd(repeats: int, seed: int) -> Report:
    """For `repeats` seconds."""
    with tempfile.TemporaryDirectory(prefix="chaos-") as folder, house(Path(folder)) as home:
        clients = Crowd(lambda: home.new_client("s3"), BUCKET, _CLIENTS, _CLIENTS, repeats)
        clients.run()
        wrong = [*clients.problems, *broken(home), *unnamed(home.home)]
    figures = {name: str(count) for name, count in clients.counts.items()}
    return Report(
        "F17 writers of one key",
        "each read is one writer's whole body; no list misses a key",
        repeats,
        seed,
        {"writers": str(_CLIENTS), "readers": str(_CLIENTS), **figures},
        tuple(wrong),
    )

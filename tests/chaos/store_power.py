"""The power of the disk is cut while objects and records are stored."""

import tempfile
from pathlib import Path

from chaos.outcome import Report
from durability import power, power_cuts

_WITHOUT_SYNCS = "ext4-writeback"


def cuts(repeats: int, seed: int) -> Report:
    """`repeats` cuts in all, spread over the kinds of file systems; then one under a store that
    forgets to sync, which has to be found out."""
    name, promise = "F15 power cuts", "what was acknowledged is there, the rest is old or new"
    kinds = list(power_cuts.KINDS)
    lacking = {kind: power.lacking(power_cuts.KINDS[kind][0]) for kind in kinds}
    able = [kind for kind in kinds if lacking[kind] is None]
    figures = {kind: f"NOT RUN, needs {it}" for kind, it in lacking.items() if it}
    if not able:
        return Report(name, promise, 0, seed, figures, skipped=f"needs {lacking[kinds[0]]}")
    wrong = []
    for number, kind in enumerate(able):
        share = (repeats + number) // len(able)
        wrong += [f"{kind}: {said}" for said in _tried(kind, share, seed)]
        figures[kind] = f"{share} cuts"
    if _WITHOUT_SYNCS in able:
        lost = _tried(_WITHOUT_SYNCS, 1, seed, "careless")
        figures["without syncs"] = f"{len(lost)} lost or torn"
        if not lost:
            wrong.append("a store that does not sync loses nothing: no power was cut")
    return Report(name, promise, repeats, seed, figures, tuple(wrong))


def _tried(kind: str, cuts: int, seed: int, how: str = "") -> list[str]:
    with tempfile.TemporaryDirectory(prefix="chaos-") as folder:
        return power_cuts.experiment(Path(folder), kind, cuts, seed, how)

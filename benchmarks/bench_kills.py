"""`kill -9` 200 times under load: nothing is lost or done twice, and how soon all is back."""

from benchmarks import experiments
from benchmarks.harness import Row, at_most

_KILLS = 200
_FLOORS = {"ready again": at_most(3), "router back": at_most(1)}


def run(kills: int = _KILLS) -> list[Row]:
    """Fails when something is lost or done twice."""
    found = experiments.figures("kills:under_load", kills)
    worst = {name: said for name, said in found.items() if "worst" in said}
    return [
        Row(f"{kills} kills under load: lost or done twice", 0, "", at_most(0)),
        *(
            Row(f"the same: {name}, worst", experiments.last_number(said), "s", _FLOORS.get(name))
            for name, said in worst.items()
        ),
    ]

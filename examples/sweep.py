"""A sweep to compare: one linear model of salaries, trained with many settings.

`python examples/sweep.py` in a terminal of JupyterLab, or behind `eval "$(studio env)"`. Every
setting is a trial component of the experiment `salary-sweep`, with its parameters, its curves and
a table of its predictions. An argument is put before their names: `sweep.py again-`.
"""

import csv
import itertools
import random
import sys
from pathlib import Path
from tempfile import TemporaryDirectory

from studio import tracking

DATA = Path(__file__).parent / "data" / "Salary_Data.csv"
EXPERIMENT = "salary-sweep"
GRID = {
    "learning_rate": [0.01, 0.05, 0.2],
    "momentum": [0.0, 0.5, 0.9],
    "batch": [4, 12],
    "seed": [1, 2, 3],
}
EPOCHS = 40


def main(prefix: str = "") -> None:
    rows = [
        (float(it["YearsExperience"]), float(it["Salary"])) for it in csv.DictReader(DATA.open())
    ]
    settings = [dict(zip(GRID, it, strict=True)) for it in itertools.product(*GRID.values())]
    for number, setting in enumerate(settings, 1):
        name = "-".join(f"{key[0]}{value:g}".replace(".", "") for key, value in setting.items())
        with tracking.start(EXPERIMENT, f"{prefix}{name}-{number}", setting) as run:
            train(run, standard(rows, setting["seed"]), setting)
        print(f"{number} of {len(settings)}: {run.name}", flush=True)


def standard(rows, seed):
    """Pairs around 0, in an order of the seed's: the first three quarters are for training."""
    count = len(rows)
    middle = [sum(column) / count for column in zip(*rows, strict=True)]
    spread = [
        (sum((value - mean) ** 2 for value in column) / count) ** 0.5
        for column, mean in zip(zip(*rows, strict=True), middle, strict=True)
    ]
    made = [tuple((v - m) / s for v, m, s in zip(row, middle, spread, strict=True)) for row in rows]
    random.Random(seed).shuffle(made)
    return made


def train(run, rows, setting):
    cut = 3 * len(rows) // 4
    train, test = rows[:cut], rows[cut:]
    order = random.Random(setting["seed"])
    slope, level, pushed, lifted = 0.0, 0.0, 0.0, 0.0
    for epoch in range(EPOCHS):
        order.shuffle(train)
        for first in range(0, cut, setting["batch"]):
            batch = train[first : first + setting["batch"]]
            errors = [(x, slope * x + level - y) for x, y in batch]
            down = sum(x * error for x, error in errors) / len(batch)
            up = sum(error for _, error in errors) / len(batch)
            pushed = setting["momentum"] * pushed - setting["learning_rate"] * down
            lifted = setting["momentum"] * lifted - setting["learning_rate"] * up
            slope, level = slope + pushed, level + lifted
        run.log_metric("train/loss", loss(train, slope, level), epoch)
        run.log_metric("test/loss", loss(test, slope, level), epoch)
    with TemporaryDirectory() as folder:
        table = Path(folder, "predictions.csv")
        lines = [
            "years,salary,predicted",
            *(f"{x:.4f},{y:.4f},{slope * x + level:.4f}" for x, y in test),
        ]
        table.write_text("\n".join(lines) + "\n")
        run.log_artifact(table)


def loss(rows, slope, level):
    return sum((slope * x + level - y) ** 2 for x, y in rows) / len(rows)


if __name__ == "__main__":
    main(*sys.argv[1:])

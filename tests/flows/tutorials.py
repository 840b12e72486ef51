"""The two tutorials' data and requests, for clients that have no SDK to make them."""

import csv
import gzip
import io
import random
from collections.abc import Iterable, Sequence

from studios import ROOT

from studio.algorithms import record_message, recordio

DATA = ROOT / "examples" / "data"
LINEAR = "382416733822.dkr.ecr.us-east-1.amazonaws.com/linear-learner:1"
BANK_PARAMETERS = {
    "objective": "binary:logistic",
    "max_depth": "5",
    "eta": "0.2",
    "gamma": "4",
    "min_child_weight": "6",
    "subsample": "0.7",
    "num_round": "50",
}
SALARY_PARAMETERS = {
    "feature_dim": "1",
    "predictor_type": "regressor",
    "mini_batch_size": "5",
    "epochs": "5",
    "num_models": "32",
    "loss": "absolute_loss",
}


def bank() -> tuple[bytes, list[int], bytes]:
    """Training rows with the label first; labels and features of the 12,357 test rows."""
    with gzip.open(DATA / "bank_clean.csv.gz", "rt") as file:
        rows = [row[1:] for row in csv.reader(file)][1:]
    random.Random(1729).shuffle(rows)
    cut = int(0.7 * len(rows))
    train = lines((row[-1], *row[:-2]) for row in rows[:cut])
    return train, [int(row[-1]) for row in rows[cut:]], lines(row[:-2] for row in rows[cut:])


def salary() -> tuple[bytes, list[float], list[float]]:
    """RecordIO of twenty people; years and salaries of ten others."""
    with (DATA / "Salary_Data.csv").open() as file:
        rows = [(float(years), float(pay)) for years, pay in list(csv.reader(file))[1:]]
    random.Random(0).shuffle(rows)
    train = recordio_of(rows[:20])
    return train, [years for years, _ in rows[20:]], [pay for _, pay in rows[20:]]


def lines(rows: Iterable[Sequence[str]]) -> bytes:
    text = io.StringIO()
    csv.writer(text, lineterminator="\n").writerows(rows)
    return text.getvalue().encode()


def recordio_of(rows: Iterable[tuple[float, float]]) -> bytes:
    """One dense record a row: a feature and its label."""
    framed = []
    for feature, label in rows:
        record = record_message.record_class()()
        record.features["values"].float32_tensor.values.append(feature)
        record.label["values"].float32_tensor.values.append(label)
        framed.append(recordio.frame(record.SerializeToString()))
    return b"".join(framed)


def assert_salaries(predicted: list[float], actual: list[float]) -> None:
    """The spread of the salaries is 27,000; a line leaves about 6,000."""
    assert len(predicted) == len(actual) == 10
    errors = [abs(a - b) for a, b in zip(predicted, actual, strict=True)]
    assert sum(errors) / len(errors) < 8_000


def assert_customers(probabilities: list[float], labels: list[int]) -> None:
    """Saying no to everybody would be right in 88.7 % of the calls."""
    assert len(probabilities) == len(labels) == 12_357
    right = [(p > 0.5) == bool(label) for p, label in zip(probabilities, labels, strict=True)]
    assert sum(right) / len(right) > 0.89

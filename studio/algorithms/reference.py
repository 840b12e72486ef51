"""The page of algorithms: `python -m studio.algorithms.reference > docs/reference/algorithms.md`.

It is written from the tables that the programs check their hyperparameters with.
"""

import sys
from collections.abc import Iterator, Sequence

from studio.algorithms.hyperparameters import Hyperparameter, Interval
from studio.algorithms.image import Image
from studio.algorithms.kmeans import IMAGE as KMEANS
from studio.algorithms.linear_learner import IMAGE as LINEAR_LEARNER
from studio.algorithms.xgboost import IMAGE as XGBOOST

_HEAD = """\
# Algorithms

The images that run here, their hyperparameters, channels and metrics. Image URIs may name any
account and region. Values are strings, as everywhere in `HyperParameters`; a value that is not
valid fails the job with `ClientError`, which names every fault.

| | k-means | linear learner | XGBoost |
| --- | --- | --- | --- |
| channels | `train`, `test` | `train`, `validation`, `test` | `train`, `validation` |
| formats | RecordIO-protobuf, CSV | RecordIO-protobuf, CSV \
| libsvm, CSV, Parquet, RecordIO-protobuf |
| label in CSV | none | first column | first column |
| input modes | File, FastFile, Pipe | File, FastFile, Pipe | File, FastFile, Pipe |
| a pipe is read | once an epoch, in mini-batches | once | once |
| several hosts | each clusters its shard | share each mini-batch \
| each boosts on its shard |
| checkpoints | no | no | after each round, the last five |
| explained | [k-means](../explanation/k-means.md) \
| [linear learner](../explanation/linear-learner.md) \
| [several hosts](../explanation/algorithms-on-several-hosts.md) |

Hyperparameters that begin with `_` are what the service and AWS's own containers add; they have no
effect. This page is generated (`make docs`).
"""


def page() -> str:
    """The whole page."""
    sections = (_section(image) for image in (KMEANS, LINEAR_LEARNER, XGBOOST))
    return _HEAD + "".join("\n".join(["", *section, ""]) for section in sections)


def _section(image: Image) -> Iterator[str]:
    yield f"## {image.title}"
    yield ""
    yield image.description
    yield ""
    yield f"Repositories: {_code(image.repositories)}. Tags: {_code(image.tags)}."
    yield ""
    rows = [row for row in image.table() if not row.name.startswith("_")]
    yield "| hyperparameter | valid | default | tunable | what it is |"
    yield "| --- | --- | --- | --- | --- |"
    for row in rows:
        cells = (_name(row), _valid(row), _default(row), _tunable(row), row.help)
        yield f"| {' | '.join(cells)} |"
    yield ""
    yield f"Metrics: {_code([name for name, _ in image.metrics])}."


def _name(row: Hyperparameter) -> str:
    return _code((row.name, *row.aliases))


def _valid(row: Hyperparameter) -> str:
    limits = row.describe().replace("|", "\\|")
    return f"{row.kind}: {limits}" if limits else row.kind


def _default(row: Hyperparameter) -> str:
    if row.required:
        return "required"
    return f"`{row.default_text}`" if row.default_text else ""


def _tunable(row: Hyperparameter) -> str:
    if row.tunable is None:
        return ""
    return str(row.tunable) if isinstance(row.tunable, Interval) else _code(row.tunable)


def _code(names: Sequence[str]) -> str:
    return ", ".join(f"`{name}`" for name in names)


if __name__ == "__main__":
    sys.stdout.write(page())

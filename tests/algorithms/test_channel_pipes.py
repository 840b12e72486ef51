"""Channels with the input mode Pipe, read by whole jobs and by the readers themselves."""

import io
from pathlib import Path

import numpy as np
import pyarrow
import pytest
from algorithm_programs import Job, feed
from linear_jobs import csv, records, sparse_records
from pyarrow import parquet

from studio.algorithms import formats, inputs, streams
from studio.algorithms.base import Channel, UserError
from studio.algorithms.inputs import Accepted

RNG = np.random.default_rng(1)
FEATURES = RNG.normal(size=(500, 4)).astype(np.float32)
LABELS = (FEATURES[:, 0] > 0).astype(np.float32)
RECORDIO = "application/x-recordio-protobuf"
KINDS = (inputs.CSV, inputs.LIBSVM, inputs.PARQUET, inputs.RECORDIO)


def libsvm() -> bytes:
    lines = (
        f"{label:g} " + " ".join(f"{n}:{cell:.9g}" for n, cell in enumerate(row)) + "\n"
        for label, row in zip(LABELS, FEATURES, strict=True)
    )
    return "".join(lines).encode()


def parquet_files() -> bytes:
    """Two files, one behind the other, as a pipe has them."""
    out = b""
    for rows in (slice(200), slice(200, None)):
        table = np.column_stack([LABELS, FEATURES])[rows]
        columns = {f"c{n}": column for n, column in enumerate(table.T)}
        file = io.BytesIO()
        parquet.write_table(pyarrow.table(columns), file)
        out += file.getvalue()
    return out


BODIES = {
    "text/csv": csv(FEATURES, LABELS),
    "text/libsvm": libsvm(),
    "application/x-parquet": parquet_files(),
    RECORDIO: records(FEATURES, LABELS),
}


def piped(folder: Path, kind: str, data: bytes) -> Channel:
    feed(folder, "train", 1, data)
    return Channel("train", folder / "train", kind, "Pipe")


@pytest.mark.parametrize("kind", list(BODIES))
def test_a_pipe_holds_what_files_hold(
    tmp_path: Path, kind: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Blocks end within lines and records, and within their headers.
    monkeypatch.setattr(streams, "BLOCK", 777)
    data = formats.read_channel(piped(tmp_path, kind, BODIES[kind]), Accepted(KINDS, inputs.LIBSVM))
    features = data.features.toarray() if kind == "text/libsvm" else data.features
    np.testing.assert_allclose(features, FEATURES, rtol=1e-6)
    np.testing.assert_array_equal(data.labels, LABELS)


@pytest.mark.parametrize(
    ("kind", "data"),
    [
        ("text/csv", csv(FEATURES, LABELS)),
        (RECORDIO, records(FEATURES, LABELS)),
        (RECORDIO, sparse_records(FEATURES, LABELS)),
        (RECORDIO, records(FEATURES[:250], LABELS) + sparse_records(FEATURES[250:], LABELS[250:])),
    ],
)
def test_batches_of_a_pipe(
    tmp_path: Path, kind: str, data: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(streams, "BLOCK", 1234)
    accepted = Accepted((inputs.CSV, inputs.RECORDIO), inputs.RECORDIO)
    parts = list(formats.batches(piped(tmp_path, kind, data), accepted, 64))
    assert [part.rows for part in parts] == [64] * 7 + [52]
    rows = [
        part.features if isinstance(part.features, np.ndarray) else part.features.toarray()
        for part in parts
    ]
    np.testing.assert_allclose(np.concatenate(rows), FEATURES, rtol=1e-6)
    np.testing.assert_array_equal(np.concatenate([part.labels for part in parts]), LABELS)


def test_faults_in_a_pipe_are_counted_from_its_beginning(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(streams, "BLOCK", 100)
    accepted = Accepted(KINDS, inputs.LIBSVM)
    text = b"1,2,3\n" * 100 + b"1,x,3\n"
    with pytest.raises(UserError, match="'x' found in line 101, column 2 of channel 'train'"):
        formats.read_channel(piped(tmp_path, "text/csv", text), accepted)
    (tmp_path / "b").mkdir()
    with pytest.raises(UserError, match="Line 51 '1 2:y"):
        formats.read_channel(
            piped(tmp_path / "b", "text/libsvm", b"1 2:3\n" * 50 + b"1 2:y\n"), accepted
        )
    (tmp_path / "c").mkdir()
    cut = records(FEATURES, LABELS)[:-3]
    with pytest.raises(UserError, match="Record 499 of channel 'train' is cut short"):
        formats.read_channel(piped(tmp_path / "c", RECORDIO, cut), accepted)


def test_a_pipe_without_data_and_one_that_is_missing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    accepted = Accepted(KINDS, inputs.LIBSVM)
    for number, kind in enumerate(BODIES):
        folder = tmp_path / str(number)
        folder.mkdir()
        with pytest.raises(streams.EmptyChannel):
            formats.read_channel(piped(folder, kind, b""), accepted)
    monkeypatch.setattr(streams, "PIPE_SECONDS", 0.1)
    with pytest.raises(UserError, match="has no pipe validation_0"):
        formats.read_channel(
            Channel("validation", tmp_path / "validation", "text/csv", "Pipe"), accepted
        )


@pytest.mark.parametrize("kind", list(BODIES))
def test_xgboost_reads_pipes(job: Job, kind: str) -> None:
    folder = job.base / "input" / "data"
    for name in ("train", "validation"):
        job.channel(name, kind)
        job.channels[name]["TrainingInputMode"] = "Pipe"
        feed(folder, name, 1, BODIES[kind])
    ended = job.train(num_round=2, objective="binary:logistic", eval_metric="error")
    assert ended.code == 0, ended.log
    assert "[1]#011train-error:0.00200#011validation-error:0.00200" in ended.log


@pytest.mark.parametrize("kind", ["text/csv", RECORDIO])
def test_linear_learner_reads_pipes(job: Job, kind: str) -> None:
    job.module, job.tag = "studio.algorithms.linear_learner", "1"
    job.channel("train", kind)
    job.channels["train"]["TrainingInputMode"] = "Pipe"
    feed(job.base / "input" / "data", "train", 1, BODIES[kind])
    given = {"predictor_type": "binary_classifier", "mini_batch_size": 50, "epochs": 2}
    ended = job.train(**given)
    assert ended.code == 0, ended.log
    assert (job.model / "model.json").exists()

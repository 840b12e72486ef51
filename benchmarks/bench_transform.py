"""Batch transform of ten million rows of CSV with XGBoost, against a script that reads, predicts
and writes the same files on the same cores."""

import io
import subprocess
import sys
import tarfile
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import xgboost

from benchmarks import running
from benchmarks.clocks import until
from benchmarks.harness import Row, times_at_most

_ROWS, _FILES, _COLUMNS, _TREES = 10_000_000, 20, 10, 100
_BUCKET = "bench"
_IMAGE = "683313688378.dkr.ecr.us-east-1.amazonaws.com/sagemaker-xgboost:1.7-1"
_ROLE = "arn:aws:iam::000000000000:role/StudioExecutionRole"
# What somebody writes who has a machine, the files and ten minutes.
_SCRIPT = """
import sys
from pathlib import Path
import numpy as np, pandas as pd, xgboost

source, target = Path(sys.argv[1]), Path(sys.argv[2])
booster = xgboost.Booster(model_file=sys.argv[3])
for path in sorted(source.iterdir()):
    rows = pd.read_csv(path, header=None, dtype=np.float32).to_numpy()
    answers = booster.inplace_predict(rows)
    pd.Series(answers).to_csv(target / f"{path.name}.out", index=False, header=False)
"""


def run(rows: int = _ROWS) -> list[Row]:
    """Seconds from CreateTransformJob to its end, the script's, and their ratio."""
    with tempfile.TemporaryDirectory(prefix="studio-transform-") as place, running.studio() as it:
        folder = Path(place)
        _prepare(it, folder, rows)
        # One after the other, twice, so that a change of the machine's load meets both.
        found = [(_job(it, f"bench-{n}"), _script(folder)) for n in range(2)]
        _compare(it, folder, rows)
    job, script = (min(each) for each in zip(*found, strict=True))
    millions = f"{rows / 1e6:g} million rows"
    return [
        Row(
            name=f"Batch transform of {millions}, from CreateTransformJob to Completed",
            value=job,
            unit="s",
            floor=times_at_most(1.3),
            peer="pandas, XGBoost, to_csv",
            peer_value=script,
            ratio=job / script,
        )
    ]


def _prepare(it: running.Running, folder: Path, rows: int) -> None:
    rng = np.random.default_rng(1)
    features = rng.normal(size=(20_000, _COLUMNS)).astype(np.float32)
    label = features[:, 0] * features[:, 1] + features[:, 2] > 0
    given = {"objective": "binary:logistic", "max_depth": 6}
    model = xgboost.train(given, xgboost.DMatrix(features, label), _TREES)
    model.save_model(folder / "model.json")
    s3, sagemaker = it.client("s3"), it.client("sagemaker")
    s3.create_bucket(Bucket=_BUCKET)
    s3.put_object(Bucket=_BUCKET, Key="model.tar.gz", Body=_archive(folder / "model.json"))
    container = {"Image": _IMAGE, "ModelDataUrl": f"s3://{_BUCKET}/model.tar.gz"}
    sagemaker.create_model(ModelName="bench", PrimaryContainer=container, ExecutionRoleArn=_ROLE)
    (folder / "in").mkdir()
    for number, text in enumerate(_texts(rng, rows)):
        path = folder / "in" / f"{number:02}.csv"
        path.write_text(text)
        s3.upload_file(str(path), _BUCKET, f"in/{path.name}")


def _texts(rng: np.random.Generator, rows: int) -> Iterator[str]:
    """Numbers of four digits: texts of them are made once, and drawn."""
    words = np.array([f"{value:.3f}" for value in rng.normal(size=5_000)], object)
    for _ in range(_FILES):
        drawn = words[rng.integers(0, len(words), (rows // _FILES, _COLUMNS))]
        yield "\n".join(map(",".join, drawn)) + "\n"


def _archive(path: Path) -> bytes:
    made = io.BytesIO()
    with tarfile.open(fileobj=made, mode="w:gz") as archive:
        archive.add(path, "xgboost-model")
    return made.getvalue()


def _job(it: running.Running, name: str) -> float:
    sagemaker = it.client("sagemaker")
    source = {"S3DataType": "S3Prefix", "S3Uri": f"s3://{_BUCKET}/in/"}
    began = time.monotonic()
    sagemaker.create_transform_job(
        TransformJobName=name,
        ModelName="bench",
        TransformInput={
            "DataSource": {"S3DataSource": source},
            "ContentType": "text/csv",
            "SplitType": "Line",
        },
        TransformOutput={"S3OutputPath": f"s3://{_BUCKET}/{name}", "AssembleWith": "Line"},
        TransformResources={"InstanceType": "ml.m5.4xlarge", "InstanceCount": 1},
    )

    def job() -> dict[str, Any]:
        return dict(sagemaker.describe_transform_job(TransformJobName=name))

    until(lambda: job()["TransformJobStatus"] != "InProgress", 3_600, f"{name} ends", pause=0.2)
    if job()["TransformJobStatus"] != "Completed":
        raise RuntimeError(job()["FailureReason"])
    return time.monotonic() - began


def _script(folder: Path) -> float:
    (folder / "out").mkdir(exist_ok=True)
    places = [folder / "in", folder / "out", folder / "model.json"]
    began = time.monotonic()
    subprocess.run([sys.executable, "-c", _SCRIPT, *places], check=True)
    return time.monotonic() - began


def _compare(it: running.Running, folder: Path, rows: int) -> None:
    """Both have the same answers, in the same order."""
    s3, seen = it.client("s3"), 0
    for path in sorted((folder / "out").iterdir()):
        body = s3.get_object(Bucket=_BUCKET, Key=f"bench-0/{path.name}")["Body"].read()
        answers = np.array(body.split(), np.float32)
        np.testing.assert_allclose(answers, np.loadtxt(path, np.float32), rtol=1e-4)
        seen += len(answers)
    if seen != rows:
        raise RuntimeError(f"{seen} answers to {rows} rows")

"""The cells that notebooks get for jobs, models, endpoints and objects load them.

The programs are what the frontend writes: its own tests compare them, these run them.
"""

import gzip
import io
import subprocess
import sys
import tarfile
from pathlib import Path

import pandas as pd
import pytest
from studios import ROOT
from waiting import PATIENCE_SECONDS

LOADERS = Path(__file__).parent / "loaders"
ROLE = "arn:aws:iam::000000000000:role/StudioExecutionRole"
ROWS = "x,y\n1,2\n"


def archive() -> bytes:
    """A model, and what leads out of the folder that it is unpacked to."""
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w:gz") as tar:
        tar.add(ROOT / "LICENSE", "weights")
        for kind in (tarfile.SYMTYPE, tarfile.LNKTYPE):
            link = tarfile.TarInfo(f"link{kind.decode()}")
            link.type, link.linkname = kind, ".."
            tar.addfile(link)
            tar.add(ROOT / "LICENSE", f"{link.name}/below")
        tar.add(ROOT / "LICENSE", "../beside")
        tar.add(ROOT / "LICENSE", "deep/../../model-not/outside")
    return packed.getvalue()


def parquet() -> bytes:
    return pd.DataFrame({"x": [1], "y": [2]}).to_parquet()


OBJECTS = {
    "it's ü.csv": ROWS.encode(),
    "headless.csv": b"1,2.5\n3,-4e1\n",
    "a.tsv": b"x\ty\n1\t2\n",
    "a.csv.gz": gzip.compress(ROWS.encode()),
    "a.parquet": parquet(),
    "a.jsonl": b'{"x": 1, "y": 2}\n',
    "a.json": b'{"x": 1}',
    "model.tar.gz": archive(),
    "a.bin": b"\0\1",
    "folder/one": b"",
}
# What is looked at behind each program, and what it is then.
SHOWN = {
    "csv": ("data.to_dict('list')", {"x": [1], "y": [2]}),
    "headless": ("data.to_dict('list')", {0: [1, 3], 1: [2.5, -40.0]}),
    "tsv": ("data.to_dict('list')", {"x": [1], "y": [2]}),
    "packed": ("data.to_dict('list')", {"x": [1], "y": [2]}),
    "parquet": ("data.to_dict('list')", {"x": [1], "y": [2]}),
    "jsonl": ("data.to_dict('list')", {"x": [1], "y": [2]}),
    "json": ("data", {"x": 1}),
    "archive": (
        "sorted(str(it) for it in Path().rglob('*') if it.is_file() or it.is_symlink())",
        ["model/link1/below", "model/link2/below", "model/weights"],
    ),
    "other": ("data", b"\0\1"),
    "folder": ("objects", ["folder/one"]),
    "job": ("job['TrainingJobName']", "loaded"),
    "model": ("model_data", "s3://loaders/model.tar.gz"),
}


@pytest.fixture(scope="module", name="loaded")
def loaded_fixture(studio):
    s3, sagemaker = studio.client("s3"), studio.client("sagemaker")
    s3.create_bucket(Bucket="loaders")
    for key, body in OBJECTS.items():
        s3.put_object(Bucket="loaders", Key=key, Body=body)
    image = {"TrainingImage": "kmeans:1", "TrainingInputMode": "File"}
    sagemaker.create_training_job(
        TrainingJobName="loaded",
        AlgorithmSpecification=image,
        RoleArn=ROLE,
        OutputDataConfig={"S3OutputPath": "s3://loaders/out"},
        ResourceConfig={"InstanceType": "ml.m5.large", "InstanceCount": 1, "VolumeSizeInGB": 1},
        StoppingCondition={"MaxRuntimeInSeconds": 600},
    )
    sagemaker.create_model(
        ModelName="loaded",
        PrimaryContainer={"Image": "kmeans:1", "ModelDataUrl": "s3://loaders/model.tar.gz"},
        ExecutionRoleArn=ROLE,
    )


def test_each_loads_what_it_says(studio, loaded, tmp_path):
    """In one interpreter, as the cells of one notebook."""
    code = "".join(
        f"exec(open({str(LOADERS / name)!r} + '.py').read())\n"
        f"assert {shown} == {wanted!r}, ({name!r}, {shown})\n"
        for name, (shown, wanted) in SHOWN.items()
    )
    done = subprocess.run(
        [sys.executable, "-c", code],
        env=studio.env,
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=PATIENCE_SECONDS,
        check=False,
    )
    assert done.returncode == 0, done.stderr


def test_none_is_forgotten():
    beside = {"endpoint", "image"}  # they need a server, and a notebook to show it in
    assert {path.stem for path in LOADERS.glob("*.py")} == SHOWN.keys() | beside
    for name in beside:
        compile((LOADERS / f"{name}.py").read_text(), name, "exec")

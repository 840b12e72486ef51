"""The two tutorials' data, for programs that run in the virtual environments of the SDKs."""

import gzip
import io
import json
import os
import tarfile

import boto3
import numpy as np

DATA = os.environ["EXAMPLES_DATA"]


def salary():
    """Years and salaries of twenty people to learn from, and of ten others."""
    table = np.loadtxt(os.path.join(DATA, "Salary_Data.csv"), delimiter=",", skiprows=1)
    table = table[np.random.default_rng(0).permutation(len(table))].astype("float32")
    return table[:20, :1], table[:20, 1], table[20:, :1], table[20:, 1]


def bank(rows=6_000):
    """CSV with the label first; features and labels of 2,000 other rows."""
    with gzip.open(os.path.join(DATA, "bank_clean.csv.gz"), "rt") as file:
        table = np.loadtxt(file, delimiter=",", skiprows=1)[:, 1:]
    table = table[np.random.default_rng(1729).permutation(len(table))[: rows + 2_000]]
    labelled = np.column_stack([table[:, -1], table[:, :-2]])
    text = io.StringIO()
    np.savetxt(text, labelled[:rows], delimiter=",", fmt="%g")
    return text.getvalue().encode(), labelled[rows:, 1:], labelled[rows:, 0]


def handlers(bucket, key, code):
    """URI of a model that is only code: the functions of `inference.py`."""
    archive = io.BytesIO()
    with tarfile.open(fileobj=archive, mode="w:gz") as packed:
        member = tarfile.TarInfo("code/inference.py")
        member.size = len(code)
        packed.addfile(member, io.BytesIO(code.encode()))
    boto3.resource("s3").Object(bucket, key).put(Body=archive.getvalue())
    return f"s3://{bucket}/{key}"


def tell(**values):
    """The last line that the program prints is for the test. The SDK's dots have no end."""
    print("\nTOLD " + json.dumps(values))

"""Data of any kind is read or refused with the customer's error, and takes no more memory than it
may."""

import json
import random
import struct
import subprocess
import sys
import warnings
from functools import partial
from pathlib import Path

import numpy as np
import pyarrow
import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from linear_jobs import records, sparse_records
from pyarrow import parquet

from studio.algorithms import formats, inference, inputs, recordio, streams
from studio.algorithms.base import Channel, UserError
from studio.algorithms.server import RequestError

ROWS = np.arange(6, dtype=np.float32).reshape(2, 3)
RECORDIO = "application/x-recordio-protobuf"
SEEDS = {
    "text/csv": [b"1,2,3\n4,5,6\n", b'"1","2"\r\n3,\n\n', b"\xef\xbb\xbf1;2\n3;4"],
    "text/libsvm": [b"1 1:2 3:4\n0 2:1\n", b"1:0.5 qid:1 1:2\n0:1 qid:1 3:1 # c\n"],
    RECORDIO: [
        records(ROWS, ROWS[:, 0]), sparse_records(ROWS), records(ROWS) + records(ROWS[:, 1:]),
    ],
    "application/json": [
        b'{"instances":[{"features":[1,2]},{"data":{"features":{"values":[1,2]}}}]}',
        b'{"instances":[{"data":{"features":{"keys":[1],"shape":[5],"values":[1]}}}]}',
    ],
    "application/jsonlines": [b'{"features":[1,2]}\n[3,4]\n'],
}  # fmt: skip
PIECES = [
    b",", b"\n", b"\r", b"\0", b"1e999", b"nan", b'"', b"\xff", b":", b" ", b"9" * 30, b"1_0",
    b"qid:", b"inf", "\u0661".encode(), b"[", b"{", b"null", b"\xff" * 12, b"#", b"0x10", b"1e400",
]  # fmt: skip


def broken(seed: int, data: bytes) -> bytes:
    """The data with a few pieces put in, cut out or doubled."""
    rng, out = random.Random(seed), bytearray(data)
    for _ in range(rng.randint(0, 4)):
        place = rng.randint(0, len(out))
        match rng.randrange(4):
            case 0:
                out[place:place] = rng.choice(PIECES)
            case 1:
                del out[place : place + rng.randint(1, 6)]
            case 2:
                out[place:place] = out[: rng.randint(0, 20)]
            case 3:
                out[place : place + 1] = bytes([rng.randrange(256)])
    return bytes(out)


@given(seed=st.integers(0, 2**32), kind=st.sampled_from(sorted(SEEDS)), which=st.integers(0, 2))
@example(seed=0, kind="text/libsvm", which=0)
def test_broken_data_is_read_or_refused(
    tmp_path_factory: pytest.TempPathFactory, seed: int, kind: str, which: int
) -> None:
    data = broken(seed, SEEDS[kind][which % len(SEEDS[kind])])
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        read_or_refuse(lambda: inference.decode(data, kind, inference.LibsvmColumns(0, 5)))
    if kind.startswith("application/json"):
        return
    folder = tmp_path_factory.mktemp("data")
    (folder / "file").write_bytes(data)
    channel = Channel("train", folder, kind)
    kinds = (inputs.CSV, inputs.LIBSVM, inputs.RECORDIO)
    for missing in (True, False):
        accepted = inputs.Accepted(kinds, inputs.LIBSVM, missing=missing, delimiters=",;\t| ")
        whole = read_or_refuse(partial(formats.read_channel, channel, accepted))
        assert whole is None or whole.labels is None or whole.rows == len(whole.labels)
        if kind != "text/libsvm":
            batches = formats.batches(channel, accepted, 1)
            read_or_refuse(partial(list, batches))


def read_or_refuse(body):
    try:
        return body()
    except (UserError, RequestError):
        return None


def test_a_first_instance_without_features_fixes_their_number_too() -> None:
    with pytest.raises(RequestError, match="Instance 2 has 2 features where the first has 0"):
        inference.decode(b'{"features":[]}\n[3,4]\n', "application/jsonlines")


@pytest.mark.parametrize(
    ("body", "kind", "rows"),
    [
        (
            '{"features":[1],"note":"a\u2028b"}\n[2]\r\n'.encode(),
            "application/jsonlines",
            [[1], [2]],
        ),
        (b'{"instances":[[1e39]]}', "application/json", [[np.inf]]),
        (b"1e39,-1e39\n", "text/csv", [[np.inf, -np.inf]]),
        (b"1_0,2\n", "text/csv", "Row 1, column 1 of the CSV payload is not a number: '1_0'"),
        (b"1,\n,1_0\n", "text/csv", "Row 2, column 2 of the CSV payload is not a number"),
        (
            b'{"instances":[{"features":{"keys":[0.5],"values":[1],"shape":[3]}}]}',
            "application/json",
            "Instance 1 has no list of numbers",
        ),
    ],
)
def test_a_body_is_read_as_what_it_says_or_refused(body: bytes, kind: str, rows: object) -> None:
    if isinstance(rows, str):
        with pytest.raises(RequestError, match=rows):
            inference.decode(body, kind)
    else:
        assert inference.decode(body, kind).tolist() == rows


def test_parquet_without_columns_is_refused(tmp_path: Path) -> None:
    parquet.write_table(pyarrow.table({}), tmp_path / "file")
    accepted = inputs.Accepted((inputs.PARQUET,), inputs.PARQUET)
    with pytest.raises(UserError, match="have 0 columns: 2 or more are needed"):
        formats.read_channel(Channel("train", tmp_path, "parquet"), accepted)


@pytest.mark.parametrize("body", [b"[" * 100_000, b'{"instances":' + b"[" * 100_000])
def test_json_that_nests_without_end_is_refused(body: bytes) -> None:
    with pytest.raises(RequestError) as error:
        inference.decode(body, "application/json")
    assert error.value.status == 400


def test_claims_of_memory_are_refused() -> None:
    wide = {"data": {"features": {"keys": [1], "shape": [9_000_000], "values": [1]}}}
    with pytest.raises(RequestError, match="Instance 6 has no list"):
        inference.decode(json.dumps({"instances": [wide] * 1000}).encode(), "application/json")
    with pytest.raises(UserError, match="is cut short"):
        recordio.read(struct.pack("<II", 0xCED7230A, (1 << 29) - 1) + b"x")
    with pytest.raises(UserError, match="not a protobuf Record"):
        recordio.read(recordio.frame(b"\x0a" + b"\xff" * 1_000_000))


def test_a_line_without_end_is_refused(tmp_path: Path) -> None:
    with (tmp_path / "file").open("wb") as file:
        file.truncate(streams.LONGEST + 2 * streams.BLOCK)
    channel = Channel("train", tmp_path, "text/libsvm")
    with pytest.raises(UserError, match="A record of file 'file' is longer than 64 MiB"):
        formats.read_channel(channel, inputs.Accepted((inputs.LIBSVM,), inputs.LIBSVM))
    (tmp_path / "file").write_bytes(b"1," * 1_000_001 + b"1\n")
    with pytest.raises(UserError, match="has more than 1000000 columns"):
        formats.read_channel(
            Channel("train", tmp_path, "text/csv"), inputs.Accepted((inputs.CSV,), inputs.CSV)
        )


STREAM = """
import os, resource, sys
from pathlib import Path
from studio.algorithms import formats, inputs
from studio.algorithms.base import Channel
channel = Channel("train", Path(sys.argv[1]), "text/csv")
accepted = inputs.Accepted((inputs.CSV,), inputs.CSV)
next(formats.batches(channel, accepted, 1000))
before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
rows = sum(data.rows for data in formats.batches(channel, accepted, 1000))
print(rows, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before, flush=True)
os._exit(0)  # as algorithms end: Arrow's threads may abort a Python that tears itself down
"""


def test_batches_take_the_memory_of_a_block_however_long_the_file(tmp_path: Path) -> None:
    line = ",".join(["0.125"] * 100).encode() + b"\n"
    for number in range(2):
        (tmp_path / f"part{number}").write_bytes(line * 100_000)
    out = subprocess.run(
        [sys.executable, "-c", STREAM, str(tmp_path)], capture_output=True, check=True, text=True
    ).stdout
    rows, grown = map(int, out.split())
    assert rows == 200_000
    # 120 MB of text and 80 MB of numbers passed through.
    assert grown < 60_000

"""The parsers of untrusted bytes, as functions that may raise only what is a bug.

Each takes any bytes, feeds its parser, and swallows the errors that the parser documents; what
comes out of it besides is checked. `TARGETS` has them by name, with examples to begin from.
"""

import base64
import contextlib
import gzip
import io
import shutil
import struct
import tarfile
import tempfile
import warnings
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow
from pyarrow import parquet

from studio.algorithms import (
    csv_text,
    formats,
    inference,
    inputs,
    libsvm,
    record_message,
    recordio,
)
from studio.algorithms.base import Channel, UserError
from studio.algorithms.server import RequestError
from studio.container import archive
from studio.experiments.query import conditions as query_conditions
from studio.experiments.query import parser, syntax
from studio.experiments.query.scope import Scope
from studio.experiments.query.sql import Dialect
from studio.experiments.query.tokens import QueryError
from studio.experiments.query.values import Rows
from studio.s3 import acl, checksums, conditions, cors, message, post_policy, xml
from studio.s3.chunked import ChunkDecoder
from studio.s3.errors import S3Error
from studio.s3.intake import Intake
from studio.s3.post import FormIntake
from studio.wire import sigv4

NOW = 1_700_000_000.0
MOMENT = "20231114T221320Z"
SECRETS = {"AKIAFUZZ": "secret"}.get
NOBODY = sigv4.Verified("AKIAFUZZ", "s3", "v4-header", "", "0" * 64, b"key", MOMENT, "scope")


@dataclass(frozen=True)
class Target:
    run: Callable[[bytes], None]
    examples: tuple[bytes, ...]


def header_signature(data: bytes) -> None:
    header, _, rest = data.decode("latin-1").partition("\n")
    moment, _, path = rest.partition("\n")
    headers = {"host": "h", "authorization": header, "x-amz-content-sha256": "UNSIGNED-PAYLOAD"}
    _never(sigv4.Request("GET", path or "/", "", {**headers, "x-amz-date": moment or MOMENT}))


def query_signature(data: bytes) -> None:
    path, _, query = data.decode("latin-1").partition("?")
    _never(sigv4.Request("GET", path, query, {"host": "h"}, "http://proxy.example/prefix"))


def form_signature(data: bytes) -> None:
    pairs = (part.partition("=") for part in data.decode("latin-1").split("&"))
    fields = {name.lower(): value for name, _, value in pairs}
    with contextlib.suppress(sigv4.SignatureError):
        sigv4.verify_form(fields, SECRETS, region="us-east-1")
        raise AssertionError("a signature was guessed")


def chunks(data: bytes) -> None:
    modes = (sigv4.STREAMING, sigv4.STREAMING_TRAILER, sigv4.STREAMING_UNSIGNED_TRAILER)
    mode, step, size = modes[data[0] % 3], data[1] + 1, data[2]
    verified = sigv4.Verified("k", "s3", "v4-header", mode, "0" * 64, b"key", MOMENT, "scope")
    taken = bytearray()
    decoder = ChunkDecoder(verified, size, taken.extend)
    with contextlib.suppress(S3Error):
        for start in range(3, len(data), step):
            decoder.feed(data[start : start + step])
        decoder.finish()
        assert len(taken) == size
    assert len(taken) <= size


def documents(data: bytes) -> None:
    for root in ("Delete", "Tagging", "CompleteMultipartUpload", "CreateBucketConfiguration"):
        if root.encode() in data:
            with contextlib.suppress(S3Error):
                for element in xml.parse(data, root).iter():
                    xml.document("Copy", (("a", element.text or ""),))
    if b"CORS" in data:
        with contextlib.suppress(S3Error):
            assert cors.written(cors.read(data))
    else:
        with contextlib.suppress(S3Error):
            acl._check_document(data, "000000000000")


def ranges(data: bytes) -> None:
    text, size = data[2:].decode("latin-1"), int.from_bytes(data[:2], "big")
    with contextlib.suppress(S3Error):
        found = conditions.parse_range(text, size)
        if found is not None:
            start, length = found
            assert 0 <= start < size
            assert 0 < length <= size - start


def heads(data: bytes) -> None:
    target, _, query = data.decode("latin-1").partition("?")
    with contextlib.suppress(S3Error):
        bucket, key = message.parse_target(target)
        assert "/" not in bucket
        assert len(key.encode()) <= 1024
    with contextlib.suppress(S3Error):
        message.parse_query(query)
    with contextlib.suppress(S3Error):
        checksums.check_value("CRC32", query)


def policies(data: bytes) -> None:
    for text in (base64.b64encode(data).decode(), data.decode("latin-1")):
        with contextlib.suppress(S3Error):
            policy = post_policy.parse(text)
            post_policy.check(policy, {"bucket": "b", "key": "k"}, NOW)
            assert policy.expires >= NOW


def forms(data: bytes) -> None:
    step = data[0] * 16 + 1
    form = FormIntake(
        "bucket",
        "multipart/form-data; boundary=b",
        NOW,
        lambda fields, key: None,
        lambda headers: Intake(headers, NOBODY, None, None),
    )
    with contextlib.suppress(S3Error):
        for start in range(1, len(data), step):
            form.feed(data[start : start + step])
        body = form.finish()
        assert body.form is not None
        assert not any("\n" in value or "\r" in value for value in body.form.headers.values())
    form.discard()


def archives(data: bytes) -> None:
    """Plain bytes are tried as a tar and, compressed, as a tar.gz."""
    folder = Path(tempfile.mkdtemp(prefix="fuzz"))
    try:
        for number, content in enumerate((data, gzip.compress(data, 1))):
            source, target = folder / "a", folder / f"out{number}"
            source.write_bytes(content)
            try:
                archive.unpack(source, target, seconds=5.0)
            except archive.UnsafeArchive:
                assert not list(target.iterdir())
            for path in target.rglob("*"):
                assert not path.is_symlink()
                assert path.is_file() or path.is_dir()
        assert {path.name for path in folder.iterdir()} == {"a", "out0", "out1"}
    finally:
        shutil.rmtree(folder)


def records(data: bytes) -> None:
    recordio.whole(data)
    with contextlib.suppress(UserError):
        recordio.read(data)


def tables(data: bytes) -> None:
    for missing in (False, True):
        with contextlib.suppress(UserError):
            form = csv_text.dialect(data, "it", ",;\t", missing)
            rows = csv_text.parse(data, form)
            assert rows.ndim == 2


def sparse(data: bytes) -> None:
    for labelled in (False, True):
        with contextlib.suppress(UserError):
            libsvm.parse(data.decode("utf-8", "replace"), "it", labelled)


def bodies(data: bytes) -> None:
    """What an algorithm's server is asked; the first byte chooses the content type."""
    kinds = (inference.CSV, inference.LIBSVM, inference.RECORDIO)
    kind = (*kinds, inference.JSON, inference.JSON_LINES)[data[0] % 5]
    columns = inference.LibsvmColumns(data[1] % 2, 5) if data[1] & 2 else None
    with warnings.catch_warnings(), contextlib.suppress(RequestError):
        warnings.simplefilter("error")
        rows = inference.decode(data[2:], kind, columns)
        assert rows.ndim == 2
        assert rows.shape[0] > 0
        assert rows.dtype == np.float32


def channels(data: bytes) -> None:
    """What an algorithm is trained with: two files, as a whole and in batches."""
    kinds = (inputs.CSV, inputs.LIBSVM, inputs.RECORDIO, inputs.PARQUET)
    kind, missing, middle = kinds[data[0] % 4], data[1] % 2 > 0, data[2] * 4
    accepted = inputs.Accepted(kinds, kind, missing=missing, delimiters=",;\t| ")
    with tempfile.TemporaryDirectory(prefix="fuzz") as folder:
        (Path(folder) / "0").write_bytes(data[3 + middle :])
        (Path(folder) / "1").write_bytes(data[3 : 3 + middle])
        channel = Channel("train", Path(folder), kind)
        with contextlib.suppress(UserError):
            whole = formats.read_channel(channel, accepted)
            assert whole.features.ndim == 2
            assert whole.labels is None or len(whole.labels) == whole.rows
        if kind in (inputs.CSV, inputs.RECORDIO):
            with contextlib.suppress(UserError):
                parts = list(formats.batches(channel, accepted, 2))
                assert all(part.rows == 2 for part in parts[:-1])


def _never(request: sigv4.Request) -> None:
    with contextlib.suppress(sigv4.SignatureError):
        sigv4.verify(
            request, SECRETS, services=("s3",), region="us-east-1", now=NOW, body_sha256=None
        )
        raise AssertionError("a signature was guessed")


def _tar() -> bytes:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as tar:
        for name, kind in (("a", tarfile.REGTYPE), ("d", tarfile.DIRTYPE), ("l", tarfile.SYMTYPE)):
            member = tarfile.TarInfo(name)
            member.type, member.linkname = kind, "../../etc/passwd" if name == "l" else ""
            member.size = 3 if name == "a" else 0
            tar.addfile(member, io.BytesIO(b"abc"))
    return buffer.getvalue()


def _record(values: tuple[float, ...], **sparse: tuple[int, ...]) -> bytes:
    record = record_message.record_class()()
    tensor = record.features["values"].float32_tensor
    tensor.values.extend(values)
    for name, numbers in sparse.items():
        getattr(tensor, name).extend(numbers)
    record.label["values"].float64_tensor.values.append(1.0)
    return recordio.frame(record.SerializeToString())


def _parquet() -> bytes:
    buffer = io.BytesIO()
    columns = {"label": [1, 0, None], "wide": [0.5, 1e300, None], "yes": [True, None, False]}
    parquet.write_table(pyarrow.table(columns), buffer)
    return buffer.getvalue()


def _form() -> bytes:
    policy = base64.b64encode(
        b'{"expiration": "2100-01-01T00:00:00Z", "conditions": [["starts-with", "$key", ""],'
        b' {"bucket": "bucket"}, ["content-length-range", 0, 9]]}'
    )
    part = b'--b\r\nContent-Disposition: form-data; name="%s"\r\n\r\n%s\r\n'
    fields = (
        part % (b"key", b"k") + part % (b"policy", policy) + part % (b'file"; filename="f', b"x")
    )
    return b"\xff" + fields + b"--b--\r\n"


_CREDENTIAL = f"AKIAFUZZ/{MOMENT[:8]}/us-east-1/s3/aws4_request"
_PRESIGNED = (
    f"/b/k?X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Credential={_CREDENTIAL.replace('/', '%2F')}"
    f"&X-Amz-Date={MOMENT}&X-Amz-Expires=60&X-Amz-SignedHeaders=host&X-Amz-Signature={'0' * 64}"
)
_CORS = cors.written(
    [dict(origins=["*"], methods=["GET"], headers=[], exposed=[], max_age=1, id="")]
)
_BOMB = b'<!DOCTYPE x [<!ENTITY a "aaaa"><!ENTITY b "&a;&a;">]><Delete><Key>&b;</Key></Delete>'
_DENSE, _SPARSE = _record((0.5, 2.0)), _record((0.5,), keys=(1,), shape=(2,))
_RECORD = recordio.write_labels([{"score": [1.0, 2.0]}, {"predicted_label": [0.0]}])


def queries(data: bytes) -> None:
    text = data.decode("utf-8", "replace")
    rows = Rows(Scope("0" * 12, "us-east-1", None, 0), Dialect("sqlite"), _KnownFields())
    try:
        asked = parser.condition(text)
    except QueryError as error:
        if not 0 <= error.start <= error.end <= max(len(text), 1):
            raise AssertionError("an error is outside of the query") from error
        return
    with contextlib.suppress(QueryError):  # too many fields
        str(query_conditions.satisfied(rows, asked))


class _KnownFields(dict[syntax.Field, int]):
    """Every field has a number."""

    def __contains__(self, _field: object) -> bool:
        return True

    def __getitem__(self, _field: syntax.Field) -> int:
        return 1


TARGETS = {
    "queries": Target(
        queries,
        (
            b'metric.auc > .9 and (param.depth in [3, 5] or tag.team == "risk")',
            b'not name.matches("^a(b|c)+$") or created_at > ago("2d") and has(param["a b"])',
            b"0 < -metric.auc.max ** 2 % 3 // len(name) <= 1e3 and trial is not None",
            b"'\\u00e9x' in name.lower() and experiment == 'x' and starred != False",
        ),
    ),
    "header-signature": Target(
        header_signature,
        (
            f"AWS4-HMAC-SHA256 Credential={_CREDENTIAL}, SignedHeaders=host;"
            f"x-amz-content-sha256;x-amz-date, Signature={'0' * 64}\n{MOMENT}\n/b/k".encode(),
        ),
    ),
    "query-signature": Target(
        query_signature,
        (
            _PRESIGNED.encode(),
            b"/b/k?AWSAccessKeyId=AKIAFUZZ&Expires=1800000000&Signature=AAAA%3D&acl",
        ),
    ),
    "form-signature": Target(
        form_signature,
        (
            b"AWSAccessKeyId=AKIAFUZZ&policy=e30=&signature=AAAA",
            f"x-amz-algorithm=AWS4-HMAC-SHA256&x-amz-credential={_CREDENTIAL}&x-amz-date={MOMENT}"
            "&x-amz-signature=0&policy=e30=".encode(),
        ),
    ),
    "chunks": Target(
        chunks,
        (
            b"\2\xff\x053\r\nabc\r\n2\r\nde\r\n0\r\nx-amz-checksum-crc32:AAAAAA==\r\n\r\n",
            b"\0\4\x033;chunk-signature=" + b"0" * 64 + b"\r\nabc\r\n",
        ),
    ),
    "documents": Target(
        documents, (_CORS, _BOMB, b"<Delete><Object><Key>k</Key></Object></Delete>")
    ),
    "ranges": Target(ranges, (b"\0\xffbytes=0-5", b"\0\0bytes=-0", b"\0\1bytes=0-,0-,0-")),
    "heads": Target(heads, (b"/bucket/a%2Fb%ff?list-type=2&prefix=%20", b"/b%00/k")),
    "policies": Target(policies, (base64.b64decode(_form().split(b"\r\n")[7]),)),
    "forms": Target(forms, (_form(),)),
    "archives": Target(archives, (_tar(), gzip.compress(_tar()))),
    "records": Target(records, (_RECORD, struct.pack("<II", 0xCED7230A, 4) + b"\x0a\x02\x0a\x00")),
    "tables": Target(
        tables, (b"1,2,3\n4,5,6\n", b"1;;3\r\n\xef\xbb\xbf,\x00\n", b'"a","b"\n', b"\r\r\r")
    ),
    "bodies": Target(
        bodies,
        (
            b"\0\0" + b"1,2.5,\n4,1e39,nan\n",
            b"\1\2" + b"1 1:2 3:4\n0:1 4:1\n",
            b"\2\0" + _RECORD,
            b'\3\0{"instances":[{"features":[1,2]},{"data":{"features":{"values":[1,2]}}},'
            b'{"data":{"features":{"keys":[1],"shape":[2],"values":[1]}}}]}',
            b'\4\0{"features":[1,2]}\n[3,4]\n',
        ),
    ),
    "channels": Target(
        channels,
        (
            b"\0\1\1" + b"1,2\n3,4\n5,\n",
            b"\1\0\3" + b"1 0:1 2:3\n\n0 1:1\n",
            b"\1\0\0" + b"1:0.5 qid:1 0:1\n",
            b"\2\0\0" + _DENSE * 3,
            b"\2\0\0" + _DENSE + _SPARSE,
            b"\3\0\0" + _parquet(),
        ),
    ),
    "sparse": Target(sparse, (b"1 1:2 3:4.5\n0 2:1e3 # note\n", b"1 qid:2 1:nan\n")),
}

"""An upload of 5 GiB in parts: how much memory the control plane takes for it."""

import hashlib
import os
from typing import Any

from benchmarks import processes, running
from benchmarks.clocks import seconds
from benchmarks.harness import Row, at_most

_PART_BYTES = 8 << 20
_PARTS = 640


def run(count: int = _PARTS) -> list[Row]:
    """The client sends one part after the other."""
    with running.studio() as it:
        s3 = it.client("s3")
        s3.create_bucket(Bucket="bench")
        before = processes.resident_mib(it.pid)
        processes.forget_peak(it.pid)
        spent = seconds(lambda: _upload(s3, count))
        grown = processes.peak_mib(it.pid) - before
    name = f"S3 upload of {count * _PART_BYTES / (1 << 30):.2g} GiB in parts"
    return [
        Row(f"{name}, growth of memory", grown, "MiB", at_most(32)),
        Row(name, count * _PART_BYTES / 1e6 / spent, "MB/s"),
    ]


def _upload(s3: Any, count: int) -> None:
    """RuntimeError when the whole is not what was sent."""
    body, target = os.urandom(_PART_BYTES), {"Bucket": "bench", "Key": "parts"}
    target["UploadId"] = s3.create_multipart_upload(**target)["UploadId"]
    parts = []
    for number in range(1, count + 1):
        etag = s3.upload_part(**target, PartNumber=number, Body=body)["ETag"]
        parts.append({"PartNumber": number, "ETag": etag})
    whole = s3.complete_multipart_upload(**target, MultipartUpload={"Parts": parts})["ETag"]
    expected = hashlib.md5(hashlib.md5(body).digest() * count).hexdigest()
    if whole != f'"{expected}-{count}"':
        raise RuntimeError(f"the upload became {whole}")

"""The signature check of one request of the usual size, beside botocore's signing of it."""

import hashlib
import time
from collections.abc import Callable

from benchmarks import signing, stored
from benchmarks.harness import Row, at_most
from studio.wire import sigv4

_COUNT = 2_000
_URL = "http://127.0.0.1:1/"
_ENV = {"AWS_ACCESS_KEY_ID": "AKIABENCH", "AWS_SECRET_ACCESS_KEY": "secret"}
_SECRETS = {_ENV["AWS_ACCESS_KEY_ID"]: _ENV["AWS_SECRET_ACCESS_KEY"]}


def run() -> list[Row]:
    """Processor time, a check and a signature each."""
    asked = ("CreateTrainingJob", stored.request("job"))
    ready = signing.signed(_URL, _ENV, *asked)
    headers = {name.lower(): value for name, value in ready.headers.items()}
    request = sigv4.Request("POST", "/", "", headers)
    body, now = hashlib.sha256(bytes(ready.data)).hexdigest(), time.time()
    known = {"services": ("sagemaker",), "region": stored.REGION, "now": now, "body_sha256": body}
    value = _microseconds(lambda: sigv4.verify(request, _SECRETS.get, **known))
    signer = signing.signer(_ENV)
    fresh = iter([signing.unsigned(_URL, *asked) for _ in range(_COUNT)])
    peer = _microseconds(lambda: signer.add_auth(next(fresh)))
    name, theirs = "signature check, CPU time", "botocore signs it"
    return [Row(name, value, "us", at_most(60), theirs, peer, peer / value)]


def _microseconds(work: Callable[[], object]) -> float:
    began = time.process_time()
    for _ in range(_COUNT):
        work()
    return (time.process_time() - began) / _COUNT * 1e6

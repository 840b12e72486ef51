"""The processes of load tests: started, heard and stopped.

A process ends when its input is closed, which the kernel does when this process ends, however it
does. It gets one request that is signed in the name of who wants the test, and no secret.
"""

import json
import subprocess
import sys
import threading
from collections.abc import Callable
from typing import IO
from urllib.parse import urlsplit

import structlog
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials

from studio.api.registry import Context
from studio.db.resources import Doc, Resource
from studio.serving import control
from studio.serving.load_test import Plan

log = structlog.get_logger()

_SESSION_SECONDS = 120
"""The longest test, and what it takes to begin it."""
_HEADERS = {
    "ContentType": "Content-Type",
    "Accept": "Accept",
    "TargetVariant": "X-Amzn-SageMaker-Target-Variant",
    "TargetModel": "X-Amzn-SageMaker-Target-Model",
}

Heard = Callable[[Doc | None, str], bool]
"""Told what was measured so far, or None and why there is no more; False: it is to end."""

_INPUTS: dict[str, IO[bytes]] = {}


def start(ctx: Context, test: Resource, body: bytes, heard: Heard) -> None:
    """Begin; a thread of its own hears it, and has `heard` told at the end, however that is."""
    try:
        plan = _plan(ctx, test, body)
        process = _process()
    except Exception:
        heard(None, "The load could not be started; the control plane's log tells more.")
        raise
    assert process.stdin is not None
    _INPUTS[test.id] = process.stdin
    threading.Thread(
        target=_hear, args=(test.id, process, plan.line(), heard), name="load-test", daemon=True
    ).start()


def stop(test_id: str) -> None:
    """End the process of a test, if there is one."""
    stdin = _INPUTS.pop(test_id, None)
    if stdin is not None:
        stdin.close()


def _process() -> subprocess.Popen[bytes]:
    return subprocess.Popen(
        [sys.executable, "-P", "-m", "studio.serving.load_test"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        cwd="/",
    )


def _plan(ctx: Context, test: Resource, body: bytes) -> Plan:
    spec = test.spec
    url = urlsplit(control.url(ctx.settings.home))
    return Plan(
        (url.hostname or "", url.port or 0),
        _message(ctx, spec, body),
        spec["DurationInSeconds"],
        spec["Connections"],
        float(spec.get("RequestsPerSecond", 0)),
    )


def _message(ctx: Context, spec: Doc, body: bytes) -> bytes:
    """The request, which the router takes for as long as a test lasts."""
    seconds = spec["DurationInSeconds"] + _SESSION_SECONDS
    session = ctx.identity.keys.start_session(ctx.caller.principal, seconds, ctx.now())
    path = f"/endpoints/{spec['EndpointName']}/invocations"
    url = control.url(ctx.settings.home) + path
    headers = {header: spec[member] for member, header in _HEADERS.items() if member in spec}
    headers |= {"Host": urlsplit(url).netloc, "Content-Length": str(len(body))}
    request = AWSRequest("POST", url, headers=headers, data=body)
    keys = Credentials(session.access_key_id, session.secret_access_key, session.session_token)
    SigV4Auth(keys, "sagemaker", ctx.settings.region).add_auth(request)
    lines = [f"POST {path} HTTP/1.1", *(f"{name}: {it}" for name, it in request.headers.items())]
    return "\r\n".join([*lines, "", ""]).encode("latin-1") + body


def _hear(test_id: str, process: subprocess.Popen[bytes], line: bytes, heard: Heard) -> None:
    over = False
    try:
        over = _heard_to_its_end(process, line, heard)
    except Exception:
        log.exception("load test not heard", test=test_id)
    stop(test_id)
    code = process.wait()
    if not over:
        try:
            heard(None, f"The load ended before its time (exit status {code}).")
        except Exception:
            # This process ends too; whoever comes after it sees that nobody hears the test.
            log.warning("end of load test not stored", test=test_id)


def _heard_to_its_end(process: subprocess.Popen[bytes], line: bytes, heard: Heard) -> bool:
    """Whether it said that it is over."""
    assert process.stdin is not None
    assert process.stdout is not None
    over = False
    try:
        with process.stdout:
            process.stdin.write(line)
            process.stdin.flush()
            for said in process.stdout:
                measured = json.loads(said)
                over = measured["Over"]
                if not heard(measured, ""):
                    break
    except (OSError, ValueError):
        pass  # it was stopped before it had begun, or has died
    return over

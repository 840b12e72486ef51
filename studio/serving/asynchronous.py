"""InvokeEndpointAsync: what a request says is checked, it is put into the backlog, and the client
is told where in S3 its answer will lie. Who sends it to a model is not known here.
"""

import asyncio
import json
import re
import uuid
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING, Any

from studio.errors import ApiError
from studio.http.request import Request
from studio.serving.table import Queue

if TYPE_CHECKING:
    from studio.serving import backlog
    from studio.serving.dispatch import Dispatcher

LARGEST_BODY = 128_000
"""Of a request that brings its input itself; larger ones name an object."""
LONGEST_SECONDS, DEFAULT_SECONDS = 3_600, 900
"""That a model may take for an answer."""
DEFAULT_TTL_SECONDS = 6 * 3_600

_PREFIX = "x-amzn-sagemaker-"
_LOCATION = re.compile(r"(https|s3)://([^/]+)/?(.*)", re.DOTALL)
_EXTENSION = re.compile(r"(?!s3:|https:)[a-zA-Z0-9!_.*'()/-]+")
_FILENAME = re.compile(r"(?!.*\..*\.)[a-zA-Z0-9][a-zA-Z0-9\-_.]*")
_INFERENCE_ID = re.compile(r"\S[ -~]*")
_PASSED_ON = ("content-type", "accept", "custom-attributes")


class Acceptance:
    """Puts requests into the backlog of a home, on a thread: the disk must hold nobody else up."""

    def __init__(self, home: Path) -> None:
        self._home = home
        self._backlog: backlog.Backlog | None = None
        self._thread: ThreadPoolExecutor | None = None

    def take(self, dispatcher: "Dispatcher", request: Request, endpoint: str) -> None:
        """Answer `request` once it is on disk. Raises ApiError for one that is not right."""
        queue = dispatcher.routes.queue(endpoint)
        spec = spoken(request.headers, request.body, queue)
        if self._thread is None:
            self._thread = ThreadPoolExecutor(1, thread_name_prefix="backlog")
        loop = asyncio.get_running_loop()
        kept = loop.run_in_executor(self._thread, self._put, endpoint, queue, spec, request.body)
        kept.add_done_callback(lambda done: _answer(dispatcher, request, spec, done))

    def close(self) -> None:
        """What was taken is put away."""
        if self._thread is not None:
            self._thread.shutdown()
        if self._backlog is not None:
            self._backlog.close()

    def _put(self, endpoint: str, queue: Queue, spec: dict[str, Any], body: bytes) -> None:
        # Only here: a home without asynchronous endpoints needs no database of them.
        from studio.serving import backlog

        if self._backlog is None:
            self._backlog = backlog.Backlog(self._home)
        now = backlog.now_ms()
        self._backlog.put(
            backlog.Request(
                id=spec["id"],
                queue=queue.name,
                endpoint=endpoint,
                spec=spec,
                accepted_at=now,
                expires_at=now + spec["ttl"] * 1_000,
                body=None if spec["input"] else body,
            )
        )


def spoken(headers: Mapping[str, str], body: bytes, queue: Queue) -> dict[str, Any]:
    """What a request wants: `id`, `inference_id`, `input` ("": it has a body), `output` and
    `failure` (URIs; the latter may be ""), `headers` for the model, `seconds` for its answer, `ttl`
    in seconds, the `role` and `owner` of the endpoint, and its `topics` if it has any. Raises
    ApiError."""
    given = {
        name[len(_PREFIX) :]: value for name, value in headers.items() if name.startswith(_PREFIX)
    }
    location = _text(given, "inputlocation", "inputLocation", _LOCATION, 1_024)
    if bool(location) == bool(body):
        raise _invalid("Provide exactly one of Body and InputLocation.")
    if len(body) > LARGEST_BODY:
        raise _constraint("body", f"have length less than or equal to {LARGEST_BODY}")
    name = str(uuid.uuid4())
    extension = _text(given, "s3outputpathextension", "s3OutputPathExtension", _EXTENSION, 512)
    filename = _text(given, "filename", "filename", _FILENAME, 32)
    output = "/".join(it.strip("/") for it in (extension, filename or f"{name}.out") if it)
    return {
        "id": name,
        "inference_id": _text(given, "inference-id", "inferenceId", _INFERENCE_ID, 64) or name,
        "input": location,
        "output": _below(queue.output, output),
        "failure": _below(queue.failure, f"{name}-error.out") if queue.failure else "",
        "headers": {it: given[it] for it in _PASSED_ON if it in given},
        "seconds": _number(
            given, "invocationtimeoutseconds", "invocationTimeoutSeconds", 1, LONGEST_SECONDS
        )
        or DEFAULT_SECONDS,
        "ttl": _number(given, "requestttlseconds", "requestTTLSeconds", 60, 21_600)
        or DEFAULT_TTL_SECONDS,
        "role": queue.role,
        "owner": queue.owner,
        **({"topics": _topics(queue)} if queue.success or queue.error else {}),
    }


def _topics(queue: Queue) -> dict[str, Any]:
    """Who is told of which end, and in whose messages the answer is."""
    told = {"Completed": queue.success, "Failed": queue.error}
    return {**told, "included": list(queue.included)}


def _answer(
    dispatcher: "Dispatcher",
    request: Request,
    spec: dict[str, Any],
    done: "asyncio.Future[None]",
) -> None:
    error = done.exception()
    if error is not None:
        dispatcher.log("request not kept", error=type(error).__name__, reason=str(error))
        text = "The request could not be written to disk; see logs/router.log."
        refusal = ApiError("ServiceUnavailable", text, 503)
        request.client.answer(*dispatcher.refusal(refusal))
        return
    places = f"X-Amzn-SageMaker-OutputLocation: {spec['output']}\r\n"
    if spec["failure"]:
        places += f"X-Amzn-SageMaker-FailureLocation: {spec['failure']}\r\n"
    head = (
        b"HTTP/1.1 202 Accepted\r\n"
        + dispatcher.common_head()
        + places.encode()
        + b"Content-Type: application/json\r\n"
    )
    request.client.answer(head, json.dumps({"InferenceId": spec["inference_id"]}).encode())


def _below(uri: str, key: str) -> str:
    return f"{uri.rstrip('/')}/{key}"


def _text(
    given: Mapping[str, str], header: str, member: str, pattern: re.Pattern[str], most: int
) -> str:
    value = given.get(header, "")
    if not value and header not in given:
        return ""
    if len(value) > most:
        raise _constraint(member, f"have length less than or equal to {most}", value)
    if not pattern.fullmatch(value):
        raise _constraint(member, f"satisfy regular expression pattern: {pattern.pattern}", value)
    return value


def _number(given: Mapping[str, str], header: str, member: str, least: int, most: int) -> int:
    """0 when it is not given."""
    value = given.get(header)
    if value is None:
        return 0
    if not (value.isascii() and value.isdigit() and len(value) < 10):
        raise _constraint(member, "be an integer", value)
    if int(value) < least:
        raise _constraint(member, f"have value greater than or equal to {least}", value)
    if int(value) > most:
        raise _constraint(member, f"have value less than or equal to {most}", value)
    return int(value)


def _constraint(member: str, what: str, value: str | None = None) -> ApiError:
    said = "" if value is None else f" {value[:256]!a}"
    text = f"1 validation error detected: Value{said} at '{member}' failed to satisfy constraint:"
    return _invalid(f"{text} Member must {what}")


def _invalid(text: str) -> ApiError:
    return ApiError("ValidationError", text)

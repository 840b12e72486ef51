"""What follows one request to its answer: a line of the access log, headers for a browser.

Only requests that want either have one; all others pay for looking at an attribute.
"""

import json
import time
from time import monotonic
from typing import Any

import orjson

from studio.http.request import Request
from studio.serving import access_log
from studio.serving.outside import AccessLog
from studio.serving.recording import Recording

_LONGEST = 256
_MOST_HELD = 500
_ID = b"x-amzn-RequestId: "
_ERROR = b"x-amzn-ErrorType: "


class Lines:
    """Lines of access logs on their way to the recorder: a call for each of them would cost more
    than all else that is done for it. A router that is killed loses those of its last moment."""

    def __init__(self, recording: Recording) -> None:
        self._recording = recording
        self._held: dict[bytes, list[bytes]] = {}

    def add(self, about: bytes, line: dict[str, Any]) -> None:
        """A line of the log that is `about`."""
        held = self._held.setdefault(about, [])
        held.append(orjson.dumps(line, option=orjson.OPT_APPEND_NEWLINE))
        if len(held) >= _MOST_HELD:
            self.flush()

    def flush(self) -> None:
        """Tell the recorder."""
        held, self._held = self._held, {}
        for about, lines in held.items():
            self._recording.send(about, {}, b"".join(lines), number=len(lines))


class Trail:
    """`about` is the access log's, None when the request is not logged."""

    __slots__ = (
        "_about",
        "_added",
        "_at",
        "_begun",
        "_head",
        "_lines",
        "_remote",
        "_request",
        "_said",
        "_size",
    )

    def __init__(
        self, request: Request, lines: Lines, about: bytes | None, added: bytes = b""
    ) -> None:
        self._request = request
        self._lines = lines
        self._about = about
        self._added = added
        self._begun = monotonic()
        self._remote = request.client.peer  # it may have gone by the answer
        self._head = b""  # of an answer that never was
        self._size = 0
        self._at = time.time()
        self._said: dict[str, Any] = {}

    def note(self, **said: Any) -> None:
        """Have the line say this, too."""
        self._said |= said

    def answered(self, head: bytes, size: int) -> bytes:
        """The head of the answer as it is sent; `size` is that of the body in bytes."""
        self._size = size
        self._head = head
        self.over()
        return head + self._added

    def begun(self, head: bytes) -> bytes:
        """The same of an answer in pieces, whose line is written when it is `over`."""
        self._head = head
        return head + self._added

    def sent(self, size: int) -> None:
        self._size += size

    def over(self) -> None:
        if self._about is not None:
            self._lines.add(self._about, self._line())

    def _line(self) -> dict[str, Any]:
        request, head = self._request, self._head
        forwarded = request.headers.get("x-forwarded-for")
        return {
            "time": access_log.moment(self._at),
            "requestId": _header(head, _ID),
            **self._said,
            "status": int(head[9:12] or 0),
            "error": _header(head, _ERROR) or None,
            "bytesIn": len(request.body),
            "bytesOut": self._size,
            "latencyMs": round((monotonic() - self._begun) * 1000, 3),
            "remote": self._remote,
            "forwardedFor": forwarded[:_LONGEST] if forwarded else None,
        }


def about(endpoint: str, log: AccessLog) -> bytes:
    """What the recorder has to know of an endpoint's access log."""
    told = {"kind": "access", "endpoint": endpoint, "record": log.record, "days": log.days}
    return json.dumps(told).encode()


def _header(head: bytes, name: bytes) -> str:
    start = head.find(name)
    if start < 0:
        return ""
    start += len(name)
    return head[start : head.find(b"\r\n", start)].decode("latin-1")

"""A process with a model: the user's functions, those of the framework in the places of others.

It runs in the user's interpreter, Python 3.9 or newer: the standard library, and numpy where the
handlers of the framework are used. An answer that is an iterator goes out piece by piece.
"""

import importlib.util
import inspect
import json
import os
import select
import signal
import socket
import sys
import traceback
from collections.abc import Iterator
from types import ModuleType, SimpleNamespace
from typing import Any

from studio.container.script import frames, handlers, joining, portable, saved
from studio.container.script.handlers import Refused

_HANDLERS = ("model_fn", "input_fn", "predict_fn", "output_fn")
_OWN = {**portable.HANDLERS, **saved.HANDLERS}
_TEXT = ("application/json", "text/csv")
"""Bodies of these types are handed over as str, all others as bytes."""


def main(arguments: list[str]) -> None:
    """`FD DOCUMENT`: serve the requests that come over the socket until it is closed."""
    # The server ends first, when it has answered what it was asked; then this ends by itself.
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    connection, given = socket.socket(fileno=int(arguments[0])), json.loads(arguments[1])
    try:
        model = Model(given)
    except Exception as error:
        frames.send(connection, {"status": 500}, _told(error))
        return
    frames.send(connection, {"status": 200}, b"")
    while True:
        try:
            head, body = frames.receive(connection)
        except EOFError:
            return
        if "stop" in head:
            continue  # of an answer that was over by itself
        if "batch" in head:
            frames.send(connection, *_batch(model, head, body))
            continue
        answer, data = _answered(model, head, body)
        if isinstance(data, bytes):
            frames.send(connection, answer, data)
        else:
            _stream(connection, answer, data)


class Model:
    """The loaded model and its functions."""

    def __init__(self, given: dict[str, str]) -> None:
        module = _imported(given["code"], given["program"]) if given["program"] else None
        self._context = SimpleNamespace(
            system_properties={"model_dir": given["model"], "gpu_id": None}, manifest={}
        )
        self._framework = given["framework"]
        self._functions = {name: self._function(module, name) for name in _HANDLERS}
        self._transform = getattr(module, "transform_fn", None)
        self._passes = not hasattr(module, "output_fn")
        if self._transform and any(hasattr(module, name) for name in _HANDLERS[1:]):
            raise ValueError("transform_fn replaces input_fn, predict_fn and output_fn: drop one.")
        self._model = self._call("model_fn", given["model"])

    def answer(
        self, body: bytes, content_type: str, accept: str, ready: Any = joining.ABSENT
    ) -> "tuple[bytes | Iterator[bytes], str]":
        """The answer and its content type; `ready` is what was predicted already. Raises Refused,
        and what the user's code raises."""
        if self._transform:
            words = (self._model, _given(body, content_type), content_type, accept)
            return _wire(_called(self._transform, words, self._context), accept)
        if ready is joining.ABSENT:
            ready = self.predict(self.read(body, content_type))
        return self._write(ready, accept)

    def read(self, body: bytes, content_type: str) -> Any:
        """What predict_fn gets. Raises Refused, and what the user's code raises."""
        return self._call("input_fn", _given(body, content_type), content_type)

    def predict(self, data: Any) -> Any:
        """What output_fn gets. Raises what the user's code raises."""
        return self._call("predict_fn", data, self._model)

    def joins(self) -> bool:
        """Whether several requests may be predicted by one call."""
        return self._transform is None

    def _write(self, prediction: Any, accept: str) -> "tuple[bytes | Iterator[bytes], str]":
        if self._passes and isinstance(prediction, Iterator):
            return _wire(prediction, accept)  # a framework's output_fn knows arrays
        return _wire(self._call("output_fn", prediction, accept), accept)

    def _function(self, module: Any, name: str) -> Any:
        own = _OWN.get((self._framework, name))
        return getattr(module, name, None) or own or handlers.default(self._framework, name)

    def _call(self, name: str, *words: Any) -> Any:
        return _called(self._functions[name], words, self._context)


def _batch(model: Model, head: dict[str, Any], body: bytes) -> "tuple[dict[str, Any], bytes]":
    """Each of the requests in a message as if it was asked alone."""
    heads, bodies = head["batch"], list(frames.apart(body, head["sizes"]))
    ready = [joining.ABSENT] * len(heads)
    if model.joins():
        kinds = [_content_type(each) for each in heads]
        ready = joining.predicted(model.read, model.predict, bodies, kinds)
    answers, said = [], []
    for each, its, prediction in zip(heads, bodies, ready):  # noqa: B905  Python 3.9 has no strict
        answer, data = _answered(model, each, its, prediction)
        if not isinstance(data, bytes):
            answer, data = _whole(answer, data)
        answers.append(answer)
        said.append(data)
    return {"batch": answers, "sizes": [len(it) for it in said]}, b"".join(said)


def _whole(answer: dict[str, Any], pieces: "Iterator[bytes]") -> "tuple[dict[str, Any], bytes]":
    """An answer in pieces as one of several, which has to wait for its end."""
    try:
        return answer, b"".join(pieces)
    except Exception as error:
        return {"status": 500}, _told(error)


def _content_type(head: dict[str, str]) -> str:
    return head["content_type"] or "application/json"


def _given(body: bytes, content_type: str) -> Any:
    """A body as the user's functions take it. Raises UnicodeDecodeError."""
    return body.decode() if content_type.partition(";")[0].strip() in _TEXT else body


def _answered(
    model: Model, head: dict[str, str], body: bytes, ready: Any = joining.ABSENT
) -> "tuple[dict[str, Any], bytes | Iterator[bytes]]":
    accept = head["accept"].partition(",")[0].strip()
    if accept in ("", "*/*"):
        accept = os.environ.get("SAGEMAKER_DEFAULT_INVOCATIONS_ACCEPT", "application/json")
    try:
        data, kind = model.answer(body, _content_type(head), accept, ready)
        if not isinstance(data, bytes):
            # The first piece: what goes wrong before it is an answer of its own.
            data = _with_first(next(data, b""), data)
    except Refused as error:
        return {"status": error.status}, str(error).encode()
    except Exception as error:
        return {"status": 500}, _told(error)
    return {"status": 200, "content_type": kind}, data


def _stream(connection: socket.socket, head: dict[str, Any], pieces: "Iterator[bytes]") -> None:
    """Send pieces as they come, until there are no more or the other end says stop.

    It is told that more come by "more", and by "failed" that the rest does not.
    """
    end: dict[str, Any] = {"more": False}
    said = b""
    try:
        for piece in pieces:
            frames.send(connection, {**head, "more": True}, piece)
            if select.select([connection], [], [], 0)[0]:
                break
    except Exception as error:
        end, said = {"more": False, "failed": True}, _told(error)
    finally:
        pieces.close()  # type: ignore[attr-defined]
    frames.send(connection, end, said)


def _with_first(first: bytes, rest: "Iterator[bytes]") -> "Iterator[bytes]":
    try:
        yield first
        yield from rest
    finally:
        rest.close()  # type: ignore[attr-defined]


def _told(error: Exception) -> bytes:
    """The log has all of it, whoever asked its last line."""
    traceback.print_exc()
    return "".join(traceback.format_exception_only(type(error), error)).strip().encode()


def _imported(code: str, program: str) -> ModuleType:
    """The user's module under its own name, with which classes of it are pickled."""
    path = os.path.join(code, program)  # noqa: PTH118  pathlib is slow to import
    sys.path.insert(0, os.path.dirname(path))  # noqa: PTH120
    name = os.path.splitext(os.path.basename(path))[0]  # noqa: PTH119, PTH122
    spec = importlib.util.spec_from_file_location(name, path)
    assert spec is not None
    assert spec.loader is not None
    module = sys.modules[name] = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def _called(function: Any, words: tuple[Any, ...], context: SimpleNamespace) -> Any:
    """Newer handlers take the context behind what all of them take."""
    try:
        inspect.signature(function).bind(*words, context)
    except (TypeError, ValueError):
        return function(*words)
    return function(*words, context)


def _wire(answer: Any, accept: str) -> "tuple[bytes | Iterator[bytes], str]":
    """What an output_fn returned: a body, or a body and its content type. An iterator is a body
    that comes in pieces."""
    kind = accept
    if isinstance(answer, tuple) and len(answer) == 2 and isinstance(answer[1], str):
        answer, kind = answer
    if isinstance(answer, str):
        return answer.encode(), kind
    if isinstance(answer, (bytes, bytearray, memoryview)):
        return bytes(answer), kind
    if isinstance(answer, Iterator):
        return _pieces(answer), kind
    return handlers.encoded(answer, kind), kind


def _pieces(answer: Any) -> "Iterator[bytes]":
    try:
        for piece in answer:
            if not isinstance(piece, (str, bytes, bytearray, memoryview)):
                raise TypeError(f"An answer in pieces is of str or bytes: {type(piece).__name__}.")
            data = piece.encode() if isinstance(piece, str) else bytes(piece)
            if data:
                yield data
    finally:
        # A generator learns of its end now, and frees what it holds.
        getattr(answer, "close", bool)()

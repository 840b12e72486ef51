"""The protocols of AWS's services: which operation a request asks for, and how answers look.

json-1.1 (also spoken as 1.0) for `sagemaker`, `logs` and `studio`, query and XML for `sts`, `iam`
and `sns`; rest-json for `sagemaker-metrics`; sagemaker-runtime is served by the router.
`cloudwatch` came with query, and clients of later years speak JSON 1.0 and CBOR to it: its errors
keep their old codes.
"""

import json
import zlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email.utils import formatdate
from functools import lru_cache
from typing import Any

import orjson
from botocore.model import OperationModel, Shape

from studio.errors import ApiError
from studio.wire import cbor, models, query, shapes
from studio.wire.shapes import Doc, SerializationException

JSON_TARGETS = {
    "SageMaker": "sagemaker",
    "Logs_20140328": "logs",
    "GraniteServiceVersion20100801": "cloudwatch",
    "AnyScaleFrontendService": "application-autoscaling",
    "Studio": "studio",
}
"""targetPrefix of a model -> service, so that a request needs not read every model."""

REST_PATHS = {
    "/BatchGetMetrics": ("sagemaker-metrics", "BatchGetMetrics"),
    "/BatchPutMetrics": ("sagemaker-metrics", "BatchPutMetrics"),
}
"""Of rest-json, signed for `sagemaker`: path -> service and operation."""

QUERY_SERVICES = {"iam": "iam", "monitoring": "cloudwatch", "sns": "sns", "sts": "sts"}
"""What clients sign for -> service."""

GLOBAL_SERVICES = ("iam", "sts")
"""Signed for us-east-1, whatever the client's region."""

_LARGEST_INFLATED = 10 * 1024 * 1024

# What the query services call the same thing; the Type of an error follows its status.
_QUERY_CODES = {
    "ValidationException": "ValidationError",
    "SerializationException": "MalformedInput",
    "MissingAuthenticationTokenException": "MissingAuthenticationToken",
    "UnrecognizedClientException": "InvalidClientTokenId",
    "InvalidSignatureException": "SignatureDoesNotMatch",
    "IncompleteSignatureException": "IncompleteSignature",
    "AccessDeniedException": "AccessDenied",
    "ExpiredTokenException": "ExpiredToken",
    "InternalFailure": "InternalFailure",
}


@dataclass(frozen=True)
class Response:
    """An HTTP answer, but for what every answer carries."""

    status: int
    body: bytes
    headers: Mapping[str, str] = field(default_factory=dict)


@lru_cache(maxsize=1)  # many answers are of one second
def date(second: int) -> str:
    """What a Date header says, of seconds since the epoch."""
    return formatdate(second, usegmt=True)


def read_json(body: bytes) -> Any:
    """The JSON value of a body. Raises SerializationException for anything that is not JSON."""
    try:
        return json.loads(
            body.decode() or "{}",
            parse_constant=_refuse_constant,
            object_pairs_hook=_without_duplicates,
        )
    except (ValueError, RecursionError):
        raise SerializationException("The body of the request is not valid JSON.") from None


def read_json_request(operation: OperationModel, body: bytes) -> Doc:
    """The validated document of a json-1.1 request."""
    value = read_json(body)
    return shapes.load(operation.input_shape, value) if operation.input_shape else {}


def json_response(operation: OperationModel, document: Doc, content_type: str) -> Response:
    """`content_type` is the request's: a client of JSON 1.0 is answered in it."""
    shape = operation.output_shape
    body = _json(shapes.dump(shape, document)) if shape else b""
    return Response(200, body, {"Content-Type": _json_type(content_type)})


def json_error(error: ApiError, service: str, content_type: str) -> Response:
    """json services: clients find the code in the body, and nowhere else."""
    name, headers = _modelled(error, service)
    body = _json({"__type": name, "message": error.message})
    return Response(error.status, body, {"Content-Type": _json_type(content_type), **headers})


def read_cbor_request(operation: OperationModel, body: bytes) -> Doc:
    """The validated document of an rpc-v2-cbor request."""
    value = cbor.loads(body)
    return shapes.load(operation.input_shape, value) if operation.input_shape else {}


def cbor_response(operation: OperationModel, document: Doc) -> Response:
    """The answer in CBOR; an operation that says nothing has no body."""
    shape = operation.output_shape
    return Response(200, cbor.dumps(shape, document) if shape else b"", _CBOR)


def cbor_error(error: ApiError, service: str) -> Response:
    """As with JSON the code is in the body, in full."""
    name, headers = _modelled(error, service)
    body = cbor.error(f"com.amazonaws.{service}#{name}", error.message)
    return Response(error.status, body, {**_CBOR, **headers})


def plain_body(headers: Mapping[str, str], body: bytes) -> bytes:
    """The body as it was before the client compressed it; clients of CloudWatch do."""
    coding = headers.get("content-encoding", "identity").strip().lower()
    if coding in ("identity", ""):
        return body
    if coding != "gzip":
        raise SerializationException("Content-Encoding must be gzip.")
    unzip = zlib.decompressobj(wbits=31)
    try:
        inflated = unzip.decompress(body, _LARGEST_INFLATED)
    except zlib.error:
        raise SerializationException("The body of the request is not valid gzip.") from None
    if len(inflated) == _LARGEST_INFLATED and not unzip.eof:
        text = f"The body of a request must not exceed {_LARGEST_INFLATED} bytes."
        raise ApiError("RequestEntityTooLargeException", text, 413)
    if not unzip.eof or unzip.unused_data:
        raise SerializationException("The body of the request is not valid gzip.")
    return inflated


def read_large_json_request(operation: OperationModel, body: bytes) -> Doc:
    """What `read_json_request` reads in ten times as long, unchecked but for being an object. Of a
    name that occurs twice the last counts; NaN and the infinities, as Python writes them, are
    numbers."""
    value: Any
    try:
        try:
            value = orjson.loads(body)
        except orjson.JSONDecodeError:
            value = json.loads(body)
    except (ValueError, RecursionError):
        raise SerializationException("The body of the request is not valid JSON.") from None
    if operation.input_shape is not None and not isinstance(value, dict):
        shapes.load(operation.input_shape, value)  # says that it is none
    return dict(value)


def rest_json_response(operation: OperationModel, document: Doc) -> Response:
    """The answer of a rest-json service, all of it in the body."""
    shape = operation.output_shape
    body = _json(shapes.dump(shape, document)) if shape else b""
    return Response(200, body, {"Content-Type": "application/json"})


def rest_json_error(error: ApiError) -> Response:
    """rest-json services: clients find the code in a header."""
    headers = {"Content-Type": "application/json", "X-Amzn-ErrorType": error.code}
    return Response(error.status, _json({"Message": error.message}), headers)


def container_credentials(key_id: str, secret: str, token: str, expires_at: int) -> Response:
    """The document in which a container's host tells credentials; `expires_at` in milliseconds.

    https://docs.aws.amazon.com/sdkref/latest/guide/feature-container-credentials.html
    """
    moment = datetime.fromtimestamp(expires_at // 1000, UTC)
    document = {
        "AccessKeyId": key_id,
        "SecretAccessKey": secret,
        "Token": token,
        "Expiration": moment.strftime("%Y-%m-%dT%H:%M:%SZ"),
    }
    headers = {"Content-Type": "application/json", "Cache-Control": "no-store"}
    return Response(200, _json(document), headers)


def container_error(error: ApiError) -> Response:
    """Why a container's host tells none."""
    document = {"code": error.code, "message": error.message}
    return Response(error.status, _json(document), {"Content-Type": "application/json"})


def read_query_request(operation: OperationModel, form: Mapping[str, str]) -> Doc:
    """The validated document of a query request; `form` as `query.parse_form` gives it."""
    if operation.input_shape is None:
        return {}
    return shapes.load(operation.input_shape, query.unflatten(operation.input_shape, form))


def query_response(operation: OperationModel, document: Doc, request_id: str) -> Response:
    """The XML in which the query protocol answers."""
    return Response(200, query.dump_xml(operation, document, request_id), _XML)


def query_error(error: ApiError, namespace: str, request_id: str) -> Response:
    """The XML in which the query protocol refuses."""
    code = _QUERY_CODES.get(error.code, error.code)
    kind = "Sender" if error.status < 500 else "Receiver"
    body = query.dump_error(code, error.message, kind, namespace, request_id)
    return Response(error.status, body, _XML)


_XML = {"Content-Type": "text/xml"}
_CBOR = {"Content-Type": "application/cbor", "smithy-protocol": "rpc-v2-cbor"}


def _modelled(error: ApiError, service: str) -> tuple[str, dict[str, str]]:
    """The name of an error in its model, and the header with its code of old, if it has one."""
    model = models.service_model(service) if service in JSON_TARGETS.values() else None
    if service == "logs" and error.code == "ValidationException":
        return "InvalidParameterException", {}  # its own name for what its model forbids
    if model is None or "awsQueryCompatible" not in model.metadata:
        return error.code, {}
    names = {_old_code(shape): shape.name for shape in model.error_shapes}
    code = _QUERY_CODES.get(error.code, error.code)
    blame = "Sender" if error.status < 500 else "Receiver"
    return names.get(error.code, error.code), {"x-amzn-query-error": f"{code};{blame}"}


def _old_code(shape: Shape) -> str:
    return str(shape.metadata.get("error", {}).get("code", shape.name))


def _json_type(content_type: str) -> str:
    """Never what the client sent: only one of the two that there are."""
    return f"application/x-amz-json-{'1.0' if content_type.endswith('-json-1.0') else '1.1'}"


def _json(value: Any) -> bytes:
    """A number that JSON has no word for, such as NaN, is null: clients take it as absent."""
    try:
        return orjson.dumps(value)
    except TypeError:  # half of a surrogate pair, in an error that quotes it
        return json.dumps(value, separators=(",", ":")).encode()


def _refuse_constant(name: str) -> Any:
    raise ValueError(f"{name} is not JSON")


def _without_duplicates(pairs: list[tuple[str, Any]]) -> Doc:
    document = dict(pairs)
    if len(document) != len(pairs):
        raise ValueError("a name occurs twice")
    return document

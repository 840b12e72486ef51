"""From a whole request to its answer: signature, parsing, the operation, serialisation.

Runs on worker threads and may block. It knows nothing of sockets.
"""

import hashlib
import traceback
import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from functools import cached_property, partial

import structlog
from botocore.model import OperationModel

from studio.api import access, registry, sns_subscriptions
from studio.api.registry import Caller, Context, Operation
from studio.errors import ApiError
from studio.identity.authority import Ask
from studio.identity.keys import Session
from studio.identity.principals import Principal
from studio.reconcile import steps
from studio.server import routing
from studio.wire import models, protocols, query, rest, shapes, sigv4
from studio.wire.protocols import GLOBAL_SERVICES, QUERY_SERVICES, REST_PATHS, Response
from studio.wire.shapes import Doc
from studio.wire.signature import Kind, session_token

log = structlog.get_logger()

_SIGNATURE_CODES: dict[Kind, tuple[str, int]] = {
    "missing": ("MissingAuthenticationTokenException", 403),
    "malformed": ("IncompleteSignatureException", 400),
    "unknown_key": ("UnrecognizedClientException", 403),
}


@dataclass(frozen=True)
class Call:
    """One request, whole. Path, query and headers are as `sigv4.Request` wants them."""

    id: str
    method: str
    path: str
    query: str
    headers: Mapping[str, str]
    body: bytes

    @cached_property
    def body_sha256(self) -> str:
        return hashlib.sha256(self.body).hexdigest()

    @property
    def content_type(self) -> str:
        return self.headers.get("content-type", "").partition(";")[0].strip()


@dataclass(frozen=True)
class Services:
    """What operations are called with. `context` is completed with the caller of a request."""

    context: Context
    credentials: Callable[[str, str], Session]
    """(run, token) -> fresh credentials for a run; raises ApiError."""


@dataclass(frozen=True)
class _Codec:
    """How one of the protocols that name service and operation in the head speaks."""

    read: Callable[[OperationModel, bytes], Doc]
    write: Callable[[OperationModel, Doc], Response]
    refuse: Callable[[ApiError, str], Response]


def answer_json(services: Services, call: Call) -> Response:
    """The answer to a request with an X-Amz-Target."""
    codec = _Codec(
        protocols.read_json_request,
        partial(protocols.json_response, content_type=call.content_type),
        partial(protocols.json_error, content_type=call.content_type),
    )
    return _answer_named(services, call, codec, *routing.json_service(call.headers))


def answer_cbor(services: Services, call: Call) -> Response:
    """The answer to a request in smithy's rpc-v2-cbor."""
    return _answer_named(services, call, _CBOR, *routing.cbor_service(call.path))


_CBOR = _Codec(protocols.read_cbor_request, protocols.cbor_response, protocols.cbor_error)


def _answer_named(
    services: Services, call: Call, codec: _Codec, service: str, name: str
) -> Response:
    def run() -> Response:
        caller = _authenticate(services, call, _signing_name(service, call))
        model, operation = _operation(service, name)
        if call.method != "POST":
            raise ApiError("MethodNotAllowedException", "Only POST is allowed here.", 405)
        request = codec.read(model, protocols.plain_body(call.headers, call.body))
        document = _done(_context(services, call, caller, operation), operation, request)
        return codec.write(model, document)

    def refuse(error: ApiError) -> Response:
        return codec.refuse(error, service)

    return _guarded(call, f"{service}:{name}", run, refuse)


def answer_query(services: Services, call: Call) -> Response:
    """The answer to a form with an Action."""
    scope = routing.signed_service(call.query, call.headers)
    if not scope and call.method == "GET" and _link(call) is not None:
        return _answer_link(services, call)
    service = QUERY_SERVICES.get(scope, "sts")
    namespace = models.service_model(service).metadata["xmlNamespace"]

    def run() -> Response:
        caller = _authenticate(services, call, scope or service)
        form = query.parse_form(call.query) | query.parse_form(_form_text(call))
        model, operation = _operation(QUERY_SERVICES.get(scope, scope), form.get("Action", ""))
        request = protocols.read_query_request(model, form)
        document = _done(_context(services, call, caller, operation), operation, request)
        return protocols.query_response(model, document, call.id)

    def refuse(error: ApiError) -> Response:
        return protocols.query_error(error, namespace, call.id)

    return _guarded(call, service, run, refuse)


def _link(call: Call) -> tuple[str, Mapping[str, str]] | None:
    """The action and the form of a link that needs no signature."""
    try:
        form = query.parse_form(call.query)
    except ApiError:
        return None
    action = form.get("Action", "")
    ours = action in sns_subscriptions.LINKS and form.get("Version") == sns_subscriptions.VERSION
    return (action, form) if ours else None


def _answer_link(services: Services, call: Call) -> Response:
    """The answer to whoever was sent a link; nobody is asked for a signature."""
    namespace = models.service_model("sns").metadata["xmlNamespace"]

    def run() -> Response:
        action, form = _link(call) or ("", {})
        model, _ = _operation("sns", action)
        request = protocols.read_query_request(model, form)
        context = replace(services.context, request_id=call.id, call="")
        document = sns_subscriptions.LINKS[action](context, request)
        return protocols.query_response(model, document, call.id)

    return _guarded(
        call, "sns", run, lambda error: protocols.query_error(error, namespace, call.id)
    )


def answer_rest(services: Services, call: Call) -> Response:
    """The answer to a request of a rest-json service."""
    scope = routing.signed_service(call.query, call.headers)
    if scope in rest.SERVICES:
        return _answer_placed(services, call, scope)
    service, name = REST_PATHS[call.path]

    def run() -> Response:
        caller = _authenticate(services, call, "sagemaker")
        model, operation = _operation(service, name)
        if call.method != model.http["method"]:
            text = f"Only {model.http['method']} is allowed here."
            raise ApiError("MethodNotAllowedException", text, 405)
        body = protocols.plain_body(call.headers, call.body)
        read = protocols.read_large_json_request if operation.raw else protocols.read_json_request
        document = _done(_context(services, call, caller, operation), operation, read(model, body))
        return protocols.rest_json_response(model, document)

    return _guarded(call, f"{service}:{name}", run, protocols.rest_json_error)


def _answer_placed(services: Services, call: Call, service: str) -> Response:
    """The answer of a service whose operations are told by method and path."""

    def run() -> Response:
        caller = _authenticate(services, call, service)
        name, labels = rest.find(service, call.method, call.path)
        model, operation = _operation(service, name)
        body = protocols.read_json(protocols.plain_body(call.headers, call.body))
        request = rest.read_request(model, labels, call.query, body)
        document = _done(_context(services, call, caller, operation), operation, request)
        return protocols.rest_json_response(model, document)

    return _guarded(call, service, run, protocols.rest_json_error)


def answer_credentials(services: Services, call: Call) -> Response:
    """Credentials for a run, as the SDKs ask a container's host for them."""

    def run() -> Response:
        if call.method != "GET":
            raise ApiError("MethodNotAllowedException", "Only GET is allowed here.", 405)
        run_id = call.path.removeprefix(routing.CREDENTIALS_PATH)
        session = services.credentials(run_id, call.headers.get("authorization", ""))
        return protocols.container_credentials(
            session.access_key_id,
            session.secret_access_key,
            session.session_token,
            session.expires_at,
        )

    def refuse(error: ApiError) -> Response:
        return protocols.container_error(error)

    return _guarded(call, "credentials", run, refuse)


def listener(services: Services, call: Call) -> Caller:
    """Who asks for events. Raises ApiError for who may not."""
    caller = _authenticate(services, call, "studio")
    if call.method != "GET":
        raise ApiError("MethodNotAllowedException", "Only GET is allowed here.", 405)
    ask = Ask("studio:StreamEvents", "*")
    services.context.identity.authority.check(caller.principal, ask)
    return caller


def answer_unknown(services: Services, call: Call) -> Response:
    """The answer to a signed request for a service that Studio has no part of."""
    scope = routing.signed_service(call.query, call.headers)

    def run() -> Response:
        _authenticate(services, call, scope)
        raise _not_executed(scope, f"{call.method} {call.path}")

    return _guarded(call, scope, run, protocols.rest_json_error)


def _authenticate(services: Services, call: Call, service: str) -> Caller:
    context, keys = services.context, services.context.identity.keys
    request = sigv4.Request(
        call.method, call.path, call.query, call.headers, services.context.settings.external_url
    )
    try:
        verified = sigv4.verify(
            request,
            keys.secret_of,
            services=(service,),
            region="" if service in GLOBAL_SERVICES else context.settings.region,
            now=context.now() / 1000,
            body_sha256=call.body_sha256,
        )
        token = session_token(request)
    except sigv4.SignatureError as error:
        code, status = _SIGNATURE_CODES.get(error.kind, ("InvalidSignatureException", 403))
        raise ApiError(code, error.message, status) from None
    key = keys.find(verified.access_key_id)
    if key is None or not key.has_token(token):
        text = "The security token included in the request is invalid."
        raise ApiError("UnrecognizedClientException", text, 403)
    if key.expired(context.now()):
        text = "The security token included in the request is expired"
        raise ApiError("ExpiredTokenException", text, 403)
    return Caller(context.settings.account, key.id, key.principal)


def perform(context: Context, principal: Principal, call: steps.Call) -> Doc:
    """What `principal` is answered, who is not there to sign. Raises ApiError."""
    model, operation = _operation(call.service, call.operation)
    value = protocols.read_json(call.body.encode())
    request = shapes.load(model.input_shape, value) if model.input_shape else {}
    caller = Caller(context.settings.account, "", principal)
    asked = replace(context, caller=caller, request_id=str(uuid.uuid4()), call=call.key)
    return _done(asked, operation, request)


def _done(context: Context, operation: Operation, request: Doc) -> Doc:
    """What the operation answers, if the caller may have it done."""
    return operation.function(access.authorized(context, operation, request), request)


def _signing_name(service: str, call: Call) -> str:
    """A service of ours signs under its own name; for another, what the client signed for."""
    if service in protocols.JSON_TARGETS.values():
        return models.service_model(service).signing_name
    return routing.signed_service(call.query, call.headers) or service


def _operation(service: str, name: str) -> tuple[OperationModel, Operation]:
    operation = registry.find(service, name)
    model = models.operation_model(service, name) if operation else None
    if model is None or operation is None:
        raise _not_executed(service, name)
    return model, operation


def _not_executed(service: str, name: str) -> ApiError:
    text = f"Studio does not execute {service[:64]}:{name[:128]} yet."
    return ApiError("UnknownOperationException", text)


def _context(services: Services, call: Call, caller: Caller, operation: Operation) -> Context:
    mark = _mark(call, caller, operation)
    return replace(services.context, caller=caller, request_id=call.id, call=mark)


def _mark(call: Call, caller: Caller, operation: Operation) -> str:
    """What all attempts of one call share: SDKs send the same id with each."""
    attempt = call.headers.get("amz-sdk-invocation-id")
    if not attempt:
        return ""
    parts = (caller.access_key_id, operation.service, operation.name, attempt, call.body_sha256)
    return hashlib.sha256("\n".join(parts).encode()).hexdigest()


def _guarded(
    call: Call,
    what: str,
    run: Callable[[], Response],
    refuse: Callable[[ApiError], Response],
) -> Response:
    """`run()`, or the answer to its error. Of a bug the client learns only the request's id."""
    try:
        return run()
    except ApiError as error:
        log.info("request refused", what=what, code=error.code, request=call.id)
        return refuse(error)
    except Exception:
        # Rendered here: a renderer that shows local variables would show headers and bodies.
        text = traceback.format_exc()
        log.error("operation failed", what=what, request=call.id, exception=text)
        text = f"An internal error occurred; the server's log tells more of request {call.id}."
        return refuse(ApiError("InternalFailure", text, 500))


def _form_text(call: Call) -> str:
    try:
        return protocols.plain_body(call.headers, call.body).decode()
    except UnicodeDecodeError:
        raise ApiError("MalformedInput", "The body of the request is not a form.") from None


Answer = Callable[[Services, Call], Response]
ANSWERS: dict[routing.Part, Answer] = {
    "cbor": answer_cbor,
    "json": answer_json,
    "query": answer_query,
    "credentials": answer_credentials,
    "rest": answer_rest,
    "unknown": answer_unknown,
}

"""What the runtime answers when no model does: rest-json errors, as AWS words them."""

import json
from collections.abc import Iterable, Mapping
from typing import Any

from studio.errors import ApiError
from studio.wire.sigv4 import SignatureError

_MODELLED = frozenset(
    {
        "ValidationError",
        "ModelError",
        "ModelNotReadyException",
        "ServiceUnavailable",
        "InternalFailure",
    }
)

_SIGNATURE_CODES = {
    "missing": "MissingAuthenticationTokenException",
    "malformed": "IncompleteSignatureException",
    "unknown_key": "UnrecognizedClientException",
}

_LONGEST_MESSAGE = 4_096
_FRONT = {"ValidationError": 400, "ModelNotReadyException": 429, "ServiceUnavailable": 503}

TIMED_OUT = (
    "Your invocation timed out while waiting for a response from container primary. Review the "
    "latency metrics for each container in Amazon CloudWatch, resolve the issue, and try again."
)
_LATE = (
    "{sentence} The model did not {what} its response within {seconds:g} seconds: the tag {tag} of "
    "the endpoint gives it more."
)
CLOSED = "The model server closed the connection before its response was complete."
MALFORMED = "The model server sent a malformed HTTP response."
STOPPING = "The router is being stopped: invoke the endpoint again."
TOO_LARGE = (
    "The response of the model server is larger than {limit} bytes: the tag "
    "studio:max-payload-bytes of the endpoint raises that, and a response stream has no limit."
)


INVALID_TOKEN = ApiError(
    "UnrecognizedClientException", "The security token included in the request is invalid.", 403
)
EXPIRED_TOKEN = ApiError(
    "ExpiredTokenException", "The security token included in the request is expired", 403
)


class ModelError(ApiError):
    """The model answered with an error, or not at all (then `original_status` is 0)."""

    def __init__(self, message: str, members: dict[str, Any]) -> None:
        super().__init__("ModelError", message, 424)
        self.members = members


def late(what: str, seconds: float, tag: str) -> str:
    """AWS's sentence, and which limit it was: the model did not `what`, "begin" or "end"."""
    return _LATE.format(sentence=TIMED_OUT, what=what, seconds=seconds, tag=tag)


def at_capacity(endpoint: str, variant: str, limit: int) -> ApiError:
    """Every server has as many requests as it may have."""
    text = (
        f"All instances are at capacity: each of variant {variant} of endpoint {endpoint} holds "
        f"{limit} requests. Have more instances, or send fewer requests at once."
    )
    return ApiError("ServiceUnavailable", text, 503)


def unreachable(endpoint: str, variant: str, tried: Iterable[Any]) -> ApiError:
    """None of the servers `tried` took a connection."""
    count = len(list(tried))
    text = (
        f"No instance accepts connections: {count} of variant {variant} of endpoint {endpoint} "
        f"refused, or did not answer in time. The log group /aws/sagemaker/Endpoints/{endpoint} "
        "may say why."
    )
    return ApiError("ServiceUnavailable", text, 503)


def original_status(error: ApiError) -> int | None:
    """The status of the model's answer, 0 for none; that of a request that asks for no model or for
    one that is not ready; None when no server could take more."""
    if isinstance(error, ModelError):
        return int(error.members["OriginalStatusCode"])
    return error.status if 400 <= error.status < 500 else None


def model_error(
    original_status: int, original: str, endpoint: str, log_arn: str, container: str = "primary"
) -> ModelError:
    """The ModelError of an endpoint; `log_arn` names the log group or stream to look into."""
    side = "client" if 400 <= original_status < 500 else "server"
    original = original[:_LONGEST_MESSAGE]
    account = log_arn.split(":")[4]
    message = (
        f'Received {side} error ({original_status}) from {container} with message "{original}". '
        f"See log group /aws/sagemaker/Endpoints/{endpoint} in account {account} "
        "for more information."
    )
    members = {
        "OriginalStatusCode": original_status,
        "OriginalMessage": original,
        "LogStreamArn": log_arn,
    }
    return ModelError(message, members)


def access_denied(principal: str, action: str, endpoint_arn: str) -> ApiError:
    """The same for an endpoint of somebody else and for none."""
    text = (
        f"User: {principal} is not authorized to perform: sagemaker:{action} on resource: "
        f"{endpoint_arn} because no identity-based policy allows the sagemaker:{action} action"
    )
    return ApiError("AccessDeniedException", text, 403)


def no_endpoint(endpoint: str, account: str) -> ApiError:
    """It is not there, or serves nobody yet."""
    return ApiError("ValidationError", f"Endpoint {endpoint} of account {account} not found.")


def asynchronous_only(endpoint: str, account: str) -> ApiError:
    """The endpoint has an AsyncInferenceConfig."""
    text = f"Endpoint {endpoint} of account {account} is an asynchronous endpoint:"
    return ApiError("ValidationError", f"{text} call InvokeEndpointAsync.")


def not_asynchronous(endpoint: str, account: str) -> ApiError:
    """The endpoint has no AsyncInferenceConfig."""
    text = f"Endpoint {endpoint} of account {account} is not an asynchronous endpoint:"
    return ApiError("ValidationError", f"{text} call InvokeEndpoint.")


def no_target_model(endpoint: str) -> ApiError:
    """The endpoint serves one model a container."""
    text = f"Endpoint {endpoint} is not a multi-model endpoint and does not support target model"
    return ApiError("ValidationError", f"{text} header.")


def target_model_required(endpoint: str) -> ApiError:
    """The endpoint serves several models from one container."""
    text = f"Endpoint {endpoint} is a multi-model endpoint: the request must have a TargetModel."
    return ApiError("ValidationError", text)


def no_target_container(endpoint: str) -> ApiError:
    """The endpoint has one container, or passes requests through all of them."""
    text = f"Endpoint {endpoint} does not support the target container hostname header."
    return ApiError("ValidationError", text)


def target_container_required(endpoint: str) -> ApiError:
    """The endpoint has containers that are invoked directly."""
    text = f"Endpoint {endpoint} is invoked directly: the request must have a"
    return ApiError("ValidationError", f"{text} TargetContainerHostname.")


def target_container_unknown(endpoint: str, name: str) -> ApiError:
    """None of the containers has this name."""
    text = f"Endpoint {endpoint} has no container with the hostname {name[:128]!a}."
    return ApiError("ValidationError", text)


def of_front(
    headers: Mapping[bytes, bytes], body: bytes, endpoint: str, log_arn: str
) -> ApiError | None:
    """What the front of a multi-model server says; None when it is no such answer."""
    code, _, status = headers.get(b"x-studio-error", b"").decode("latin-1").partition(" ")
    if not code:
        return None
    text = body.decode("utf-8", "replace")
    if code == "ModelError":
        return model_error(int(status), text, endpoint, log_arn)
    return ApiError(code, text, _FRONT.get(code, 500))


def signature_error(error: SignatureError) -> ApiError:
    """The runtime's own code for what is wrong with a signature."""
    code = _SIGNATURE_CODES.get(error.kind, "InvalidSignatureException")
    return ApiError(code, error.message, 403)


def error_body(error: ApiError) -> bytes:
    """The JSON document of `error`: modelled errors spell their member `Message`."""
    name = "Message" if error.code in _MODELLED else "message"
    document: dict[str, Any] = {name: error.message}
    if isinstance(error, ModelError):
        document |= error.members
    return json.dumps(document).encode()

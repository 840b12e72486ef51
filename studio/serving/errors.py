"""What the runtime answers when no model does: rest-json errors, as AWS words them."""

import json
from typing import Any

from studio.errors import ApiError
from studio.wire.sigv4 import SignatureError

_MODELLED = frozenset({"ValidationError", "ModelError", "ServiceUnavailable", "InternalFailure"})

_SIGNATURE_CODES = {
    "missing": "MissingAuthenticationTokenException",
    "malformed": "IncompleteSignatureException",
    "unknown_key": "UnrecognizedClientException",
}

_LONGEST_MESSAGE = 4_096

TIMED_OUT = (
    "Your invocation timed out while waiting for a response from container primary. Review the "
    "latency metrics for each container in Amazon CloudWatch, resolve the issue, and try again."
)
CLOSED = "The model server closed the connection before its response was complete."
MALFORMED = "The model server sent a malformed HTTP response."
TOO_LARGE = "The response of the model server is larger than {limit} bytes."


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


def original_status(error: ApiError) -> int | None:
    """The status of the model's answer, 0 for none; None when no model was asked."""
    return int(error.members["OriginalStatusCode"]) if isinstance(error, ModelError) else None


def model_error(original_status: int, original: str, endpoint: str, log_arn: str) -> ModelError:
    """The ModelError of an endpoint; `log_arn` names the log group or stream to look into."""
    side = "client" if 400 <= original_status < 500 else "server"
    original = original[:_LONGEST_MESSAGE]
    account = log_arn.split(":")[4]
    message = (
        f'Received {side} error ({original_status}) from primary with message "{original}". '
        f"See log group /aws/sagemaker/Endpoints/{endpoint} in account {account} "
        "for more information."
    )
    members = {
        "OriginalStatusCode": original_status,
        "OriginalMessage": original,
        "LogStreamArn": log_arn,
    }
    return ModelError(message, members)


def access_denied(principal: str, endpoint_arn: str) -> ApiError:
    """The same for an endpoint of somebody else and for none."""
    text = (
        f"User: {principal} is not authorized to perform: sagemaker:InvokeEndpoint on resource: "
        f"{endpoint_arn} because no identity-based policy allows the sagemaker:InvokeEndpoint "
        "action"
    )
    return ApiError("AccessDeniedException", text, 403)


def no_target_model(endpoint: str) -> ApiError:
    """No endpoint here serves several models from one container, yet."""
    text = f"Endpoint {endpoint} is not a multi-model endpoint and does not support target model"
    return ApiError("ValidationError", f"{text} header.")


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


def payload_too_large(limit: int) -> ApiError:
    """AWS gives this one no error type: clients see the code 413."""
    return ApiError("", f"HTTP content length exceeded {limit} bytes.", 413)

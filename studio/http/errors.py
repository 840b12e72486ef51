"""What is answered to a request that is none, or that is too large or too slow."""

from studio.errors import ApiError


def bad_request(message: str) -> ApiError:
    return ApiError("BadRequest", message, 400)


def head_too_large() -> ApiError:
    return ApiError("RequestHeaderFieldsTooLarge", "The request's headers are too large.", 431)


def request_timeout(size: int, has_head: bool) -> ApiError:
    """The client sent its request too slowly: no model was asked."""
    part = f"{size} bytes of its body" if has_head else "not even all of its headers"
    text = f"The client took too long to send the request: {part} arrived. No model was asked."
    return ApiError("RequestTimeout", text, 408)


def payload_too_large(limit: int) -> ApiError:
    """AWS gives this one no error type: clients see the code 413."""
    return ApiError("", f"HTTP content length exceeded {limit} bytes.", 413)

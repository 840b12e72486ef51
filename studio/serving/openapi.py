"""An endpoint as OpenAPI 3.1 has it: what may be sent, with which key, what comes back.

Pure: the router makes it of its table, the control plane with examples of requests besides.
"""

from collections.abc import Mapping, Sequence
from typing import Any

Doc = dict[str, Any]

_TEXT = ("text/csv", "text/libsvm", "application/jsonlines")
_REFUSALS = {
    "400": ("ValidationError", "What is wrong with the request."),
    "403": ("ForbiddenException", "There is no such key, or it is not for this endpoint."),
    "413": ("RequestEntityTooLarge", "The body is too large."),
    "429": ("TooManyRequestsException", "The key's rate or quota is used up."),
    "500": ("InternalFailure", "The router failed."),
    "503": ("ServiceUnavailable", "No instance can take the request."),
}
_HEADERS = (
    ("X-Amzn-SageMaker-Custom-Attributes", "Text that the model is handed, and may answer with."),
    ("X-Amzn-SageMaker-Inference-Id", "Names the request in what is captured of it."),
    ("X-Amzn-SageMaker-Target-Variant", "The variant to ask, instead of one by weight."),
    ("X-Amzn-SageMaker-Target-Model", "The model to ask, where an endpoint has several."),
)


def document(
    endpoint: str,
    content_types: Sequence[str],
    examples: Mapping[str, str] | None = None,
    url: str = "/",
) -> Doc:
    """The description; `content_types` in the order of preference, () where the image is not known
    to take any; `examples`: content type -> body."""
    return {
        "openapi": "3.1.0",
        "info": {
            "title": endpoint,
            "version": "1",
            "description": "A model endpoint: each request is answered by its model.",
        },
        "servers": [{"url": url}],
        "security": [{"key": []}, {"bearer": []}],
        "paths": {f"/endpoints/{endpoint}/invocations": {"post": _invoke(content_types, examples)}},
        "components": {
            "securitySchemes": {
                "key": {"type": "apiKey", "in": "header", "name": "X-Api-Key"},
                "bearer": {"type": "http", "scheme": "bearer"},
            },
            "schemas": {"Refusal": _REFUSAL, "ModelError": _MODEL_ERROR},
        },
    }


def _invoke(content_types: Sequence[str], examples: Mapping[str, str] | None) -> Doc:
    types = content_types or ("*/*",)
    return {
        "operationId": "invoke",
        "summary": "Ask the model",
        "parameters": [
            {"name": name, "in": "header", "description": text, "schema": {"type": "string"}}
            for name, text in _HEADERS
        ],
        "requestBody": {
            "required": True,
            "content": {each: _media(each, (examples or {}).get(each)) for each in types},
        },
        "responses": {
            "200": {
                "description": "The model's answer, as the model wrote it.",
                "headers": {
                    "x-Amzn-Invoked-Production-Variant": {
                        "description": "The variant that answered.",
                        "schema": {"type": "string"},
                    }
                },
                "content": {"*/*": {}},
            },
            "424": _answer("The model answered with an error, or not at all.", "ModelError"),
            **{status: _refused(status) for status in _REFUSALS},
        },
    }


def _media(content_type: str, example: str | None) -> Doc:
    """JSON may be of any form: what a model takes is its own affair."""
    text = content_type.partition(";")[0] in _TEXT
    schema = {"schema": {"type": "string"}} if text else {}
    return schema if example is None else {**schema, "example": example}


def _refused(status: str) -> Doc:
    code, text = _REFUSALS[status]
    answer = _answer(text, "Refusal")
    answer["headers"] = {"x-amzn-ErrorType": {"schema": {"type": "string"}, "example": code}}
    if status == "429":
        wait = {"description": "Seconds to wait.", "schema": {"type": "integer"}}
        answer["headers"]["Retry-After"] = wait
    return answer


def _answer(text: str, schema: str) -> Doc:
    reference = {"$ref": f"#/components/schemas/{schema}"}
    return {"description": text, "content": {"application/json": {"schema": reference}}}


_REFUSAL: Doc = {
    "type": "object",
    "properties": {"message": {"type": "string"}, "Message": {"type": "string"}},
    "description": "One of the two says what is wrong, by the kind of the error.",
}
_MODEL_ERROR: Doc = {
    "type": "object",
    "required": ["Message", "OriginalStatusCode"],
    "properties": {
        "Message": {"type": "string"},
        "OriginalStatusCode": {"type": "integer", "description": "0: the model did not answer."},
        "OriginalMessage": {"type": "string"},
        "LogStreamArn": {"type": "string"},
    },
}

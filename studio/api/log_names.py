"""What requests of CloudWatch Logs name: groups by name or ARN, and patterns of events."""

from collections.abc import Callable

from studio.db.resources import Doc
from studio.errors import ApiError
from studio.logs import patterns
from studio.settings import Settings

_MEMBERS = ("logGroupName", "logGroupIdentifier", "resourceArn")


def named(request: Doc) -> str:
    """The name of the group that a request is about, "" without one."""
    found = next((str(request[member]) for member in _MEMBERS if request.get(member)), "")
    return found.rpartition(":log-group:")[2].removesuffix(":*")


def required(request: Doc) -> str:
    """The same of a request that must name one. Raises ApiError."""
    if "logGroupName" in request and "logGroupIdentifier" in request:
        raise invalid("LogGroup name and LogGroup identifier are mutually exclusive parameters.")
    name = named(request)
    if not name:
        raise invalid("Name the log group.")
    return name


def arn(settings: Settings, group: str) -> str:
    return f"arn:aws:logs:{settings.region}:{settings.account}:log-group:{group}"


def pattern(request: Doc) -> Callable[[str], bool]:
    """The filterPattern of a request. Raises ApiError."""
    try:
        return patterns.compiled(request.get("filterPattern", ""))
    except patterns.Invalid as error:
        raise invalid(str(error)) from error


def invalid(text: str) -> ApiError:
    return ApiError("InvalidParameterException", text)


def missing(what: str) -> ApiError:
    return ApiError("ResourceNotFoundException", f"The specified {what} does not exist.")


def existing(what: str) -> ApiError:
    return ApiError("ResourceAlreadyExistsException", f"The specified {what} already exists")

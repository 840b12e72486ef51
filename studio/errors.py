"""The errors that cross a room's door. Messages name the thing and the way out."""


class StudioError(Exception):
    """Something a person can mend: shown as one sentence, never as a traceback."""


class ApiError(Exception):
    """What an AWS client receives: a code, a message, an HTTP status.

    Raise it with the code and text that AWS sends: waiters and SDKs test for fragments of both.
    """

    def __init__(self, code: str, message: str, status: int = 400) -> None:
        super().__init__(f"{code}: {message}")
        self.code = code
        self.message = message
        self.status = status


class ValidationException(ApiError):
    """The un-modelled error that most operations of AWS answer with."""

    def __init__(self, message: str) -> None:
        super().__init__("ValidationException", message)


class ResourceInUse(ApiError):
    """A job of that name exists, or the resource is busy."""

    def __init__(self, message: str) -> None:
        super().__init__("ResourceInUse", message)


class ResourceNotFound(ApiError):
    """There is no such experiment, trial or trial component."""

    def __init__(self, message: str) -> None:
        super().__init__("ResourceNotFound", message)

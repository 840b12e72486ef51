"""What a request can come to."""

from studio.data.protocol.data import ErrorCode


class DataError(Exception):
    """Told to the user: the message names the thing and the way out."""

    def __init__(self, code: ErrorCode, message: str) -> None:
        super().__init__(message)
        self.code = code
        self.message = message

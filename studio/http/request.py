"""A request as a server has it, and what its parts have to offer each other."""

from typing import TYPE_CHECKING, Protocol

from studio.errors import ApiError
from studio.http.limits import Limits

if TYPE_CHECKING:
    from studio.http.protocol import Client


class Request:
    """One whole request. Header names are lower-case, repeated values joined with a comma."""

    __slots__ = (
        "body", "client", "headers", "keep_alive", "method", "target", "trail", "version",
    )  # fmt: skip

    def __init__(self, client: "Client") -> None:
        self.client = client
        self.method = b""
        self.target = b""
        self.version = "1.1"
        self.headers: dict[str, str] = {}
        self.body = b""
        self.keep_alive = False
        self.trail: Follower | None = None


class Follower(Protocol):
    """What may follow a request to its answer."""

    def answered(self, head: bytes, size: int) -> bytes:
        """The head of the answer as it is to be sent; `size` is that of its body in bytes."""
        ...

    def begun(self, head: bytes) -> bytes:
        """The same of an answer that goes out in pieces, until `over`."""
        ...

    def sent(self, size: int) -> None:
        """A piece of so many bytes goes out."""

    def over(self) -> None:
        """There are no more pieces."""

    def note(self, **said: object) -> None:
        """Remember this of the request."""


class Flow(Protocol):
    """Where the pieces of an answer come from."""

    def pause(self) -> None: ...

    def resume(self) -> None: ...

    def abandon(self) -> None:
        """The client has gone."""


class Front(Protocol):
    """What a connection needs of its server."""

    clients: "set[Client]"
    draining: bool

    @property
    def limits(self) -> Limits: ...

    def most_body(self, target: bytes) -> int:
        """Bytes that the body of a request for `target` may have."""
        ...

    def handle(self, request: Request) -> None:
        """Answer `request` by its client's `answer`, now or later."""

    def refusal(self, error: ApiError) -> tuple[bytes, bytes]:
        """Head and body of an error's answer."""
        ...

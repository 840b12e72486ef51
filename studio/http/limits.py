"""What a server bounds its clients by."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Limits:
    body_bytes: int = 6_291_456
    """Largest request body, as on AWS."""

    head_bytes: int = 32_768
    """Largest request line and headers together."""

    connections: int = 2_048
    """Clients connected at once; more are told 503."""

    receive_seconds: float = 30.0
    """Time a client has to send its headers, or to read its answer; bodies get more by size."""

    slowest_rate: int = 50_000
    """Bytes a second that bodies must move at."""

    idle_seconds: float = 120.0
    """A client's connection without a request is closed after this."""

    linger_seconds: float = 5.0
    """After a refusal: how long the rest of the request is read and thrown away."""

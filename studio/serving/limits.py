"""The router's bounds, in one place. Every one of them is also an option of the process."""

from dataclasses import dataclass

from studio.http import limits


@dataclass(frozen=True)
class Limits(limits.Limits):
    body_bytes: int = 6_291_456
    """Largest request body and largest answer of a model, as on AWS."""

    in_flight: int = 128
    """Requests that one model server may hold; more are told 503 at once instead of queueing."""

    model_seconds: float = 60.0
    """Time a model has for its answer, as on AWS."""

    stream_seconds: float = 480.0
    """Time a model has for the whole of an answer that it streams, as on AWS."""

    connect_seconds: float = 1.0
    """Time a model server has to accept a connection."""

    stuck_seconds: float = 5.0
    """A server that holds requests and answers none for this long is passed over."""

    failing_answers: int = 5
    """A server that answers so many requests in turn with 5xx is passed over."""

    ping_seconds: float = 2.0
    """Time that a server which is passed over has to answer `/ping`, as on AWS."""

    hung_seconds: float = 60.0
    """A server that is passed over and answers no `/ping` for this long is to be started again."""

    held: int = 1_024
    """Requests that wait, in all, for servers of variants that sleep; more are told so at once."""

    held_bytes: int = 67_108_864
    """What the bodies of those may take together."""

    held_seconds: float = 55.0
    """How long a request waits for a server: less than the minute after which AWS's clients give
    up, so that they learn why."""

    mirrors: int = 64
    """Requests that a shadow may hold; what is more is not mirrored."""

    recorded_bytes: int = 33_554_432
    """What may wait for the recorder, in memory; what is more is not recorded."""

    pool_seconds: float = 1.0
    """An upstream connection idle for longer is closed: many servers drop theirs after two."""

    drain_seconds: float = 5.0
    """After SIGTERM: how long requests in flight may go on."""

"""What a plan may ask for, and what it decides. Values only: nothing here acts.

A plan is a pure function of a resource, its runs as observed, and the time. Its steps may be
carried out more than once (after a crash the plan is made again), so each is idempotent.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import NamedTuple

from sqlalchemy import Connection

from studio.db.resources import Doc, Resource, Run
from studio.metrics.store import Batch
from studio.runners.base import (
    LogPage,
    Meter,
    MetricLines,
    Resources,
    RunSpec,
    RunStatus,
    Usage,
)
from studio.s3.client import Storage
from studio.serving.table import Variant

Dimensions = tuple[tuple[str, str], ...]
"""Names and values."""

QUIET_LOOK_MS = 5_000
"""When to look again at runs of which nothing is wanted: shims say when one ends or has new lines,
so this is for words that were lost, and for shims. The more runs there are, the later it is."""

LOG_LINES = 20_000
"""Lines of a run's log that one look reads at the most."""


@dataclass(frozen=True)
class Start:
    """Start the run `run_id`; when `queued`, wait until its resources are free."""

    run_id: str
    role: str
    resources: Resources
    queued: bool = True


@dataclass(frozen=True)
class Gang:
    """Start several runs, all or none: they wait until the resources of all are free."""

    starts: tuple[Start, ...]


@dataclass(frozen=True)
class Stop:
    """Begin to stop a run."""

    run_id: str


@dataclass(frozen=True)
class Release:
    """Free what a run holds that is nothing but a reservation; see Kind.prepare."""

    run_id: str


@dataclass(frozen=True)
class Remove:
    """Free the disk of an ended run; its log stays."""

    run_id: str


@dataclass(frozen=True)
class Keep:
    """Have something ready, until then (UTC milliseconds), for a next run of the pool of this one,
    which has ended; a time that has passed ends that. To be done before the run is removed."""

    run_id: str
    until: int


@dataclass(frozen=True)
class Put:
    """Store files that runs left as one object: several archives become one.

    When that is refused, the run `run_id` has failed.
    """

    run_id: str
    paths: tuple[str, ...]
    uri: str


@dataclass(frozen=True)
class Deliver:
    """Store each file below `folder` as the object `uri` + its path, then remove the folder.

    When that is refused, the run `run_id` has failed if it `must`; else it is tried again.
    """

    run_id: str
    folder: str
    uri: str
    must: bool


@dataclass(frozen=True)
class Route:
    """Let the router send an endpoint's requests to `variants`; None: to nobody.

    Done when the router says that it knows.
    """

    endpoint: str
    variants: tuple[Variant, ...] | None


@dataclass(frozen=True)
class Call:
    """Ask a service of ours for an operation, as a role. All calls with the same `key` are one:
    repeated, they change nothing more."""

    service: str
    operation: str
    role_arn: str
    body: str
    """JSON."""
    key: str


Step = Start | Gang | Stop | Release | Remove | Put | Deliver | Route | Call | Keep


class Point(NamedTuple):
    """A value of a metric that a run said, at its step if it named one."""

    metric: str
    step: int | None
    at: int
    """UTC milliseconds."""
    value: float


@dataclass(frozen=True)
class Used:
    """Samples, at least one, of what a run took of its machine."""

    meter: Meter
    samples: tuple[Usage, ...]


@dataclass(frozen=True)
class Followed:
    """From where a plan wants to read what a run says: the position in its log (None: not at all),
    and those in its files of metrics, by file."""

    log: int | None = None
    metrics: Mapping[str, int] | None = None


@dataclass(frozen=True)
class Observed:
    """A run, what the runner says of it, and its log, metrics and samples since the last look."""

    run: Run
    status: RunStatus
    log: LogPage | None = None
    metrics: MetricLines | None = None
    used: tuple[Used, ...] = ()
    busy: bool = False
    """A server that gets no more requests and has some still."""
    hung: bool = False
    """A server that lives and has not answered for long."""


@dataclass(frozen=True)
class Plan:
    """`resource` is stored after the steps. `look_ms` says when to look again without a hint;
    None leaves it to hints (or, when `resource.due_at` is None, to nobody). `metrics` and `points`
    are stored together with `resource`, or not at all."""

    resource: Resource
    steps: tuple[Step, ...] = ()
    look_ms: int | None = None
    metrics: tuple[Batch, ...] = ()
    points: tuple[Point, ...] = ()


class Rejected(Exception):
    """The run cannot be prepared, and trying again will not help: the resource fails so."""


@dataclass(frozen=True)
class Kind:
    """A kind of resource with behaviour.

    `prepare` makes the spec of a run and may read the object store, never the database (None: its
    runs are reservations of CPUs and GPUs, and no processes);
    `blocked` notes why a start waits; `follow` says what the plan wants to read of a run, given by
    its role; `role_arn` is the role whose rights a
    run has ("": it has none itself, and what it reads of S3 is read as the home's role).
    """

    name: str
    plan: Callable[[Resource, list[Observed], int], Plan]
    prepare: Callable[[Resource, Start, Storage], RunSpec] | None
    blocked: Callable[[Resource, str, int], Resource] = field(default=lambda resource, *_: resource)
    follow: Callable[[Resource, str], Followed] = field(default=lambda *_: Followed())
    role_arn: Callable[[Resource, str], str] = field(default=lambda *_: "")
    meter: Callable[[Resource, Run], tuple[str, Dimensions]] | None = None
    """Namespace and dimensions of what a run takes of the machine; None: nobody asks."""
    said: Callable[[Connection, Resource, Iterable[Point]], None] = field(default=lambda *_: None)
    """Stores points, with the resource as it is stored."""
    started: Callable[[Connection, Resource, RunSpec], None] = field(default=lambda *_: None)
    """Stores, with a run that has started, the facts of its spec."""
    installed: Callable[[Connection, Resource, list[Doc]], None] = field(default=lambda *_: None)
    """Stores which packages runs of it installed."""
    used: Callable[[Connection, Resource, Run, Used], None] = field(default=lambda *_: None)
    """Stores, beside `meter`, what a run takes of the machine."""
    informed: Callable[[Connection, Resource, int], Resource] = field(
        default=lambda _, resource, __: resource
    )
    """The resource with what its plan has to know of others now, in its state."""
    recalled: int = 0
    """How many runs of a role its plan sees, the last ones; 0: all."""
    call: Callable[[Resource, Call], Resource] = field(default=lambda resource, _: resource)
    """Makes a call; the resource as it is with what came of it."""

"""What a plan may ask for, and what it decides. Values only: nothing here acts.

A plan is a pure function of a resource, its runs as observed, and the time. Its steps may be
carried out more than once (after a crash the plan is made again), so each is idempotent.
"""

from collections.abc import Callable
from dataclasses import dataclass, field

from studio.db.resources import Resource, Run
from studio.metrics.store import Batch
from studio.runners.base import LogPage, Resources, RunSpec, RunStatus, Usage
from studio.s3.client import Storage
from studio.serving.table import Variant

Dimensions = tuple[tuple[str, str], ...]
"""Names and values."""

LOG_LINES = 5_000
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
class Remove:
    """Free the disk of an ended run; its log stays."""

    run_id: str


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


Step = Start | Gang | Stop | Remove | Put | Deliver | Route


@dataclass(frozen=True)
class Observed:
    """A run, what the runner says of it, and its log and samples since the last look."""

    run: Run
    status: RunStatus
    log: LogPage | None = None
    usage: tuple[Usage, ...] = ()


@dataclass(frozen=True)
class Plan:
    """`resource` is stored after the steps. `look_ms` says when to look again without a hint;
    None leaves it to hints (or, when `resource.due_at` is None, to nobody). `metrics` are stored
    together with `resource`, or not at all."""

    resource: Resource
    steps: tuple[Step, ...] = ()
    look_ms: int | None = None
    metrics: tuple[Batch, ...] = ()


class Rejected(Exception):
    """The run cannot be prepared, and trying again will not help: the resource fails so."""


@dataclass(frozen=True)
class Kind:
    """A kind of resource with behaviour.

    `prepare` makes the spec of a run and may read the object store, never the database;
    `blocked` notes why a start waits; `follow` says from which position of the log of a run, given
    by its role, the plan wants to read (None: not at all); `role_arn` is the role whose rights a
    run has ("": it has none itself, and what it reads of S3 is read as the home's role).
    """

    name: str
    plan: Callable[[Resource, list[Observed], int], Plan]
    prepare: Callable[[Resource, Start, Storage], RunSpec]
    blocked: Callable[[Resource, str, int], Resource] = field(default=lambda resource, *_: resource)
    follow: Callable[[Resource, str], int | None] = field(default=lambda *_: None)
    role_arn: Callable[[Resource, str], str] = field(default=lambda *_: "")
    meter: Callable[[Resource, Run], tuple[str, Dimensions]] | None = None
    """Namespace and dimensions of what a run takes of the machine; None: nobody asks."""

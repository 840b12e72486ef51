"""What a runner is: five methods over a RunSpec, a value that says everything about one run."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields
from typing import Any, Literal, NamedTuple, Protocol

Meter = Literal["usage", "gpus"]
"""Who samples what a run takes: each at times of its own."""
METERS: tuple[Meter, ...] = ("usage", "gpus")


@dataclass(frozen=True)
class Transfer:
    """One object that a run needs at `path`, relative to /opt/ml.

    Exactly one of `link` (a file of this machine that nobody changes) and `url` (GET, without
    further authentication) is set.
    """

    path: str
    size: int
    link: str = ""
    url: str = ""


@dataclass(frozen=True)
class Part:
    """Bytes that a stream has: those of an object (`link` or `url`, as in Transfer) or `text`."""

    size: int = 0
    link: str = ""
    url: str = ""
    text: str = ""
    name: str = ""
    """What people call the object."""


@dataclass(frozen=True)
class Stream:
    """What the command reads from the FIFOs `<path>_<epoch>`, one epoch after the other.

    An epoch has every `hosts`-th record from that of `host` on. A record is the parts that stay
    together when `seed` shuffles the records anew for each epoch; without a seed they keep their
    order.
    """

    path: str
    records: tuple[tuple[Part, ...], ...]
    seed: int | None = None
    host: int = 0
    hosts: int = 1
    gzip: bool = False
    """Objects are gzip files, of which the content is streamed."""
    wrap: bool = False
    """Each part is framed as a RecordIO record."""


@dataclass(frozen=True)
class Output:
    """A folder, relative to /opt/ml, that is archived as `archive` when the run has ended."""

    folder: str
    archive: str
    compress: bool = True
    skip_empty: bool = False


@dataclass(frozen=True)
class Handed:
    """A folder, relative to /opt/ml, whose files are handed over to be stored one by one: while the
    command runs, those that are new and have come to rest; and the rest once it has ended."""

    folder: str
    at_end: bool = False
    """All of them once the command has ended, and none before."""


@dataclass(frozen=True)
class Server:
    """The run serves HTTP: `GET /ping` answers 200 within `health_seconds` of the start."""

    health_seconds: float = 240.0
    download_seconds: float = 0.0
    """Time to bring and unpack what it serves; 0.0: as long as it takes."""


@dataclass(frozen=True)
class Source:
    """An object of which a transform makes the file `output`, a path relative to its outputs."""

    output: str
    name: str
    """What people call the object: its URI."""
    size: int
    link: str = ""
    url: str = ""
    """One of the two, as in Transfer."""


@dataclass(frozen=True)
class Transform:
    """What the server of the run is fed with, record by record; the run ends when all is done.

    Each file that is finished is handed over as the folder 0 of `RunSpec.handed` would be. None
    and "" leave it to the server. Spelling and values of the rest are those of
    CreateTransformJob.
    """

    files: tuple[Source, ...]
    split: str = "None"
    gzip: bool = False
    content_type: str = ""
    accept: str = ""
    assemble: str = "None"
    input_filter: str = "$"
    join: bool = False
    output_filter: str = "$"
    seconds: int = 600
    """Longest time for the answer to one request."""
    retries: int = 3
    MaxConcurrentTransforms: int | None = None
    MaxPayloadInMB: int | None = None
    BatchStrategy: str | None = None


@dataclass(frozen=True)
class Resources:
    """What the scheduler set aside. `memory_mb` bounds the processes of the run together."""

    cpus: int = 1
    memory_mb: int = 0
    gpus: int = 0
    gpu_memory_mb: int = 0
    """How much of one GPU's memory, when that is all it needs; 0: whole GPUs."""
    gpu_ids: tuple[str, ...] = ()
    """Which GPUs, once it has its turn; see devices.Gpu."""

    @classmethod
    def of(cls, document: dict[str, Any]) -> "Resources":
        """What `asdict` made a document of."""
        return cls(**{**document, "gpu_ids": tuple(document.get("gpu_ids", ()))})


@dataclass(frozen=True)
class Network:
    """What a run sees of the network: a runner that cannot give it refuses the run."""

    host: str = ""
    """The run's own host name; empty: the machine's."""
    names: tuple[tuple[str, str], ...] = ()
    """(host name, loopback address) of all hosts of the job, this one too."""
    isolated: bool = False
    """No network but a loopback that nobody else is on."""
    job: str = ""
    """What the hosts of one job have in common: containers with the same share a network."""


@dataclass(frozen=True)
class RunSpec:
    """A run: `id` is also the name of its folder, container or pod and makes `start` idempotent."""

    id: str
    command: tuple[str, ...]
    env: dict[str, str] = field(default_factory=dict)
    files: dict[str, str] = field(default_factory=dict)
    """Text files to write first: path relative to /opt/ml -> content."""
    folders: tuple[str, ...] = ()
    """Folders, relative to /opt/ml, that exist when the command starts."""
    inputs: tuple[Transfer, ...] = ()
    archives: tuple[Transfer, ...] = ()
    """tar.gz archives to unpack; `path` is the folder they are unpacked in."""
    linked: tuple[str, ...] = ()
    """Folders of `inputs`, relative to /opt/ml, that are a read-only view without a copy wherever
    that is possible."""
    streams: tuple[Stream, ...] = ()
    handed: tuple[Handed, ...] = ()
    outputs: tuple[Output, ...] = ()
    resources: Resources = Resources()
    timeout_seconds: float = 0.0
    """Longest time that the command may run; 0: as long as it likes."""
    stop_seconds: float = 120.0
    """Time between SIGTERM and SIGKILL."""
    disk_mb: int = 0
    """What its files may take of the disk, inputs that lie elsewhere too not counted; 0: any."""
    server: Server | None = None
    transform: Transform | None = None
    """What `server` is for, unless it serves whoever asks; `handed` is empty then."""
    front: tuple[str, ...] = ()
    """A program of ours that takes the server's requests in its place; see shim/front.py."""
    network: Network = Network()
    python: str = ""
    """Interpreter whose environment the command finds first; see interpreters.py."""
    pool: str = ""
    """Runs with the same may be served by what was kept ready for one of them; "" for none."""
    image: str = ""
    """The container image that the command runs in; empty: processes of this machine."""
    image_program: bool = False
    """The image's own program runs, and `command` are its arguments."""

    facts: dict[str, Any] = field(default_factory=dict)
    """What is worth to be known of what it runs with. No runner needs it."""

    def document(self) -> dict[str, Any]:
        """This spec as JSON: what the run table and `spec.json` hold."""
        return asdict(self)

    @classmethod
    def of(cls, document: dict[str, Any]) -> "RunSpec":
        """The spec that `document()` gave."""
        values = dict(document)
        for name, kind in (
            ("inputs", Transfer),
            ("archives", Transfer),
            ("handed", Handed),
            ("outputs", Output),
        ):
            values[name] = tuple(kind(**item) for item in values[name])
        for name in ("command", "folders", "linked", "front"):
            values[name] = tuple(values.get(name, ()))
        values["streams"] = tuple(_stream(item) for item in values["streams"])
        values["resources"] = Resources.of(values["resources"])
        values["server"] = Server(**values["server"]) if values["server"] else None
        values["transform"] = _transform(values.get("transform"))
        network = values["network"]
        names = tuple((name, address) for name, address in network["names"])
        values["network"] = Network(**{**network, "names": names})
        return cls(**values)


def _transform(document: dict[str, Any] | None) -> Transform | None:
    if not document:
        return None
    return Transform(**{**document, "files": tuple(Source(**it) for it in document["files"])})


def _stream(document: dict[str, Any]) -> Stream:
    records = tuple(tuple(Part(**part) for part in record) for record in document["records"])
    return Stream(**{**document, "records": records})


@dataclass(frozen=True)
class Produced:
    """An archive that the run left: a file of this machine, complete and synced."""

    archive: str
    path: str
    size: int


class Batch(NamedTuple):
    """Files that a run handed over and that wait to be stored: of the folder `number` of
    `RunSpec.handed`, in the folder `path` of this machine. Whoever has stored them removes it."""

    number: int
    path: str


@dataclass(frozen=True)
class RunStatus:
    """What is known of a run. Times are UTC milliseconds."""

    phase: str
    """pending, running, succeeded, failed, stopped or lost; the last four are final."""
    stages: tuple[tuple[str, int], ...] = ()
    """(Downloading | Training | Uploading, when it began), in order; a server has Downloading,
    Starting and Serving, the last once `/ping` answered."""
    exit_code: int | None = None
    """Exit status of the command; 128 + n when signal n ended it."""
    reason: str = ""
    """Empty, or why the platform ended or failed it: MaxRuntimeExceeded, Stopped, OutOfMemory,
    NoSpace, DownloadFailed, UnsafeArchive, ImageUnavailable, CannotStart, StartFailed,
    HealthCheckFailed, RecordsFailed, RunnerLost, HostRestarted."""
    message: str = ""
    """For people: /opt/ml/output/failure (first 1,024 characters), else the last line of the
    last traceback in the log, else a sentence on `reason`."""
    traceback: str = ""
    """The last one in the log of a command that failed; its end when it is long."""
    address: str = ""
    """host:port of a server."""
    outputs: tuple[Produced, ...] = ()
    batches: tuple[Batch, ...] = ()
    """What the run handed over, oldest first within a folder."""
    started_at: int | None = None
    ended_at: int | None = None
    """When the command had ended; its archives are made after that."""
    peak_memory_mb: int = 0
    waits_for: str = ""
    """What the present stage is busy with, for people: how far the pull of an image is."""
    image: str = ""
    """Digest of the container's image, once it is known."""
    note: str | None = ""
    """/opt/ml/output/message, its first 1,024 bytes; None when it is not UTF-8."""
    progress: dict[str, int] = field(default_factory=dict)
    """Of a transform: `files`, how many are `done` and `failed`, `records` and `failed_records` so
    far, `size` and what is `read` of it in bytes."""

    @classmethod
    def of(cls, document: dict[str, Any]) -> "RunStatus":
        """The status of which `document` is the JSON; an older version may have written it."""
        known = {it.name for it in fields(cls)}
        return cls(
            **{
                **{name: value for name, value in document.items() if name in known},
                "stages": tuple((name, at) for name, at in document["stages"]),
                "outputs": tuple(Produced(**each) for each in document["outputs"]),
                "batches": tuple(Batch(*each) for each in document.get("batches", ())),
            }
        )

    @property
    def ended(self) -> bool:
        return self.phase in ("succeeded", "failed", "stopped", "lost")

    @property
    def ready(self) -> bool:
        """A server that answered its health check and has not ended."""
        return self.phase == "running" and any(stage == "Serving" for stage, _ in self.stages)


@dataclass(frozen=True)
class LogPage:
    """Lines of a run's log: (UTC milliseconds, text), `end` is the position behind the last."""

    events: tuple[tuple[int, str], ...]
    start: int
    end: int


@dataclass(frozen=True)
class MetricLines:
    """Lines of the files in which a run writes metrics; `ends` are the positions behind them, by
    file: of the files that have grown."""

    lines: tuple[bytes, ...]
    ends: dict[str, int]


@dataclass(frozen=True)
class Usage:
    """What a run took of its machine at `at` (UTC milliseconds).

    `cpu` is in per cent of one CPU: 400 when four are busy; so is `gpu`. `memory` is in per cent
    of what the run may use, `disk` of the disk that it is on, `gpu_memory` of one GPU's. In bytes
    a second: `disk_read`, `disk_write`, `machine_network_in`, `machine_network_out`.
    """

    at: int
    values: dict[str, float]


class Runner(Protocol):
    """Every method may be called again after a crash of the caller, with the same effect."""

    def start(self, spec: RunSpec) -> dict[str, Any]:
        """Start the run unless it was started before; a small JSON handle that finds it again."""

    def poll(self, run_id: str, handle: dict[str, Any]) -> RunStatus:
        """The present status. Never blocks on the run."""

    def stop(self, run_id: str, handle: dict[str, Any]) -> None:
        """Begin to stop the whole tree: SIGTERM, then SIGKILL after `stop_seconds`."""

    def logs(self, run_id: str, start: int, limit: int) -> LogPage:
        """Up to `limit` lines from position `start` (0 or the `end` of another page)."""

    def metric_lines(self, run_id: str, positions: Mapping[str, int]) -> MetricLines:
        """What the run wrote to its files of metrics behind `positions`, by file; some of it."""

    def usage(self, run_id: str, meter: Meter, after: int) -> tuple[Usage, ...]:
        """Samples later than `after` (UTC milliseconds), in order; all of them once it ended."""

    def installed(self, run_id: str) -> list[dict[str, Any]]:
        """`Name` and `Version` of the packages that an ended run installed, until it is removed."""

    def keep(self, spec: RunSpec, until: int) -> None:
        """Have a process ready, until then (UTC milliseconds), for a next run of the pool of this
        one, which has ended and is not removed yet; a time that has passed ends it. Runs of no
        pool, and runners that cannot, have none."""

    def remove(self, run_id: str, handle: dict[str, Any]) -> None:
        """Forget an ended run and free its disk; its log stays."""

"""The route table: what the control plane writes and the router reads. It knows neither of them."""

import json
import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from studio import durable
from studio.serving import outside
from studio.serving.bounds import Bounds, bounded
from studio.serving.outside import NOBODY, Outside

_NAME = re.compile(r"[a-zA-Z0-9](-*[a-zA-Z0-9])*")
_RECORD = re.compile(r"[a-zA-Z0-9][a-zA-Z0-9._-]{0,199}")
_URI = re.compile(r"s3://[!-~]+")
_SERVER = re.compile(r"[0-9.]+:[0-9]{1,5}")


@dataclass(frozen=True)
class Capture:
    """Which requests and answers of an endpoint are kept, and where."""

    record: str
    """Name of the folder, below the home's, in which they wait for the control plane."""
    percent: int
    destination: str
    """URI `s3://bucket/prefix`."""
    role: str
    """ARN of the role that stores them; "": the home's."""
    owner: str
    """Of the endpoint."""
    input: bool = True
    output: bool = True
    csv: tuple[str, ...] = ()
    """Content types whose data is kept as text, lower-case."""
    json: tuple[str, ...] = ()


@dataclass(frozen=True)
class Arm:
    """What a variant is in a test of two variants."""

    test: str
    """Id of the test."""
    ids: bool = False
    """The InferenceIds of its requests are noted: feedback will name them."""


@dataclass(frozen=True)
class Queue:
    """An endpoint that answers asynchronously: where to, and how many at once."""

    name: str
    """Id of the endpoint: one that comes later under its name has another."""
    output: str
    """URI `s3://bucket/prefix`."""
    failure: str
    """The same, of what went wrong; "": nothing is stored of that."""
    concurrency: int
    """Requests that one server is sent at once."""
    role: str
    """ARN of the role that reads and stores; "": the home's."""
    owner: str
    """Of the endpoint."""
    success: str = ""
    """ARN of the topic that is told of answers; "": none."""
    error: str = ""
    """The same, of what went wrong."""
    included: tuple[str, ...] = ()
    """Which topics get the answers themselves, as AWS calls them."""


@dataclass(frozen=True)
class Container:
    """One of several containers of a variant."""

    name: str
    """Its hostname, by which requests may name it."""
    servers: tuple[str, ...] = ()
    models: bool = False


@dataclass(frozen=True)
class Sleep:
    """Of a variant that may have no servers: requests wait while the control plane starts some."""

    endpoint: str
    """Id of the endpoint, by which the control plane is told."""
    capacity: int
    """Requests that one server is to have at once; others wait for it, or for another server."""
    most: int = 0
    """Requests that the variant takes at once, those that wait among them; 0: any number."""
    warm: int = 0
    """Of those, the requests for which servers are always there."""
    trouble: str = ""
    """Why no server comes; requests then do not wait."""


@dataclass(frozen=True)
class Variant:
    name: str
    weight: float = 1.0
    servers: tuple[str, ...] = ()
    """Addresses, `127.0.0.1:41234`."""
    log_stream: str = ""
    """ARN that a ModelError names; empty: the endpoint's log group."""
    shadow: str = ""
    """It answers nobody: it is asked what others were, and this is the name of the record of how
    its answers differ. Empty: a variant in production."""
    capture: Capture | None = None
    fleet: str = ""
    """While an endpoint is updated an old fleet and a new one serve it, each with variants of its
    own, maybe of the same names; weights are within a fleet."""
    share: float = 1.0
    """Of the endpoint's requests, for the whole fleet; 0: only what no other can take."""
    models: bool = False
    """Its servers have many models each, and requests name one."""
    containers: tuple[Container, ...] = ()
    """When there are several: in the order in which a request passes them. `servers` are then
    those of the first."""
    direct: bool = False
    """Requests name one of `containers` instead."""
    bounds: Bounds | None = None
    """Of its endpoint, where they are not the router's."""
    arm: Arm | None = None
    sleep: Sleep | None = None
    """None: without servers it takes no requests."""
    queue: Queue | None = None

    @property
    def routable(self) -> bool:
        """Whether it takes requests, if only to let them wait."""
        return bool(self.servers) or self.sleep is not None

    @property
    def addresses(self) -> tuple[str, ...]:
        """Of all its servers."""
        return (*self.servers, *(it for each in self.containers for it in each.servers))


@dataclass(frozen=True)
class Key:
    """An access key, and what may be invoked with it."""

    secret: str = field(repr=False)
    principal: str = ""
    """ARN of whose it is, for refusals."""
    token_sha256: str = ""
    """Of the token that a session has to show; "" for a key that needs none."""
    expires_at: int = 0
    """UTC milliseconds; 0: never."""
    endpoints: tuple[str, ...] | None = None
    """Names of the endpoints that it may invoke; None: all."""

    def may_invoke(self, endpoint: str) -> bool:
        return self.endpoints is None or endpoint in self.endpoints


@dataclass(frozen=True)
class Table:
    version: int
    account: str
    region: str
    keys: Mapping[str, Key] = field(repr=False)
    """By access key id."""
    endpoints: Mapping[str, tuple[Variant, ...]]
    outside: Outside = NOBODY

    def secret_of(self, key_id: str) -> str | None:
        key = self.keys.get(key_id)
        return key.secret if key is not None else None


EMPTY = Table(0, "000000000000", "us-east-1", {}, {})


def table_path(home: Path) -> Path:
    return home / "router" / "table.json"


def write_table(home: Path, table: Table) -> None:
    """Replace the table of `home`; a router that runs there reads it within a fraction of a second.

    Raises ValueError when the router would refuse it.
    """
    document = _document(table)
    _table(document)
    path = table_path(home)
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    durable.write_json(path, document)


def load_table(path: Path) -> Table:
    """The table at `path`; OSError or ValueError when it is missing or broken."""
    try:
        return _table(json.loads(path.read_bytes()))
    except (KeyError, TypeError, AttributeError) as error:
        raise ValueError(f"{path} is no route table: {error!r}") from error


def _table(document: dict[str, Any]) -> Table:
    return Table(
        version=int(document["version"]),
        account=str(document["account"]),
        region=str(document["region"]),
        keys={str(name): _key(entry) for name, entry in document["keys"].items()},
        endpoints={
            _checked(_NAME, name): tuple(
                _variant(entry) for entry in (*endpoint["variants"], *endpoint.get("shadows", ()))
            )
            for name, endpoint in document["endpoints"].items()
        },
        outside=outside.parsed(document["outside"]) if "outside" in document else NOBODY,
    )


def _key(entry: dict[str, Any]) -> Key:
    endpoints = entry["endpoints"]
    return Key(
        secret=str(entry["secret"]),
        principal=str(entry["principal"]),
        token_sha256=str(entry["token_sha256"]),
        expires_at=int(entry["expires_at"]),
        endpoints=None if endpoints is None else tuple(_checked(_NAME, it) for it in endpoints),
    )


def _variant(entry: dict[str, Any]) -> Variant:
    return Variant(
        name=_checked(_NAME, entry["name"]),
        weight=_finite(entry["weight"]),
        servers=tuple(_checked(_SERVER, server) for server in entry["servers"]),
        log_stream=str(entry.get("log_stream", "")),
        shadow=_checked(_RECORD, shadow) if (shadow := entry.get("shadow")) else "",
        capture=captured(capture) if (capture := entry.get("capture")) else None,
        fleet=str(entry.get("fleet", "")),
        share=_finite(entry.get("share", 1.0)),
        models=bool(entry.get("models")),
        containers=tuple(container(it) for it in entry.get("containers", ())),
        direct=bool(entry.get("direct")),
        bounds=bounded(bounds) if (bounds := entry.get("bounds")) else None,
        arm=tested(arm) if (arm := entry.get("arm")) else None,
        sleep=sleeping(sleep) if (sleep := entry.get("sleep")) else None,
        queue=queued(queue) if (queue := entry.get("queue")) else None,
    )


def container(entry: dict[str, Any]) -> Container:
    """The Container of a document."""
    return Container(
        name=_checked(_NAME, entry["name"]),
        servers=tuple(_checked(_SERVER, server) for server in entry["servers"]),
        models=bool(entry.get("models")),
    )


def tested(entry: dict[str, Any]) -> Arm:
    """The Arm of a document."""
    return Arm(test=_checked(_RECORD, entry["test"]), ids=bool(entry.get("ids")))


def sleeping(entry: dict[str, Any]) -> Sleep:
    """The Sleep of a document."""
    return Sleep(
        endpoint=_checked(_RECORD, entry["endpoint"]),
        capacity=max(1, int(entry["capacity"])),
        most=int(entry.get("most", 0)),
        warm=int(entry.get("warm", 0)),
        trouble=str(entry.get("trouble", "")),
    )


def queued(entry: dict[str, Any]) -> Queue:
    """The Queue of a document."""
    concurrency = int(entry["concurrency"])
    if concurrency < 1:
        raise ValueError(f"concurrency {concurrency} is less than 1")
    return Queue(
        name=_checked(_RECORD, entry["name"]),
        output=_checked(_URI, entry["output"]),
        failure=_checked(_URI, entry["failure"]) if entry["failure"] else "",
        concurrency=concurrency,
        role=str(entry["role"]),
        owner=str(entry["owner"]),
        success=str(entry.get("success", "")),
        error=str(entry.get("error", "")),
        included=tuple(map(str, entry.get("included", ()))),
    )


def _finite(value: Any) -> float:
    number = float(value)
    if not 0.0 <= number < float("inf"):
        raise ValueError(f"weight {number} is not a finite number >= 0")
    return number


def captured(entry: dict[str, Any]) -> Capture:
    """The Capture of a document."""
    return Capture(
        record=_checked(_RECORD, entry["record"]),
        percent=int(entry["percent"]),
        destination=str(entry["destination"]),
        role=str(entry["role"]),
        owner=str(entry["owner"]),
        input=bool(entry["input"]),
        output=bool(entry["output"]),
        csv=tuple(map(str, entry["csv"])),
        json=tuple(map(str, entry["json"])),
    )


def _checked(pattern: re.Pattern[str], value: str) -> str:
    """Names and addresses end up in HTTP headers: nothing else may come through here."""
    if not pattern.fullmatch(value):
        raise ValueError(f"{value!r} does not match {pattern.pattern}")
    return value


def _document(table: Table) -> dict[str, Any]:
    return {
        "version": table.version,
        "account": table.account,
        "region": table.region,
        "keys": {name: vars(key) for name, key in table.keys.items()},
        "endpoints": {
            name: {
                "variants": [asdict(it) for it in variants if not it.shadow],
                # Apart: a router that knows of none must not take one for a variant in production.
                "shadows": [asdict(it) for it in variants if it.shadow],
            }
            for name, variants in table.endpoints.items()
        },
        "outside": outside.document(table.outside),
    }

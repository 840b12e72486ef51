"""The table of operations: service and operation name -> function.

An operation is a plain function of a Context and a request that the wire layer has parsed and
validated; it returns the response document. Both are in AWS's spelling; times are UTC
milliseconds. It raises ApiError, and may block: it runs on a thread of its own.
"""

import importlib
import pkgutil
from collections.abc import Callable, Iterable
from dataclasses import dataclass

from studio.db.resources import Doc
from studio.db.session import Database
from studio.identity.entry import Identity
from studio.identity.principals import Principal
from studio.reconcile.broker import Broker
from studio.runners.base import Runner
from studio.s3.access import Access
from studio.s3.client import Storage
from studio.settings import Settings


@dataclass(frozen=True)
class Caller:
    """Who signed the request."""

    account: str
    access_key_id: str
    principal: Principal


@dataclass(frozen=True)
class Context:
    """What an operation may use."""

    settings: Settings
    db: Database
    store: Storage
    runner: Runner
    caller: Caller
    now: Callable[[], int]
    """UTC milliseconds."""
    hint: Callable[[str], None]
    """Tell the reconciler that the resource with this id changed."""
    request_id: str
    identity: Identity
    buckets: Access
    """Who may do what in S3."""
    broker: Broker
    """Who has what of the machine, and who waits."""
    action: str = ""
    """What is being done, as policies call it: `sagemaker:CreateModel`."""
    call: str = ""
    """The same for all attempts of one call, and for no other; "" when the client does not say."""


Function = Callable[[Context, Doc], Doc]


@dataclass(frozen=True)
class Operation:
    """An operation that this server answers; `stored`: it keeps what it is given, no more.

    `raw`: it is given the JSON of its request, and checks that itself, for there is much of it.
    """

    service: str
    name: str
    function: Function
    stored: bool = False
    raw: bool = False


_OPERATIONS: dict[tuple[str, str], Operation] = {}


def operation(
    service: str, name: str, *, stored: bool = False, raw: bool = False
) -> Callable[[Function], Function]:
    """Register a function as the operation `name` of the botocore service `service`."""

    def register(function: Function) -> Function:
        if (service, name) in _OPERATIONS:
            raise ValueError(f"{service}:{name} is registered twice")
        _OPERATIONS[service, name] = Operation(service, name, function, stored, raw)
        return function

    return register


def find(service: str, name: str) -> Operation | None:
    """The operation, or None when this server does not execute it."""
    return _OPERATIONS.get((service, name))


def all_operations() -> Iterable[Operation]:
    """Every operation that is registered, by service and name."""
    return [_OPERATIONS[key] for key in sorted(_OPERATIONS)]


def load() -> None:
    """Import every module of studio.api, which registers its operations."""
    package = importlib.import_module("studio.api")
    for module in pkgutil.iter_modules(package.__path__, "studio.api."):
        importlib.import_module(module.name)

"""Puts the control plane together and runs it until SIGTERM or SIGINT."""

import asyncio
import gc
import signal
import sys
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from functools import partial
from socket import socket
from typing import Any, TextIO, cast
from urllib.parse import urlsplit

import structlog
import uvloop
from tornado.ioloop import PeriodicCallback
from tornado.netutil import bind_sockets

from studio import credentials
from studio.api import (
    alarm_plan,
    application_keys,
    endpoint_plan,
    endpoint_routes,
    endpoints,
    job_components,
    lease_plan,
    lineage_tracks,
    load_tests,
    processing_plan,
    registry,
    scaling_plan,
    schedule_plan,
    training_plan,
    transform_plan,
    variant_test_plan,
)
from studio.api.registry import Caller, Context
from studio.db import migrate, resources
from studio.db.resources import Doc
from studio.db.session import Database
from studio.disk import Reserve
from studio.experiments.series import Settler
from studio.identity.entry import opened
from studio.identity.principals import Principal
from studio.reconcile import broker as brokers
from studio.reconcile import scheduler
from studio.reconcile.act import Actor
from studio.reconcile.artifacts import Artifacts
from studio.reconcile.async_worker import AsyncWorker
from studio.reconcile.broker import Broker
from studio.reconcile.captures import CaptureStore
from studio.reconcile.collect import Collector
from studio.reconcile.grants import Grants
from studio.reconcile.hints import Hints
from studio.reconcile.loop import Loop
from studio.reconcile.notifications import Deliverer
from studio.reconcile.routes import Routes
from studio.reconcile.steps import Call, Kind
from studio.runners import devices
from studio.runners.docker.leftovers import Sweeper
from studio.runners.process import ProcessRunner
from studio.s3.access import Access
from studio.s3.client import storage_for
from studio.s3.gateway import Gateway
from studio.s3.janitor import Janitor
from studio.s3.store import ObjectStore
from studio.server import dispatch, standby, tls
from studio.server.app import App
from studio.server.dispatch import Services
from studio.server.events import Streams
from studio.server.leader import Leader
from studio.server.storage import LogFile, StorageWatch
from studio.serving import control
from studio.serving.table import Variant
from studio.settings import Settings
from studio.wire import models

log = structlog.get_logger()

# A list of a hundred resources makes some thousand objects, none of them garbage.
_OBJECTS_BETWEEN_COLLECTIONS = 20_000


def run(settings: Settings, listening: Sequence[socket] = ()) -> None:
    """Serve `settings.home` on `settings.port` until a signal says stop, and on what is `listening`
    already.

    The router and the runs go on without this process, and are found again by the next.
    Raises StudioError when the home cannot be served.
    """
    uvloop.run(_serve(settings, listening))


async def _serve(settings: Settings, listening: Sequence[socket]) -> None:
    with _plane(settings) as app, _lease(app):
        servers = [app.http_server()]
        servers[0].add_sockets(listening)
        if all(standby.port_of(each) != settings.port for each in listening):
            servers[0].add_sockets(bind_sockets(settings.port, settings.host))
        listener = tls.listen(settings)
        if listener is not None:
            servers.append(app.http_server(listener.context))
            servers[1].add_sockets(listener.sockets)
            PeriodicCallback(listener.renew, tls.RENEW_SECONDS * 1000).start()
        # The first request need not wait for the model of the service.
        threading.Thread(target=_warm_up, daemon=True).start()
        log.info("ready", url=f"http://{settings.host}:{settings.port}", home=str(settings.home))
        stop = asyncio.Event()
        for number in (signal.SIGTERM, signal.SIGINT):
            asyncio.get_running_loop().add_signal_handler(number, stop.set)
        await stop.wait()
        log.info("stopping")
        for server in servers:
            server.stop()
            await server.close_all_connections()


@contextmanager
def _plane(settings: Settings) -> Iterator[App]:
    """The open parts, closed in the opposite order."""
    with ExitStack() as parts:
        key = credentials.load_or_create(settings.home)
        db, objects, watch = _storage(settings, parts)
        janitor = Janitor(objects)
        parts.callback(janitor.close)
        identity = opened(db, settings, key)
        gateway = Gateway(objects, settings, identity)
        parts.callback(gateway.close)
        storage = storage_for(settings, objects)
        runner = ProcessRunner(settings)
        parts.callback(Sweeper(settings).close)
        # The services are made further down; nothing calls before they are.
        kinds = _kinds(settings, lambda: services.context)
        access = gateway.access if not settings.s3_endpoint else Access(identity.authority, _alone)
        grants = Grants(settings, db, identity, access, kinds, _url(settings))
        grants.sweep()
        routes = _routes(settings, grants, db)
        identity.keys.changed = routes.refresh
        parts.callback(routes.close)
        broker = _broker(settings, db)
        loop = Loop(db, kinds, Actor(db, runner, storage, routes, broker, grants), broker)
        parts.callback(loop.stop)
        parts.callback(Hints(settings.home, loop.hint).close)
        caller = Caller(settings.account, key.access_key_id, identity.keys.owner)
        context = Context(
            settings, db, storage, runner, caller, _now, loop.hint, "", identity, access, broker
        )
        registry.load()
        services = Services(context, grants.credentials)
        _watchers(grants, routes, context, parts)
        parts.callback(Settler(db).close)
        streams = Streams(context, (db, storage))
        parts.callback(streams.close)
        address = partial(_router_address, settings)
        app = App(services, gateway, streams, address, lambda: watch.problems)
        parts.callback(app.close)
        streams.start()
        loop.start()
        janitor.start()
        routes.start()
        yield app


def _watchers(grants: Grants, routes: Routes, context: Context, parts: ExitStack) -> None:
    """Those who look after what routers, replicas and their fronts leave and ask."""
    settings, db, storage = grants.settings, grants.db, context.store
    for part in (
        control.Watch(settings.home),
        Collector(db, settings),
        CaptureStore(settings.home, grants, storage),
        Artifacts(settings.home, db, grants, storage),
        AsyncWorker(db, routes, grants, storage, partial(dispatch.perform, context)),
        Deliverer(db, settings, partial(_ports, settings, routes)),
    ):
        parts.callback(part.close)


@contextmanager
def _lease(app: App) -> Iterator[None]:
    """Taken when all is open: nobody is to judge how long that takes."""
    context = app.services.context
    if not context.settings.database_url:
        yield
        return
    leader = Leader(context.db, context.settings)
    yield
    leader.close()


def _storage(settings: Settings, parts: ExitStack) -> tuple[Database, ObjectStore, StorageWatch]:
    reserve = Reserve(settings.home / "reserve")
    db = Database(settings.database, reserve.release)
    parts.callback(db.close)
    migrate.upgrade(db)
    lineage_tracks.adopt(db)
    job_components.adopt(db)
    objects = ObjectStore(settings.home / "s3", spare=reserve.release)
    parts.callback(objects.close)
    watch = StorageWatch(settings.home, reserve, (db, objects.database))
    parts.callback(watch.close)
    return db, objects, watch


def _warm_up() -> None:
    """Read the largest model, and let no collection of garbage look through it ever again."""
    models.service_model("sagemaker")
    gc.freeze()
    gc.set_threshold(_OBJECTS_BETWEEN_COLLECTIONS, 10, 10)


def configure_log() -> None:
    """One line an event. Tracebacks come without the values of variables: those hold secrets."""
    renderer: Any = structlog.processors.JSONRenderer()
    if sys.stderr.isatty():
        renderer = structlog.dev.ConsoleRenderer(exception_formatter=structlog.dev.plain_traceback)
    structlog.configure(
        processors=[
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            *([] if sys.stderr.isatty() else [structlog.processors.format_exc_info]),
            renderer,
        ],
        logger_factory=structlog.PrintLoggerFactory(cast(TextIO, LogFile(sys.stderr))),
        cache_logger_on_first_use=True,
    )


def _kinds(settings: Settings, context: Callable[[], Context]) -> Mapping[str, Kind]:
    def perform(principal: Principal, call: Call) -> Doc:
        return dispatch.perform(context(), principal, call)

    kinds = (
        training_plan.kind(settings),
        processing_plan.kind(settings),
        transform_plan.kind(settings),
        endpoint_plan.kind(settings),
        alarm_plan.kind(settings, perform, _now),
        lease_plan.KIND,
        schedule_plan.kind(settings, perform, _now),
        scaling_plan.kind(settings, perform, _now),
        variant_test_plan.kind(context),
        load_tests.kind(),
    )
    return {kind.name: kind for kind in kinds}


def _broker(settings: Settings, db: Database) -> Broker:
    limit, gpus = scheduler.capacity(settings), devices.gpus(settings)
    with db.read() as connection:
        return brokers.opened(connection, limit, gpus)


def _url(settings: Settings) -> str:
    """Where programs of this machine find the control plane."""
    return f"http://{settings.client_host}:{settings.port}"


def _ports(settings: Settings, routes: Routes) -> set[int]:
    """Those on which parts of Studio, and its model servers, listen."""
    router = _router_address(settings)
    variants = [it for each in routes.endpoints().values() for it in each]
    servers = {address for it in variants for address in it.addresses}
    found = {int(address.rpartition(":")[2]) for address in servers}
    found |= {settings.port, tls.kept_port(settings)}
    return found | ({router[1]} if router else set())


def _alone(_bucket: str) -> tuple[str, str]:
    """An external S3 tells nothing of owners: its buckets are the owner's of this home."""
    return "", ""


def _routes(settings: Settings, grants: Grants, db: Database) -> Routes:
    """The router's table as the endpoints' states say it is."""
    with db.read() as connection:
        found = resources.of_kind(connection, endpoints.NOUN.kind)
    table: dict[str, tuple[Variant, ...]] = {
        each.name: endpoint_routes.variants(each.state["Routes"])
        for each in found
        if each.state["Routes"]
    }
    outside = partial(application_keys.outside, settings, db, grants.identity.authority)
    return Routes(settings, grants.router_keys, table, outside)


def _router_address(settings: Settings) -> tuple[str, int] | None:
    parts: Any = urlsplit(control.url(settings.home))
    return (parts.hostname, parts.port) if parts.port else None


def _now() -> int:
    return time.time_ns() // 1_000_000

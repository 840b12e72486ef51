"""A control plane's port in this process: real sockets, a real database, a runner that idles."""

import asyncio
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import boto3
import databases
from botocore.config import Config
from clients import closing
from tornado.netutil import bind_sockets

from studio.api import registry
from studio.api.registry import Caller, Context
from studio.credentials import Credentials
from studio.db import migrate
from studio.db.session import Database
from studio.errors import ApiError
from studio.experiments.series import Settler
from studio.identity.entry import opened
from studio.reconcile import scheduler
from studio.reconcile.broker import Broker
from studio.s3.client import LocalStorage
from studio.s3.gateway import Gateway
from studio.s3.store import ObjectStore
from studio.server.app import App
from studio.server.dispatch import Services
from studio.server.events import Streams
from studio.settings import Settings

KEY, SECRET = "AKIASTUDIOTEST000001", "a secret for tests"


class IdleRunner:
    """Starts nothing: the operations under test only record what is wanted."""


@dataclass
class Plane:
    port: int
    home: Path
    router: tuple[str, int] | None = None
    context: Any = None
    """What operations are called with."""
    streams: Any = None
    """Those who listen to events."""

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def client(self, service: str, **changes: Any) -> Any:
        values = {
            "region_name": "us-east-1",
            "endpoint_url": self.url,
            "aws_access_key_id": KEY,
            "aws_secret_access_key": SECRET,
        }
        config = Config(retries={"total_max_attempts": 1}, read_timeout=30)
        return closing(boto3.client(service, config=config, **(values | changes)))

    def send(self, data: bytes, seconds: float = 20.0) -> bytes:
        """What the server answers to `data` until it closes, or says nothing for long."""
        with socket.create_connection(("127.0.0.1", self.port), timeout=seconds) as connection:
            received = b""
            try:
                connection.sendall(data)
                while chunk := connection.recv(65536):
                    received += chunk
            except (ConnectionError, TimeoutError):
                pass
            return received


def _no_credentials(_run_id: str, _token: str) -> Any:
    raise ApiError("AccessDenied", "Nothing runs here.", 403)


@contextmanager
def running(home: Path, beat_seconds: float = 10.0, **changes: Any) -> Iterator[Plane]:
    registry.load()
    settings = Settings(home=databases.seeded(home), **changes)
    db = Database(settings.database)
    migrate.upgrade(db)
    store = ObjectStore(home / "s3")
    identity = opened(db, settings, Credentials(KEY, SECRET))
    gateway = Gateway(store, settings, identity)
    context = Context(
        settings=settings,
        db=db,
        store=LocalStorage(store),
        runner=IdleRunner(),  # type: ignore[arg-type]
        caller=Caller(settings.account, "", identity.keys.owner),
        now=lambda: time.time_ns() // 1_000_000,
        hint=lambda _id: None,
        request_id="",
        identity=identity,
        buckets=gateway.access,
        broker=Broker(scheduler.capacity(settings)),
    )
    plane = Plane(0, home, context=context)
    streams = Streams(context, (db, store.database), beat_seconds)
    plane.streams = streams
    streams.start()
    settler = Settler(db)
    app = App(Services(context, _no_credentials), gateway, streams, lambda: plane.router)
    try:
        with _serving(app, plane):
            yield plane
    finally:
        app.close()
        settler.close()
        streams.close()
        gateway.close()
        store.close()
        db.close()


@contextmanager
def _serving(app: App, plane: Plane) -> Iterator[None]:
    """The app at a port, which `plane` is told, on a thread of its own."""
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever, daemon=True)
    thread.start()

    async def start() -> Any:
        server = app.http_server()
        sockets = bind_sockets(0, "127.0.0.1")
        server.add_sockets(sockets)
        plane.port = sockets[0].getsockname()[1]
        return server

    async def stop(server: Any) -> None:
        server.stop()
        await server.close_all_connections()

    server = asyncio.run_coroutine_threadsafe(start(), loop).result()
    try:
        yield
    finally:
        asyncio.run_coroutine_threadsafe(stop(server), loop).result()
        loop.call_soon_threadsafe(loop.stop)
        thread.join()
        loop.close()

"""A real server with the gateway on a free port, and clients for it."""

import asyncio
import ssl
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import boto3
import databases
from botocore.config import Config
from tornado.httpserver import HTTPServer
from tornado.httputil import HTTPServerConnectionDelegate
from tornado.netutil import bind_sockets

from studio.credentials import Credentials
from studio.db import migrate
from studio.db.session import Database
from studio.identity.entry import opened
from studio.s3.gateway import Gateway
from studio.s3.store import ObjectStore
from studio.settings import Settings

ACCESS_KEY = "AKIATESTTESTTESTTEST"
SECRET = "secret/of+the=test"
REGION = "us-east-1"


class App(HTTPServerConnectionDelegate):
    """Hands every request to the gateway, as the control plane does with those of S3."""

    def __init__(self, gateway: Gateway) -> None:
        self._gateway = gateway

    def start_request(self, server_conn: Any, request_conn: Any) -> Any:
        gateway = self._gateway

        class Late:
            def headers_received(self, start_line: Any, headers: Any) -> Any:
                self.inner = gateway.message_delegate(start_line, headers, request_conn)
                return self.inner.headers_received(start_line, headers)

            def data_received(self, chunk: bytes) -> Any:
                return self.inner.data_received(chunk)

            def finish(self) -> None:
                self.inner.finish()

            def on_connection_close(self) -> None:
                self.inner.on_connection_close()

        return Late()


@dataclass
class Running:
    url: str
    port: int
    store: ObjectStore
    root: Path


def serve(root: Path, region: str = REGION, tls: ssl.SSLContext | None = None) -> Iterator[Running]:
    """A gateway on a free port in a thread of its own, until the generator ends."""
    store = ObjectStore(root)
    settings = Settings(home=databases.seeded(root), region=region)
    db = Database(settings.database)
    migrate.upgrade(db)
    gateway = Gateway(store, settings, opened(db, settings, Credentials(ACCESS_KEY, SECRET)))
    started = threading.Event()
    state: dict[str, Any] = {}

    async def main() -> None:
        sockets = bind_sockets(0, "127.0.0.1")
        server = HTTPServer(App(gateway), ssl_options=tls)
        server.add_sockets(sockets)
        state["port"] = sockets[0].getsockname()[1]
        state["loop"], state["stop"] = asyncio.get_running_loop(), asyncio.Event()
        started.set()
        await state["stop"].wait()
        server.stop()
        await server.close_all_connections()

    thread = threading.Thread(target=lambda: asyncio.run(main()), daemon=True)
    thread.start()
    assert started.wait(60)
    scheme = "https" if tls else "http"
    yield Running(f"{scheme}://127.0.0.1:{state['port']}", state["port"], store, root)
    state["loop"].call_soon_threadsafe(state["stop"].set)
    thread.join(10)
    gateway.close()
    store.close()
    db.close()


def client(url: str, region: str = REGION, verify: str | None = None, **config: Any) -> Any:
    return boto3.client(
        "s3",
        endpoint_url=url,
        region_name=region,
        aws_access_key_id=ACCESS_KEY,
        aws_secret_access_key=SECRET,
        verify=verify,
        config=Config(retries={"total_max_attempts": 1}, **config),
    )

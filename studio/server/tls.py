"""The TLS listener: the same port as the plain one, for clients that insist on https."""

import errno
import socket
import ssl
from dataclasses import dataclass

import structlog
from tornado.netutil import bind_sockets

from studio import durable, tls
from studio.errors import StudioError
from studio.settings import Settings

log = structlog.get_logger()

RENEW_SECONDS = 24 * 3600.0


@dataclass(frozen=True)
class Listener:
    """Bound sockets, not yet listened to by a server, and how to encrypt on them."""

    sockets: list[socket.socket]
    context: ssl.SSLContext
    settings: Settings

    @property
    def port(self) -> int:
        return int(self.sockets[0].getsockname()[1])

    def renew(self) -> None:
        """Take certificates that are good for another month, when the present ones are not."""
        files = tls.ensure(self.settings.home, _names(self.settings))
        self.context.load_cert_chain(files.server)


def listen(settings: Settings) -> Listener | None:
    """The listener that the settings ask for; None when they ask for none. Raises StudioError.

    The port is kept in the home, as that of the plain listener: clients' settings hold it.
    """
    if settings.tls_port < 0:
        return None
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.set_alpn_protocols(["http/1.1"])
    listener = Listener(_bound(settings), context, settings)
    listener.renew()
    durable.write_json(tls.port_file(settings.home), listener.port)
    return listener


def kept_port(settings: Settings) -> int:
    """The port of the listener of this home, the last one if it does not listen now; 0: none."""
    return int(durable.read_json(tls.port_file(settings.home)) or 0)


def _bound(settings: Settings) -> list[socket.socket]:
    if settings.tls_port:
        try:
            return bind_sockets(settings.tls_port, settings.host)
        except OSError as error:
            if error.errno != errno.EADDRINUSE:
                raise
            raise StudioError(
                f"Port {settings.tls_port} is taken by another program: end that program, "
                "or set another tls_port."
            ) from error
    kept = kept_port(settings)
    try:
        return bind_sockets(kept, settings.host)
    except OSError as error:
        if not kept or error.errno != errno.EADDRINUSE:
            raise
        log.warning("the TLS port is taken; another one is used", port=kept)
        return bind_sockets(0, settings.host)


def _names(settings: Settings) -> list[str]:
    return ["localhost", "127.0.0.1", "::1", socket.gethostname(), settings.host]

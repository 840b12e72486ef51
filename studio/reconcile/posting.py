"""POST to an address that somebody else chose: where that may lead, and what comes of it.

The address is looked up once, looked at, and connected to: a name that leads elsewhere a moment
later leads nowhere. Redirections are not followed, and of the answer only the status is read.
"""

import http.client
import ipaddress
import socket
import ssl
import threading
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from urllib.parse import SplitResult, urlsplit

SECONDS = 15.0
"""For all of an exchange, as with SNS."""

_METADATA = {ipaddress.ip_address(it) for it in ("fd00:ec2::254", "100.100.100.200")}
_NAT64 = ipaddress.ip_network("64:ff9b::/96")
_AGAIN = (408, 425, 429)

_Address = ipaddress.IPv4Address | ipaddress.IPv6Address


class Forbidden(Exception):
    """Nobody may have this address posted to: a text that says why."""


class Unanswered(Exception):
    """It was not taken; `again`: it may be, another time."""

    def __init__(self, text: str, again: bool) -> None:
        super().__init__(text)
        self.again = again


@dataclass(frozen=True)
class Bounds:
    """Where posts may lead."""

    machine: bool
    """Whether this machine itself is such a place."""
    ports: Collection[int]
    """Those of this machine that are not."""


def parsed(url: str) -> SplitResult:
    """Raises Forbidden for what is no plain http or https URL."""
    try:
        parts = urlsplit(url)
        good = parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0
    except ValueError:
        good = False
    if not good or not url.isascii() or any(it <= " " or it == "\x7f" for it in url):
        raise Forbidden("it is not a URL of http or https")
    if parts.username is not None or parts.password is not None:
        raise Forbidden("it holds a user name or password")
    return parts


def check_literal(url: str, bounds: Bounds) -> None:
    """Raises Forbidden for a URL that can be seen to lead where it may not, without asking for a
    name."""
    parts = parsed(url)
    host = parts.hostname or ""
    try:
        address = ipaddress.ip_address("127.0.0.1" if host == "localhost" else host)
    except ValueError:
        return
    _check(address, _port(parts), bounds)


def post(
    url: str, headers: Mapping[str, str], body: bytes, bounds: Bounds, cafile: str | None = None
) -> None:
    """Returns once it is taken. Raises Unanswered, Forbidden."""
    parts = parsed(url)
    try:
        connection = _connected(parts, bounds, cafile)
    except OSError as error:
        raise Unanswered(f"no connection: {error}", again=True) from error
    # A receiver that says a letter a second would hold the thread for ever.
    ending = threading.Timer(SECONDS, _cut, (connection.sock,))
    ending.start()
    try:
        path = f"{parts.path or '/'}{'?' + parts.query if parts.query else ''}"
        connection.request("POST", path, body, {"Host": parts.netloc, **headers})
        with connection.getresponse() as answer:
            status = answer.status
    except (OSError, http.client.HTTPException, ValueError) as error:
        raise Unanswered(f"no answer: {type(error).__name__} {error}", again=True) from error
    finally:
        ending.cancel()
        connection.close()
    if not 200 <= status < 300:
        again = status >= 500 or status in _AGAIN
        raise Unanswered(f"the answer has the status {status}", again)


def _connected(
    parts: SplitResult, bounds: Bounds, cafile: str | None
) -> http.client.HTTPConnection:
    host, port = parts.hostname or "", _port(parts)
    found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    addresses = [ipaddress.ip_address(str(it[4][0]).partition("%")[0]) for it in found]
    for address in addresses:
        _check(address, port, bounds)
    connection = http.client.HTTPConnection(host, port, timeout=SECONDS)
    sock = socket.create_connection((str(addresses[0]), port), SECONDS)
    try:
        if parts.scheme == "https":
            context = ssl.create_default_context(cafile=cafile)
            connection.sock = context.wrap_socket(sock, server_hostname=host)
        else:
            connection.sock = sock
    except OSError:
        sock.close()
        raise
    return connection


def _port(parts: SplitResult) -> int:
    return parts.port or (443 if parts.scheme == "https" else 80)


def _check(address: _Address, port: int, bounds: Bounds) -> None:
    """Raises Forbidden."""
    if isinstance(address, ipaddress.IPv6Address):
        if address.ipv4_mapped is not None:
            address = address.ipv4_mapped
        elif address in _NAT64:
            address = ipaddress.IPv4Address(int(address) & 0xFFFFFFFF)
    never = (address.is_link_local, address.is_multicast, address.is_unspecified)
    if any(never) or address in _METADATA or (address.is_reserved and not address.is_loopback):
        raise Forbidden(f"{address} is not an address of a receiver")
    if _is_here(address) and (not bounds.machine or port in bounds.ports):
        what = f"port {port} of" if bounds.machine else "on"
        raise Forbidden(f"the address {address} is {what} the machine that Studio runs on")


def _is_here(address: _Address) -> bool:
    """Whether it is of this machine: nobody can listen at another's."""
    if address.is_loopback:
        return True
    family = socket.AF_INET if address.version == 4 else socket.AF_INET6
    try:
        with socket.socket(family, socket.SOCK_DGRAM) as probe:
            probe.bind((str(address), 0))
    except OSError:
        return False
    return True


def _cut(sock: socket.socket) -> None:
    try:
        sock.shutdown(socket.SHUT_RDWR)
    except OSError:
        pass

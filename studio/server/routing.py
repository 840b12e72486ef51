"""Which part of Studio a request is for, told by its head alone; and heads that are refused."""

import re
import socket
from collections.abc import Mapping
from functools import lru_cache
from typing import Literal
from urllib.parse import urlsplit

from tornado.httputil import HTTPHeaders, RequestStartLine

from studio.wire import rest
from studio.wire.protocols import JSON_TARGETS, QUERY_SERVICES, REST_PATHS

Part = Literal[
    "health", "s3", "json", "query", "cbor", "rest", "router", "credentials", "events", "unknown"
]

HEALTH_PATH = "/_studio/health"
EVENTS_PATH = "/_studio/events"
CREDENTIALS_PATH = "/_studio/credentials/"

_CREDENTIAL = re.compile(
    r"Credential=[^,\s&]*?(?:/|%2F)(?P<service>[a-z0-9-]{1,64})(?:/|%2F)aws4_request"
)
_CBOR_PATH = re.compile(r"/service/([A-Za-z0-9_]{1,64})/operation/([A-Za-z0-9_]{1,128})")
_FORM = "application/x-www-form-urlencoded"


def part_for(path: str, query: str, headers: Mapping[str, str]) -> Part:
    """One port serves all: the service that the client signed for decides, then the head."""
    if path == HEALTH_PATH:
        return "health"
    if path.startswith(CREDENTIALS_PATH):
        return "credentials"
    if path == EVENTS_PATH:
        return "events"
    scope = signed_service(query, headers)
    if scope == "s3" or "AWSAccessKeyId=" in query:
        return "s3"
    if "x-amz-target" in headers:
        return "json"
    if headers.get("smithy-protocol") == "rpc-v2-cbor":
        return "cbor"
    if scope in QUERY_SERVICES or (path == "/" and _is_query(query, headers)):
        return "query"
    if scope in rest.SERVICES or (path in REST_PATHS and scope in ("sagemaker", "")):
        return "rest"
    if path.startswith("/endpoints/") and scope in ("sagemaker", ""):
        return "router"
    # Whoever signs for nothing gets S3's answer, as browsers and anonymous clients do on AWS.
    return "unknown" if scope else "s3"


def signed_service(query: str, headers: Mapping[str, str]) -> str:
    """The service in the scope of the signature, unverified; "" without one."""
    text = headers.get("authorization") or (query if "X-Amz-Credential=" in query else "")
    match = _CREDENTIAL.search(text)
    return match["service"] if match else ""


def json_service(headers: Mapping[str, str]) -> tuple[str, str]:
    """Service and operation that X-Amz-Target names; of a strange service its prefix."""
    prefix, _, operation = headers.get("x-amz-target", "").rpartition(".")
    return JSON_TARGETS.get(prefix, prefix), operation


def cbor_service(path: str) -> tuple[str, str]:
    """Service and operation that the path of an rpc-v2-cbor request names; "" for no such path."""
    match = _CBOR_PATH.fullmatch(path)
    return (JSON_TARGETS.get(match[1], match[1]), match[2]) if match else ("", "")


@lru_cache(maxsize=64)
def allowed_hosts(configured: str, address: tuple[str, int], external: str = "") -> frozenset[str]:
    """Host headers under which the socket at `address` may be spoken to.

    A page of a stranger can make a browser resolve the stranger's name to this machine; it
    cannot make it send another Host.
    """
    ip, port = address[0], address[1]
    names = {"127.0.0.1", "localhost", "[::1]", configured, socket.gethostname()}
    names.add(f"[{ip}]" if ":" in ip else ip)
    hosts = {f"{name.lower()}:{port}" for name in names}
    if external:  # a proxy may keep the name under which it is known itself
        hosts.add(urlsplit(external).netloc.lower())
    return frozenset(hosts | names if port in (80, 443) else hosts)


def origin_form(line: RequestStartLine, headers: HTTPHeaders) -> RequestStartLine:
    """The line with a path where a client sent a whole URL, as RFC 9112, 3.2.2 lets it.

    Only for the host that it names in its headers too: they are what is checked and signed.
    """
    if line.path.startswith("/"):
        return line
    scheme, _, rest = line.path.partition("://")
    authority, slash, path = rest.partition("/")
    same = authority.lower() == headers.get("Host", "").lower()
    if scheme.lower() not in ("http", "https") or not same:
        return line
    return line._replace(path=f"/{path}" if slash else "/")


def inside(line: RequestStartLine, headers: HTTPHeaders, external: str) -> RequestStartLine:
    """The line without the path of the URL `external`, where a proxy left that on."""
    parts = urlsplit(external)
    prefix = parts.path.rstrip("/")
    known = bool(prefix) and headers.get("Host", "").lower() == parts.netloc.lower()
    if not known or not line.path.startswith(f"{prefix}/"):
        return line
    return line._replace(path=line.path.removeprefix(prefix))


def _is_query(query: str, headers: Mapping[str, str]) -> bool:
    form = headers.get("content-type", "").partition(";")[0].strip().lower() == _FORM
    return form or query.startswith("Action=") or "&Action=" in query

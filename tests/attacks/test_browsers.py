"""What a stranger's page can make a browser send: to other hosts, in other protocols."""

import pytest
from hostile import Port, Signer, message, refused, untouched
from studios import RunningStudio

DOORS = ["plain", "tls", "router"]
EVIL = {
    "Origin": "https://evil.example",
    "Referer": "https://evil.example/page?token=canary",
    "Cookie": "session=canary; _xsrf=canary",
}


@pytest.mark.parametrize("door", DOORS)
@pytest.mark.parametrize("origin", ["https://evil.example", "null", "", "http://{host}"])
def test_a03_a51_no_other_protocol(ports: dict[str, Port], door: str, origin: str):
    """Neither a WebSocket nor HTTP/2 is spoken anywhere, whoever asks and with what cookie."""
    port = ports[door]
    for upgrade in ("websocket", "h2c"):
        for path in ("/", "/castle", "/_studio/logs", "/endpoints/e/invocations"):
            headers = {
                "Host": port.netloc,
                "Upgrade": upgrade,
                "Sec-WebSocket-Key": "dGhlIHNhbXBsZSBub25jZQ==",
                "Sec-WebSocket-Version": "13",
                "Accept": "text/event-stream",
                "Cookie": EVIL["Cookie"],
            }
            if origin:
                headers["Origin"] = origin.format(host=port.netloc)
            data = message("GET", path, headers)
            data = data.replace(b"Connection: close", b"Connection: Upgrade")
            refused(port.send(data, to_the_end=False), 400, 403, 404)


@pytest.mark.parametrize("door", ["plain", "tls"])
@pytest.mark.parametrize(
    "host",
    [
        "evil.example",
        "evil.example:{port}",
        "127.0.0.1.evil.example:{port}",
        "127.0.0.1:{port}.evil.example",
        "127.0.0.1:{port}@evil.example",
        "127.0.0.1",
        "localhost:1",
        "0.0.0.0:{port}",
        "[::ffff:127.0.0.1]:{port}",
        "2130706433:{port}",
        "127.1:{port}",
        "127.0.0.1:{port},evil.example",
        "",
    ],
)
def test_a49_strange_hosts(
    studio: RunningStudio, ports: dict[str, Port], owner: Signer, door: str, host: str
):
    """DNS rebinding: refused for every path, with a good signature too."""
    port = ports[door]
    name = host.format(port=port.port)
    with untouched(studio):
        for path in ("/", "/_studio/health", "/castle/k", "/endpoints/e/invocations"):
            refused(port.ask("GET", path, {"Host": name}), 421)
        signed = owner.headers(port, "DELETE", "/castle/k", b"", "s3", host=name or "x")
        refused(port.ask("DELETE", "/castle/k", {**signed, "Host": name}), 421)


def test_a49_strange_hosts_at_the_router(ports: dict[str, Port]):
    """The router does nothing that is not signed, and no page can sign for its host."""
    port = ports["router"]
    for method in ("GET", "POST", "PUT", "DELETE"):
        for name in ("evil.example", f"127.0.0.1.evil.example:{port.port}", ""):
            answer = port.ask(method, "/endpoints/e/invocations", {"Host": name}, b"1")
            refused(answer, 400, 403)


@pytest.mark.parametrize("door", DOORS)
def test_a49_two_hosts_and_whole_addresses(ports: dict[str, Port], owner: Signer, door: str):
    port = ports[door]
    path = "/endpoints/e/invocations" if door == "router" else "/"
    for one, other in ((port.netloc, "evil.example"), ("evil.example", port.netloc)):
        signed = owner.headers(port, path=path, body=b"1", host=one)
        twice = message("POST", path, signed, b"1")
        twice = twice.replace(b"\r\n", b"\r\nhost: %s\r\n" % other.encode(), 1)
        refused(port.send(twice), 400)
        same = message("GET", "/_studio/health", {"Host": one, "host": one})
        assert port.send(same).status == 400
    for target in (f"http://evil.example{path}", f"http://{port.netloc}{path}", "*", "evil:80"):
        answer = port.send(message("POST", target, {"Host": port.netloc}, b"1"))
        assert answer.status in (400, 403, 404)


SIMPLE = [
    ("GET", "/?Action=CreateUser&UserName=mallory&Version=2010-05-08", "", b""),
    ("POST", "/?Action=CreateUser&UserName=mallory&Version=2010-05-08", "text/plain", b""),
    ("POST", "/", "application/x-www-form-urlencoded", b"Action=CreateUser&UserName=mallory"),
    ("POST", "/", "text/plain", b'{"ModelName": "x"}'),
    ("POST", "/castle", "multipart/form-data; boundary=x",
     b'--x\r\nContent-Disposition: form-data; name="key"\r\n\r\nevil\r\n'
     b'--x\r\nContent-Disposition: form-data; name="file"; filename="f"\r\n\r\nx\r\n--x--\r\n'),
    ("POST", "/castle?delete", "text/plain", b"<Delete><Object><Key>k</Key></Object></Delete>"),
    ("PUT", "/castle/k", "text/plain", b"new"),
    ("DELETE", "/castle/k", "", b""),
    ("POST", "/endpoints/e/invocations", "text/plain", b"1"),
    ("GET", "/_studio/credentials/x", "", b""),
]  # fmt: skip


@pytest.mark.parametrize("door", DOORS)
@pytest.mark.parametrize("mode", ["no-cors", "cors", "navigate", "same-origin", ""])
def test_a50_pages_of_strangers(
    studio: RunningStudio, ports: dict[str, Port], door: str, mode: str
):
    """What needs no preflight, with cookies and whatever a browser says of itself."""
    said = {"Sec-Fetch-Mode": mode, "Sec-Fetch-Site": "cross-site"} if mode else {}
    with untouched(studio):
        for method, path, kind, body in SIMPLE:
            headers = {**EVIL, **said, **({"Content-Type": kind} if kind else {})}
            answer = ports[door].ask(method, path, headers, body)
            refused(answer, 400, 403, 404, 405)
            assert b"canary" not in answer.raw


@pytest.mark.parametrize("door", DOORS)
def test_a50_preflights_grant_nothing(
    studio: RunningStudio, ports: dict[str, Port], owner: Signer, door: str
):
    """The rules of a bucket are the bucket's: operations are no page's to call."""
    s3 = studio.client("s3")
    s3.create_bucket(Bucket="shared")
    methods = ["GET", "PUT", "POST"]
    rule = {"AllowedOrigins": ["*"], "AllowedMethods": methods, "AllowedHeaders": ["*"]}
    s3.put_bucket_cors(Bucket="shared", CORSConfiguration={"CORSRules": [rule]})
    wanted = {
        **EVIL,
        "Access-Control-Request-Method": "POST",
        "Access-Control-Request-Headers": "x-amz-target,authorization,content-type",
    }
    for path in (
        "/",
        "/castle/k",
        "/_studio/health",
        "/_studio/credentials/x",
        "/endpoints/shared/invocations",
        "/shared%2F..%2Fcastle/k",
    ):
        refused(ports[door].ask("OPTIONS", path, wanted), 400, 403, 404, 405)
    call = owner.call(ports["plain"], "ListModels", {}, headers=EVIL)
    assert call.status == 200
    assert not [name for name in call.headers if name.startswith("access-control")]
    if door != "router":
        answer = ports[door].ask("OPTIONS", "/shared/k", wanted)
        assert answer.headers["access-control-allow-origin"] == "*"
        assert "access-control-allow-credentials" not in answer.headers
    s3.delete_bucket_cors(Bucket="shared")

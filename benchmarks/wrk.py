"""wrk (Debian): a client in C, so that it takes little from the server that shares its machine."""

import json
import shutil
import subprocess
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass

_DONE = """
done = function(summary, latency, requests)
  local e = summary.errors
  io.write(string.format(
    '\\n{"p50": %f, "p99": %f, "requests": %d, "microseconds": %d, "errors": %d}\\n',
    latency:percentile(50), latency:percentile(99), summary.requests, summary.duration,
    e.connect + e.read + e.write + e.status + e.timeout))
end
"""


@dataclass(frozen=True)
class Load:
    """What wrk measured; latencies in milliseconds."""

    p50: float
    p99: float
    requests: int
    rate: float
    """Requests a second."""


def load(url: str, connections: int, seconds: int, script: str) -> Load:
    """The load that the lines of Lua in `script` describe: each connection waits for its answer.

    Raises RuntimeError when there is no wrk, and when a single request failed.
    """
    if shutil.which("wrk") is None:
        raise RuntimeError("please install wrk")
    with tempfile.NamedTemporaryFile("w", suffix=".lua") as file:
        file.write(f"{script}\n{_DONE}")
        file.flush()
        command = ["wrk", "-t1", f"-c{connections}", f"-d{seconds}s", "-s", file.name, url]
        output = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    figures = json.loads(output.strip().splitlines()[-1])
    if figures["errors"]:
        raise RuntimeError(f"{figures['errors']} requests to {url} failed")
    rate = figures["requests"] / figures["microseconds"] * 1e6
    return Load(figures["p50"] / 1000, figures["p99"] / 1000, figures["requests"], rate)


def posts(
    url: str, connections: int, seconds: int, headers: Mapping[str, str], body: bytes
) -> Load:
    """The load of one POST, again and again; raises as `load` does."""
    lines = [f"wrk.method = 'POST'\nwrk.body = {json.dumps(body.decode('ascii'))}"]
    lines += [f"wrk.headers[{json.dumps(n)}] = {json.dumps(v)}" for n, v in headers.items()]
    return load(url, connections, seconds, "\n".join(lines))


def messages(them: list[bytes]) -> str:
    """Lua: send these requests, whole as they are, one after the other and again."""
    # JSON's strings are Lua's too, as long as they are ASCII.
    texts = ", ".join(json.dumps(each.decode("ascii")) for each in them)
    count = "at = at % #messages + 1"
    return f"messages = {{{texts}}}\nat = 0\nrequest = function() {count} return messages[at] end"

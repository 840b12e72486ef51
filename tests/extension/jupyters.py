"""Jupyter servers as people run them: `jupyter server` with Studio's extension, in a process, below
a base URL as JupyterHub gives one, with nothing of the developer's own configuration."""

import contextlib
import json
import os
import signal
import socket
import subprocess
import sys
import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import requests
import websocket
from ports import held_port
from studios import CLEAN, run_studio
from waiting import PATIENCE_SECONDS, eventually

TOKEN = "token-of-the-test"
EXTENSIONS = {"studio.extension": True, "jupyter_server_terminals": True}
OTHERS = dict.fromkeys(("jupyterlab", "notebook_shim", "jupyter_lsp"), False)
# `-m jupyter_server`, without the grammar of addresses in schemas, which takes most of its start.
SERVER = """
import sys
sys.modules["rfc3987_syntax"] = None
from jupyter_server.serverapp import main
main()
"""


@dataclass(frozen=True)
class RunningJupyter:
    url: str
    """With the base URL, without a slash at the end."""

    root: Path
    process: subprocess.Popen[bytes]
    log: Path

    def ask(self, method: str, route: str, **options: Any) -> requests.Response:
        """A request of a route of Studio's, with the token of its user."""
        return self.request(method, f"studio/api/{route}", **options)

    def request(self, method: str, path: str, **options: Any) -> requests.Response:
        headers = {"Authorization": f"token {TOKEN}", **options.pop("headers", {})}
        url = f"{self.url}/{path}"
        return requests.request(method, url, headers=headers, timeout=PATIENCE_SECONDS, **options)

    def call(self, operation: str, request: object = None, service: str = "sagemaker") -> Any:
        """The answer of an operation."""
        answer = self.ask("POST", f"aws/{service}/{operation}", json=request or {})
        assert answer.status_code == 200, answer.text
        return answer.json()

    def status(self) -> Any:
        return self.ask("GET", "status").json()

    def ready(self) -> Any:
        """The status, once the control plane is there."""
        return eventually(lambda: (it := self.status())["ready"] and it, self.log.read_text)

    def run(self, code: str) -> str:
        """What a new kernel prints."""
        kernel = self.request("POST", "api/kernels", json={}).json()["id"]
        try:
            return self._execute(kernel, code)
        finally:
            self.request("DELETE", f"api/kernels/{kernel}")

    def _execute(self, kernel: str, code: str) -> str:
        address = f"{self.url.replace('http', 'ws', 1)}/api/kernels/{kernel}/channels?token={TOKEN}"
        channel = websocket.create_connection(address, timeout=PATIENCE_SECONDS)
        try:
            request = _execute_request(code)
            channel.send(json.dumps(request))
            printed, missing = "", {"reply", "idle"}  # they come by different ways
            while missing:
                message = json.loads(channel.recv())
                kind, content = message["msg_type"], message["content"]
                if message["parent_header"].get("msg_id") != request["header"]["msg_id"]:
                    continue
                if kind == "stream":
                    printed += content["text"]
                elif kind == "error":
                    raise AssertionError("\n".join(content["traceback"]))
                elif kind == "execute_reply":
                    missing.discard("reply")
                elif kind == "status":
                    missing.discard(content["execution_state"])
            return printed
        finally:
            channel.close()


@contextlib.contextmanager
def running_jupyter(
    folder: Path, home: Path, environ: dict[str, str] | None = None, *options: str
) -> Iterator[RunningJupyter]:
    """A Jupyter server whose Studio is that of `home` unless `environ` says otherwise; ended at the
    end, which Studio is not."""
    with held_port() as port, _running(folder, home, port, environ or {}, options) as jupyter:
        yield jupyter


@contextlib.contextmanager
def _running(
    folder: Path, home: Path, port: int, environ: dict[str, str], options: tuple[str, ...]
) -> Iterator[RunningJupyter]:
    root = folder / "root"
    root.mkdir(parents=True, exist_ok=True)
    log = folder / "jupyter.log"
    command = [sys.executable, "-c", SERVER, "--no-browser", "--allow-root"]
    command += [f"--port={port}", "--ServerApp.port_retries=0", f"--ServerApp.root_dir={root}"]
    command += [f"--IdentityProvider.token={TOKEN}", "--ServerApp.base_url=/user/ann/"]
    command += [f"--ServerApp.jpserver_extensions={EXTENSIONS | OTHERS}"]
    command += ["--ServerApp.allow_unauthenticated_access=False", *options]
    folders = {
        f"JUPYTER_{name.upper()}_DIR": str(folder / name) for name in ("config", "data", "runtime")
    }
    env = CLEAN | folders | {"IPYTHONDIR": str(folder / "ipython"), "STUDIO_HOME": str(home)}
    with log.open("ab") as output:
        process = subprocess.Popen(
            command, env=env | environ, cwd=root, stdout=output, stderr=output
        )
    jupyter = RunningJupyter(f"http://127.0.0.1:{port}/user/ann", root, process, log)
    try:
        eventually(lambda: _answers(jupyter), log.read_text)
        yield jupyter
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(PATIENCE_SECONDS)


@contextlib.contextmanager
def ended(home: Path) -> Iterator[None]:
    """At the end nothing runs for `home` that a Jupyter has started."""
    try:
        yield
    finally:
        run_studio("stop", "--all", "--home", home)


def kill_studio(home: Path) -> int:
    """End the control plane of `home` as the kernel would for want of memory; its pid."""
    known = json.loads((home / "pid.json").read_text())
    os.kill(known["pid"], signal.SIGKILL)
    address = urlsplit(known["url"])
    eventually(lambda: not _listens(address.hostname, address.port))
    return int(known["pid"])


def _listens(host: str, port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex((host, port)) == 0


def _answers(jupyter: RunningJupyter) -> bool:
    assert jupyter.process.poll() is None, jupyter.log.read_text()
    try:
        return jupyter.request("GET", "api").ok
    except requests.ConnectionError:
        return False


def _execute_request(code: str) -> dict[str, Any]:
    header = {"msg_id": uuid.uuid4().hex, "msg_type": "execute_request", "version": "5.3"}
    header |= {"session": uuid.uuid4().hex, "username": "", "date": "2026-01-01T00:00:00Z"}
    content = {"code": code, "silent": False, "stop_on_error": True}
    return {
        "header": header,
        "parent_header": {},
        "metadata": {},
        "content": content,
        "channel": "shell",
    }

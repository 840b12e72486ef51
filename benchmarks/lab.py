"""A JupyterLab for the figures that are taken in a browser."""

import json
import os
import socket
import subprocess
import sys
import tempfile
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.error import URLError

from benchmarks.clocks import until
from benchmarks.running import Running


@contextmanager
def lab(it: Running) -> Iterator[str]:
    """A JupyterLab of its own on that Studio."""
    with tempfile.TemporaryDirectory(prefix="studio-lab-") as folder:
        port = _free_port()
        url = f"http://127.0.0.1:{port}"
        env = {**os.environ, "STUDIO_HOME": str(it.home), "JUPYTERLAB_SETTINGS_DIR": folder}
        options = ["--no-browser", f"--port={port}", "--ServerApp.port_retries=0", "--allow-root"]
        options += ["--IdentityProvider.token=", "--LabApp.expose_app_in_browser=True"]
        options += [f"--ServerApp.root_dir={folder}", "--LabApp.news_url="]
        program = Path(sys.executable).with_name("jupyter-lab")
        with Path(folder, "log").open("wb") as log:
            process = subprocess.Popen([program, *options], env=env, stdout=log, stderr=log)
        try:
            until(lambda: _answers(f"{url}/studio/api/status"), 60, "JupyterLab starts", pause=0.2)
            yield url
        finally:
            process.terminate()
            process.wait()


def _free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return int(listener.getsockname()[1])


def _answers(url: str) -> bool:
    try:
        with urllib.request.urlopen(url, timeout=5) as answer:
            return bool(json.load(answer)["ready"])
    except URLError:
        return False

"""Pictures of every page, in each theme and width: `make screens`.

Starts a Studio and a JupyterLab of its own, fills them with scene.py and machine.py, and lets
screens.mjs look.
The pictures lie in ui-tests/screens/; those that the documentation shows are copied to
docs/images/. The arguments name pages; none means all.
"""

import os
import shutil
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request
from pathlib import Path

from machine import imagined_gpus

HERE = Path(__file__).parent
SHOWN = HERE.parent / "docs" / "images"
FOLDER = HERE / "screens"


def main() -> int:
    home = Path(tempfile.mkdtemp(prefix="studio-screens-"))
    environment = {**os.environ, "STUDIO_HOME": str(home / "studio"), "HOME": str(home)}
    environment["JUPYTERLAB_SETTINGS_DIR"] = str(home / "settings")
    environment |= {"STUDIO_CPU_SLOTS": "24", "LD_LIBRARY_PATH": str(home)}
    (home / "work").mkdir()
    imagined_gpus(home)
    quiet(home / "settings")
    try:
        subprocess.run(["studio", "serve", "--detach"], env=environment, check=True)
        for scene in ("scene.py", "machine.py"):
            script = f'eval "$(studio env)" && {sys.executable} {HERE / scene} {home / "work"}'
            subprocess.run(["bash", "-c", script], env=environment, check=True)
        return look(home, environment)
    finally:
        subprocess.run(["studio", "stop", "--all"], env=environment, check=False)
        shutil.rmtree(home, ignore_errors=True)


def quiet(settings: Path) -> None:
    """JupyterLab's question about news would be on every picture."""
    folder = settings / "@jupyterlab" / "apputils-extension"
    folder.mkdir(parents=True)
    (folder / "notification.jupyterlab-settings").write_text('{"fetchNews": "false"}')


def look(home: Path, environment: dict[str, str]) -> int:
    port = free_port()
    command = ["jupyter", "lab", "--no-browser", f"--port={port}", "--ServerApp.port_retries=0"]
    command += [
        "--IdentityProvider.token=",
        "--allow-root",
        f"--ServerApp.root_dir={home / 'work'}",
    ]
    command += ["--LabApp.expose_app_in_browser=True", "--LabApp.news_url="]
    with (home / "jupyter.log").open("wb") as log:
        lab = subprocess.Popen(command, env=environment, stdout=log, stderr=log)
    try:
        url = f"http://127.0.0.1:{port}"
        wait(f"{url}/lab")
        node = ["node", str(HERE / "screens.mjs"), url, str(FOLDER), *sys.argv[1:]]
        done = subprocess.run(node, cwd=HERE, check=False).returncode
    finally:
        lab.terminate()
        lab.wait()
    for picture in SHOWN.glob("studio-*.png"):
        source = FOLDER / picture.name.removeprefix("studio-")
        if source.exists():
            shutil.copy(source, picture)
    return done


def wait(url: str) -> None:
    for _ in range(300):
        try:
            urllib.request.urlopen(url).close()
            return
        except OSError:
            time.sleep(0.2)
    raise SystemExit(f"JupyterLab did not start at {url}")


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


if __name__ == "__main__":
    sys.exit(main())

"""A suite's source and its virtual environment, below `.suites/`: made once, used again."""

import hashlib
import json
import subprocess
import sys
import tarfile
import tempfile
from pathlib import Path

from suites.suite import Suite

ROOT = Path(__file__).parent.parent / ".suites"
TOOLS = ["pytest==9.0.3", "pytest-timeout==2.4.0"]


def source(suite: Suite) -> Path:
    """The unpacked source; pip compares it with the hash. Raises CalledProcessError."""
    name = f"{suite.package}-{suite.version}"
    folder = ROOT / "sources" / name
    if folder.exists():
        return folder
    folder.parent.mkdir(parents=True, exist_ok=True)
    # Else pytest would take Studio's own settings for a source that has none.
    (folder.parent / "pytest.ini").write_text("[pytest]\n")
    with tempfile.TemporaryDirectory(dir=ROOT) as temporary:
        wanted = Path(temporary) / "wanted.txt"
        wanted.write_text(f"{suite.package}=={suite.version} --hash=sha256:{suite.sha256}\n")
        _run(
            *[sys.executable, "-m", "pip", "download", "-q", "--no-deps", "--require-hashes"],
            *["--no-binary", ":all:", "-d", temporary, "-r", wanted],
        )
        archive = next(Path(temporary).glob("*.tar.gz"))
        with tarfile.open(archive) as packed:
            packed.extractall(Path(temporary) / "unpacked", filter="data")
        next((Path(temporary) / "unpacked").iterdir()).rename(folder)
    return folder


def interpreter(suite: Suite) -> Path:
    """Python of an environment with what the suite wants; suites that want the same share it."""
    wanted = sorted([*TOOLS, *suite.install])
    key = hashlib.sha256(json.dumps([sys.version, wanted]).encode()).hexdigest()[:8]
    folder = ROOT / "environments" / f"{suite.package}-{key}"
    python = folder / "bin" / "python"
    ready = folder / "ready"
    if not ready.exists():
        uv = Path(sys.executable).with_name("uv")
        _run(uv, "venv", "-q", "--clear", "--python", sys.executable, folder)
        _run(uv, "pip", "install", "-q", "--python", python, *wanted)
        ready.touch()
    return python


def _run(*command: object) -> None:
    subprocess.run([str(word) for word in command], check=True, stdin=subprocess.DEVNULL)

"""The view of the machine that a run has: bubblewrap's arguments and a clean environment.

Inside, /opt/ml is the run's own folder, the machine is read-only, /tmp is private, and neither
Studio's home nor the user's can be seen. Without bubblewrap SAGEMAKER_BASE_DIR tells programs
where /opt/ml is, and nothing is hidden: that is the user's own trust, no more.
"""

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Callable
from functools import cache
from pathlib import Path

from studio.errors import StudioError
from studio.runners.base import Network, Resources
from studio.settings import Settings

_SESSIONS = ("/run/user", "/run/podman")
"""A session's bus starts processes outside of any sandbox for whoever may connect."""
_SOCKETS = ("/run/docker.sock", "/run/containerd/containerd.sock", "/run/crio/crio.sock")
_PLAIN = Network()
_THREADS = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")


def available() -> bool:
    """True when bubblewrap is installed and really works for this user."""
    program = shutil.which("bwrap")
    return program is not None and _works(program)


def wanted(settings: Settings) -> bool:
    """Whether runs get a sandbox. Raises StudioError when they must and cannot."""
    if settings.sandbox == "never":
        return False
    if settings.sandbox == "always" and not available():
        raise StudioError(
            "The setting sandbox is `always`, but bubblewrap does not work here: install the "
            "package bubblewrap and allow user namespaces, or set sandbox to `auto`."
        )
    return available()


def possible(settings: Settings) -> bool:
    """Whether runs may have host names and networks of their own: a sandbox gives them."""
    return settings.sandbox != "never" and available()


def arguments(
    home: Path,
    folder: Path,
    network: Network = _PLAIN,
    shown: tuple[Path, ...] = (),
    gpus: bool = False,
) -> list[str]:
    """bwrap and its options for the run in `folder`; read-only binds and the command follow.

    `shown` are folders that can be seen even where they lie in a hidden one; GPUs only by who has
    `gpus`. Writes the files that
    take the places of /etc/hosts and /etc/nsswitch.conf into `folder`.
    """
    program = shutil.which("bwrap") or "bwrap"
    made = [
        *(program, "--die-with-parent", "--new-session", "--unshare-pid", "--unshare-ipc"),
        *("--cap-drop", "ALL", "--ro-bind", "/", "/", "--proc", "/proc", "--dev", "/dev"),
        *(_devices() if gpus else ()),
        *("--bind", str(folder / "tmp"), "/tmp"),
        *(("--bind", str(folder / "tmp"), "/var/tmp") if _exists("/var/tmp") else ()),
        *_own_opt(),
        *_hidden(home, shown),
        *("--bind", str(folder / "ml"), "/opt/ml"),
    ]
    for place in _SESSIONS:
        made += ["--tmpfs", place] if _exists(place) else []
    for place in _SOCKETS:
        made += ["--ro-bind", "/dev/null", place] if _exists(place) else []
    return [*made, *_network(folder, network), "--chdir", "/opt/ml"]


def environment(
    run_id: str,
    resources: Resources,
    given: dict[str, str],
    bare: Path | None = None,
    programs: Path | None = None,
) -> dict[str, str]:
    """What a run's command finds in its environment; nothing of ours but what `given` says.

    `bare` is the folder of the run where there is no sandbox; `programs` comes first in PATH,
    else those of Studio's own Python.
    """
    here = programs or Path(sys.executable).parent
    made = {
        "PATH": f"{here}:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
        "HOME": "/tmp",
        "LANG": "C.UTF-8",
        "PYTHONUNBUFFERED": "1",
        **dict.fromkeys(_THREADS, str(resources.cpus)),
        **(_bare(bare) if bare else {}),
        **given,
    }
    mine = ",".join(resources.gpu_ids)  # none: a driver is told so, and gives none
    return {**made, "CUDA_VISIBLE_DEVICES": mine, "STUDIO_RUN_ID": run_id}


def _network(folder: Path, network: Network) -> list[str]:
    made = ["--unshare-net"] if network.isolated else []
    if network.host:
        made += ["--unshare-uts", "--hostname", network.host]
    if network.names:
        lines = [f"{address}\t{name}" for name, address in network.names]
        made += _replaced(Path("/etc/hosts"), folder / "hosts", lambda text: _hosts(text, lines))
        made += _replaced(Path("/etc/nsswitch.conf"), folder / "nsswitch.conf", _files_first)
    return made


def _replaced(place: Path, own: Path, change: Callable[[str], str]) -> list[str]:
    """Let a run see `own`, a changed copy, at `place`; nothing where there is no such file."""
    if not place.is_file():
        return []
    own.write_text(change(place.read_text(errors="replace")))
    own.chmod(0o644)
    return ["--ro-bind", str(own), str(place.resolve())]


def _hosts(text: str, lines: list[str]) -> str:
    return "\n".join([*lines, text.rstrip("\n"), ""])


def _files_first(text: str) -> str:
    """A resolver service that is asked before the file would deny the hosts of a job."""
    return re.sub(r"(?m)^(hosts:\s*)", r"\1files ", text)


def _bare(folder: Path) -> dict[str, str]:
    temporary = str(folder / "tmp")
    return {"SAGEMAKER_BASE_DIR": str(folder / "ml"), "HOME": temporary, "TMPDIR": temporary}


def _exists(place: str) -> bool:
    """Also False where this user may not look: there the run may not either."""
    try:
        return Path(place).exists()
    except OSError:
        return False


def _devices() -> list[str]:
    nodes = [*Path("/dev").glob("nvidia*"), *Path("/dev").glob("dri")]
    return [word for node in nodes for word in ("--dev-bind", str(node), str(node))]


def _hidden(home: Path, shown: tuple[Path, ...]) -> list[str]:
    """Empty folders over Studio's home and the user's, and in them what Python itself needs."""
    private = (Path("/tmp"), Path("/var/tmp"))
    covered = {
        place
        for place in (Path.home().resolve(), home.resolve())
        if place != Path("/")
        and _exists(str(place))
        and not any(place.is_relative_to(folder) for folder in private)
    }
    made = [word for folder in sorted(covered) for word in ("--tmpfs", str(folder))]
    # /tmp is private: what lies below the machine's own must be bound again too.
    hidden = (*covered, *private)
    wanted = (*_needed(), *shown)
    # Only of these: what lies around a hidden folder does not show what is in it.
    visible = _outermost(
        {it for it in wanted if any(it.is_relative_to(folder) for folder in hidden)}
    )
    for needed in visible:
        made += ["--ro-bind", str(needed), str(needed)]
    # Last, lest a bind above shows it again: credentials and other runs lie here.
    if any(home.resolve().is_relative_to(needed) for needed in visible):
        made += ["--tmpfs", str(home.resolve())]
    return made


@cache
def _needed() -> frozenset[Path]:
    """The folders of this Python and its packages."""
    places = {Path(sys.prefix), Path(sys.base_prefix), Path(__file__).parents[2]}
    places |= {Path(entry) for entry in sys.path if entry and Path(entry).is_dir()}
    places |= {place.resolve() for place in places} | {Path(sys.executable).resolve().parent}
    return frozenset(places)


def _outermost(places: set[Path]) -> list[Path]:
    """Those that lie in no other one, sorted."""
    inner = {one for one in places for other in places - {one} if one.is_relative_to(other)}
    return sorted(places - inner)


def _own_opt() -> list[str]:
    """A mount point cannot be made on a read-only root: give /opt a face of its own."""
    if Path("/opt/ml").is_dir():
        return []
    made = ["--tmpfs", "/opt"]
    for entry in sorted(Path("/opt").iterdir()) if Path("/opt").is_dir() else []:
        if entry.is_symlink():
            made += ["--symlink", str(entry.readlink()), str(entry)]
        elif _exists(str(entry)):
            # It may be gone by the time that the inputs are there and the sandbox is made.
            made += ["--ro-bind-try", str(entry), str(entry)]
    return made


@cache
def _works(program: str) -> bool:
    """One real start, with the options that matter. Nothing else tells on all kernels."""
    probe = [program, "--ro-bind", "/", "/", "--proc", "/proc", "--dev", "/dev"]
    probe += [
        "--unshare-pid",
        "--unshare-ipc",
        "--unshare-uts",
        "--hostname",
        "algo-1",
        "--cap-drop",
        "ALL",
        "--die-with-parent",
        "--clearenv",
    ]
    try:
        done = subprocess.run(
            [*probe, "--tmpfs", "/opt", "true"],
            capture_output=True,
            timeout=20,
            check=False,
            env={"PATH": os.defpath},
        )
    except (OSError, subprocess.TimeoutExpired):
        return False
    return done.returncode == 0

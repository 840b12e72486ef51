"""Where a job or a trial component came from: its notebook and cell or its script, its git commit
and what differs from it, its Python and packages. The hook imports this once a program made one.

`record` only notes what would be gone a moment later; a thread gathers the rest and sends it, with
the key that made the job. Whatever fails here is a line for the debug log: the call that made the
job has long returned. Python 3.6 or newer, standard library and botocore only.
"""
# mypy: allow-untyped-defs, allow-untyped-calls, ignore-errors

import json
import logging
import os
import platform
import sys
import threading
from collections import deque
from pathlib import Path

import studio_git

log = logging.getLogger("studio.provenance")

_MOST_SOURCE = 64 * 1024  # characters of a cell
_MOST_PACKAGES = 2_000
_SECONDS = 10.0  # to wait for an answer: a program that has ended waits for us


def record(signer, url, region, arn):
    """Tell the control plane at `url` where the job `arn` came from, soon. `signer` is the
    RequestSigner of the client that made it."""
    origin = _origin()
    script = origin["Kind"] == "script"
    folder = Path(origin["Path"]).parent if script else Path.cwd()
    auth = signer.get_auth_instance("studio", region, "v4")  # now: it lives as long as its client
    _SENDER.take((auth, url, arn, origin, str(folder)))


class _Sender:
    """A thread for as long as there is something to send."""

    def __init__(self):
        self._waiting = deque()
        self._thread = None
        self._lock = threading.Lock()

    def take(self, job):
        with self._lock:
            self._waiting.append(job)
            if self._thread is None or not self._thread.is_alive():  # as in a forked child
                # Not a daemon: a script's last job is recorded too.
                self._thread = threading.Thread(target=self._send_all, name="studio-provenance")
                self._thread.start()

    def _send_all(self):
        while True:
            with self._lock:
                batch = list(self._waiting)
                self._waiting.clear()
                if not batch:
                    self._thread = None
                    return
            _send_batch(batch)


_SENDER = _Sender()


def _send_batch(batch):
    """What is known of a folder holds for all that wait: for a loop that makes a hundred jobs git
    is asked once or twice."""
    known = {}
    for auth, url, arn, origin, folder in batch:
        try:
            if folder not in known:
                known[folder] = _surroundings(folder)
            document = {"Arn": arn, "Provenance": dict(origin, **known[folder])}
            _send(auth, url, document)
        except Exception as error:
            log.debug("the provenance of %s is not recorded: %r", arn, error)


def _origin():
    """The cell that is being run, or the script."""
    shell = _shell()
    if shell is not None:
        return _cell_origin(shell)
    script = getattr(sys.modules.get("__main__"), "__file__", None)
    if script:
        return {"Kind": "script", "Path": str(Path(script).resolve())}
    return {"Kind": "interactive"}


def _shell():
    ipython = sys.modules.get("IPython")
    return ipython.get_ipython() if ipython is not None else None


def _cell_origin(shell):
    message = _message(shell)
    source = (message.get("content") or {}).get("code") or ""
    cell = {"Source": source[:_MOST_SOURCE], "SourceLength": len(source)}
    identity = (message.get("metadata") or {}).get("cellId")
    if identity:
        cell["Id"] = str(identity)
    # Not shell.execution_count: some releases of IPython count before they run the cell.
    cell["ExecutionCount"] = max(0, len(shell.user_ns.get("In", ())) - 1)
    path = os.environ.get("JPY_SESSION_NAME", "")
    if path.endswith(".ipynb"):
        return {"Kind": "notebook", "Path": str(Path(path).resolve()), "Cell": cell}
    return {"Kind": "interactive", "Cell": cell}


def _message(shell):
    """The request that the kernel is carrying out; {} of a terminal's IPython."""
    kernel = getattr(shell, "kernel", None)
    if kernel is None:
        return {}
    ask = getattr(kernel, "get_parent", None)  # since ipykernel 6
    return (ask("shell") if ask else kernel._parent_header) or {}


def _surroundings(folder):
    found = {"Python": _python(), "Folder": folder}
    git = studio_git.state(folder)
    if git is not None:
        found["Git"] = git
    return found


def _python():
    packages = _packages()
    return {
        "Version": platform.python_version(),
        "Implementation": platform.python_implementation(),
        "Executable": sys.executable,
        "Platform": platform.platform(),
        "Packages": packages[:_MOST_PACKAGES],
        "PackageCount": len(packages),
    }


def _packages():
    """By the names of their metadata's folders: to read each costs a thousand times as much."""
    found = {}
    for place in filter(None, sys.path):
        try:
            names = [entry.name for entry in Path(place).iterdir()]
        except OSError:
            continue
        for name in names:
            stem, _, kind = name.rpartition(".")
            package, dash, version = stem.partition("-")
            if kind in ("dist-info", "egg-info") and dash:
                # The first on the path is what is imported.
                found.setdefault(package.replace("_", "-").lower(), version.split("-")[0])
    return [{"Name": name, "Version": found[name]} for name in sorted(found)]


def _send(auth, url, document):
    from botocore.awsrequest import AWSRequest
    from botocore.httpsession import URLLib3Session

    headers = {
        "Content-Type": "application/x-amz-json-1.1",
        "X-Amz-Target": "Studio.PutProvenance",
    }
    body = json.dumps(document).encode()
    request = AWSRequest("POST", url.rstrip("/") + "/", headers=headers, data=body)
    auth.add_auth(request)
    session = URLLib3Session(verify=os.environ.get("AWS_CA_BUNDLE") or True, timeout=_SECONDS)
    answer = session.send(request.prepare())
    if answer.status_code != 200:
        raise RuntimeError("%d %s" % (answer.status_code, answer.text[:200]))

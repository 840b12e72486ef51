"""What git says of a folder: remote, branch, commit, and how the working tree differs from it.

git is asked for facts only: it runs no hook, watcher or viewer of the repository's choice, writes
nothing, and has seconds for it. Python 3.6 or newer, standard library only.
"""
# mypy: allow-untyped-defs, allow-untyped-calls, ignore-errors

import os
import subprocess
import threading
import time
from pathlib import Path

_MOST_PATCH = 256 * 1024  # bytes kept of a patch
_MOST_READ = 64 * 1024 * 1024  # bytes that are counted of it
_MOST_FILES = 200  # untracked files that are named
_SECONDS = 10.0

_GIT = "git -c core.fsmonitor=false -c core.hooksPath=/dev/null -c core.quotePath=false"
_DIFF = "diff HEAD --no-ext-diff --no-textconv --no-color --src-prefix=a/ --dst-prefix=b/"


def state(folder):
    """Of the working tree around `folder`; None where there is none, or no git."""
    deadline = time.monotonic() + _SECONDS
    root = _text(folder, deadline, "rev-parse", "--show-toplevel")
    if not root:
        return None
    found = {"Root": root}
    for member, arguments in (
        ("Commit", ("rev-parse", "--verify", "-q", "HEAD")),
        ("Branch", ("symbolic-ref", "--short", "-q", "HEAD")),
        ("Subject", ("log", "-1", "--format=%s")),
        ("Remote", ("config", "--get", "remote.origin.url")),
    ):
        said = _text(folder, deadline, *arguments)
        if said:
            found[member] = said[:1024]
    if "Remote" in found:
        found["Remote"] = without_secret(found["Remote"])
    if "Commit" in found:
        found.update(_patch(root, deadline))
    found.update(_untracked(root, deadline))
    if "PatchProblem" not in found:
        found["Dirty"] = bool(found.get("PatchTotalBytes") or found["UntrackedCount"])
    return found


def without_secret(url):
    """`https://name:token@host/path` without what stands before the @."""
    scheme, separator, rest = url.partition("://")
    if not separator:
        return url
    host, slash, path = rest.partition("/")
    return scheme + separator + host.rpartition("@")[2] + slash + path


def _patch(root, deadline):
    """Notebooks behind the rest: the pictures in them must not push the code over the limit."""
    code = _output(root, deadline, _MOST_PATCH, *_DIFF.split(), "--", ".", ":(exclude)*.ipynb")
    books = _output(root, deadline, _MOST_PATCH, *_DIFF.split(), "--", "*.ipynb")
    if code is None or books is None:
        return {"PatchProblem": "git diff failed, or took more than %d seconds." % _SECONDS}
    kept = (code[0] + books[0])[:_MOST_PATCH]
    return {
        "Patch": kept.decode("utf-8", "replace"),
        "PatchBytes": len(kept),
        "PatchTotalBytes": code[1] + books[1],
    }


def _untracked(root, deadline):
    listing = ("ls-files", "--others", "--exclude-standard", "-z")
    said, _ = _output(root, deadline, _MOST_READ, *listing) or (b"", 0)
    names = [name for name in said.decode("utf-8", "replace").split("\0") if name]
    files = [{"Path": it, "Bytes": _size(Path(root, it))} for it in names[:_MOST_FILES]]
    return {"UntrackedFiles": files, "UntrackedCount": len(names)}


def _size(path):
    try:
        return path.lstat().st_size
    except OSError:
        return 0


def _text(folder, deadline, *arguments):
    said, _ = _output(folder, deadline, 64 * 1024, *arguments) or (b"", 0)
    return said.decode("utf-8", "replace").strip()


def _output(folder, deadline, most, *arguments):
    """(the first `most` bytes that git prints, how many there were); None where it fails."""
    environment = dict(os.environ, GIT_OPTIONAL_LOCKS="0", GIT_TERMINAL_PROMPT="0", LC_ALL="C")
    try:
        process = subprocess.Popen(
            [*_GIT.split(), *arguments],
            cwd=folder,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
        )
    except OSError:
        return None
    timer = threading.Timer(max(0.1, deadline - time.monotonic()), process.kill)
    timer.start()
    try:
        return _read(process, most)
    finally:
        timer.cancel()


def _read(process, most):
    kept, size = b"", 0
    with process.stdout as stream:
        while size < _MOST_READ:
            block = stream.read(64 * 1024)
            if not block:
                break
            kept += block[: most - len(kept)]
            size += len(block)
    if size >= _MOST_READ:
        process.kill()
        process.wait()
        return kept, size
    return (kept, size) if process.wait() == 0 else None

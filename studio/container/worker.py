"""A Python that waits for its job: started, its packages imported, in the sandbox of a run that is
still empty. It has seen nothing of any job, serves one, and is gone with it.

It speaks on the socket that is its standard input: first it is told which modules to import, and
says when it has; then, once there is a job, which command to become, with which variables and on
which output, and says that it does. A command that is this Python with a script or a module runs
right here; any other takes its place.
"""

import json
import os
import runpy
import shutil
import socket
import sys
import traceback
from importlib import import_module
from io import open_code
from pathlib import Path
from types import ModuleType
from typing import Any, NoReturn

_SCRIPTS = "studio.container.script"
"""Becomes the user's script, by os.execvpe."""
_HAND_OVER = "STUDIO_HAND_OVER"
"""Variable of that program: the descriptor for the command that it would become."""
_EXECUTE = os.execvpe
# Studio's hook changes these while they are imported: in the job, with the job's variables.
_HOOKED = ("botocore", "boto3", "sagemaker", "sitecustomize", "usercustomize", "studio_provenance")
# What an interpreter or a library reads of the environment when it starts, and never again.
_READ_ONCE = ("PYTHON", "LD_", "OMP_", "OPENBLAS_", "MKL_", "NUMEXPR_", "MALLOC_", "GLIBC_", "TF_")


def main() -> None:
    """Wait for a job and become it."""
    sys.path.pop(0)  # this program's own folder, in which no job looks for anything
    gate = socket.socket(fileno=0)
    before = set(sys.modules)
    _import(_told(gate)[0]["modules"])
    gate.sendall(b"1")
    ready = {name.partition(".")[0] for name in set(sys.modules) - before}
    begun = dict(os.environ)
    message, (output,) = _told(gate)
    gate.sendall(b"1")
    for number in (1, 2):
        os.dup2(output, number)
    os.dup2(os.open(os.devnull, os.O_RDONLY), gate.detach())
    os.closerange(3, 64)
    os.environ.clear()
    os.environ.update({**message["env"], "PWD": str(Path.cwd())})
    _import_hook()
    command = _prepared(message["command"])
    while (following := _run(command, begun, ready)) is not None:
        command = following
    _become(command)


def _told(gate: socket.socket) -> tuple[dict[str, Any], list[int]]:
    """The next message, eight bytes of length and so many of JSON, and the descriptors that came
    with it; this process ends for want of one."""
    head, descriptors, _, _ = socket.recv_fds(gate, 8, 1)
    length = int.from_bytes(head, "big")
    data = b""
    while len(data) < length and (more := gate.recv(length - len(data))):
        data += more
    if len(head) < 8 or len(data) < length:
        sys.exit(0)
    return json.loads(data), descriptors


def _import(names: list[str]) -> None:
    """Whatever fails here is imported by the job, and fails there."""
    for name in names:
        try:
            if name.partition(".")[0] not in _HOOKED:
                import_module(name)
        except BaseException:
            continue


def _is_this_python(program: str) -> bool:
    found, own = Path(shutil.which(program) or "/"), Path(sys.executable)
    return found.parent == own.parent and found.resolve() == own.resolve()


def _prepared(command: list[str]) -> list[str]:
    """The command, or what it would become if it is the program of scripts in another Python."""
    if command[1:4] != ["-P", "-m", _SCRIPTS] or _is_this_python(command[0]):
        return command
    here, there = os.pipe()
    os.set_inheritable(there, True)
    program = os.posix_spawn(command[0], command, {**os.environ, _HAND_OVER: str(there)})
    os.close(there)
    with os.fdopen(here, encoding="utf-8") as pipe:
        said = pipe.read()
    status = os.waitstatus_to_exitcode(os.waitpid(program, 0)[1])
    if not said:
        sys.exit(status if status >= 0 else 128 - status)
    told = json.loads(said)
    os.environ.clear()
    os.environ.update(told["environment"])
    os.chdir(told["folder"])
    return list(told["command"])


def _run(command: list[str], begun: dict[str, str], ready: set[str]) -> list[str] | None:
    """Run a script or a module as this Python would, to the end of this process or to what it
    becomes: the command that it returns. None when that is not what is asked for."""
    arguments, safe = command[1:], False
    while arguments and arguments[0] in ("-u", "-P"):
        safe = safe or arguments.pop(0) == "-P"
    module = len(arguments) > 1 and arguments[0] == "-m"
    if not arguments or (arguments[0].startswith("-") and not module):
        return None
    first = Path.cwd() if module else Path(arguments[0]).absolute().parent
    places = [*([] if safe else [first]), *_added(begun)]
    if not _is_this_python(command[0]) or _differ(begun):
        return None
    if any(ready & _modules_in(place) for place in places):
        return None  # the job has modules of its own by these names
    sys.argv = arguments[1:] if module else arguments
    sys.path[:0] = [str(place) for place in places if str(place) not in sys.path]
    try:
        _start(arguments[1] if module else arguments[0], module)
    except _Becomes as following:
        return following.command
    except Exception as error:
        _say(error)
        sys.exit(1)
    sys.exit(0)


class _Becomes(BaseException):
    """The program would be replaced by a command: here it is."""

    def __init__(self, command: list[str]) -> None:
        super().__init__(command)
        self.command = command


def _start(name: str, module: bool) -> None:
    if module and name == _SCRIPTS:
        os.execvpe = _become_here  # type: ignore[assignment]
    if module:
        runpy.run_module(name, run_name="__main__", alter_sys=True)
    else:
        _execute(str(Path(name).absolute()))


def _execute(path: str) -> None:
    """Not by runpy.run_path: that changes sys.argv, and takes `__main__` away at the end."""
    program = ModuleType("__main__")
    program.__file__ = path
    sys.modules["__main__"] = program
    with open_code(path) as file:
        code = compile(file.read(), path, "exec", dont_inherit=True)
    exec(code, program.__dict__)  # noqa: S102  it is what this process is for


def _become_here(_file: str, command: list[str], environment: dict[str, str]) -> NoReturn:
    os.execvpe = _EXECUTE
    os.environ.clear()
    os.environ.update(environment)
    raise _Becomes(command)


def _added(begun: dict[str, str]) -> list[Path]:
    """The places of modules that the job has beside those that were there at the start."""
    known = begun.get("PYTHONPATH", "").split(os.pathsep)
    given = os.environ.get("PYTHONPATH", "").split(os.pathsep)
    return [Path(place) for place in given if place and place not in known]


def _differ(begun: dict[str, str]) -> bool:
    given = dict(os.environ)
    names = {name for name in (*begun, *given) if name.startswith(_READ_ONCE)} - {"PYTHONPATH"}
    return any(begun.get(name) != given.get(name) for name in names)


def _import_hook() -> None:
    """Anew: it goes by variables, and now those of the job are there."""
    sys.modules.pop("sitecustomize", None)
    try:
        import_module("sitecustomize")
    except ImportError:
        pass


def _say(error: BaseException) -> None:
    """The traceback as it is without this program and `runpy`."""
    at = error.__traceback__
    ours = (__file__, runpy.__file__, "<frozen runpy>")
    while at is not None and at.tb_frame.f_code.co_filename in ours:
        at = at.tb_next
    sys.stdout.flush()
    traceback.print_exception(type(error), error, at)


def _modules_in(place: Path) -> set[str]:
    """Names of modules that a program in this folder finds before all others."""
    try:
        entries = list(place.iterdir())
    except OSError:
        return set()
    packages = {it.name for it in entries if (it / "__init__.py").exists()}
    return packages | {it.name.partition(".")[0] for it in entries if it.suffix in (".py", ".so")}


def _become(command: list[str]) -> None:
    try:
        os.execvp(command[0], command)
    except OSError as error:
        sys.stderr.write(f"{command[0]}: {error.strerror}\n")
        sys.stderr.flush()
        os._exit(127 if isinstance(error, FileNotFoundError) else 126)


if __name__ == "__main__":
    main()

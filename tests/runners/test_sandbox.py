"""What a run sees of the machine, and of the one who started it."""

import json
import os
import socket
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from uuid import uuid4

import pytest
from runner_contract import Bench, lasting

from studio.errors import StudioError
from studio.runners import sandbox
from studio.runners.process import ProcessRunner
from studio.settings import Settings

SECRETS = {
    "AWS_SECRET_ACCESS_KEY": "canary",
    "AWS_PROFILE": "canary",
    "STUDIO_HOME": "/canary",
    "STUDIO_PORT": "1",
    "PYTHONPATH": "/canary",
    "SSH_AUTH_SOCK": "/canary",
}


@pytest.fixture
def boxed(home: Path) -> Iterator[Bench]:
    yield from lasting(Bench(ProcessRunner(Settings(home=home, sandbox="always"))))


def test_the_environment_is_clean(bench: Bench, monkeypatch: pytest.MonkeyPatch):
    for name, value in SECRETS.items():
        monkeypatch.setenv(name, value)
    run = bench.start("env", env={"GIVEN": "1", "STUDIO_RUN_ID": "forged"})
    assert bench.ended(run).phase == "succeeded"
    found = dict(line.split("=", 1) for line in bench.lines(run))
    assert "canary" not in str(found)
    assert [name for name in found if name.startswith(("AWS_", "STUDIO_"))] == ["STUDIO_RUN_ID"]
    assert found["STUDIO_RUN_ID"] == run
    assert found["GIVEN"] == "1"
    assert "PYTHONPATH" not in found


def test_variables_are_for_the_command_alone(boxed: Bench, home: Path, tmp_path: Path):
    """bwrap runs outside of the sandbox: a library that its variables name would be at large."""
    (tmp_path / "evil.c").write_text(
        "#include <stdio.h>\n#include <stdlib.h>\n__attribute__((constructor)) void f(void) {"
        f'FILE *p = fopen("{tmp_path}/escaped", "w"); if (p) fclose(p); }}'
    )
    library = tmp_path / "evil.so"
    subprocess.run(["gcc", "-shared", "-fPIC", "-o", library, tmp_path / "evil.c"], check=True)
    run = boxed.start("echo ready; sleep 1000", env={"LD_PRELOAD": str(library), "KEY": "canary"})
    boxed.said(run, "ready")
    assert not (tmp_path / "escaped").exists()
    for pid in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            words = pid.read_bytes()
        except OSError:
            continue
        assert b"KEY" not in words.split(b"\0") or b"canary" not in words.split(b"\0")
    boxed.stop(run)
    boxed.ended(run)


def test_a_path_of_the_run_does_not_choose_the_sandbox(boxed: Bench):
    status, lines = boxed.result("echo $PATH", env={"PATH": "/opt/ml/code:/usr/bin:/bin"})
    assert status.phase == "succeeded"
    assert lines == ["/opt/ml/code:/usr/bin:/bin"]


def test_python_is_there_whatever_else_it_looks_for_modules_in(
    boxed: Bench, monkeypatch: pytest.MonkeyPatch
):
    # PYTHONPATH=. of a server in / is that: what lies around a hidden home shows nothing of it.
    monkeypatch.setattr(sys, "path", [*sys.path, "/", str(Path.home().parent)])
    monkeypatch.setattr(sandbox, "_needed", sandbox._needed.__wrapped__)
    status, lines = boxed.result(f"{sys.executable} -P -c 'print(6 * 7)'")
    assert (status.phase, lines) == ("succeeded", ["42"])


def test_the_machine_is_read_only_and_opt_ml_is_there(boxed: Bench):
    _, lines = boxed.result(
        "pwd; for it in / /etc /usr /home /root /opt /var /proc/sys/kernel /sys /run; do "
        "touch $it/studio-test 2>/dev/null && rm $it/studio-test && [ $it != /opt ] && "
        "echo wrote $it; done; "
        "touch /opt/ml/x /tmp/x /var/tmp/y && ls /tmp; ls -d /opt/*"
    )
    opt = {str(path) for path in Path("/opt").iterdir()}
    assert lines[0] == "/opt/ml"
    assert not [line for line in lines if line.startswith("wrote") and line != "wrote /root"], lines
    assert set(lines) >= {"x", "y", "/opt/ml", *opt}


def test_temporary_files_are_private_and_go_with_the_run(boxed: Bench, home: Path):
    mine = Path("/tmp") / f"mine-{uuid4().hex}"
    with tempfile.NamedTemporaryFile(dir="/tmp") as outside:
        run = boxed.start(f"ls -A /tmp; echo secret > {mine}; echo end")
        boxed.ended(run)
        # Only what Python itself needs may show here: a checkout below /tmp, say.
        assert Path(outside.name).name not in boxed.lines(run)
    assert boxed.lines(run)[-1] == "end"
    assert not mine.exists()
    boxed.runner.remove(run, boxed.handles[run])
    assert not (home / "runs" / run / "tmp").exists()


def test_without_a_sandbox_temporary_files_are_private_too(home: Path):
    bench = Bench(ProcessRunner(Settings(home=home, sandbox="never")))
    run = bench.start('echo $HOME $TMPDIR; echo "$ML"; pwd; mktemp')
    assert bench.ended(run).phase == "succeeded"
    folder = home / "runs" / run
    said = bench.lines(run)
    assert said[:3] == [f"{folder}/tmp {folder}/tmp", f"{folder}/ml", f"{folder}/ml"]
    assert said[3].startswith(f"{folder}/tmp/")


LOOK = (
    "cat {home}/credentials.json {home}/runs/*/spec.json {user}/.ssh/id 2>/dev/null; "
    "ls -A {home} {user} 2>/dev/null | grep -c canary; "
    "find / -xdev -path /usr -prune -o -name node_modules -prune -o -name site-packages -prune "
    "-o -name 'canary*' -print 2>/dev/null; "
    "python3 -c 'import studio; print(studio)'"
)


def test_what_leaves_opt_before_a_run_starts_stops_none(tmp_path: Path):
    """Inputs are fetched between the two."""
    if os.geteuid():
        pytest.skip("SKIPPED LOUDLY: only root may make folders in /opt")
    run, passing = tmp_path / "run", Path(f"/opt/studio-test-{os.getpid()}")
    for folder in (run / "tmp", run / "ml", passing):
        folder.mkdir(parents=True)
    made = sandbox.arguments(tmp_path / "home", run)
    assert str(passing) in made
    passing.rmdir()
    subprocess.run([*made, "true"], check=True)


@pytest.mark.parametrize("place", ["tmp", "opt", "user", "var"])
def test_neither_home_can_be_read_wherever_it_lies(
    tmp_path: Path, place: str, monkeypatch: pytest.MonkeyPatch
):
    if place != "tmp" and os.geteuid():
        pytest.skip("SKIPPED LOUDLY: only root may make homes there")
    base = {
        "tmp": tmp_path,
        "opt": Path(f"/opt/studio-test-{os.getpid()}"),
        "user": Path(f"/root/studio-test-{os.getpid()}"),
        "var": Path(f"/var/lib/studio-test-{os.getpid()}"),
    }[place]
    user = base / "user"
    home = user / "studio" if place == "user" else base / "home"
    (user / ".ssh").mkdir(parents=True)
    home.mkdir(exist_ok=True)
    try:
        monkeypatch.setenv("HOME", str(user))
        for path in (home / "credentials.json", user / ".ssh" / "id", home / "canary-file"):
            path.write_text("canary")
        bench = Bench(ProcessRunner(Settings(home=home, sandbox="always")))
        other = bench.start("true", env={"OTHER": "canary"})
        bench.ended(other)
        run = bench.start(LOOK.format(home=home, user=user))
        assert bench.ended(run).phase == "succeeded", bench.lines(run)
        said = bench.lines(run)
        assert said[0] == "0"
        assert not any("canary" in line for line in said), said
    finally:
        if place != "tmp":
            subprocess.run(["rm", "-rf", base], check=True)


def test_a47_other_processes_cannot_be_seen_or_signalled(boxed: Bench):
    me = os.getpid()
    _, lines = boxed.result(
        f"ls -d /proc/[0-9]* | wc -l; kill -0 {me} 2>/dev/null && echo reached; "
        f"cat /proc/{me}/environ 2>/dev/null | head -c 10"
    )
    assert int(lines[0]) < 10
    assert lines[1:] == []


def test_a47_sockets_of_container_engines_and_sessions_are_masked(
    boxed: Bench, monkeypatch: pytest.MonkeyPatch
):
    if os.geteuid():
        pytest.skip("SKIPPED LOUDLY: only root may make a socket in /var/lib")
    # A place that the sandbox shows: /tmp would be hidden anyway.
    shown = Path("/var/lib") / f"studio-test-{os.getpid()}.sock"
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(shown))
        listener.listen()
        try:
            monkeypatch.setattr(sandbox, "_SOCKETS", (str(shown), "/run/no-such.sock"))
            connect = (
                'python3 -c "import socket; s = socket.socket(socket.AF_UNIX); '
                f"s.connect('{shown}'); print('connected')\" 2>&1 | tail -1; ls -A /run/user"
            )
            _, lines = boxed.result(connect)
        finally:
            shown.unlink(missing_ok=True)
    assert lines == ["ConnectionRefusedError: [Errno 111] Connection refused"]


def test_a_place_that_may_not_be_looked_at_is_no_socket(unprivileged):
    unprivileged.run(
        "import sys; from studio.runners import sandbox\n"
        "from pathlib import Path\n"
        "secret = Path(sys.argv[1]) / 'secret'; secret.mkdir(); secret.chmod(0)\n"
        "sandbox._SOCKETS = (str(secret / 'x.sock'),)\n"
        "assert str(secret / 'x.sock') not in sandbox.arguments(Path(sys.argv[1]), secret)\n"
        "secret.chmod(0o700)"
    )


def test_the_setting(home: Path, monkeypatch: pytest.MonkeyPatch):
    assert not sandbox.wanted(Settings(home=home, sandbox="never"))
    assert sandbox.wanted(Settings(home=home, sandbox="auto")) == sandbox.available()
    monkeypatch.setenv("PATH", str(home))
    assert not sandbox.available()
    assert not sandbox.wanted(Settings(home=home, sandbox="auto"))
    with pytest.raises(StudioError, match="install the package bubblewrap"):
        sandbox.wanted(Settings(home=home, sandbox="always"))
    (home / "bwrap").write_text("#!/bin/sh\nexit 1\n")
    (home / "bwrap").chmod(0o755)
    assert not sandbox.available()


_AS_SOMEBODY = """
import json, os, sys, time
from pathlib import Path
from studio.runners.base import Output, RunSpec
from studio.runners.process import ProcessRunner
from studio.settings import Settings
home = Path(sys.argv[1]) / "home"
home.mkdir()
(home / "credentials.json").write_text("canary")
(Path.home() / "private").write_text("canary")
runner = ProcessRunner(Settings(home=home, sandbox=sys.argv[2]))
script = '''
ML="${SAGEMAKER_BASE_DIR:-/opt/ml}"; echo weights > "$ML/model/w"; chmod 000 "$ML/model/w"
touch /etc/x 2>/dev/null && echo wrote; [ -n "$SAGEMAKER_BASE_DIR" ] || ls -A %s %s 2>/dev/null
id -u; (setsid sleep 1000 &); cat /proc/self/oom_score_adj; echo end; exec sleep 1000
''' % (home, Path.home())
spec = RunSpec(id="run", command=("sh", "-c", script), folders=("model",), stop_seconds=1.0,
               outputs=(Output("model", "model.tar.gz"),))
handle = runner.start(spec)
lines = []
for _ in range(5000):
    lines = [text for _, text in runner.logs("run", 0, 100).events]
    if "end" in lines or runner.poll("run", handle).ended:
        break
    time.sleep(0.02)
runner.stop("run", handle)
while not (status := runner.poll("run", handle)).ended:
    time.sleep(0.02)
left = os.popen("pgrep -u $(id -u) -x sleep").read()
runner.remove("run", handle)
print(json.dumps([lines, status.phase, [it.archive for it in status.outputs], left,
                  sorted(os.listdir(home / "runs" / "run")), status.message]))
"""


@pytest.mark.parametrize("setting", ["always", "never"])
def test_as_a_user_without_rights(unprivileged, setting: str):
    lines, phase, outputs, left, files, message = json.loads(
        unprivileged.run(_AS_SOMEBODY, setting)
    )
    assert lines[1:] == ["500", "end"], (lines, message)
    assert int(lines[0]) > 0
    assert (phase, outputs, left) == ("stopped", ["model.tar.gz"], "")
    assert not {"ml", "tmp", "outputs"} & set(files)
    assert "log" in files

"""The command line as people use it: real processes, exit statuses, what they print."""

import json
import os
import signal
import socket
import stat
import subprocess
import time

import pytest
from studios import CLEAN, ROOT, STUDIO, run_studio
from waiting import PATIENCE_SECONDS

from studio import __version__


def attempt(*arguments, env=None):
    command = [STUDIO, *map(str, arguments)]
    return subprocess.run(
        command,
        env=env or CLEAN,
        capture_output=True,
        text=True,
        timeout=PATIENCE_SECONDS,
        check=False,
    )


def sentence(done) -> str:
    """The one line on the standard error of a command that failed."""
    assert done.returncode == 1, done
    assert done.stderr.startswith("studio: ")
    assert done.stderr.count("\n") == 1
    return done.stderr


def test_version_and_help():
    assert run_studio("--version") == f"studio, version {__version__}\n"
    for command in ("serve", "stop", "status", "env", "doctor"):
        assert "--home" in run_studio(command, "--help")


def test_a_life(tmp_path):
    home = tmp_path / "home"
    port = run_studio("serve", "--home", home, "--detach").rstrip().rpartition(":")[2]
    try:
        known = json.loads(run_studio("status", "--json", "--home", home))
        assert known["ready"]
        assert known["home"] == str(home)
        assert known["version"] == __version__
        os.kill(known["pid"], 0)

        again = attempt("serve", "--home", home)
        assert str(known["pid"]) in sentence(again)
        assert known["url"] in again.stderr
        assert known["url"] in sentence(attempt("serve", "--home", home, "--detach"))
        assert json.loads(run_studio("status", "--json", "--home", home)) == known
    finally:
        assert "has stopped" in run_studio("stop", "--home", home)
    assert attempt("status", "--home", home).returncode == 1
    assert "was not running" in run_studio("stop", "--home", home)

    # The port is kept, so that clients survive a restart.
    assert run_studio("serve", "--home", home, "--detach").rstrip().endswith(f":{port}")
    run_studio("stop", "--home", home)


def test_a_killed_server_leaves_no_lock(tmp_path):
    run_studio("serve", "--home", tmp_path, "--detach")
    try:
        os.kill(
            json.loads(run_studio("status", "--json", "--home", tmp_path))["pid"], signal.SIGKILL
        )
        while (known := attempt("status", "--json", "--home", tmp_path)).returncode == 0:
            time.sleep(0.05)
        assert json.loads(known.stdout)["pid"] is None
        run_studio("serve", "--home", tmp_path, "--detach")
    finally:
        run_studio("stop", "--home", tmp_path)


def test_a_port_that_is_taken(tmp_path):
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        (tmp_path / "port").write_text(str(port))
        for arguments in ((), ("--port", port), ("--detach",)):
            done = attempt("serve", "--home", tmp_path, *arguments)
            assert f"Port {port} is taken" in sentence(done)
    assert not (tmp_path / "pid.json").exists()


def test_a_home_that_cannot_be(tmp_path):
    (tmp_path / "file").write_text("")
    done = attempt("serve", "--home", tmp_path / "file" / "home")
    assert "can't be Studio's home" in sentence(done)


def test_env_before_the_first_start(tmp_path):
    assert "studio serve" in sentence(attempt("env", "--home", tmp_path))


def test_wrong_settings_are_a_sentence(tmp_path):
    (tmp_path / "studio.toml").write_text("colour = 'blue'\n")
    for command in ("serve", "stop", "status", "env", "doctor"):
        assert "colour" in sentence(attempt(command, "--home", tmp_path))


def test_env_serves_a_shell_with_any_home(start_studio):
    running = start_studio("it's a $HOME; really")
    script = f'eval "$({STUDIO} env)"; echo "$AWS_ENDPOINT_URL"; echo "${{AWS_PROFILE-unset}}"'
    shell = {**CLEAN, "STUDIO_HOME": str(running.home), "AWS_PROFILE": "other"}
    done = subprocess.run(
        ["sh", "-c", script], env=shell, capture_output=True, text=True, check=True
    )
    assert done.stdout == f"{running.url}\nunset\n"
    assert done.stderr == ""


def test_nothing_secret_for_others(studio):
    secret = studio.env["AWS_SECRET_ACCESS_KEY"]
    for file in (studio.home / "credentials.json", studio.home / "router" / "table.json"):
        assert secret in file.read_text()
        assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert stat.S_IMODE(studio.home.stat().st_mode) == 0o700
    listed = subprocess.run(["ps", "-eo", "args"], capture_output=True, text=True, check=True)
    assert "studio.serving.router" in listed.stdout
    assert secret not in listed.stdout


def test_doctor(tmp_path):
    home = tmp_path / "home"
    findings = json.loads(run_studio("doctor", "--json", "--home", home))
    assert {each["subject"] for each in findings} >= {
        "Python", "SQLite", "Docker", "GPUs", "bubblewrap", "disk", "ports", "home", "clock",
    }  # fmt: skip
    assert all(each["fix"] for each in findings if each["level"] != "ok")
    text = run_studio("doctor", "--home", home)
    assert len(text.splitlines()) == len(findings)


def test_doctor_finds_a_problem(tmp_path):
    with socket.create_server(("127.0.0.1", 0)) as other:
        taken = {**CLEAN, "STUDIO_PORT": str(other.getsockname()[1])}
        done = attempt("doctor", "--home", tmp_path, env=taken)
    assert done.returncode == 1
    assert "PROBLEM  ports" in done.stdout


@pytest.mark.parametrize("command", ["status", "stop", "env"])
def test_quick_commands_import_nothing_heavy(command, studio):
    code = (
        "import sys; from studio.cli import main\n"
        "try: main()\n"
        "except SystemExit: pass\n"
        "heavy = {'botocore', 'sqlalchemy', 'tornado', 'numpy', 'apsw'} & sys.modules.keys()\n"
        "print(sorted(heavy), file=sys.stderr)"
    )
    home = studio.home if command == "env" else ROOT / "nothing-here"
    python = STUDIO.with_name("python")
    done = subprocess.run(
        [python, "-c", code, command, "--home", str(home)],
        env=CLEAN,
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stderr == "[]\n"

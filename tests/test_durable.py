"""Durable files: the old content or the new, never a mixture, never a leftover."""

import shutil
import subprocess
import sys

import pytest

from studio import durable


def test_round_trip_and_mode(tmp_path):
    path = tmp_path / "x.json"
    durable.write_json(path, {"a": [1]})
    assert durable.read_json(path) == {"a": [1]}
    assert path.stat().st_mode & 0o777 == 0o600
    assert durable.read_json(tmp_path / "none") is None


def test_a_failed_write_keeps_the_old_content(tmp_path):
    path = tmp_path / "x"
    durable.write_bytes(path, b"old")
    with pytest.raises(TypeError):
        durable.write_bytes(path, "not bytes")
    assert path.read_bytes() == b"old"
    assert list(tmp_path.iterdir()) == [path]


@pytest.mark.skipif(not shutil.which("strace"), reason="strace is not installed")
def test_file_then_rename_then_folder_are_synced(tmp_path):
    program = "import sys; from pathlib import Path; from studio import durable; "
    program += "durable.write_bytes(Path(sys.argv[1]), b'x')"
    trace = subprocess.run(
        [
            "strace",
            "-f",
            "-e",
            "trace=fsync,rename,renameat,renameat2",
            sys.executable,
            "-c",
            program,
            str(tmp_path / "x"),
        ],
        capture_output=True,
        text=True,
        check=True,
    ).stderr
    calls = [line.split("(")[0].split()[-1] for line in trace.splitlines() if "(" in line]
    wanted = [call for call in calls if call.startswith(("fsync", "rename"))]
    assert [call[:6] for call in wanted] == ["fsync", "rename", "fsync"]

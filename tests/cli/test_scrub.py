"""`studio scrub` and what `studio doctor` says of damaged objects, beside a running Studio."""

import json
import subprocess

import pytest
from studios import CLEAN, STUDIO, run_studio
from waiting import PATIENCE_SECONDS

from studio.s3 import damage


def scrub(home, *options):
    command = [STUDIO, "scrub", "--home", home, *options]
    return subprocess.run(
        command, env=CLEAN, capture_output=True, text=True, timeout=PATIENCE_SECONDS, check=False
    )


def test_nothing_to_read(tmp_path):
    done = scrub(tmp_path / "home")
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


def test_damage_is_named(start_studio):
    running = start_studio("scrub")
    s3 = running.client("s3")
    s3.create_bucket(Bucket="bucket")
    for key in ("good", "bad"):
        s3.put_object(Bucket="bucket", Key=key, Body=key.encode() * 100)
    assert scrub(running.home).returncode == 0
    [path] = [
        path
        for path in (running.home / "s3" / "blobs").rglob("*")
        if path.is_file() and path.read_bytes().startswith(b"bad")
    ]
    path.chmod(0o644)
    path.write_bytes(b"bxd" * 100)
    done = scrub(running.home)
    assert done.returncode == 1
    assert done.stdout.startswith("s3://bucket/bad: bytes 0 to 299 have changed")
    [found] = json.loads(scrub(running.home, "--json").stdout)
    assert found["key"] == "bad"
    with pytest.raises(Exception, match="InternalError"):
        s3.get_object(Bucket="bucket", Key="bad")
    s3.put_object(Bucket="bucket", Key="bad", Body=b"mended")
    assert scrub(running.home).returncode == 0


def test_doctor_tells(tmp_path):
    home = tmp_path / "home"
    (home / "s3").mkdir(parents=True, mode=0o700)
    home.chmod(0o700)
    found = vars(damage.Damage("bucket", "k", "null", "0", "bytes 0 to 9 have changed"))
    damage.write(home / "s3", {"began": 0, "at": None, "damaged": [found]})
    command = [STUDIO, "doctor", "--json", "--home", home]
    done = subprocess.run(command, env=CLEAN, capture_output=True, text=True, check=False)
    [told] = [each for each in json.loads(done.stdout) if each["subject"] == "objects"]
    assert told["level"] == "problem"
    assert "s3://bucket/k" in told["text"]
    assert "studio scrub" in told["fix"]
    damage.write(home / "s3", {"began": 0, "at": None, "damaged": []})
    findings = json.loads(run_studio("doctor", "--json", "--home", home))
    assert {"objects"} == {each["subject"] for each in findings if "no damage" in each["text"]}

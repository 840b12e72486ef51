"""The code on the pages about https and uploads runs as it stands there."""

import json
import re
import subprocess
import sys

import requests
from studios import ROOT, RunningStudio
from waiting import PATIENCE_SECONDS

HOW_TO = ROOT / "docs" / "how-to"


def code(page: str, language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```", (HOW_TO / page).read_text(), re.S | re.M)


def test_uploads(studio: RunningStudio) -> None:
    s3 = studio.client("s3")
    s3.create_bucket(Bucket="my-bucket")
    sign, rules = code("browser-uploads.md", "python")
    program = f"{sign}\n{rules}\nimport json\nprint(json.dumps(form))"
    done = subprocess.run(
        [sys.executable, "-c", program], env=studio.env, capture_output=True, text=True, check=True
    )
    form = json.loads(done.stdout)
    answer = requests.post(
        form["url"],
        data=form["fields"],
        files={"file": ("a.csv", b"1,2\n")},
        headers={"Origin": "https://app.example.org"},
        timeout=30,
    )
    assert answer.status_code == 204, answer.text
    assert answer.headers["access-control-allow-origin"] == "https://app.example.org"
    assert s3.get_object(Bucket="my-bucket", Key="uploads/a.csv")["ContentType"] == "text/csv"
    s3.close()


def test_https(studio: RunningStudio, tmp_path) -> None:
    first, second, third = code("tls.md", "bash")
    path = f"{sys.executable.rpartition('/')[0]}:{studio.env['PATH']}"
    script = f"set -e\n{first}\n{second.replace('curl ', 'curl -sf ')}\n{third}\naws s3 ls\n"
    done = subprocess.run(
        ["bash", "-c", script],
        env=studio.env | {"PATH": path, "HOME": str(tmp_path)},
        capture_output=True,
        text=True,
        check=False,
        timeout=PATIENCE_SECONDS,
    )
    assert done.returncode == 0, done.stderr
    assert '{"status": "ready"}' in done.stdout
    assert (tmp_path / ".aws" / "models" / "endpoints.json").exists()

"""The router's log."""

import json

from studio.serving.log import Log


def test_a_flood_of_one_event_hides_no_other(tmp_path):
    log = Log(tmp_path / "router.log")
    for _ in range(1_000):
        log("request refused", reason="missing")
    log("table loaded", version=7)
    lines = [json.loads(line) for line in (tmp_path / "router.log").read_text().splitlines()]
    assert lines[-1]["version"] == 7
    assert len(lines) < 1_000

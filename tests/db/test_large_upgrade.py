"""A database of the first schema with many rows: upgraded in seconds, in bounded memory."""

import json
import subprocess
import sys
import time

from sqlalchemy import text

from studio.db import migrate, query, resources
from studio.db.session import Database

ROWS = 20_000
UPGRADE = """
import resource, sys
from studio.db import migrate, revisions
from studio.db.session import Database
before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
database = Database(sys.argv[1])
migrate.upgrade(database)
database.close()
print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before)
"""
INSERT = """
WITH RECURSIVE n(i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM n WHERE i < :last)
INSERT INTO resource (id, account, region, kind, name, arn, status, spec, state, tags, desired,
                      generation, created_at, modified_at)
SELECT printf('%032x', i), '000000000000', 'us-east-1', 'training-job', 'job-' || i, 'arn:' || i,
       'Completed', :spec, '{}', '[]', 'present', 1, i, i FROM n
"""


def test_many_rows_are_upgraded(tmp_path):
    url = f"sqlite:///{tmp_path / 'studio.db'}"
    old = Database(url)
    old.write(lambda connection: migrate.run(connection, "0001"))
    spec = json.dumps({"HyperParameters": {f"p{n}": "x" * 20 for n in range(40)}})
    old.write(lambda c: c.execute(text(INSERT), {"last": ROWS - 1, "spec": spec}))
    old.close()

    begun = time.monotonic()
    done = subprocess.run(
        [sys.executable, "-c", UPGRADE, url], capture_output=True, text=True, check=True
    )
    assert time.monotonic() - begun < 60
    # The rows are 30 MB; no more than a part of them is ever in memory.
    assert int(done.stdout) < 20_000

    new = Database(url)
    migrate.upgrade(new)
    scope = {"account": "0" * 12, "region": "us-east-1", "kind": "training-job", "owner": ""}
    with new.read() as connection:
        page = query.list_resources(connection, scope, {"MaxResults": 100})
        assert [row.name for row in page.rows[:2]] == [f"job-{ROWS - 1}", f"job-{ROWS - 2}"]
        found = resources.find(connection, "0" * 12, "us-east-1", "training-job", "job-7")
        assert found.spec == json.loads(spec)
        assert connection.exec_driver_sql("PRAGMA integrity_check").scalar() == "ok"
    new.close()
    assert (tmp_path / "studio.db.0001.backup").exists()

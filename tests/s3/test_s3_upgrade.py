"""An index of an older release becomes one of today, or stays as it was."""

import shutil
import signal
import subprocess
import sys
from pathlib import Path

import apsw
import pytest

from studio.db import snapshot
from studio.errors import StudioError
from studio.s3 import index, multipart, schema
from studio.s3.multipart import Claim
from studio.s3.store import ObjectStore
from studio.s3.versions import NO_CONDITION

OLD = Path(__file__).parent / "fixtures" / "index_v1.sql"
CONTENTS = {
    "fb2b717e45114322b612da43941c5318": b"content of plain",
    "adf71134b2af49abad78386e2211664f": b"content of half",
    "3eabc5f7887946e99190726fdf8e28bc": b"content of whole",
}
UPLOAD = "0199c82cc0009263a6f05a44463090e2feabb3eb94d0"
_KILLED = """
import os, sys
from studio.db.session import Database
from studio.s3 import schema
def work(connection):
    schema._upgrade(connection)
    os.kill(os.getpid(), 9)
Database("sqlite:///" + sys.argv[1]).write(work)
"""


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """A store as schema 1 left it."""
    folder = tmp_path / "s3"
    folder.mkdir()
    connection = apsw.Connection(str(folder / "index.db"))
    connection.execute("PRAGMA journal_mode=WAL")
    connection.execute(OLD.read_text())
    connection.close()
    for blob, data in CONTENTS.items():
        path = folder / "blobs" / blob[:2] / blob
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)
    return folder


def version(root: Path) -> int:
    connection = apsw.Connection(str(root / "index.db"))
    found = connection.execute("PRAGMA user_version").fetchall()[0][0]
    connection.close()
    return int(found)


def check(root: Path) -> None:
    store = ObjectStore(root)
    try:
        assert [(each.name, each.owner, each.versioning) for each in store.buckets()] == [
            ("bucket", "", ""),
            ("empty", "", ""),
        ]
        for key in ("plain", "whole"):
            found, file = store.open("bucket", key)
            with file:
                assert file.read() == f"content of {key}".encode()
            assert found.stored.version == index.NULL
        plain = store.head("bucket", "plain")
        assert dict(plain.headers) == {"content-type": "text/plain", "x-amz-meta-a": "1"}
        assert plain.tags == {"tag": "value"}
        store.set_versioning("bucket", "Enabled")
        store.put("bucket", "plain", store.linked("bucket", "whole")[1])
        assert store.head("bucket", "plain", "null").etag == plain.etag
        with store.database.read() as connection:
            part = index.find_parts(connection, UPLOAD)[0]
        target = ("bucket", "half", UPLOAD)
        multipart.complete(store, target, [Claim(1, part.etag)], NO_CONDITION)
        with store.open("bucket", "half")[1] as file:
            assert file.read() == b"content of half"
    finally:
        store.close()


def test_upgrade(root: Path) -> None:
    restored = root.parent / "restored"
    shutil.copytree(root / "blobs", restored / "blobs")
    assert version(root) == 0
    check(root)
    assert version(root) == schema.VERSION
    backup = root / "index.db.1.backup"
    snapshot.check(backup)
    assert backup.stat().st_mode & 0o777 == 0o600
    shutil.copy(backup, restored / "index.db")
    assert version(restored) == 0
    check(restored)
    again = ObjectStore(root)
    assert len(list(again.list("bucket", ""))) == 3
    again.close()


def test_killed_in_the_middle(root: Path) -> None:
    killed = subprocess.run([sys.executable, "-c", _KILLED, root / "index.db"], check=False)
    assert killed.returncode == -signal.SIGKILL
    assert version(root) == 0
    check(root)


def test_an_upgraded_index_is_a_new_one(root: Path, tmp_path: Path) -> None:
    """Both have the same tables and columns."""
    for folder in (root, tmp_path / "new"):
        ObjectStore(folder).close()
    columns = []
    for folder in (root, tmp_path / "new"):
        connection = apsw.Connection(str(folder / "index.db"))
        tables = connection.execute(
            'SELECT m.name, c.name, c.type, c."notnull", c.pk FROM sqlite_schema m '
            "JOIN pragma_table_info(m.name) c WHERE m.type = 'table'"
        ).fetchall()
        columns.append(sorted(tables))
        connection.close()
    assert columns[0] == columns[1]


def test_a_newer_index_is_refused(root: Path) -> None:
    connection = apsw.Connection(str(root / "index.db"))
    connection.execute(f"PRAGMA user_version={schema.VERSION + 1}")
    connection.close()
    with pytest.raises(StudioError, match="newer"):
        ObjectStore(root)

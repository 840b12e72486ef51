"""The key ring: what is stored, what is valid, and until when."""

import hashlib
import sqlite3

import pytest

from studio.credentials import Credentials
from studio.db import migrate
from studio.db.session import Database
from studio.errors import StudioError
from studio.identity import principals
from studio.identity.keys import KeyRing
from studio.settings import Settings

ACCOUNT = "000000000000"
OWNER = principals.owner_of_home(ACCOUNT, "R")


@pytest.fixture(name="home")
def home_fixture(tmp_path):
    db = Database(Settings(tmp_path).database)
    migrate.upgrade(db)
    yield tmp_path, db
    db.close()


def ring(home) -> KeyRing:
    return KeyRing(home[1], home[0], Credentials("AKIAOWNER", "s"), OWNER)


def test_a56_keys_outlive_the_process_and_lie_encrypted(home):
    keys = ring(home)
    made = keys.create(principals.user(ACCOUNT, "ann"), 1)
    session = keys.start_session(principals.role_session(ACCOUNT, "R", "s", "ann"), 900, 1)
    again = ring(home)
    assert again.secret_of(made.id) == made.secret
    assert again.find(session.access_key_id).principal.owner == "ann"
    assert again.find(session.access_key_id).has_token(session.session_token)
    assert not again.find(session.access_key_id).has_token(session.session_token[:-1])
    assert not again.find(session.access_key_id).has_token("")
    assert not made.has_token("anything")
    assert (home[0] / "secret.key").stat().st_mode & 0o777 == 0o600
    stored = b"".join(path.read_bytes() for path in home[0].glob("studio.db*"))
    for secret in (made.secret, session.secret_access_key, session.session_token):
        assert secret.encode() not in stored
    digest = hashlib.sha256(session.session_token.encode()).hexdigest()
    rows = sqlite3.connect(home[0] / "studio.db").execute("select token_sha256 from access_key")
    assert {row[0] for row in rows} == {"", digest}


def test_nothing_secret_in_a_repr(home):
    keys = ring(home)
    made = keys.create(principals.user(ACCOUNT, "ann"), 1)
    session = keys.start_session(made.principal, 900, 1)
    text = repr(made) + repr(session) + repr(keys.find(session.access_key_id))
    assert made.secret not in text
    assert session.secret_access_key not in text
    assert session.session_token not in text


def test_another_key_file_opens_nothing(home):
    ring(home).create(principals.user(ACCOUNT, "ann"), 1)
    (home[0] / "secret.key").write_bytes(b"x" * 32)
    with pytest.raises(StudioError, match=r"secret\.key"):
        ring(home)


def test_validity(home):
    keys = ring(home)
    told = []
    keys.changed = lambda: told.append(1)
    ann = principals.user(ACCOUNT, "ann")
    made = keys.create(ann, 1)
    keys.set_active(made.id, False, 2)
    assert keys.secret_of(made.id) is None
    keys.set_active(made.id, True, 3)
    assert keys.secret_of(made.id) == made.secret
    session = keys.start_session(ann, 900, 0)
    assert not keys.find(session.access_key_id).expired(899_999)
    assert keys.find(session.access_key_id).expired(900_000)
    of_run = keys.start_session(ann, 900, 0, "run-1")
    keys.end_runs(["run-2", ""], 5)
    assert not keys.find(of_run.access_key_id).expired(6)
    keys.end_runs(["run-1"], 5)
    assert keys.find(of_run.access_key_id).expired(6)
    keys.end_sessions("user", "ann", 7)
    assert keys.find(session.access_key_id).expired(8)
    assert keys.secret_of(made.id) == made.secret
    keys.delete(made.id)
    assert keys.find(made.id) is None
    assert ring(home).find(made.id) is None
    assert len(told) >= 7


def test_old_sessions_are_forgotten(home):
    keys = ring(home)
    ann = principals.user(ACCOUNT, "ann")
    old = keys.start_session(ann, 900, 0)
    keys.start_session(ann, 900, 3 * 24 * 3600 * 1000)
    assert keys.find(old.access_key_id) is None
    assert ring(home).find(old.access_key_id) is None


def test_the_token_of_a_run_is_its_own(home):
    keys = ring(home)
    assert keys.run_token("a") == ring(home).run_token("a") != keys.run_token("b")

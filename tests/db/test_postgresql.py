"""PostgreSQL: one leads, an outage is told and survived, nothing acknowledged is lost."""

import json
import math
import time
import urllib.request
from dataclasses import replace
from functools import partial

import postgresql
import pytest
from botocore.exceptions import ClientError
from chaos.databases import line_to
from click.testing import CliRunner
from waiting import eventually

from studio import cli
from studio.db import engines, migrate, resources
from studio.db.failures import Unavailable
from studio.db.resources import Resource, Run
from studio.db.session import Database
from studio.errors import StudioError, ValidationException
from studio.settings import Settings

MODEL = {
    "ExecutionRoleArn": "arn:aws:iam::000000000000:role/StudioExecutionRole",
    "PrimaryContainer": {
        "Image": "683313688378.dkr.ecr.us-east-1.amazonaws.com/sagemaker-xgboost:1.7-1"
    },
}


def job(name: str, **values) -> Resource:
    made = Resource("0" * 12, "us-east-1", "training-job", name, f"arn:{name}", "S", {"a": 1}, 1, 1)
    return replace(made, **values)


def insert(db: Database, name: str) -> None:
    db.write(lambda c: resources.insert(c, job(name)))


def names(db: Database) -> set[str]:
    with db.read() as connection:
        return {each.name for each in resources.of_kind(connection, "training-job")}


@pytest.fixture
def url(postgres) -> str:
    return postgres.emptied()


@pytest.fixture
def db(url):
    database = Database(url)
    migrate.upgrade(database)
    yield database
    database.close()


def test_one_leads(db, url, monkeypatch):
    monkeypatch.setattr(engines, "_TAKE_OVER_SECONDS", 0.2)
    second = Database(url)
    with pytest.raises(StudioError, match="another Studio serves this database"):
        migrate.upgrade(second)
    with pytest.raises(Unavailable):
        insert(second, "second")
    insert(db, "first")
    db.close()
    eventually(lambda: is_stored(second, "after"))  # its lock goes a moment later
    assert names(second) == {"first", "after"}
    second.close()


def test_who_loses_the_lock_cannot_write(db, url, postgres, monkeypatch):
    monkeypatch.setattr(engines, "_TAKE_OVER_SECONDS", 0.2)
    insert(db, "before")
    with postgres.connect(url) as other:
        other.execute("SELECT pg_terminate_backend(pid) FROM pg_locks WHERE locktype = 'advisory'")
        while not other.execute(f"SELECT pg_try_advisory_lock({engines.LEADER})").fetchone()[0]:
            time.sleep(0.01)
        with pytest.raises(Unavailable, match="another Studio"):
            insert(db, "without")
    eventually(lambda: is_stored(db, "again"))
    assert names(db) == {"before", "again"}


def test_an_outage_is_told_and_survived():
    with postgresql.running() as server:
        database = Database(server.database())
        migrate.upgrade(database)
        insert(database, "before")
        server.kill()
        with pytest.raises(Unavailable) as told:
            insert(database, "while")
        assert (told.value.code, told.value.status) == ("ServiceUnavailable", 503)
        with pytest.raises(Unavailable):
            names(database)
        server.start()
        insert(database, "after")
        assert names(database) == {"before", "after"}
        database.close()


def test_who_is_late_is_not_waited_for():
    """Neither on a connection that there is, nor for a new one."""
    with postgresql.running() as server, line_to(server) as line:
        url = server.database().replace(f"host={server.folder}", f"host={line.folder}")
        database = Database(url)
        migrate.upgrade(database)
        insert(database, "before")
        line.delay(3)
        for _ in range(2):
            with pytest.raises(Unavailable):
                names(database)
            with pytest.raises(Unavailable):
                insert(database, "while")
        line.delay(0)
        eventually(lambda: is_stored(database, "after"))
        assert names(database) == {"before", "after"}
        database.close()


def is_stored(db: Database, name: str) -> bool:
    try:
        insert(db, name)
    except Unavailable:
        return False
    return True


def test_commits_are_synchronous_and_readers_see_one_moment(db):
    with db.read() as connection:
        assert names(db) == set()
        insert(db, "later")
        assert resources.of_kind(connection, "training-job") != []  # its snapshot begins here
        insert(db, "latest")
        assert len(resources.of_kind(connection, "training-job")) == 1
    level = db.write(lambda c: c.exec_driver_sql("SHOW synchronous_commit").scalar())
    assert level == "on"


def test_another_order_is_refused(postgres):
    database = Database(postgres.database("TEMPLATE template0 ENCODING 'UTF8' LOCALE 'C.UTF-8'"))
    with pytest.raises(StudioError, match=r"collation C.UTF-8.*CREATE DATABASE"):
        migrate.upgrade(database)
    database.close()


def test_documents_hold_what_python_says(db):
    made = job("odd", state={"nan": math.nan, "nul": "a\0b", "half": "\ud800"})
    db.write(lambda c: resources.insert(c, made))
    with db.read() as connection:
        state = resources.get(connection, made.id).state
    assert math.isnan(state["nan"])
    assert (state["nul"], state["half"]) == ("a\0b", "\ud800")


def test_texts_that_it_cannot_hold(db):
    with pytest.raises(ValidationException):
        insert(db, "nul\0")
    with pytest.raises(ValidationException):
        insert(db, "long" * 100)
    owner = job("owner")
    db.write(lambda c: resources.insert(c, owner))
    db.write(lambda c: resources.put_runs(c, [Run("r", owner.id, "train", "p", 1, message="\0")]))
    with db.read() as connection:
        assert resources.get_run(connection, "r").message == "\ufffd"


@pytest.mark.parametrize(
    ("url", "text"),
    [
        ("mysql://u:hidden@h/d", "names mysql"),
        ("no url: hidden", "not a URL"),
        ("postgresql+psycopg2://u:hidden@h/d", "PostgreSQL"),
    ],
)
def test_other_databases_are_refused_without_a_word_of_the_password(url, text):
    with pytest.raises(StudioError, match=text) as told:
        Database(url)
    assert "hidden" not in str(told.value)


def test_nobody_there_is_a_sentence(tmp_path):
    database = Database(f"postgresql://studio:hidden@/none?host={tmp_path}")
    with pytest.raises(StudioError, match=r"does not answer: .*No such file or directory") as told:
        migrate.upgrade(database)
    assert str(tmp_path) in str(told.value)
    assert "hidden" not in str(told.value)
    assert "hidden" not in repr(Settings(tmp_path, database_url="postgresql://u:hidden@h/d"))
    database.close()


def test_who_is_refused_is_told_why(postgres):
    url = postgres.database().replace("studio@", "nobody:hidden@")
    database = Database(url)
    with pytest.raises(StudioError, match='role "nobody" does not exist') as told:
        migrate.upgrade(database)
    assert "hidden" not in str(told.value)
    database.close()


def problems(studio) -> list[str]:
    with urllib.request.urlopen(f"{studio.url}/_studio/health") as answer:
        return json.load(answer).get("problems", [])


def test_the_whole_system(start_studio):
    """With a server that dies and comes back; no word of its password anywhere."""
    with postgresql.running() as server:
        url = server.database().replace("studio@", "studio:hidden@")
        studio = start_studio(database_url=url)
        sagemaker = studio.client("sagemaker")
        sagemaker.create_model(ModelName="before", **MODEL)
        server.kill()
        for call in (
            lambda: sagemaker.create_model(ModelName="while", **MODEL),
            sagemaker.list_models,
        ):
            with pytest.raises(ClientError) as told:
                call()
            assert told.value.response["ResponseMetadata"]["HTTPStatusCode"] == 503
        assert "PostgreSQL" in eventually(lambda: problems(studio))[0]
        server.start()
        sagemaker.create_model(ModelName="after", **MODEL)
        found = {it["ModelName"] for it in sagemaker.list_models()["Models"]}
        assert found == {"before", "after"}
        assert not (studio.home / "studio.db").exists()
        for file in studio.home.rglob("*"):
            if file.is_file() and not file.is_relative_to(studio.home / "s3"):
                assert b"hidden" not in file.read_bytes(), file


def test_an_older_schema_is_refused_with_the_command_that_saves_and_mends_it(
    postgres, tmp_path, monkeypatch
):
    url, home = postgres.emptied(), tmp_path / "home"
    home.mkdir()
    database = Database(url)
    database.write(lambda connection: migrate.run(connection, "0005"))
    with pytest.raises(StudioError, match=r"has schema 0005.* run `studio migrate`"):
        migrate.upgrade(database)
    database.close()
    monkeypatch.setenv("STUDIO_DATABASE_URL", url)
    migrated = partial(CliRunner().invoke, cli.main, ["migrate", "--home", str(home)])
    with monkeypatch.context() as bare:
        bare.setenv("PATH", "/nowhere")
        assert "pg_dump is not there" in migrated().output
    done = migrated()
    assert done.exit_code == 0, done.output
    assert (home / "studio-0005.dump").read_bytes().startswith(b"PGDMP")
    database = Database(url)
    migrate.upgrade(database)
    insert(database, "new")
    database.close()
    assert "studio-" not in migrated().output

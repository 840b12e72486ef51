"""Backups are taken while Studio is busy; what was acknowledged before is restored, whole."""

import io
import itertools
import json
import tarfile
import threading
import time
from pathlib import Path

import pytest
from botocore.exceptions import ClientError
from studios import run_studio

from studio import backup
from studio.credentials import load_or_create
from studio.db import migrate, resources
from studio.db.resources import Resource, Run
from studio.db.session import Database
from studio.errors import StudioError
from studio.runners.process import ProcessRunner
from studio.s3.store import ObjectStore
from studio.serving import backlog
from studio.settings import Settings

WRITERS = 3


def body(number: int) -> bytes:
    return f"{number:08d}".encode() * 512


class Load:
    """Writers that replace, delete and create; what each had acknowledged."""

    def __init__(self, studio) -> None:
        self._studio = studio
        self._stop = threading.Event()
        self.replaced = [-1] * WRITERS
        self.models = [-1] * WRITERS
        self._threads = [threading.Thread(target=self._write, args=(n,)) for n in range(WRITERS)]

    def __enter__(self) -> "Load":
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        for thread in self._threads:
            thread.join()

    def wait_for_models(self, number: int) -> None:
        while min(self.models) < number:
            assert all(thread.is_alive() for thread in self._threads)
            time.sleep(0.05)

    def _write(self, me: int) -> None:
        s3, sagemaker = self._studio.client("s3"), self._studio.client("sagemaker")
        for number in itertools.count():
            if self._stop.is_set():
                return
            s3.put_object(Bucket="bucket", Key=f"replaced-{me}", Body=body(number))
            self.replaced[me] = number
            s3.put_object(Bucket="bucket", Key=f"passing-{me}", Body=body(number))
            s3.delete_object(Bucket="bucket", Key=f"passing-{me}")
            if number % 5 == 0:
                name = f"model-{me}-{number}"
                sagemaker.create_model(
                    ModelName=name, ExecutionRoleArn=ROLE, PrimaryContainer=IMAGE
                )
                self.models[me] = number


ROLE = "arn:aws:iam::000000000000:role/StudioExecutionRole"
IMAGE = {"Image": "683313688378.dkr.ecr.us-east-1.amazonaws.com/sagemaker-xgboost:1.7-1"}


def read(studio, key: str) -> bytes:
    """An object; when it is refused, what the server says of that."""
    try:
        return studio.client("s3").get_object(Bucket="bucket", Key=key)["Body"].read()
    except ClientError as error:
        said = (studio.home / "logs" / "studio.log").read_text()[-5000:]
        raise AssertionError(f"{key}: {error}\n{said}") from error


def test_what_was_acknowledged_before_is_restored(start_studio, tmp_path):
    first = start_studio("first")
    s3 = first.client("s3")
    s3.create_bucket(Bucket="bucket")
    for number in range(20):
        s3.put_object(Bucket="bucket", Key=f"kept/{number}", Body=body(number))
    with Load(first) as load:
        load.wait_for_models(5)
        for turn in range(2):
            replaced, models = list(load.replaced), list(load.models)
            run_studio("backup", tmp_path / f"{turn}.tar", "--home", first.home)
    run_studio("restore", tmp_path / "1.tar", "--home", tmp_path / "second")
    second = start_studio("second")
    s3, sagemaker = second.client("s3"), second.client("sagemaker")
    assert second.env["AWS_ACCESS_KEY_ID"] == first.env["AWS_ACCESS_KEY_ID"]
    assert second.url != first.url
    for me in range(WRITERS):
        found = read(second, f"replaced-{me}")
        assert found == body(int(found[:8]))
        assert int(found[:8]) >= replaced[me] > 0
        for number in range(0, models[me] + 1, 5):
            sagemaker.describe_model(ModelName=f"model-{me}-{number}")
    for number in range(20):
        assert read(second, f"kept/{number}") == body(number)
    for page in s3.get_paginator("list_objects_v2").paginate(Bucket="bucket"):
        for each in page["Contents"]:
            assert len(read(second, each["Key"])) == each["Size"]
    # What was removed while it was held is removed after all.
    first_s3 = first.client("s3")
    first_s3.put_object(Bucket="bucket", Key="last", Body=b"x")
    first_s3.delete_object(Bucket="bucket", Key="last")
    listed = first_s3.list_objects_v2(Bucket="bucket")["KeyCount"]
    assert len([it for it in (first.home / "s3" / "blobs").rglob("*") if it.is_file()]) == listed


@pytest.fixture
def home(tmp_path) -> Path:
    """A home with an object and two runs, neither of which has ended."""
    folder = tmp_path / "home"
    folder.mkdir()
    load_or_create(folder)
    store = ObjectStore(folder / "s3")
    store.create_bucket("bucket", "us-east-1")
    (tmp_path / "file").write_bytes(b"content")
    store.put_file("bucket", "key", tmp_path / "file")
    store.close()
    db = Database(Settings(folder).database)
    migrate.upgrade(db)
    job = Resource("0" * 12, "us-east-1", "training-job", "job", "arn:job", "InProgress", {}, 1, 1)
    runs = [Run(f"{job.id}-{name}", job.id, name, "process", 1, phase="running") for name in "ab"]
    db.write(lambda c: resources.insert(c, job))
    db.write(lambda c: resources.put_runs(c, runs))
    db.close()
    started = folder / "runs" / runs[0].id
    started.mkdir(parents=True)
    (started / "spec.json").write_text("{}")
    (started / "pid.json").write_text('{"pid": 1, "starttime": 0, "boot_id": "first"}')
    (started / "pipe").symlink_to("/etc/passwd")
    return folder


def saved(home: Path, tmp_path: Path) -> Path:
    backup.save(Settings(home), tmp_path / "backup.tar")
    return tmp_path / "backup.tar"


def test_runs_that_go_on_elsewhere_are_lost_here(home, tmp_path):
    second = tmp_path / "second"
    backup.restore(saved(home, tmp_path), second)
    runner = ProcessRunner(Settings(second))
    folders = sorted((second / "runs").iterdir())
    assert [folder.name[-2:] for folder in folders] == ["-a", "-b"]
    for folder in folders:
        assert runner.poll(folder.name, {}).phase == "lost"
        assert not (folder / "pipe").exists()


def test_only_the_owner_can_read_it(home, tmp_path):
    assert saved(home, tmp_path).stat().st_mode & 0o077 == 0
    backup.restore(tmp_path / "backup.tar", tmp_path / "second")
    assert (tmp_path / "second").stat().st_mode & 0o077 == 0
    assert (tmp_path / "second" / "credentials.json").stat().st_mode & 0o077 == 0


def test_damage_is_found_wherever_it_is(home, tmp_path):
    whole = saved(home, tmp_path).read_bytes()
    damaged, new = tmp_path / "damaged.tar", tmp_path / "second"
    with tarfile.open(tmp_path / "backup.tar") as tar:
        places = [it.offset_data + it.size // 2 for it in tar if it.size]
    for place in places:
        damaged.write_bytes(whole[:place] + bytes([whole[place] ^ 1]) + whole[place + 1 :])
        with pytest.raises(StudioError):
            backup.restore(damaged, new)
        damaged.write_bytes(whole[:place])
        with pytest.raises(StudioError):
            backup.restore(damaged, new)
    assert sorted(it.name for it in tmp_path.iterdir()) == [
        "backup.tar",
        "damaged.tar",
        "file",
        "home",
    ]


def test_a_home_in_use_is_left_alone(home, tmp_path):
    before = sorted(home.rglob("*"))
    with pytest.raises(StudioError, match="not empty"):
        backup.restore(saved(home, tmp_path), home)
    assert sorted(it for it in home.rglob("*") if it.name != "blobs.lock") == before


def test_what_is_absent_is_named(home, tmp_path):
    with pytest.raises(StudioError, match=f"There is no folder {tmp_path}/none to save"):
        saved(home, tmp_path / "none")
    with pytest.raises(StudioError, match=f"There is no backup {tmp_path}/none.tar"):
        backup.restore(tmp_path / "none.tar", tmp_path / "restored")
    assert not (tmp_path / "restored").exists()


@pytest.mark.parametrize("name", ["../out", "/tmp/out", "a/../../out", "a//b", ".hidden", "a\nb"])
def test_no_name_leads_out_of_the_home(tmp_path, name):
    file = tmp_path / "evil.tar"
    with tarfile.open(file, "w") as tar:
        member = tarfile.TarInfo(name)
        member.size = 1
        tar.addfile(member, io.BytesIO(b"x"))
    with pytest.raises(StudioError, match="no backup"):
        backup.restore(file, tmp_path / "new")
    assert [it.name for it in tmp_path.iterdir()] == ["evil.tar"]


def test_links_are_no_part_of_a_backup(tmp_path):
    file = tmp_path / "evil.tar"
    with tarfile.open(file, "w") as tar:
        member = tarfile.TarInfo("link")
        member.type, member.linkname = tarfile.SYMTYPE, "/etc"
        tar.addfile(member)
    with pytest.raises(StudioError, match="no backup"):
        backup.restore(file, tmp_path / "new")


def test_a_later_format_is_refused(home, tmp_path):
    file = tmp_path / "later.tar"
    with tarfile.open(file, "w") as tar:
        text = json.dumps({"format": 2, "files": {}}).encode()
        member = tarfile.TarInfo("manifest.json")
        member.size = len(text)
        tar.addfile(member, io.BytesIO(text))
    with pytest.raises(StudioError, match="format"):
        backup.restore(file, tmp_path / "new")


def test_requests_that_wait_for_answers_are_in_it(home, tmp_path):
    with backlog.opened(home) as known:
        for name in ("one", "two"):
            known.put(backlog.Request(name, "queue", "endpoint", {"n": name}, 1, 0, b"body"))
        known.settle(known.claim("queue", 1, 2)[0], {"Status": "Completed"})
    backlog.answer_path(home, "one").write_bytes(b"answer")
    second = tmp_path / "second"
    backup.restore(saved(home, tmp_path), second)
    with backlog.opened(second) as known:
        assert [it.id for it in known.storing(3)] == ["one"]
        assert [(it.id, it.body, it.spec) for it in known.waiting("queue")] == [
            ("two", b"body", {"n": "two"})
        ]
    assert backlog.answer_path(second, "one").read_bytes() == b"answer"

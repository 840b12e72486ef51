"""The platform's own door to S3: the local store and a remote one answer alike."""

import hashlib
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import requests
import s3_server
from s3_server import ACCESS_KEY, SECRET

from studio.errors import ValidationException
from studio.s3.client import LocalStorage, RemoteStorage, Storage, parse_uri, storage_for
from studio.s3.index import Touched
from studio.settings import Settings


@pytest.fixture(scope="module", params=["local", "remote"])
def storage(request: pytest.FixtureRequest, gateway: Any) -> Iterator[Storage]:
    if request.param == "local":
        yield LocalStorage(gateway.store)
        return
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("AWS_ACCESS_KEY_ID", ACCESS_KEY)
        patch.setenv("AWS_SECRET_ACCESS_KEY", SECRET)
        settings = Settings(home=Path("/nowhere"), s3_endpoint=gateway.url)
        made = storage_for(settings, gateway.store)
        assert isinstance(made, RemoteStorage)
        yield made
        made.close()


def test_questions(storage: Storage, s3: Any, bucket: str) -> None:
    assert storage.bucket_exists(bucket)
    assert not storage.bucket_exists("no-such-bucket")
    for key in ("a/1", "a/2", "b", "ü +%"):
        s3.put_object(Bucket=bucket, Key=key, Body=key.encode())
    found = list(storage.list(bucket, "a/"))
    assert [(entry.key, entry.size) for entry in found] == [("a/1", 3), ("a/2", 3)]
    assert found[0].etag == hashlib.md5(b"a/1").hexdigest()
    modified = s3.head_object(Bucket=bucket, Key="a/1")["LastModified"].timestamp()
    assert found[0].modified // 1000 == modified
    assert len(list(storage.list(bucket, ""))) == 4
    head = storage.head(bucket, "ü +%")
    assert head is not None
    assert (head.bucket, head.key, head.size) == (bucket, "ü +%", 5)
    assert storage.head(bucket, "absent") is None
    assert storage.head("no-such-bucket", "absent") is None


def test_read(storage: Storage, s3: Any, bucket: str) -> None:
    s3.put_object(Bucket=bucket, Key="k", Body=b"12345")
    assert storage.read(bucket, "k", 5) == b"12345"
    with pytest.raises(ValueError, match="larger than 4"):
        storage.read(bucket, "k", 4)


def test_source(storage: Storage, s3: Any, bucket: str) -> None:
    s3.put_object(Bucket=bucket, Key="dir/ü", Body=b"12345")
    found = storage.head(bucket, "dir/ü")
    assert found is not None
    assert next(iter(storage.list(bucket, "dir/"))).blob == found.blob
    path, url = storage.source(found)
    assert bool(path) != bool(url)
    assert (Path(path).read_bytes() if path else requests.get(url, timeout=30).content) == b"12345"


def test_put_file(storage: Storage, s3: Any, bucket: str, tmp_path: Path) -> None:
    file = tmp_path / "model.tar.gz"
    file.write_bytes(os.urandom(100_000))
    for _ in range(2):
        storage.put_file(bucket, "out/model.tar.gz", file)
        assert (
            s3.get_object(Bucket=bucket, Key="out/model.tar.gz")["Body"].read() == file.read_bytes()
        )
    other = tmp_path / "other"
    other.write_bytes(b"other")
    storage.put_file(bucket, "out/model.tar.gz", other)
    assert storage.read(bucket, "out/model.tar.gz", 10) == b"other"
    file.unlink()
    other.unlink()
    assert storage.read(bucket, "out/model.tar.gz", 10) == b"other"


def test_put_file_follows_no_link(storage: Storage, s3: Any, bucket: str, tmp_path: Path) -> None:
    (tmp_path / "secret").write_text("secret")
    (tmp_path / "link").symlink_to(tmp_path / "secret")
    with pytest.raises(OSError, match="symbolic links"):
        storage.put_file(bucket, "k", tmp_path / "link")
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises((OSError, ValueError)):
        storage.put_file(bucket, "k", tmp_path / "pipe")
    with pytest.raises(Exception, match=r"NoSuchBucket|does not exist|404"):
        storage.put_file("no-such-bucket", "k", tmp_path / "secret")
    assert storage.head(bucket, "k") is None


def test_put_file_links(gateway: Any, bucket: str, tmp_path: Path) -> None:
    file = gateway.root / "output"
    file.write_bytes(b"x" * 1000)
    LocalStorage(gateway.store).put_file(bucket, "k", file)
    path, _ = LocalStorage(gateway.store).source(gateway.store.head(bucket, "k"))
    assert Path(path).stat().st_ino == file.stat().st_ino
    file.unlink()
    elsewhere = Path("/dev/shm") / f"studio-{os.getpid()}"
    elsewhere.write_bytes(b"another file system")
    try:
        LocalStorage(gateway.store).put_file(bucket, "k", elsewhere)
    finally:
        elsewhere.unlink()
    assert LocalStorage(gateway.store).read(bucket, "k", 100) == b"another file system"


def test_choice(gateway: Any, tmp_path: Path) -> None:
    assert isinstance(storage_for(Settings(home=tmp_path), gateway.store), LocalStorage)


def test_uris() -> None:
    assert parse_uri("s3://bucket") == ("bucket", "")
    assert parse_uri("s3://bucket/") == ("bucket", "")
    assert parse_uri("s3://Old_bucket/a//c\n") == ("Old_bucket", "a//c\n")
    for wrong in (
        "",
        "b/k",
        "https://bucket/k",
        "s3:///k",
        "S3://bucket/k",
        "s3://a:1/k",
        "s3://../k",
    ):
        with pytest.raises(ValidationException, match="s3://<bucket>"):
            parse_uri(wrong)


def test_remote_speaks_to_another_gateway(gateway: Any, tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"x" * (9 << 20))
    for other in s3_server.serve(tmp_path / "other"):
        client = s3_server.client(other.url)
        client.create_bucket(Bucket="elsewhere")
        remote = RemoteStorage(client)
        noted: list[object] = []
        remote.watch(noted.extend)
        remote.put_file("elsewhere", "k", tmp_path / "file")
        assert remote.read("elsewhere", "k", 10 << 20) == (tmp_path / "file").read_bytes()
        assert noted == [Touched("elsewhere", "k")]
        assert not LocalStorage(gateway.store).bucket_exists("elsewhere")
        remote.close()

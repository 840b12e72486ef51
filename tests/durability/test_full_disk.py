"""A full disk: what was acknowledged stays readable, the rest is refused, it heals by itself."""

import contextlib
import itertools
import json
import urllib.request
from pathlib import Path

import pytest
import tmpfs
from botocore.exceptions import ClientError
from studios import run_studio, running_studio
from waiting import eventually

from studio import disk
from studio.s3.store import ObjectStore

MODEL = {
    "ExecutionRoleArn": "arn:aws:iam::000000000000:role/StudioExecutionRole",
    "PrimaryContainer": {
        "Image": "683313688378.dkr.ecr.us-east-1.amazonaws.com/sagemaker-xgboost:1.7-1"
    },
}


def health(studio) -> dict:
    with urllib.request.urlopen(f"{studio.url}/_studio/health") as answer:
        return json.load(answer)


@contextlib.contextmanager
def small_home(tmp_path: Path, options: str):
    with (
        tmpfs.mounted(tmp_path / "disk", options) as folder,
        running_studio(folder / "home") as studio,
    ):
        yield studio


def put_until_refused(s3, size: int) -> tuple[dict[str, bytes], ClientError]:
    kept: dict[str, bytes] = {}
    for number in itertools.count():
        data = f"{number:08d}".encode() * (size // 8)
        try:
            s3.put_object(Bucket="bucket", Key=f"k{number}", Body=data)
        except ClientError as error:
            return kept, error
        kept[f"k{number}"] = data


def status_of(error: ClientError) -> tuple[str, int]:
    return error.response["Error"]["Code"], error.response["ResponseMetadata"]["HTTPStatusCode"]


@pytest.mark.root
def test_a_full_disk(tmp_path):
    with small_home(tmp_path, "size=48m") as studio:
        s3, sagemaker = studio.client("s3"), studio.client("sagemaker")
        s3.create_bucket(Bucket="bucket")
        assert health(studio) == {"status": "ready"}
        kept, error = put_until_refused(s3, 1 << 20)
        assert status_of(error) == ("InsufficientStorage", 507)
        # Somebody else, a job perhaps, takes all that is left.
        with contextlib.suppress(OSError), (studio.home / "hog").open("wb") as hog:
            while True:
                hog.write(bytes(1 << 16))
                hog.flush()
        told = eventually(lambda: health(studio).get("problems"))
        assert "full" in told[0]
        # Small things can still be written down, until the reserve is spent; then they are refused.
        made, refused = create_models(sagemaker, 300)
        assert len(made) >= 5
        assert refused is None or status_of(refused) == ("InsufficientStorage", 507)
        for key, data in kept.items():
            assert s3.get_object(Bucket="bucket", Key=key)["Body"].read() == data
        assert {it["ModelName"] for it in models(sagemaker)} == set(made)
        assert s3.list_objects_v2(Bucket="bucket")["KeyCount"] == len(kept)
        # It heals without a restart, and the reserve is taken again.
        (studio.home / "hog").unlink()
        s3.delete_object(Bucket="bucket", Key="k0")
        s3.delete_object(Bucket="bucket", Key="k1")
        s3.put_object(Bucket="bucket", Key="again", Body=b"x")
        sagemaker.create_model(ModelName="again", **MODEL)
        eventually(lambda: health(studio) == {"status": "ready"})
        eventually(lambda: (studio.home / "reserve").stat().st_size)
        assert not list((studio.home / "s3" / "tmp").iterdir())


def create_models(sagemaker, count: int) -> tuple[list[str], ClientError | None]:
    made: list[str] = []
    for number in range(count):
        try:
            sagemaker.create_model(ModelName=f"m{number}", **MODEL)
        except ClientError as error:
            return made, error
        made.append(f"m{number}")
    return made, None


def models(sagemaker) -> list[dict]:
    pages = sagemaker.get_paginator("list_models").paginate()
    return [it for page in pages for it in page["Models"]]


@pytest.mark.root
def test_a_home_on_a_full_disk_is_told_so(tmp_path):
    """The first start finds no room, not even for a line of its log."""
    with tmpfs.mounted(tmp_path / "disk", "size=2m") as folder:
        home = folder / "home"
        (home / "logs").mkdir(parents=True)
        (home / "logs" / "studio.log").touch()
        (home / "credentials.json").write_text('{"access_key_id":"a","secret_access_key":"b"}')
        with contextlib.suppress(OSError), (folder / "fill").open("wb", 0) as file:
            while True:
                file.write(bytes(4096))
        with pytest.raises(AssertionError, match=f"the disk of {home} is full: 0 MiB are left"):
            run_studio("serve", "--detach", "--home", home)


@pytest.mark.root
def test_no_more_files(tmp_path):
    with small_home(tmp_path, "size=64m,nr_inodes=550") as studio:
        s3, sagemaker = studio.client("s3"), studio.client("sagemaker")
        s3.create_bucket(Bucket="bucket")
        kept, error = put_until_refused(s3, 64)
        assert status_of(error) == ("InsufficientStorage", 507)
        assert "no more files" in eventually(lambda: health(studio).get("problems"))[0]
        sagemaker.create_model(ModelName="m", **MODEL)
        for key, data in kept.items():
            assert s3.get_object(Bucket="bucket", Key=key)["Body"].read() == data
        for number in range(min(80, len(kept))):
            s3.delete_object(Bucket="bucket", Key=f"k{number}")
        s3.put_object(Bucket="bucket", Key="again", Body=b"x")
        eventually(lambda: health(studio) == {"status": "ready"})


@pytest.mark.root
def test_a_full_folder_of_logs_hinders_nothing(tmp_path):
    home = tmp_path / "home"
    (home / "logs").mkdir(parents=True)
    with tmpfs.mounted(home / "logs", "size=64k"):
        (home / "logs" / "hog").write_bytes(bytes(40 << 10))
        with running_studio(home) as studio:
            with contextlib.suppress(OSError), (home / "logs" / "hog").open("ab") as hog:
                while True:
                    hog.write(b"x" * 512)
                    hog.flush()
            sagemaker = studio.client("sagemaker")
            for _ in range(100):  # each refusal is a line of the log
                with pytest.raises(ClientError, match="Could not find"):
                    sagemaker.describe_model(ModelName="absent")
            sagemaker.create_model(ModelName="m", **MODEL)
            assert "logs" in eventually(lambda: health(studio).get("problems"))[0]


@pytest.mark.root
def test_the_reserve_is_given_back_in_slices(tmp_path):
    with tmpfs.mounted(tmp_path / "disk", "size=64m") as folder:
        reserve = disk.Reserve(folder / "reserve")
        assert reserve.whole
        sizes = []
        while reserve.release():
            sizes.append((folder / "reserve").stat().st_size)
        assert len(sizes) == 8
        assert sizes[-1] == 0
        assert sizes == sorted(sizes, reverse=True)
        reserve.refill()
        assert reserve.whole


@pytest.mark.root
def test_content_leaves_room_for_names(tmp_path):
    """The last of a disk is for the index and the records."""
    with tmpfs.mounted(tmp_path / "disk", "size=32m") as folder:
        store = ObjectStore(folder / "s3")
        with contextlib.suppress(OSError), (folder / "hog").open("wb", buffering=0) as hog:
            while not disk.lack(folder):
                hog.write(bytes(1 << 16))
        with pytest.raises(OSError, match="space"):
            store.writer()
        store.create_bucket("bucket", "us-east-1")
        store.close()


MOUNTS = """\
/dev/sda1 / ext4 rw 0 0
server:/export /home nfs4 rw 0 0
/dev/sdb1 /home/me/local xfs rw 0 0
/dev/sdc1 /with\\040space ext4 rw 0 0
"""


@pytest.mark.parametrize(
    ("path", "kind"),
    [
        ("/", "ext4"),
        ("/home/me", "nfs4"),
        ("/home2", "ext4"),
        ("/home/me/local/x", "xfs"),
        ("/with space/x", "ext4"),
    ],
)
def test_kinds_of_file_systems(tmp_path, path, kind):
    (tmp_path / "mounts").write_text(MOUNTS)
    assert disk.kind(Path(path), tmp_path / "mounts") == kind
    assert disk.is_remote(kind) == (kind == "nfs4")

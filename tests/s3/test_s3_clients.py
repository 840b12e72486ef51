"""The clients that people use: the AWS CLI, boto3's resource and transfer manager."""

import hashlib
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import boto3
import pytest
from aws_cli import CommandLine, command_line
from boto3.s3.transfer import TransferConfig
from s3_server import ACCESS_KEY, REGION, SECRET

MIB = 1 << 20


@pytest.fixture
def aws(gateway: Any, tmp_path: Path) -> Iterator[CommandLine]:
    environ = {
        "PATH": os.environ["PATH"],
        "HOME": str(tmp_path),
        "AWS_ACCESS_KEY_ID": ACCESS_KEY,
        "AWS_SECRET_ACCESS_KEY": SECRET,
        "AWS_DEFAULT_REGION": REGION,
        "AWS_ENDPOINT_URL": gateway.url,
    }
    with command_line(environ, tmp_path) as made:
        yield made


def tree(folder: Path) -> dict[str, str]:
    return {
        str(path.relative_to(folder)): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in folder.rglob("*")
        if path.is_file()
    }


def test_aws_cli(aws: CommandLine, tmp_path: Path) -> None:
    def run(*arguments: object, fails: bool = False) -> Any:
        done = aws.run("s3", *arguments)
        assert (done.returncode != 0) is fails, done.stderr
        return done

    data = tmp_path / "data"
    (data / "sub dir").mkdir(parents=True)
    (data / "small.csv").write_text("1,2\n")
    (data / "sub dir" / "ü &.bin").write_bytes(os.urandom(1000))
    (data / "large.bin").write_bytes(os.urandom(17 * MIB))
    run("mb", "s3://cli-bucket")
    run("sync", data, "s3://cli-bucket/in")
    assert run("sync", data, "s3://cli-bucket/in").stdout == ""
    run("cp", "--recursive", "s3://cli-bucket/in", "s3://cli-bucket/copy")
    run("sync", "s3://cli-bucket/copy", tmp_path / "back")
    assert tree(tmp_path / "back") == tree(data)
    listed = run("ls", "s3://cli-bucket/in/").stdout
    assert "PRE sub dir/" in listed
    assert "large.bin" in listed
    run("cp", "s3://cli-bucket/in/small.csv", tmp_path / "one.csv")
    assert (tmp_path / "one.csv").read_text() == "1,2\n"
    (data / "small.csv").unlink()
    run("sync", "--delete", data, "s3://cli-bucket/in")
    assert "small.csv" not in run("ls", "s3://cli-bucket/in/").stdout
    run("mv", "s3://cli-bucket/copy/small.csv", "s3://cli-bucket/moved.csv")
    assert "BucketNotEmpty" in run("rb", "s3://cli-bucket", fails=True).stderr
    run("rm", "--recursive", "s3://cli-bucket/in")
    run("rb", "--force", "s3://cli-bucket")
    assert "cli-bucket" not in run("ls").stdout


@pytest.fixture
def resource(gateway: Any) -> Any:
    made = boto3.resource(
        "s3",
        endpoint_url=gateway.url,
        region_name=REGION,
        aws_access_key_id=ACCESS_KEY,
        aws_secret_access_key=SECRET,
    )
    yield made
    made.meta.client.close()


def test_resource(resource: Any, tmp_path: Path) -> None:
    bucket = resource.Bucket("resource-bucket")
    assert bucket.creation_date is None
    bucket.create()
    bucket.wait_until_exists()
    assert bucket.creation_date is not None
    for number in range(7):
        bucket.put_object(Key=f"d/{number}", Body=b"x" * number)
    assert [
        (entry.key, entry.size) for entry in bucket.objects.filter(Prefix="d/").page_size(3)
    ] == [(f"d/{number}", number) for number in range(7)]
    resource.Object("resource-bucket", "copy").copy({"Bucket": "resource-bucket", "Key": "d/3"})
    assert resource.Object("resource-bucket", "copy").get()["Body"].read() == b"xxx"
    bucket.objects.all().delete()
    bucket.delete()
    bucket.wait_until_not_exists()


def test_transfer_manager(resource: Any, bucket: str, tmp_path: Path) -> None:
    source, back = tmp_path / "source", tmp_path / "back"
    source.write_bytes(os.urandom(21 * MIB + 13))
    config = TransferConfig(multipart_threshold=8 * MIB, multipart_chunksize=5 * MIB)
    target = resource.Object(bucket, "large")
    target.upload_file(source, Config=config, ExtraArgs={"ContentType": "a/b"})
    assert target.e_tag.endswith('-5"')
    target.download_file(back, Config=config)
    assert back.read_bytes() == source.read_bytes()
    copied = resource.Object(bucket, "copied")
    copied.copy({"Bucket": bucket, "Key": "large"}, Config=config)
    assert copied.content_length == target.content_length
    assert copied.content_type == "a/b"
    back.unlink()
    copied.download_file(back, Config=config)
    assert back.read_bytes() == source.read_bytes()

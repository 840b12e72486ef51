"""A form acts with the rights of whoever signed it, and no longer than the key lives."""

import json

import boto3
import requests
from studios import RunningStudio, run_studio


def post(studio: RunningStudio, env: dict[str, str], bucket: str) -> requests.Response:
    session = boto3.Session(
        env["AWS_ACCESS_KEY_ID"], env["AWS_SECRET_ACCESS_KEY"], region_name="us-east-1"
    )
    s3 = session.client("s3", endpoint_url=studio.url)
    form = s3.generate_presigned_post(bucket, "k")
    s3.close()
    return requests.post(form["url"], data=form["fields"], files={"file": b"x"}, timeout=30)


def test_a_user_uploads_to_no_bucket_of_others(studio: RunningStudio) -> None:
    s3 = studio.client("s3")
    s3.create_bucket(Bucket="form-of-the-owner")
    run_studio("user", "add", "form-user", "--home", studio.home, env=studio.env)
    how = ("env", "--user", "form-user", "--format", "json", "--home", studio.home)
    user = json.loads(run_studio(*how, env=studio.env))
    refused = post(studio, user, "form-of-the-owner")
    assert (refused.status_code, b"AccessDenied" in refused.content) == (403, True)
    assert "Contents" not in s3.list_objects_v2(Bucket="form-of-the-owner")
    assert post(studio, studio.env, "form-of-the-owner").status_code == 204
    run_studio("user", "remove", "form-user", "--yes", "--home", studio.home, env=studio.env)
    gone = post(studio, user, "form-of-the-owner")
    assert (gone.status_code, b"InvalidAccessKeyId" in gone.content) == (403, True)
    s3.close()

"""Deletes what tests left behind, with nothing but the API."""

from typing import Any


def delete_buckets(s3: Any) -> None:
    """Every bucket, with its objects, versions and unfinished uploads."""
    for bucket in s3.list_buckets()["Buckets"]:
        name = bucket["Name"]
        s3.delete_bucket_policy(Bucket=name)
        for page in s3.get_paginator("list_object_versions").paginate(Bucket=name):
            found = page.get("Versions", []) + page.get("DeleteMarkers", [])
            keys = [{"Key": it["Key"], "VersionId": it["VersionId"]} for it in found]
            if keys:
                s3.delete_objects(Bucket=name, Delete={"Objects": keys, "Quiet": True})
        for page in s3.get_paginator("list_multipart_uploads").paginate(Bucket=name):
            for it in page.get("Uploads", []):
                s3.abort_multipart_upload(Bucket=name, Key=it["Key"], UploadId=it["UploadId"])
        s3.delete_bucket(Bucket=name)

"""Deletes what tests left behind, with nothing but the API."""

from typing import Any


def delete_buckets(s3: Any) -> None:
    """Every bucket, with its objects, versions and unfinished uploads."""
    for bucket in s3.list_buckets()["Buckets"]:
        name = bucket["Name"]
        s3.delete_bucket_policy(Bucket=name)
        for page in s3.get_paginator("list_object_versions").paginate(Bucket=name):
            # One by one: keys may hold what no XML of a deletion of many can say.
            for it in page.get("Versions", []) + page.get("DeleteMarkers", []):
                s3.delete_object(Bucket=name, Key=it["Key"], VersionId=it["VersionId"])
        s3.delete_bucket(Bucket=name)

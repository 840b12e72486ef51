"""What a bucket and a key may be called.

Source: https://docs.aws.amazon.com/AmazonS3/latest/userguide/bucketnamingrules.html
"""

import hashlib
import re

from studio.s3.errors import S3Error, invalid_argument

MAX_KEY_BYTES = 1024

_BUCKET = re.compile(r"[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]")
_ADDRESS = re.compile(r"\d+\.\d+\.\d+\.\d+")
_PREFIXES = ("xn--", "sthree-", "amzn-s3-demo-")
_SUFFIXES = ("-s3alias", "--ol-s3", ".mrap", "--x-s3", "--table-s3")


def check_bucket(name: str) -> str:
    """`name`; S3Error InvalidBucketName when AWS would refuse to create it."""
    good = (
        _BUCKET.fullmatch(name)
        and ".." not in name
        and not _ADDRESS.fullmatch(name)
        and not name.startswith(_PREFIXES)
        and not name.endswith(_SUFFIXES)
    )
    if not good:
        raise S3Error("InvalidBucketName", "The specified bucket is not valid.", BucketName=name)
    return name


def check_key(key: str) -> str:
    """`key`, any Unicode text without NUL of 1 to 1024 bytes in UTF-8."""
    size = len(key.encode())
    if size > MAX_KEY_BYTES:
        raise S3Error(
            "KeyTooLongError", "Your key is too long", Size=size, MaxSizeAllowed=MAX_KEY_BYTES
        )
    if not key or "\0" in key:
        raise invalid_argument("key", "", "A key has 1 to 1024 bytes, none of them NUL.")
    return key


def owner(account: str) -> tuple[tuple[str, str], ...]:
    """The one owner, under the 64 digits that S3 calls a canonical user."""
    return (("ID", hashlib.sha256(account.encode()).hexdigest()), ("DisplayName", account))

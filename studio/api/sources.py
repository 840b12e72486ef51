"""Which objects a channel of a job holds: all under a prefix, or what a manifest names."""

import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import islice
from os.path import commonprefix
from typing import Any

from studio.db.resources import Doc
from studio.errors import ApiError, ValidationException
from studio.reconcile.steps import Rejected
from studio.s3.client import Storage, parse_uri
from studio.s3.index import StoredObject

MANIFEST_BYTES = 256 * 2**20
OBJECTS = 1_000_000
"""Most objects, or lines of a manifest, that a channel may have."""

_LISTED = 16
"""From so many names of a bucket on they are looked up in a list, not one by one."""
_LISTED_RATIO = 8


@dataclass(frozen=True)
class Found:
    """An object, and the name that a job in File mode sees."""

    item: StoredObject
    name: str

    @property
    def uri(self) -> str:
        return f"s3://{self.item.bucket}/{self.item.key}"


Record = tuple[Found | str, ...]
"""What stays together: one object, or the attributes of a line of an augmented manifest."""


def records(source: Doc, storage: Storage) -> list[Record]:
    """The records of an S3DataSource, in order. Raises Rejected, ApiError."""
    made = list(islice(_records(source, storage), OBJECTS + 1))
    if len(made) > OBJECTS:
        raise Rejected(f"ClientError: {source['S3Uri']} has more than {OBJECTS:,} objects.")
    return made


def first(source: Doc, storage: Storage) -> StoredObject | None:
    """The first object of an S3DataSource that is not empty. Raises Rejected, ApiError."""
    for record in _records(source, storage):
        for part in record:
            if isinstance(part, Found) and part.item.size > 0:
                return part.item
    return None


def _records(source: Doc, storage: Storage) -> Iterator[Record]:
    bucket, key = parse_uri(source["S3Uri"])
    kind = source["S3DataType"]
    if kind == "AugmentedManifestFile":
        return _augmented(bucket, key, source["AttributeNames"], storage)
    if kind == "ManifestFile":
        return _manifest(bucket, key, storage)
    return _prefix(bucket, key, storage)


def _prefix(bucket: str, prefix: str, storage: Storage) -> Iterator[Record]:
    for item in storage.list(bucket, prefix):
        if not item.key.endswith("/"):  # a folder, as consoles make them
            yield (Found(item, _relative(item.key, prefix)),)


def _relative(key: str, prefix: str) -> str:
    """The name of an object under a prefix: what follows the folder that the prefix names."""
    if prefix and not prefix.endswith("/") and key.startswith(prefix + "/"):
        return key[len(prefix) + 1 :]
    return key[prefix.rfind("/") + 1 :]


def _manifest(bucket: str, key: str, storage: Storage) -> Iterator[Record]:
    """`[{"prefix": "s3://bucket/folder/"}, "one", "two"]`."""
    where = f"s3://{bucket}/{key}"
    try:
        head, *names = json.loads(_read(bucket, key, storage))
        inside, prefix = parse_uri(head["prefix"])
        wanted = [(inside, prefix + name) for name in names]
    except (ValueError, TypeError, KeyError, RecursionError, ValidationException) as error:
        raise Rejected(
            f"ClientError: {where} is not a valid manifest: expected a JSON array of an object "
            'with "prefix", the S3 URI that all begin with, and of the rest of each.'
        ) from error
    known = _look_up(wanted, storage)
    for name, place in zip(names, wanted, strict=True):
        yield (Found(_known(place, known, where), name),)


def _augmented(bucket: str, key: str, names: list[str], storage: Storage) -> Iterator[Record]:
    """JSON Lines: the attributes `names` of each; one whose name ends in -ref names an object."""
    where = f"s3://{bucket}/{key}"
    lines = [
        _attributes(line, number, names, where)
        for number, line in enumerate(_read(bucket, key, storage).split(b"\n"), 1)
        if line.strip()
    ]
    places = {value for line in lines for value in line if isinstance(value, tuple)}
    known = _look_up(sorted(places), storage)
    for line in lines:
        yield tuple(
            Found(_known(value, known, where), "") if isinstance(value, tuple) else value
            for value in line
        )


def _attributes(
    line: bytes, number: int, names: list[str], where: str
) -> list[tuple[str, str] | str]:
    """The text of each attribute, or the bucket and key that it names."""
    wrong = f"ClientError: line {number} of the augmented manifest {where}"
    try:
        document = json.loads(line)
    except (ValueError, RecursionError) as error:
        raise Rejected(f"{wrong} is not JSON.") from error
    if not isinstance(document, dict):
        raise Rejected(f"{wrong} is not a JSON object.")
    found: list[tuple[str, str] | str] = []
    for name in names:
        if name not in document:
            raise Rejected(f"{wrong} has no attribute {name!r}.")
        value = document[name]
        if not name.endswith("-ref"):
            found.append(_text(value))
            continue
        try:
            found.append(parse_uri(value))
        except (TypeError, ValidationException) as error:
            raise Rejected(f"{wrong}: the attribute {name!r} is not an S3 URI.") from error
    return found


def _text(value: Any) -> str:
    """A string is passed on as it is, everything else as JSON."""
    return value if isinstance(value, str) else json.dumps(value)


def _read(bucket: str, key: str, storage: Storage) -> bytes:
    try:
        return storage.read(bucket, key, MANIFEST_BYTES)
    except ValueError as error:
        raise Rejected(f"ClientError: the manifest {error}.") from error


def _look_up(
    places: Iterable[tuple[str, str]], storage: Storage
) -> dict[tuple[str, str], StoredObject]:
    """The objects that are there. One request for each only where that is cheaper than a list."""
    keys: dict[str, list[str]] = {}
    for bucket, key in places:
        keys.setdefault(bucket, []).append(key)
    known: dict[tuple[str, str], StoredObject] = {}
    for bucket, wanted in keys.items():
        if len(wanted) >= _LISTED:
            start = commonprefix(wanted)  # noqa: RUF071  keys are no paths
            listed = islice(storage.list(bucket, start), _LISTED_RATIO * len(wanted))
            known |= {(bucket, item.key): item for item in listed}
        for key in wanted:
            if not key or (bucket, key) in known:
                continue
            if (item := storage.head(bucket, key)) is not None:
                known[bucket, key] = item
    return known


def _known(
    place: tuple[str, str], known: dict[tuple[str, str], StoredObject], where: str
) -> StoredObject:
    if place not in known:
        bucket, key = place
        raise Rejected(
            f"ClientError: The manifest {where} names s3://{bucket}/{key}, which does not exist."
        )
    return known[place]


def empty(source: Doc, storage: Storage) -> bool:
    """Whether there is no object under the prefix, or no manifest. Raises ApiError."""
    bucket, key = parse_uri(source["S3Uri"])
    if source["S3DataType"] == "S3Prefix":
        return next(_prefix(bucket, key, storage), None) is None
    return storage.head(bucket, key) is None


def nothing(source: Doc, role_arn: str, error: ApiError | None = None) -> Rejected:
    """What AWS says of a channel without objects."""
    bucket, _ = parse_uri(source["S3Uri"])
    return Rejected(
        f'ClientError: No S3 objects found under S3 URL "{source["S3Uri"]}" given in input data '
        "source. Please ensure that the bucket exists, that objects exist under that S3 prefix, "
        f'and that the role "{role_arn}" has "s3:ListBucket" permissions on bucket "{bucket}".'
        + (f" Error message from S3: {error.message}" if error else "")
    )

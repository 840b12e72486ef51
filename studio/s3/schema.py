"""The tables of the object store's index, and how an older index becomes one of today.

The schema's number is SQLite's `user_version`. Keys order by their bytes in UTF-8, as on S3.
"""

from sqlalchemy import (
    JSON,
    BigInteger,
    Boolean,
    Column,
    Connection,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    String,
    Table,
    inspect,
)

from studio.db import snapshot
from studio.db.session import Database
from studio.errors import StudioError

METADATA = MetaData()
VERSION = 2

BUCKET = Table(
    "bucket",
    METADATA,
    Column("name", String, primary_key=True),
    Column("region", String, nullable=False),
    Column("created", BigInteger, nullable=False),
    Column("owner", String, nullable=False, server_default=""),
    Column("versioning", String, nullable=False, server_default=""),
    Column("settings", JSON, nullable=False, server_default="{}"),
    sqlite_with_rowid=False,
)


def _object_columns() -> list[Column]:  # type: ignore[type-arg]
    return [
        Column("size", BigInteger, nullable=False),
        Column("etag", String, nullable=False),
        Column("modified", BigInteger, nullable=False),
        Column("blob", String, nullable=False),
        Column("headers", JSON, nullable=False),
        Column("checksum", JSON, nullable=False),
        Column("tags", JSON, nullable=False),
        Column("upload", String, nullable=False),
        Column("version", String, nullable=False, server_default="null"),
    ]


# What a key stands for now: at most one row for a key, none when its newest version is a marker.
OBJECT = Table(
    "object",
    METADATA,
    Column("bucket", String, primary_key=True),
    Column("key", String, primary_key=True),
    *_object_columns(),
    Column("rank", BigInteger, nullable=False, server_default="0"),
    sqlite_with_rowid=False,
)
# All other versions and every delete marker. The smaller the rank, the newer.
OLD = Table(
    "version",
    METADATA,
    Column("bucket", String, primary_key=True),
    Column("key", String, primary_key=True),
    Column("rank", BigInteger, primary_key=True, autoincrement=False),
    *_object_columns(),
    Column("marker", Boolean, nullable=False),
    Index("version_by_id", "bucket", "key", "version", unique=True),
    sqlite_with_rowid=False,
)
UPLOAD = Table(
    "upload",
    METADATA,
    Column("bucket", String, primary_key=True),
    Column("key", String, primary_key=True),
    Column("id", String, primary_key=True),
    Column("created", BigInteger, nullable=False),
    Column("headers", JSON, nullable=False),
    Column("tags", JSON, nullable=False),
    Column("algorithm", String, nullable=False),
    Column("checksum_type", String, nullable=False),
    sqlite_with_rowid=False,
)
PART = Table(
    "part",
    METADATA,
    Column("upload", String, primary_key=True),
    Column("number", Integer, primary_key=True),
    Column("size", BigInteger, nullable=False),
    Column("etag", String, nullable=False),
    Column("modified", BigInteger, nullable=False),
    Column("blob", String, nullable=False),
    Column("checksum", JSON, nullable=False),
    sqlite_with_rowid=False,
)
# What a blob must contain. Apart from the objects: lists of those do not read it.
BLOB = Table(
    "blob",
    METADATA,
    Column("name", String, primary_key=True),
    Column("sums", LargeBinary, nullable=False),
    Column("parts", JSON, nullable=False),
    sqlite_with_rowid=False,
)

_ADDED = {
    BUCKET: ("owner", "versioning", "settings"),
    OBJECT: ("version", "rank"),
}


def upgrade(database: Database) -> None:
    """Bring the index to this schema: backup, one transaction. StudioError for a newer one's."""
    with database.writer_engine.connect() as connection:
        found = max(number(connection), int(_has_buckets(connection)))
    if 0 < found < VERSION and (file := database.file) is not None:
        snapshot.take(file, file.with_name(f"{file.name}.{found}.backup"))
    database.write(_upgrade)


def number(connection: Connection) -> int:
    """The schema's number; 0 of a new index and of schema 1."""
    return int(connection.exec_driver_sql("PRAGMA user_version").scalar_one())


def _upgrade(connection: Connection) -> None:
    found = number(connection)
    if found == VERSION:
        return
    if found > VERSION:
        raise StudioError(
            f"The object store's index has schema {found}, which a newer Studio wrote. "
            "Install that release."
        )
    if _has_buckets(connection):
        for table, names in _ADDED.items():
            for name in names:
                _add_column(connection, table, name)
    METADATA.create_all(connection)
    connection.exec_driver_sql(f"PRAGMA user_version={VERSION}")


def _has_buckets(connection: Connection) -> bool:
    """Of an index that is not new. Schema 1 bore no number."""
    return inspect(connection).has_table(BUCKET.name)


def _add_column(connection: Connection, table: Table, name: str) -> None:
    column = table.c[name]
    kind = column.type.compile(connection.dialect)
    default = column.server_default.arg  # type: ignore[union-attr]
    connection.exec_driver_sql(
        f"ALTER TABLE {table.name} ADD COLUMN {name} {kind} NOT NULL DEFAULT '{default}'"
    )

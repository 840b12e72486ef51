"""The tables. Times are UTC milliseconds since the epoch; documents keep AWS's spelling."""

from sqlalchemy import (
    JSON,
    BigInteger,
    Column,
    ForeignKey,
    Index,
    Integer,
    MetaData,
    String,
    Table,
    Text,
    text,
)

METADATA = MetaData(
    naming_convention={
        "ix": "ix_%(column_0_label)s",
        "uq": "uq_%(table_name)s_%(column_0_name)s",
        "fk": "fk_%(table_name)s_%(column_0_name)s_%(referred_table_name)s",
        "pk": "pk_%(table_name)s",
    }
)

RESOURCE = Table(
    "resource",
    METADATA,
    Column("id", String(32), primary_key=True),
    Column("account", String(12), nullable=False),
    Column("region", String(32), nullable=False),
    Column("kind", String(64), nullable=False),
    Column("name", String(256), nullable=False),
    Column("arn", String(512), nullable=False),
    Column("status", String(64), nullable=False),
    Column("spec", JSON, nullable=False),
    Column("state", JSON, nullable=False),
    Column("tags", JSON, nullable=False),
    Column("desired", String(16), nullable=False),
    Column("generation", Integer, nullable=False),
    Column("created_at", BigInteger, nullable=False),
    Column("modified_at", BigInteger, nullable=False),
    Column("deleted_at", BigInteger),
    Column("due_at", BigInteger),
)

# Names are free again once a resource is deleted, hence the partial index.
Index(
    "uq_resource_name",
    RESOURCE.c.account,
    RESOURCE.c.region,
    RESOURCE.c.kind,
    RESOURCE.c.name,
    unique=True,
    sqlite_where=text("deleted_at IS NULL"),
    postgresql_where=text("deleted_at IS NULL"),
)
Index("ix_resource_arn", RESOURCE.c.arn)
Index("ix_resource_kind_created", RESOURCE.c.kind, RESOURCE.c.created_at, RESOURCE.c.id)
Index(
    "ix_resource_due",
    RESOURCE.c.due_at,
    sqlite_where=text("due_at IS NOT NULL"),
    postgresql_where=text("due_at IS NOT NULL"),
)

RUN = Table(
    "run",
    METADATA,
    Column("id", String(96), primary_key=True),
    Column("resource_id", String(32), ForeignKey("resource.id"), nullable=False, index=True),
    Column("role", String(160), nullable=False),
    Column("runner", String(32), nullable=False),
    Column("spec", JSON, nullable=False),
    Column("handle", JSON, nullable=False),
    Column("phase", String(16), nullable=False),
    Column("exit_code", Integer),
    Column("message", Text, nullable=False),
    Column("created_at", BigInteger, nullable=False),
    Column("started_at", BigInteger),
    Column("ended_at", BigInteger),
)

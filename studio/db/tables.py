"""The tables. Times are UTC milliseconds since the epoch; documents keep AWS's spelling."""

from sqlalchemy import (
    BigInteger,
    Column,
    Double,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    String,
    Table,
    Text,
    text,
)

from studio.db.documents import DOCUMENT

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
    Column("spec", DOCUMENT, nullable=False),
    Column("state", DOCUMENT, nullable=False),
    Column("tags", DOCUMENT, nullable=False),
    Column("desired", String(16), nullable=False),
    Column("generation", Integer, nullable=False),
    Column("created_at", BigInteger, nullable=False),
    Column("modified_at", BigInteger, nullable=False),
    Column("deleted_at", BigInteger),
    Column("due_at", BigInteger),
    Column("owner", String(128), nullable=False, server_default=""),
    # What the state says of when its work began and ended, so that lists can be sorted by it.
    Column("began_at", BigInteger),
    Column("ended_at", BigInteger),
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
Index("ix_resource_kind_modified", RESOURCE.c.kind, RESOURCE.c.modified_at, RESOURCE.c.id)
Index(
    "ix_resource_kind_status",
    RESOURCE.c.kind,
    RESOURCE.c.status,
    RESOURCE.c.created_at,
    RESOURCE.c.id,
)
# Holds all that a window of a list is found by: rows with their documents are many pages long.
Index(
    "ix_resource_shown",
    RESOURCE.c.kind,
    RESOURCE.c.account,
    RESOURCE.c.region,
    RESOURCE.c.created_at,
    RESOURCE.c.id,
    RESOURCE.c.modified_at,
    RESOURCE.c.name,
    RESOURCE.c.status,
    RESOURCE.c.owner,
    RESOURCE.c.began_at,
    RESOURCE.c.ended_at,
    RESOURCE.c.deleted_at,  # else SQLite looks it up in the rows
    sqlite_where=text("deleted_at IS NULL"),
    postgresql_where=text("deleted_at IS NULL"),
)
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
    Column("spec", DOCUMENT, nullable=False),
    Column("handle", DOCUMENT, nullable=False),
    Column("phase", String(16), nullable=False, index=True),
    Column("exit_code", Integer),
    Column("message", Text, nullable=False),
    Column("created_at", BigInteger, nullable=False),
    Column("started_at", BigInteger),
    Column("ended_at", BigInteger),
)

# Where a job came from, once recorded: compressed, for lists never read it. It goes with the job.
PROVENANCE = Table(
    "provenance",
    METADATA,
    Column("resource_id", String(32), ForeignKey("resource.id"), primary_key=True),
    Column("recorded_at", BigInteger, nullable=False),
    Column("path", Text, nullable=False),
    Column("cell_id", String(64), nullable=False, index=True),
    Column("execution_count", Integer),
    Column("data", LargeBinary, nullable=False),
)

# The calls that changed something, for as long as a client may repeat them.
CALL = Table(
    "call",
    METADATA,
    Column("mark", String(64), primary_key=True),
    Column("resource_id", String(32), nullable=False),
    Column("at", BigInteger, nullable=False, index=True),
)

# Keys of the owner, of users, and of sessions of roles. Secrets are encrypted with the home's key
# file; of a session token only the digest is stored: a copy of the database signs nothing.
ACCESS_KEY = Table(
    "access_key",
    METADATA,
    Column("id", String(32), primary_key=True),
    Column("account", String(12), nullable=False),
    Column("principal_kind", String(16), nullable=False),
    Column("principal", String(128), nullable=False, index=True),
    Column("session", String(64), nullable=False),
    Column("secret", LargeBinary, nullable=False),
    Column("token_sha256", String(64), nullable=False),
    Column("owner", String(128), nullable=False),
    Column("policy", Text, nullable=False),
    Column("run_id", String(96), nullable=False, index=True),
    Column("created_at", BigInteger, nullable=False),
    Column("expires_at", BigInteger),
    Column("revoked_at", BigInteger),
)

# A person's metric with its dimensions; `id` is a digest of that, so that two writers make one row.
# `metric` is the same digest without the person: whoever may see all of them finds them by it.
METRIC_SERIES = Table(
    "metric_series",
    METADATA,
    Column("id", String(32), primary_key=True),
    Column("account", String(12), nullable=False),
    Column("region", String(32), nullable=False),
    Column("namespace", String(256), nullable=False),
    Column("name", String(256), nullable=False),
    Column("dimensions", DOCUMENT, nullable=False),
    Column("last_at", BigInteger, nullable=False),
    Column("owner", String(128), nullable=False, server_default=""),
    Column("metric", String(32), nullable=False, server_default=""),
)
Index("ix_metric_series_metric", METRIC_SERIES.c.metric)
Index(
    "ix_metric_series_name",
    METRIC_SERIES.c.account,
    METRIC_SERIES.c.region,
    METRIC_SERIES.c.namespace,
    METRIC_SERIES.c.name,
    METRIC_SERIES.c.metric,
    METRIC_SERIES.c.id,
)

# Rows of a series as compressed columns, `period` milliseconds apart at the least.
METRIC_CHUNK = Table(
    "metric_chunk",
    METADATA,
    Column("series_id", String(32), ForeignKey("metric_series.id"), primary_key=True),
    Column("sequence", Integer, primary_key=True),
    Column("unit", String(32), nullable=False),
    Column("period", Integer, nullable=False),
    Column("start_at", BigInteger, nullable=False),
    Column("end_at", BigInteger, nullable=False),
    Column("rows", Integer, nullable=False),
    Column("data", LargeBinary, nullable=False),
)
Index("ix_metric_chunk_period", METRIC_CHUNK.c.period, METRIC_CHUNK.c.end_at)

# How far a source of metrics was read: stored with what was read, so nothing counts twice.
METRIC_SOURCE = Table(
    "metric_source",
    METADATA,
    Column("name", String(160), primary_key=True),
    Column("position", BigInteger, nullable=False),
)

# Log groups that clients made; those of jobs and endpoints are read from the files of runs.
LOG_GROUP = Table(
    "log_group",
    METADATA,
    Column("id", String(32), primary_key=True),
    Column("account", String(12), nullable=False),
    Column("region", String(32), nullable=False),
    Column("name", String(512), nullable=False),
    Column("owner", String(128), nullable=False),
    Column("settings", DOCUMENT, nullable=False),
    Column("retention_days", Integer),
    Column("tags", DOCUMENT, nullable=False),
    Column("created_at", BigInteger, nullable=False),
)
Index("uq_log_group_name", LOG_GROUP.c.account, LOG_GROUP.c.region, LOG_GROUP.c.name, unique=True)

# A stream that was deleted has no group; it goes once its chunks are gone.
LOG_STREAM = Table(
    "log_stream",
    METADATA,
    Column("id", String(32), primary_key=True),
    Column("group_id", String(32), ForeignKey("log_group.id")),
    Column("name", String(512), nullable=False),
    Column("created_at", BigInteger, nullable=False),
    Column("first_at", BigInteger),
    Column("last_at", BigInteger),
    Column("ingested_at", BigInteger),
    Column("events", BigInteger, nullable=False),
    Column("bytes", BigInteger, nullable=False),
)
Index("uq_log_stream_name", LOG_STREAM.c.group_id, LOG_STREAM.c.name, unique=True)

# Events of a stream as they came, compressed; `sequence` is the number of the first of them.
LOG_CHUNK = Table(
    "log_chunk",
    METADATA,
    Column("stream_id", String(32), ForeignKey("log_stream.id"), primary_key=True),
    Column("sequence", BigInteger, primary_key=True, autoincrement=False),
    Column("start_at", BigInteger, nullable=False),
    Column("end_at", BigInteger, nullable=False),
    Column("rows", Integer, nullable=False),
    Column("bytes", Integer, nullable=False),
    Column("data", LargeBinary, nullable=False),
)
Index("ix_log_chunk_end", LOG_CHUNK.c.stream_id, LOG_CHUNK.c.end_at)

# How an arm of a test of two variants has answered so far, and what was said of its answers: counts
# and sums, so that a look at a test reads two rows.
TEST_ARM = Table(
    "test_arm",
    METADATA,
    Column("test_id", String(32), ForeignKey("resource.id"), primary_key=True),
    Column("variant", String(63), primary_key=True),
    Column("window_ms", BigInteger, nullable=False),
    Column("requests", BigInteger, nullable=False),
    Column("errors", BigInteger, nullable=False),
    Column("feedbacks", BigInteger, nullable=False),
    Column("late", BigInteger, nullable=False),
    Column("log_sum", Double, nullable=False),
    Column("log_squares", Double, nullable=False),
    Column("value_sum", Double, nullable=False),
    Column("value_squares", Double, nullable=False),
)

# An answer of a test by the digest of its InferenceId: which variant gave it, and what was fed back
# of it. Either may come first. They go when the test ends.
TEST_ANSWER = Table(
    "test_answer",
    METADATA,
    Column("test_id", String(32), ForeignKey("resource.id"), primary_key=True),
    Column("digest", LargeBinary, primary_key=True),
    Column("at", BigInteger, nullable=False),
    Column("variant", String(63)),
    Column("value", Double),
    Column("value_at", BigInteger),
    sqlite_with_rowid=False,
)

# Messages on their way to a subscription; one that was taken, or given up, is gone.
DELIVERY = Table(
    "delivery",
    METADATA,
    Column("id", String(32), primary_key=True),
    Column("subscription_id", String(32), ForeignKey("resource.id"), nullable=False),
    Column("kind", String(32), nullable=False),
    Column("message_id", String(36), nullable=False),
    Column("body", Text, nullable=False),
    Column("raw", Integer, nullable=False),
    Column("attempts", Integer, nullable=False),
    Column("due_at", BigInteger, nullable=False),
)
Index("ix_delivery_due", DELIVERY.c.subscription_id, DELIVERY.c.due_at, DELIVERY.c.id)

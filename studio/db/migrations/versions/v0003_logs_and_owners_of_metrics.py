"""Log groups, streams and events; whose a metric is."""

import sqlalchemy as sa
from alembic import op

from studio.db.documents import DOCUMENT

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    _owners_of_metrics()
    _log_groups()
    _log_streams()
    _log_chunks()


def _owners_of_metrics() -> None:
    """What was stored before has nobody's name: it is the home's owner's."""
    for name, length in (("owner", 128), ("metric", 32)):
        column = sa.Column(name, sa.String(length), nullable=False, server_default="")
        op.add_column("metric_series", column)
    op.execute("UPDATE metric_series SET metric = id")
    op.create_index("ix_metric_series_metric", "metric_series", ["metric"])
    op.drop_index("ix_metric_series_name", "metric_series")
    order = ["account", "region", "namespace", "name", "metric", "id"]
    op.create_index("ix_metric_series_name", "metric_series", order)


def _log_groups() -> None:
    op.create_table(
        "log_group",
        sa.Column("id", sa.String(32), primary_key=True),
        sa.Column("account", sa.String(12), nullable=False),
        sa.Column("region", sa.String(32), nullable=False),
        sa.Column("name", sa.String(512), nullable=False),
        sa.Column("owner", sa.String(128), nullable=False),
        sa.Column("settings", DOCUMENT, nullable=False),
        sa.Column("retention_days", sa.Integer),
        sa.Column("tags", DOCUMENT, nullable=False),
        sa.Column("created_at", sa.BigInteger, nullable=False),
    )
    named = ["account", "region", "name"]
    op.create_index("uq_log_group_name", "log_group", named, unique=True)


def _log_streams() -> None:
    op.create_table(
        "log_stream",
        sa.Column("id", sa.String(32), primary_key=True),
        sa.Column("group_id", sa.String(32), sa.ForeignKey("log_group.id")),
        sa.Column("name", sa.String(512), nullable=False),
        sa.Column("created_at", sa.BigInteger, nullable=False),
        sa.Column("first_at", sa.BigInteger),
        sa.Column("last_at", sa.BigInteger),
        sa.Column("ingested_at", sa.BigInteger),
        sa.Column("events", sa.BigInteger, nullable=False),
        sa.Column("bytes", sa.BigInteger, nullable=False),
    )
    op.create_index("uq_log_stream_name", "log_stream", ["group_id", "name"], unique=True)


def _log_chunks() -> None:
    op.create_table(
        "log_chunk",
        sa.Column("stream_id", sa.String(32), sa.ForeignKey("log_stream.id"), primary_key=True),
        sa.Column("sequence", sa.BigInteger, primary_key=True, autoincrement=False),
        sa.Column("start_at", sa.BigInteger, nullable=False),
        sa.Column("end_at", sa.BigInteger, nullable=False),
        sa.Column("rows", sa.Integer, nullable=False),
        sa.Column("bytes", sa.Integer, nullable=False),
        sa.Column("data", sa.LargeBinary, nullable=False),
    )
    op.create_index("ix_log_chunk_end", "log_chunk", ["stream_id", "end_at"])

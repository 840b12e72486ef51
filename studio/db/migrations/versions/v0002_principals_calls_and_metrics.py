"""Owners and calls of resources; access keys; metric series."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    for name, length in (("owner", 128), ("created_call", 64), ("changed_call", 64)):
        column = sa.Column(name, sa.String(length), nullable=False, server_default="")
        op.add_column("resource", column)
    _access_keys()
    _metrics()


def _access_keys() -> None:
    op.create_table(
        "access_key",
        sa.Column("id", sa.String(32), primary_key=True),
        sa.Column("account", sa.String(12), nullable=False),
        sa.Column("principal_kind", sa.String(16), nullable=False),
        sa.Column("principal", sa.String(128), nullable=False),
        sa.Column("session", sa.String(64), nullable=False),
        sa.Column("secret", sa.LargeBinary, nullable=False),
        sa.Column("token_sha256", sa.String(64), nullable=False),
        sa.Column("resource_id", sa.String(32), nullable=False),
        sa.Column("created_at", sa.BigInteger, nullable=False),
        sa.Column("expires_at", sa.BigInteger),
        sa.Column("revoked_at", sa.BigInteger),
    )
    op.create_index("ix_access_key_principal", "access_key", ["principal"])
    op.create_index("ix_access_key_resource_id", "access_key", ["resource_id"])


def _metrics() -> None:
    op.create_table(
        "metric_series",
        sa.Column("id", sa.String(32), primary_key=True),
        sa.Column("account", sa.String(12), nullable=False),
        sa.Column("region", sa.String(32), nullable=False),
        sa.Column("namespace", sa.String(256), nullable=False),
        sa.Column("name", sa.String(256), nullable=False),
        sa.Column("dimensions", sa.JSON, nullable=False),
        sa.Column("unit", sa.String(32), nullable=False),
        sa.Column("created_at", sa.BigInteger, nullable=False),
        sa.Column("last_at", sa.BigInteger, nullable=False),
    )
    op.create_index(
        "ix_metric_series_name", "metric_series", ["account", "region", "namespace", "name"]
    )
    op.create_table(
        "metric_chunk",
        sa.Column("series_id", sa.String(32), sa.ForeignKey("metric_series.id"), primary_key=True),
        sa.Column("start_at", sa.BigInteger, primary_key=True),
        sa.Column("sequence", sa.Integer, primary_key=True),
        sa.Column("end_at", sa.BigInteger, nullable=False),
        sa.Column("count", sa.Integer, nullable=False),
        sa.Column("data", sa.LargeBinary, nullable=False),
    )

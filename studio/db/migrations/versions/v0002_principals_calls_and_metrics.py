"""Owners of resources; calls; access keys; metric series."""

import sqlalchemy as sa
from alembic import op

from studio.db.documents import DOCUMENT

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    owner = sa.Column("owner", sa.String(128), nullable=False, server_default="")
    op.add_column("resource", owner)
    op.create_index("ix_resource_kind_modified", "resource", ["kind", "modified_at", "id"])
    order = ["kind", "status", "created_at", "id"]
    op.create_index("ix_resource_kind_status", "resource", order)
    op.create_index("ix_run_phase", "run", ["phase"])
    _calls()
    _access_keys()
    _metrics()


def _calls() -> None:
    op.create_table(
        "call",
        sa.Column("mark", sa.String(64), primary_key=True),
        sa.Column("resource_id", sa.String(32), nullable=False),
        sa.Column("at", sa.BigInteger, nullable=False),
    )
    op.create_index("ix_call_at", "call", ["at"])


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
        sa.Column("owner", sa.String(128), nullable=False),
        sa.Column("policy", sa.Text, nullable=False),
        sa.Column("run_id", sa.String(96), nullable=False),
        sa.Column("created_at", sa.BigInteger, nullable=False),
        sa.Column("expires_at", sa.BigInteger),
        sa.Column("revoked_at", sa.BigInteger),
    )
    op.create_index("ix_access_key_principal", "access_key", ["principal"])
    op.create_index("ix_access_key_run_id", "access_key", ["run_id"])


def _metrics() -> None:
    op.create_table(
        "metric_series",
        sa.Column("id", sa.String(32), primary_key=True),
        sa.Column("account", sa.String(12), nullable=False),
        sa.Column("region", sa.String(32), nullable=False),
        sa.Column("namespace", sa.String(256), nullable=False),
        sa.Column("name", sa.String(256), nullable=False),
        sa.Column("dimensions", DOCUMENT, nullable=False),
        sa.Column("last_at", sa.BigInteger, nullable=False),
    )
    op.create_index(
        "ix_metric_series_name",
        "metric_series",
        ["account", "region", "namespace", "name", "id"],
    )
    op.create_table(
        "metric_chunk",
        sa.Column("series_id", sa.String(32), sa.ForeignKey("metric_series.id"), primary_key=True),
        sa.Column("sequence", sa.Integer, primary_key=True),
        sa.Column("unit", sa.String(32), nullable=False),
        sa.Column("period", sa.Integer, nullable=False),
        sa.Column("start_at", sa.BigInteger, nullable=False),
        sa.Column("end_at", sa.BigInteger, nullable=False),
        sa.Column("rows", sa.Integer, nullable=False),
        sa.Column("data", sa.LargeBinary, nullable=False),
    )
    op.create_index("ix_metric_chunk_period", "metric_chunk", ["period", "end_at"])
    op.create_table(
        "metric_source",
        sa.Column("name", sa.String(160), primary_key=True),
        sa.Column("position", sa.BigInteger, nullable=False),
    )

"""Resources and runs."""

import sqlalchemy as sa
from alembic import op

from studio.db.documents import DOCUMENT

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    live = sa.text("deleted_at IS NULL")
    due = sa.text("due_at IS NOT NULL")
    op.create_table(
        "resource",
        sa.Column("id", sa.String(32), primary_key=True),
        sa.Column("account", sa.String(12), nullable=False),
        sa.Column("region", sa.String(32), nullable=False),
        sa.Column("kind", sa.String(64), nullable=False),
        sa.Column("name", sa.String(256), nullable=False),
        sa.Column("arn", sa.String(512), nullable=False),
        sa.Column("status", sa.String(64), nullable=False),
        sa.Column("spec", DOCUMENT, nullable=False),
        sa.Column("state", DOCUMENT, nullable=False),
        sa.Column("tags", DOCUMENT, nullable=False),
        sa.Column("desired", sa.String(16), nullable=False),
        sa.Column("generation", sa.Integer, nullable=False),
        sa.Column("created_at", sa.BigInteger, nullable=False),
        sa.Column("modified_at", sa.BigInteger, nullable=False),
        sa.Column("deleted_at", sa.BigInteger),
        sa.Column("due_at", sa.BigInteger),
    )
    op.create_index(
        "uq_resource_name",
        "resource",
        ["account", "region", "kind", "name"],
        unique=True,
        sqlite_where=live,
        postgresql_where=live,
    )
    op.create_index("ix_resource_arn", "resource", ["arn"])
    op.create_index("ix_resource_kind_created", "resource", ["kind", "created_at", "id"])
    op.create_index(
        "ix_resource_due", "resource", ["due_at"], sqlite_where=due, postgresql_where=due
    )
    op.create_table(
        "run",
        sa.Column("id", sa.String(96), primary_key=True),
        sa.Column("resource_id", sa.String(32), sa.ForeignKey("resource.id"), nullable=False),
        sa.Column("role", sa.String(160), nullable=False),
        sa.Column("runner", sa.String(32), nullable=False),
        sa.Column("spec", DOCUMENT, nullable=False),
        sa.Column("handle", DOCUMENT, nullable=False),
        sa.Column("phase", sa.String(16), nullable=False),
        sa.Column("exit_code", sa.Integer),
        sa.Column("message", sa.Text, nullable=False),
        sa.Column("created_at", sa.BigInteger, nullable=False),
        sa.Column("started_at", sa.BigInteger),
        sa.Column("ended_at", sa.BigInteger),
    )
    op.create_index("ix_run_resource_id", "run", ["resource_id"])

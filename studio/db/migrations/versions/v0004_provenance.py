"""Where jobs came from."""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "provenance",
        sa.Column("resource_id", sa.String(32), sa.ForeignKey("resource.id"), primary_key=True),
        sa.Column("recorded_at", sa.BigInteger, nullable=False),
        sa.Column("path", sa.Text, nullable=False),
        sa.Column("cell_id", sa.String(64), nullable=False),
        sa.Column("execution_count", sa.Integer),
        sa.Column("data", sa.LargeBinary, nullable=False),
    )
    op.create_index("ix_provenance_cell_id", "provenance", ["cell_id"])

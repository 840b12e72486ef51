"""Tests of two variants of an endpoint: how their arms answered, and what was fed back."""

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None


def upgrade() -> None:
    counts = ("window_ms", "requests", "errors", "feedbacks", "late")
    sums = ("log_sum", "log_squares", "value_sum", "value_squares")
    op.create_table(
        "test_arm",
        sa.Column("test_id", sa.String(32), sa.ForeignKey("resource.id"), primary_key=True),
        sa.Column("variant", sa.String(63), primary_key=True),
        *(sa.Column(it, sa.BigInteger, nullable=False) for it in counts),
        *(sa.Column(it, sa.Double, nullable=False) for it in sums),
    )
    op.create_table(
        "test_answer",
        sa.Column("test_id", sa.String(32), sa.ForeignKey("resource.id"), primary_key=True),
        sa.Column("digest", sa.LargeBinary, primary_key=True),
        sa.Column("at", sa.BigInteger, nullable=False),
        sa.Column("variant", sa.String(63)),
        sa.Column("value", sa.Double),
        sa.Column("value_at", sa.BigInteger),
        sqlite_with_rowid=False,
    )

"""What lists of panels are sorted by, in one index."""

import sqlalchemy as sa
from alembic import op

from studio.db.documents import document

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None

_INDEX = (
    "kind",
    "account",
    "region",
    "created_at",
    "id",
    "modified_at",
    "name",
    "status",
    "owner",
    "began_at",
    "ended_at",
    "deleted_at",
)


def upgrade() -> None:
    op.add_column("resource", sa.Column("began_at", sa.BigInteger))
    op.add_column("resource", sa.Column("ended_at", sa.BigInteger))
    _fill(op.get_bind())
    op.create_index(
        "ix_resource_shown",
        "resource",
        _INDEX,
        sqlite_where=sa.text("deleted_at IS NULL"),
        postgresql_where=sa.text("deleted_at IS NULL"),
    )


def _fill(connection: sa.Connection) -> None:
    resource = sa.table(
        "resource", *(sa.column(name) for name in ("id", "kind", "state", "began_at", "ended_at"))
    )
    # As text: a document may hold NaN, which the databases' own JSON refuses.
    query = sa.select(resource.c.id, sa.cast(resource.c.state, sa.Text).label("state"))
    update = resource.update().where(resource.c.id == sa.bindparam("row"))
    for row in connection.execute(query.where(resource.c.kind == "training-job")).all():
        state = document(row.state)
        times = {
            "began_at": state.get("TrainingStartTime"),
            "ended_at": state.get("TrainingEndTime"),
        }
        connection.execute(update, {"row": row.id, **times})

"""Alembic runs the migrations on the connection that studio.db.migrate hands it."""

from alembic import context

from studio.db import experiment_tables  # noqa: F401  it adds to them
from studio.db.tables import METADATA

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=METADATA,
    render_as_batch=True,
    transaction_per_migration=False,
)
context.run_migrations()

"""Experiments: components, their fields, values and series; lineage."""

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None

# Queries reckon in PostgreSQL as in SQLite: nothing fails, what is too great is infinite, and what
# is no number is NULL. Function -> what it returns; what instead, where PostgreSQL would fail.
_RECKONED = {
    "add(x float8, y float8)": ("x + y", "sign(x) * float8 'Infinity'"),
    "subtract(x float8, y float8)": ("x - y", "sign(x) * float8 'Infinity'"),
    "multiply(x float8, y float8)": (
        "x * y",
        "CASE WHEN ln(abs(x)) + ln(abs(y)) > 0 THEN sign(x) * sign(y) * float8 'Infinity' "
        "ELSE 0 END",
    ),
    "divide(x float8, y float8)": (
        "x / nullif(y, 0)",
        "CASE WHEN ln(abs(x)) > ln(abs(y)) THEN sign(x) * sign(y) * float8 'Infinity' ELSE 0 END",
    ),
    "power(x float8, y float8)": (
        "power(x, y)",
        "CASE WHEN x = 0 OR (x = float8 '-Infinity' AND y > 0) THEN float8 'Infinity' "
        "WHEN sign(y) * sign(ln(abs(x))) < 0 THEN 0 "
        "WHEN x > 0 OR y / 2 = floor(y / 2) THEN float8 'Infinity' "
        "WHEN y = floor(y) THEN float8 '-Infinity' END",
    ),
    "exp(x float8)": ("exp(x)", "CASE WHEN x > 0 THEN float8 'Infinity' ELSE 0 END"),
    "ln(x float8)": ("ln(nullif(greatest(x, 0), 0))", "NULL"),
    "log10(x float8)": ("log(nullif(greatest(x, 0), 0))", "NULL"),
    "sqrt(x float8)": ("sqrt(x)", "NULL"),
    "min(x float8, y float8)": ("least(x, y)", "NULL"),
    "max(x float8, y float8)": ("greatest(x, y)", "NULL"),
}
_FUNCTION = """
CREATE FUNCTION studio_{} RETURNS float8 LANGUAGE plpgsql IMMUTABLE STRICT PARALLEL SAFE AS $$
BEGIN
  RETURN nullif({}, float8 'NaN');
EXCEPTION
  WHEN numeric_value_out_of_range OR invalid_argument_for_power_function THEN RETURN {};
END $$
"""

_NUMBER = sa.BigInteger().with_variant(sa.Integer, "sqlite")


def upgrade() -> None:
    _components()
    _fields()
    _series()
    _executions()
    _edges()
    if op.get_bind().dialect.name == "postgresql":
        for function, (result, instead) in _RECKONED.items():
            op.execute(_FUNCTION.format(function, result, instead))


def _components() -> None:
    op.create_table(
        "component",
        sa.Column("number", _NUMBER, primary_key=True, autoincrement=True),
        sa.Column(
            "resource_id", sa.String(32), sa.ForeignKey("resource.id"), nullable=False, unique=True
        ),
        sa.Column("account", sa.String(12), nullable=False),
        sa.Column("region", sa.String(32), nullable=False),
        sa.Column("owner", sa.String(128), nullable=False),
        sa.Column("name", sa.String(256), nullable=False),
        sa.Column("display_name", sa.String(256), nullable=False),
        sa.Column("source", sa.String(512), nullable=False, index=True),
        sa.Column("source_kind", sa.String(64), nullable=False),
        sa.Column("status", sa.String(64), nullable=False),
        sa.Column("created_at", sa.BigInteger, nullable=False),
        sa.Column("modified_at", sa.BigInteger, nullable=False),
        sa.Column("started_at", sa.BigInteger),
        sa.Column("ended_at", sa.BigInteger),
        sa.Column("starred", sa.Boolean, nullable=False),
        sa.Column("color", sa.String(32), nullable=False),
        sa.Column("note", sa.Text, nullable=False),
        sqlite_autoincrement=True,
    )
    op.create_table(
        "trial",
        sa.Column("resource_id", sa.String(32), sa.ForeignKey("resource.id"), primary_key=True),
        sa.Column(
            "experiment_id",
            sa.String(32),
            sa.ForeignKey("resource.id"),
            nullable=False,
            index=True,
        ),
    )
    shown = ["account", "region", "created_at", "number", "owner", "status", "starred"]
    shown += ["started_at", "ended_at", "name"]
    op.create_index("ix_component_shown", "component", shown)
    op.create_table(
        "membership",
        sa.Column("trial_id", sa.String(32), sa.ForeignKey("resource.id"), primary_key=True),
        sa.Column(
            "component",
            _NUMBER,
            sa.ForeignKey("component.number"),
            primary_key=True,
            index=True,
        ),
        sa.Column(
            "experiment_id",
            sa.String(32),
            sa.ForeignKey("resource.id"),
            nullable=False,
            index=True,
        ),
        sa.Column("created_at", sa.BigInteger, nullable=False),
    )


def _fields() -> None:
    op.create_table(
        "field",
        sa.Column("id", _NUMBER, primary_key=True, autoincrement=True),
        sa.Column("digest", sa.String(32), nullable=False, unique=True),
        sa.Column("account", sa.String(12), nullable=False),
        sa.Column("region", sa.String(32), nullable=False),
        sa.Column("kind", sa.String(16), nullable=False),
        sa.Column("name", sa.Text, nullable=False),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_field_kind", "field", ["account", "region", "kind"])
    op.create_table(
        "value",
        sa.Column("id", _NUMBER, primary_key=True, autoincrement=False),
        sa.Column("number", sa.Double),
        sa.Column("text", sa.Text),
    )
    op.create_table(
        "summary",
        sa.Column("id", _NUMBER, primary_key=True, autoincrement=False),
        sa.Column("count", sa.BigInteger, nullable=False),
        sa.Column("finite", sa.BigInteger, nullable=False),
        sa.Column("last", sa.Double),
        sa.Column("low", sa.Double),
        sa.Column("high", sa.Double),
        sa.Column("mean", sa.Double),
        sa.Column("squares", sa.Double),
        sa.Column("last_step", sa.BigInteger),
        sa.Column("last_at", sa.BigInteger, nullable=False),
        sa.Column("low_step", sa.BigInteger),
        sa.Column("high_step", sa.BigInteger),
        sa.Column("component", _NUMBER, nullable=False, index=True),
        sa.Column("chunks", sa.Integer, nullable=False),
    )


def _series() -> None:
    op.create_table(
        "arrival",
        sa.Column("id", _NUMBER, primary_key=True, autoincrement=True),
        sa.Column("component", _NUMBER, nullable=False),
        sa.Column("data", sa.LargeBinary, nullable=False),
        sqlite_autoincrement=True,
    )
    op.create_table(
        "chunk",
        sa.Column("series", sa.BigInteger, primary_key=True, autoincrement=False),
        sa.Column("sequence", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("count", sa.Integer, nullable=False),
        sa.Column("first_step", sa.BigInteger),
        sa.Column("last_step", sa.BigInteger),
        sa.Column("start_at", sa.BigInteger, nullable=False),
        sa.Column("end_at", sa.BigInteger, nullable=False),
        sa.Column("envelope", sa.LargeBinary, nullable=False),
        sa.Column("points", sa.LargeBinary, nullable=False),
    )


def _executions() -> None:
    op.create_table(
        "execution",
        sa.Column("resource_id", sa.String(32), sa.ForeignKey("resource.id"), primary_key=True),
        sa.Column("recorded_at", sa.BigInteger, nullable=False),
        sa.Column("environment", sa.String(64), nullable=False),
        sa.Column("data", sa.LargeBinary, nullable=False),
    )
    op.create_table(
        "environment",
        sa.Column("digest", sa.String(64), primary_key=True),
        sa.Column("data", sa.LargeBinary, nullable=False),
    )


def _edges() -> None:
    op.create_table(
        "edge",
        sa.Column("source", sa.String(512), primary_key=True),
        sa.Column("destination", sa.String(512), primary_key=True),
        sa.Column("account", sa.String(12), nullable=False),
        sa.Column("region", sa.String(32), nullable=False),
        sa.Column("owner", sa.String(128), nullable=False),
        sa.Column("type", sa.String(32), nullable=False),
        sa.Column("created_at", sa.BigInteger, nullable=False),
    )
    op.create_index("ix_edge_destination", "edge", ["destination"])

"""The tables of experiments: what is compared, its fields and series, and what was made from what.

A value of a field of a component has the id `field << 32 | component`: all values of a field lie
side by side, in the order of the components, so a query walks them together as columns.
"""

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Double,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    String,
    Table,
    Text,
)

from studio.db.tables import METADATA

# A number that SQLite finds a row by without an index, or gives out by itself: of no other type.
NUMBER = BigInteger().with_variant(Integer, "sqlite")

# A trial component as queries see it; its documents are in `resource`.
COMPONENT = Table(
    "component",
    METADATA,
    Column("number", NUMBER, primary_key=True, autoincrement=True),
    Column("resource_id", String(32), ForeignKey("resource.id"), nullable=False, unique=True),
    Column("account", String(12), nullable=False),
    Column("region", String(32), nullable=False),
    Column("owner", String(128), nullable=False),
    Column("name", String(256), nullable=False),
    Column("display_name", String(256), nullable=False),
    # The ARN of the job that it is of, in lower case, and the kind of job; "" without one.
    Column("source", String(512), nullable=False, index=True),
    Column("source_kind", String(64), nullable=False),
    Column("status", String(64), nullable=False),
    Column("created_at", BigInteger, nullable=False),
    Column("modified_at", BigInteger, nullable=False),
    Column("started_at", BigInteger),
    Column("ended_at", BigInteger),
    Column("starred", Boolean, nullable=False),
    Column("color", String(32), nullable=False),
    Column("note", Text, nullable=False),
    sqlite_autoincrement=True,  # a number is not used again
)
# Holds all that most queries look at: a third of the table, in the order of its values.
Index(
    "ix_component_shown",
    COMPONENT.c.account,
    COMPONENT.c.region,
    COMPONENT.c.created_at,
    COMPONENT.c.number,
    COMPONENT.c.owner,
    COMPONENT.c.status,
    COMPONENT.c.starred,
    COMPONENT.c.started_at,
    COMPONENT.c.ended_at,
    COMPONENT.c.name,
)

# The experiment that a trial is of.
TRIAL = Table(
    "trial",
    METADATA,
    Column("resource_id", String(32), ForeignKey("resource.id"), primary_key=True),
    Column("experiment_id", String(32), ForeignKey("resource.id"), nullable=False, index=True),
)

# The trials that a component belongs to.
MEMBERSHIP = Table(
    "membership",
    METADATA,
    Column("trial_id", String(32), ForeignKey("resource.id"), primary_key=True),
    Column("component", NUMBER, ForeignKey("component.number"), primary_key=True, index=True),
    Column("experiment_id", String(32), ForeignKey("resource.id"), nullable=False, index=True),
    Column("created_at", BigInteger, nullable=False),
)

# What components have values of: `kind` is parameter, metric or tag. `digest` is of all the others.
FIELD = Table(
    "field",
    METADATA,
    Column("id", NUMBER, primary_key=True, autoincrement=True),
    Column("digest", String(32), nullable=False, unique=True),
    Column("account", String(12), nullable=False),
    Column("region", String(32), nullable=False),
    Column("kind", String(16), nullable=False),
    Column("name", Text, nullable=False),
    sqlite_autoincrement=True,  # a number is not used again
)
Index("ix_field_kind", FIELD.c.account, FIELD.c.region, FIELD.c.kind)

# A parameter or a tag of a component: a number or a text.
VALUE = Table(
    "value",
    METADATA,
    Column("id", NUMBER, primary_key=True, autoincrement=False),
    Column("number", Double),
    Column("text", Text),
)

# A metric of a component, in short. NaN and the infinities are counted, and may be the last; the
# rest is of finite values, NULL when there are none. `squares` is the sum of squared deviations,
# `chunks` the number of the last piece of the series; a last that is NaN is NULL.
SUMMARY = Table(
    "summary",
    METADATA,
    Column("id", NUMBER, primary_key=True, autoincrement=False),
    Column("count", BigInteger, nullable=False),
    Column("finite", BigInteger, nullable=False),
    Column("last", Double),
    Column("low", Double),
    Column("high", Double),
    Column("mean", Double),
    Column("squares", Double),
    Column("last_step", BigInteger),
    Column("last_at", BigInteger, nullable=False),
    Column("low_step", BigInteger),
    Column("high_step", BigInteger),
    Column("component", NUMBER, nullable=False, index=True),
    Column("chunks", Integer, nullable=False),
)

# Points as they came, of one request: on the disk before they are in their series.
ARRIVAL = Table(
    "arrival",
    METADATA,
    Column("id", NUMBER, primary_key=True, autoincrement=True),
    Column("component", NUMBER, nullable=False),
    Column("data", LargeBinary, nullable=False),
    sqlite_autoincrement=True,  # a number is not used again
)

# A piece of a series, whose id is that of its summary. `envelope` is the little that a chart of
# everything needs, `points` is read for a closer look: SQLite leaves its pages alone until then.
CHUNK = Table(
    "chunk",
    METADATA,
    Column("series", BigInteger, primary_key=True, autoincrement=False),
    Column("sequence", Integer, primary_key=True, autoincrement=False),
    Column("count", Integer, nullable=False),
    Column("first_step", BigInteger),
    Column("last_step", BigInteger),
    Column("start_at", BigInteger, nullable=False),
    Column("end_at", BigInteger, nullable=False),
    Column("envelope", LargeBinary, nullable=False),
    Column("points", LargeBinary, nullable=False),
)

# What the program of a component ran with: compressed, for lists never read it.
EXECUTION = Table(
    "execution",
    METADATA,
    Column("resource_id", String(32), ForeignKey("resource.id"), primary_key=True),
    Column("recorded_at", BigInteger, nullable=False),
    # The digest of its Python and packages, which many have together.
    Column("environment", String(64), nullable=False),
    Column("data", LargeBinary, nullable=False),
)
ENVIRONMENT = Table(
    "environment",
    METADATA,
    Column("digest", String(64), primary_key=True),
    Column("data", LargeBinary, nullable=False),
)

# Lineage: what was made from, or with, what; by ARN, for either end may be of any kind.
EDGE = Table(
    "edge",
    METADATA,
    Column("source", String(512), primary_key=True),
    Column("destination", String(512), primary_key=True),
    Column("account", String(12), nullable=False),
    Column("region", String(32), nullable=False),
    Column("owner", String(128), nullable=False),
    Column("type", String(32), nullable=False),
    Column("created_at", BigInteger, nullable=False),
)
Index("ix_edge_destination", EDGE.c.destination)

"""Trial components whose metrics are asked for or put, by name, as the caller may see them."""

from collections.abc import Iterable, Sequence
from typing import NamedTuple

from sqlalchemy import Connection, bindparam, select

from studio.api import access, store
from studio.api.registry import Context
from studio.db.experiment_tables import COMPONENT
from studio.db.prepared import Prepared
from studio.db.tables import RESOURCE
from studio.errors import ResourceNotFound
from studio.experiments import components, fields
from studio.experiments.fields import Field

_PAGE = 500
# Made once: to put a statement together costs more than to run it.
_NAMED = Prepared(
    select(COMPONENT.c.number, RESOURCE.c.name, RESOURCE.c.arn, RESOURCE.c.owner)
    .add_columns(RESOURCE.c.id, COMPONENT.c.started_at)
    .join(COMPONENT, COMPONENT.c.resource_id == RESOURCE.c.id)
    .where(
        RESOURCE.c.account == bindparam("account"),
        RESOURCE.c.region == bindparam("region"),
        RESOURCE.c.kind == components.KIND,
        RESOURCE.c.name.in_(bindparam("names", expanding=True)),
        RESOURCE.c.deleted_at.is_(None),
    )
)


class Component(NamedTuple):
    """What series need to know of a component."""

    number: int
    name: str
    arn: str
    owner: str
    resource_id: str
    started_at: int | None


def named(ctx: Context, connection: Connection, names: Iterable[str]) -> dict[str, Component]:
    """Those of the components that exist and are in the caller's reach."""
    place = {"account": ctx.settings.account, "region": ctx.settings.region}
    wanted, found = list(dict.fromkeys(names)), dict[str, Component]()
    for first in range(0, len(wanted), _PAGE):
        some = {**place, "names": wanted[first : first + _PAGE]}
        for row in _NAMED.all(connection, some):
            component = Component._make(row)
            if access.may(ctx, component.arn, component.owner):
                found[component.name] = component
    return found


def require(ctx: Context, connection: Connection, names: Sequence[str]) -> dict[str, Component]:
    """All of the components. Raises ResourceNotFound for the first that is missing."""
    found = named(ctx, connection, names)
    for name in names:
        if name not in found:
            arn = store.arn(ctx, components.KIND, name)
            raise ResourceNotFound(f"TrialComponent '{arn}' does not exist.")
    return found


def metrics(ctx: Context, connection: Connection, names: Iterable[str]) -> dict[str, int]:
    """The numbers of those of the metrics that some component has."""
    place = ctx.settings.account, ctx.settings.region
    wanted = {name: Field(*place, "metric", fields.text(name)) for name in names}
    found = fields.find(connection, wanted.values())
    return {name: found[field] for name, field in wanted.items() if field in found}

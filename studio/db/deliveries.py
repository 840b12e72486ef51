"""Messages on their way to subscriptions: put, taken in order, put off, done with."""

import uuid
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from sqlalchemy import Connection, func, select

from studio.db import changes
from studio.db.tables import DELIVERY


@dataclass(frozen=True)
class Delivery:
    """A message for one subscription."""

    subscription_id: str
    """Id of its resource."""
    kind: str
    """As its header calls it: Notification, or SubscriptionConfirmation."""
    message_id: str
    body: str = field(repr=False)
    raw: int
    """1: `body` is what was published, and nothing about it."""
    due_at: int
    """UTC milliseconds."""
    attempts: int = 0
    id: str = ""


class Put(NamedTuple):
    """A note: there are messages to send."""


_COLUMNS = [DELIVERY.c[name] for name in Delivery.__dataclass_fields__]


def put(connection: Connection, several: Iterable[Delivery], now: int) -> None:
    """Keep messages until they are taken; `now` is in milliseconds."""
    rows = [vars(it) | {"id": f"{now:012x}{uuid.uuid4().hex[:20]}"} for it in several]
    if rows:
        connection.execute(DELIVERY.insert(), rows)
        changes.note(connection, Put())


def due(connection: Connection, now: int, besides: Collection[str]) -> list[Delivery]:
    """Of each subscription, but those `besides`, the oldest message that may be sent."""
    heads = (
        select(func.min(DELIVERY.c.id))
        .where(DELIVERY.c.due_at <= now, DELIVERY.c.subscription_id.not_in(list(besides)))
        .group_by(DELIVERY.c.subscription_id)
    )
    query = select(*_COLUMNS).where(DELIVERY.c.id.in_(heads)).order_by(DELIVERY.c.id)
    return [Delivery(*row) for row in connection.execute(query)]


def next_due(connection: Connection, after: int) -> int | None:
    """When the first of those is to be sent that are not to be sent yet."""
    query = select(func.min(DELIVERY.c.due_at)).where(DELIVERY.c.due_at > after)
    return connection.execute(query).scalar_one_or_none()


def later(connection: Connection, it: Delivery, due_at: int) -> None:
    """It was sent in vain, and will be again."""
    changed = {"attempts": it.attempts + 1, "due_at": due_at}
    connection.execute(DELIVERY.update().where(DELIVERY.c.id == it.id).values(**changed))


def drop(connection: Connection, it: Delivery) -> bool:
    """Be done with it; False when somebody was before."""
    gone = connection.execute(DELIVERY.delete().where(DELIVERY.c.id == it.id))
    return gone.rowcount > 0


def forget(connection: Connection, subscription_ids: Sequence[str]) -> None:
    """Send nothing more to these subscriptions."""
    mine = DELIVERY.c.subscription_id.in_(subscription_ids)
    connection.execute(DELIVERY.delete().where(mine))

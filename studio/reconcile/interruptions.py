"""Interrupting jobs that said they can bear it, to make room for those of higher priority.

An interrupted job has `desired` "interrupted" until its runs have ended; then its plan has it wait
for its turn anew. That is also what InterruptJob asks for.
"""

from dataclasses import replace

from sqlalchemy import Connection

from studio.db import resources
from studio.db.resources import Resource
from studio.db.session import Database
from studio.reconcile import priorities
from studio.reconcile.broker import Broker
from studio.reconcile.scheduler import Obstacle, Waiting

WANTED = "interrupted"

_LOOK_MS = 1_000


def interrupted(resource: Resource, why: str) -> Resource:
    """`resource` with the wish that it be interrupted. The reason is a sentence for people."""
    return replace(resource, desired=WANTED, state={**resource.state, "InterruptionReason": why})


def for_turn(db: Database, broker: Broker, turn: Waiting, obstacle: Obstacle) -> Obstacle:
    """Interrupt whom `turn`, the first of its line, needs out of its way; why it waits then."""
    if obstacle.ahead:
        return obstacle
    with db.read() as connection:
        holders = _holders(connection)
    ending = [it.id for it in holders if it.desired != "present"]
    lower = [it for it in holders if it.desired == "present" and _yields(it, turn)]
    victims = broker.victims(turn, ending, [it.id for it in sorted(lower, key=_rank)])
    chosen = [it for it in lower if it.id in victims]
    if not chosen:
        return obstacle
    with db.read() as connection:
        me = resources.get(connection, turn.resource_id)
    why = f"Interrupted for {me.name if me else 'a job'}, which has priority {turn.priority}."
    db.write(lambda connection: _store(connection, chosen, why))
    broker.wake(it.id for it in chosen)
    names = ", ".join(it.name for it in chosen)
    return replace(obstacle, reason=f"{obstacle.reason}; interrupting {names}", look_ms=_LOOK_MS)


def _holders(connection: Connection) -> list[Resource]:
    """Whose runs hold something."""
    ids = {run.resource_id for run in resources.open_runs(connection) if run.spec["queued"]}
    return resources.several(connection, sorted(ids))


def _yields(holder: Resource, turn: Waiting) -> bool:
    return priorities.preemptible(holder) and priorities.of(holder) < turn.priority


def _rank(holder: Resource) -> tuple[int, int]:
    """Who goes first: least priority, then who came last, whose work is the least."""
    return priorities.of(holder), -holder.created_at


def _store(connection: Connection, chosen: list[Resource], why: str) -> None:
    for each in chosen:
        # Of another generation meanwhile: it is looked at again soon.
        resources.update(connection, interrupted(each, why))

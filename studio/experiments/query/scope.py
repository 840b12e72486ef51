"""Whose trial components are asked for, when, and the numbers of the fields that are named."""

from collections.abc import Iterable
from dataclasses import dataclass
from weakref import WeakKeyDictionary

from sqlalchemy import ColumnElement, Connection, Engine

from studio.db.experiment_tables import COMPONENT
from studio.experiments import fields
from studio.experiments.query.syntax import Field


@dataclass(frozen=True)
class Scope:
    """Those of an account and a region; of one owner, or of all (None)."""

    account: str
    region: str
    owner: str | None
    now: int
    """UTC milliseconds: when what still runs would end."""

    @property
    def conditions(self) -> list[ColumnElement[bool]]:
        here = [COMPONENT.c.account == self.account, COMPONENT.c.region == self.region]
        return [*here, *self.owned]

    @property
    def owned(self) -> list[ColumnElement[bool]]:
        """For those that are known to be of the account and the region."""
        return [] if self.owner is None else [COMPONENT.c.owner == self.owner]

    def numbers(self, connection: Connection, asked: Iterable[Field]) -> dict[Field, int]:
        """The numbers of those fields that some component has or had; without their aspects."""
        wanted = {
            fields.Field(self.account, self.region, each.kind, each.name): plain(each)
            for each in asked
            if each.kind != "attribute"
        }
        known = _KNOWN.setdefault(connection.engine, {})
        digests = {it: it.digest for it in wanted}
        found = {it: known[digest] for it, digest in digests.items() if digest in known}
        if new := fields.find(connection, [it for it in wanted if it not in found]):
            known |= {digests[it]: number for it, number in new.items()}
        return {wanted[it]: number for it, number in {**found, **new}.items()}


_KNOWN: WeakKeyDictionary[Engine, dict[str, int]] = WeakKeyDictionary()
"""Numbers of fields, by their digests: they never change. Engines of readers see them committed."""


def plain(field: Field) -> Field:
    """The field without an aspect."""
    return Field(field.kind, field.name)

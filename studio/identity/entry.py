"""What the doors of the control plane need: whose key it is, and what that one may do."""

from dataclasses import dataclass

from studio.credentials import Credentials
from studio.db.session import Database
from studio.identity import entities, principals
from studio.identity.authority import Authority
from studio.identity.keys import KeyRing
from studio.settings import Settings


@dataclass(frozen=True)
class Identity:
    keys: KeyRing
    authority: Authority


def opened(db: Database, settings: Settings, key: Credentials) -> Identity:
    """The identities of a home, whose owner has `key`; makes its role at the first start."""
    entities.ensure_role(db, settings.account, settings.role_name)
    owner = principals.owner_of_home(settings.account, settings.role_name)
    ring = KeyRing(db, settings.home, key, owner)
    return Identity(ring, Authority(db, settings.account))

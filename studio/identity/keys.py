"""Access keys: of the owner, of users, and of sessions. All of them are held in memory.

A signature needs the secret in the clear, so that it cannot be hashed: in the table it is
encrypted (AES-GCM) with a key that lies in a file beside it. Of a session's token only the digest
is kept. One process writes the table; every change is in force when the call returns.
"""

import hashlib
import hmac
import os
import secrets
import threading
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from sqlalchemy import Connection, delete, insert, or_, select, update

from studio import durable
from studio.credentials import ALPHABET, Credentials
from studio.db.session import Database
from studio.db.tables import ACCESS_KEY
from studio.errors import StudioError
from studio.identity.principals import Principal

_KEPT_MS = 24 * 3600 * 1000  # an expired key is known as such for a day, then unknown


@dataclass(frozen=True)
class Key:
    """One access key. Times are UTC milliseconds."""

    id: str
    secret: str = field(repr=False)
    principal: Principal
    token_sha256: str = ""
    """Of the session's token; "" for a key that needs none."""
    created_at: int = 0
    expires_at: int | None = None
    revoked_at: int | None = None
    run_id: str = ""

    def expired(self, now: int) -> bool:
        """`now` in milliseconds. A session that was ended counts too."""
        over = self.expires_at is not None and now >= self.expires_at
        return bool(self.token_sha256) and (over or self.revoked_at is not None)

    @property
    def usable(self) -> bool:
        """False for a long-lived key that its owner switched off."""
        return bool(self.token_sha256) or self.revoked_at is None

    def has_token(self, token: str) -> bool:
        """Whether `token` is the one that this key needs ("": none)."""
        given = hashlib.sha256(token.encode("utf-8", "replace")).hexdigest() if token else ""
        return hmac.compare_digest(given, self.token_sha256)


@dataclass(frozen=True)
class Session:
    """Credentials for a while, as STS gives them. Told once, never again."""

    access_key_id: str
    secret_access_key: str = field(repr=False)
    session_token: str = field(repr=False)
    expires_at: int


class KeyRing:
    """Every key by its id. `changed` is called after each change of what is valid."""

    def __init__(self, db: Database, home: Path, owner_key: Credentials, owner: Principal) -> None:
        self._db = db
        key = _key_file(home)
        self._cipher = AESGCM(key)
        self._run_key = hmac.digest(key, b"credentials of runs", "sha256")
        self._owner = Key(owner_key.access_key_id, owner_key.secret_access_key, owner)
        self._lock = threading.Lock()
        self._keys: dict[str, Key] = {}
        self.changed: Callable[[], None] = lambda: None
        self._load()

    @property
    def owner(self) -> Principal:
        """The owner of the home."""
        return self._owner.principal

    def find(self, key_id: str) -> Key | None:
        return self._keys.get(key_id)

    def secret_of(self, key_id: str) -> str | None:
        """What signs for the key; None when it is unknown or switched off."""
        key = self._keys.get(key_id)
        return key.secret if key is not None and key.usable else None

    def all(self) -> list[Key]:
        return list(self._keys.values())

    def of_user(self, name: str) -> list[Key]:
        """The long-lived keys of a user, oldest first."""
        found = [
            key
            for key in self.all()
            if (key.principal.kind, key.principal.name) == ("user", name) and not key.token_sha256
        ]
        return sorted(found, key=lambda key: (key.created_at, key.id))

    def live(self, run_id: str, now: int) -> int:
        """How many sessions of a run are valid."""
        return sum(key.run_id == run_id and not key.expired(now) for key in self.all())

    def create(self, principal: Principal, now: int) -> Key:
        """A long-lived key."""
        key = Key(_new_id("AKIA"), _new_secret(), principal, created_at=now)
        self._insert(key)
        self.changed()
        return key

    def start_session(
        self, principal: Principal, seconds: int, now: int, run_id: str = ""
    ) -> Session:
        """A key with a token, for `seconds`. With `run_id` it ends with that run, if earlier."""
        token = secrets.token_urlsafe(192)
        key = Key(
            _new_id("ASIA"),
            _new_secret(),
            principal,
            token_sha256=hashlib.sha256(token.encode()).hexdigest(),
            created_at=now,
            expires_at=now + seconds * 1000,
            run_id=run_id,
        )
        self._forget_old(now)
        self._insert(key)
        self.changed()
        return Session(key.id, key.secret, token, now + seconds * 1000)

    def set_active(self, key_id: str, active: bool, now: int) -> None:
        """Switch a long-lived key on or off."""
        self._update(ACCESS_KEY.c.id == key_id, None if active else now)

    def end_sessions(self, kind: str, name: str, now: int) -> None:
        """End every session of a user or role."""
        mine = ACCESS_KEY.c.principal_kind == kind, ACCESS_KEY.c.principal == name
        self._update((*mine, ACCESS_KEY.c.token_sha256 != ""), now)

    def end_runs(self, run_ids: Iterable[str], now: int) -> None:
        """End the sessions of runs that are over."""
        wanted = set(run_ids) - {""}
        if any(key.run_id in wanted and key.revoked_at is None for key in self.all()):
            self._update(ACCESS_KEY.c.run_id.in_(wanted), now)

    def delete(self, key_id: str) -> None:
        self._db.write(
            lambda connection: (
                connection.execute(delete(ACCESS_KEY).where(ACCESS_KEY.c.id == key_id)) and None
            )
        )
        self._load()
        self.changed()

    def run_token(self, run_id: str) -> str:
        """What a run shows to get its credentials: nobody else can make it, nothing stores it."""
        return hmac.digest(self._run_key, run_id.encode(), "sha256").hex()

    def _update(self, which: Any, revoked_at: int | None) -> None:
        conditions = which if isinstance(which, tuple) else (which,)
        query = update(ACCESS_KEY).where(*conditions).values(revoked_at=revoked_at)
        self._db.write(lambda connection: connection.execute(query) and None)
        self._load()
        self.changed()

    def _insert(self, key: Key) -> None:
        self._db.write(
            lambda connection: connection.execute(insert(ACCESS_KEY), self._row(key)) and None
        )
        with self._lock:
            self._keys = {**self._keys, key.id: key}

    def _forget_old(self, now: int) -> None:
        old = or_(
            ACCESS_KEY.c.expires_at < now - _KEPT_MS,
            (ACCESS_KEY.c.run_id != "") & (ACCESS_KEY.c.revoked_at < now - _KEPT_MS),
        )
        self._db.write(
            lambda connection: connection.execute(delete(ACCESS_KEY).where(old)) and None
        )
        kept = now - _KEPT_MS
        with self._lock:
            self._keys = {
                key.id: key
                for key in self._keys.values()
                if key.expires_at is None or key.expires_at >= kept
            }

    def _load(self) -> None:
        with self._lock:
            with self._db.read() as connection:
                found = self._read(connection)
            self._keys = {key.id: key for key in (*found, self._owner)}

    def _read(self, connection: Connection) -> list[Key]:
        return [self._key(row._mapping) for row in connection.execute(select(ACCESS_KEY))]

    def _row(self, key: Key) -> dict[str, Any]:
        nonce, who = os.urandom(12), key.principal
        return {
            "id": key.id,
            "account": who.account,
            "principal_kind": who.kind,
            "principal": who.name,
            "session": who.session,
            "owner": who.owner,
            "policy": who.policy,
            "secret": nonce + self._cipher.encrypt(nonce, key.secret.encode(), key.id.encode()),
            "token_sha256": key.token_sha256,
            "run_id": key.run_id,
            "created_at": key.created_at,
            "expires_at": key.expires_at,
            "revoked_at": key.revoked_at,
        }

    def _key(self, row: Any) -> Key:
        secret = row["secret"]
        try:
            clear = self._cipher.decrypt(secret[:12], secret[12:], row["id"].encode())
        except InvalidTag as error:
            raise StudioError(
                "The access keys of this home cannot be decrypted: secret.key is not the file "
                "that they were made with. Restore it from a backup."
            ) from error
        names = (row["account"], row["principal"], row["session"], row["owner"], row["policy"])
        account, name, session, owner, policy = names
        return Key(
            id=row["id"],
            secret=clear.decode(),
            principal=Principal(row["principal_kind"], name, account, owner, session, policy),
            token_sha256=row["token_sha256"],
            created_at=row["created_at"],
            expires_at=row["expires_at"],
            revoked_at=row["revoked_at"],
            run_id=row["run_id"],
        )


def _key_file(home: Path) -> bytes:
    """The key of the home's secrets, made at the first start. Only the owner can read it."""
    path = home / "secret.key"
    if not path.exists():
        durable.write_bytes(path, secrets.token_bytes(32))
    return path.read_bytes()


def _new_id(prefix: str) -> str:
    return prefix + "".join(secrets.choice(ALPHABET) for _ in range(16))


def _new_secret() -> str:
    return secrets.token_urlsafe(30)

"""The owner's access key: made once for a home, kept in a file that only the owner can read."""

import secrets
from dataclasses import asdict, dataclass
from pathlib import Path

from studio import durable

ALPHABET = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567"


@dataclass(frozen=True)
class Credentials:
    access_key_id: str
    secret_access_key: str

    def __repr__(self) -> str:
        return f"Credentials({self.access_key_id})"


def load_or_create(home: Path) -> Credentials:
    """The key in `home`, made when there is none."""
    path = home / "credentials.json"
    document = durable.read_json(path)
    if document is None:
        document = asdict(_generated())
        durable.write_json(path, document)
    return Credentials(**document)


def _generated() -> Credentials:
    identifier = "AKIA" + "".join(secrets.choice(ALPHABET) for _ in range(16))
    return Credentials(identifier, secrets.token_urlsafe(30))

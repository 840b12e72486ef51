"""The owner's access key: made once for a home, kept in a file that only the owner can read."""

import secrets
from dataclasses import asdict, dataclass
from pathlib import Path

from studio import durable
from studio.errors import StudioError

ALPHABET = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567"


@dataclass(frozen=True)
class Credentials:
    access_key_id: str
    secret_access_key: str

    def __repr__(self) -> str:
        return f"Credentials({self.access_key_id})"


def load_or_create(home: Path) -> Credentials:
    """The key in `home`, made when there is none. Raises StudioError for a file that holds none:
    people may write it."""
    path = home / "credentials.json"
    try:
        document = durable.read_json(path)
    except ValueError:
        raise _no_key(path) from None
    if document is None:
        made = _generated()
        durable.write_json(path, asdict(made))
        return made
    if not isinstance(document, dict):
        raise _no_key(path)
    key, secret = document.get("access_key_id"), document.get("secret_access_key")
    if not (isinstance(key, str) and key and isinstance(secret, str) and secret):
        raise _no_key(path)
    return Credentials(key, secret)


def _no_key(path: Path) -> StudioError:
    # Without a word of what it holds.
    return StudioError(
        f'{path} must be {{"access_key_id": "...", "secret_access_key": "..."}}; remove it to have '
        "a new key made."
    )


def _generated() -> Credentials:
    identifier = "AKIA" + "".join(secrets.choice(ALPHABET) for _ in range(16))
    return Credentials(identifier, secrets.token_urlsafe(30))

"""`unprivileged`: somebody without rights, to run code as."""

from people import unprivileged_fixture

__all__ = ["unprivileged_fixture"]

"""`plane`: the port of a control plane in this process, with real sockets and database."""

from plane import plane_fixture

__all__ = ["plane_fixture"]

"""`plane`: the port of a control plane in this process, with real sockets and database.

`cloudwatch`, `client`, `namespace`: see cloudwatch_calls.
"""

from cloudwatch_calls import client_fixture, cloudwatch_fixture, namespace_fixture
from plane import plane_fixture

__all__ = ["client_fixture", "cloudwatch_fixture", "namespace_fixture", "plane_fixture"]

"""`cloudwatch`, `client`, `namespace`: see cloudwatch_calls."""

from cloudwatch_calls import client_fixture, cloudwatch_fixture, namespace_fixture

__all__ = ["client_fixture", "cloudwatch_fixture", "namespace_fixture"]

"""Whose values a caller is shown: one's own, and those of what one may describe.

What a person put belongs to that person; what Studio measured, to whom the job or the endpoint
belongs. Both are hidden from others, unless a policy lets them describe that job or endpoint.
"""

from collections.abc import Iterable, Iterator
from dataclasses import replace
from functools import lru_cache

from sqlalchemy import Connection

from studio.api import access, store
from studio.api.metrics import PROCESSING, TRANSFORM
from studio.api.registry import Context
from studio.metrics import store as metrics
from studio.metrics.rows import Row
from studio.metrics.store import Metric

_HOSTS = {PROCESSING: "processing-job", TRANSFORM: "transform-job"}
# Dimension of what Studio measures -> kind; hosts of other jobs have a namespace.
_MEASURED = {
    "TrainingJobName": "training-job",
    "Host": "training-job",
    "EndpointName": "endpoint",
}
_DESCRIBES = {
    "training-job": "sagemaker:DescribeTrainingJob",
    "processing-job": "sagemaker:DescribeProcessingJob",
    "transform-job": "sagemaker:DescribeTransformJob",
    "endpoint": "sagemaker:DescribeEndpoint",
}
_PREFIXES = ("/aws/sagemaker/", "AWS/SageMaker")


def measured(metric: Metric) -> Iterator[tuple[str, str]]:
    """(kind, name) of the jobs and endpoints that Studio measured this of."""
    if metric.namespace.startswith(_PREFIXES):
        known = _MEASURED
        if metric.namespace in _HOSTS:
            known = {"Host": _HOSTS[metric.namespace]}
        for dimension, value in metric.dimensions:
            if dimension in known:
                # A host is named <job>/<host>.
                yield known[dimension], value.partition("/")[0]


class Sight:
    """What one request may see; what it asked once of the policies it knows."""

    def __init__(self, ctx: Context) -> None:
        self._ctx = ctx
        self._everything = access.only_owner(ctx) is None
        self._describes = lru_cache(maxsize=10_000)(self._may_describe)

    def sees(self, metric: Metric) -> bool:
        """Whether the values of this owner may be shown."""
        if self._everything or metric.owner == self._ctx.caller.principal.owner:
            return True
        return any(self._describes(kind, name, metric.owner) for kind, name in measured(metric))

    def seen(self, found: Iterable[Metric]) -> Iterable[Metric]:
        """Each metric once, however many people put values of it; `found` is in order."""
        last = ""
        for metric in found:
            if metric.key != last and self.sees(metric):
                last = metric.key
                yield metric

    def read(
        self, connection: Connection, metric: Metric, start: int, end: int
    ) -> dict[str, list[Row]]:
        """The rows of all whose values may be shown, as `metrics.read` gives them of one."""
        found: dict[str, list[Row]] = {}
        for each in filter(self.sees, metrics.owners(connection, metric)):
            for unit, rows in metrics.read(connection, each, start, end).items():
                found.setdefault(unit, []).extend(rows)
        return found

    def _may_describe(self, kind: str, name: str, owner: str) -> bool:
        describing = replace(self._ctx, action=_DESCRIBES[kind])
        return access.may(describing, store.arn(self._ctx, kind, name), owner)

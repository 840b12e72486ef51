"""The documents of events, in AWS's spelling; times in epoch seconds, as in AWS's JSON."""

from collections.abc import Iterator
from typing import Any

import orjson

from studio.api import metric_owners, store
from studio.api.registry import Context
from studio.db.resources import Resource, Stored
from studio.feed.ring import Event
from studio.feed.sight import ACTIONS, about, light
from studio.identity.authority import Ask
from studio.metrics.store import Metric
from studio.s3.index import Touched
from studio.wire import models, shapes

# Grows with every line of a log, or is of no concern to anybody outside.
_INTERNAL = ("LogPositions", "FinalMetricDataList", "Routes", "RoutedAt", "Stored")


def resource(note: Stored, now: int) -> Event:
    """What became of a resource; `now` in milliseconds."""
    it = note.resource
    change = "deleted" if it.deleted_at is not None else "created" if note.fresh else "changed"
    document: dict[str, Any] = {
        "Kind": it.kind,
        "Name": it.name,
        "Arn": it.arn,
        "Status": it.status,
        "Change": change,
        "At": now / 1000,
    }
    if "Transitions" in it.state:
        document["SecondaryStatus"] = it.state["Transitions"][-1]["Status"]
    return Event("resource", orjson.dumps(document), light(it))


def told(it: Resource) -> bool:
    """Whether there are events of this kind of resource."""
    return it.kind in ACTIONS


def visible(it: Resource) -> bytes:
    """What can be seen of a resource: while it stays the same, nobody need be told."""
    state = {name: value for name, value in it.state.items() if name not in _INTERNAL}
    return orjson.dumps([it.status, it.desired, it.deleted_at, it.tags, it.spec, state])


def folder(touched: Touched) -> Touched:
    """The place in a bucket that somebody looks at who sees the change."""
    return Touched(touched.bucket, touched.key[: touched.key.rfind("/") + 1])


def object_(place: Touched) -> Event:
    """Something below a prefix changed; a listing of what is above it may have, too."""
    document = {"Bucket": place.bucket, "Prefix": place.key}
    return Event("object", orjson.dumps(document), place.bucket)


Measured = tuple[str, str, str]
"""Kind, name and owner of what was measured."""


def measured(metrics: tuple[Metric, ...]) -> Iterator[Measured]:
    """What the metrics are of: jobs and endpoints."""
    for metric in metrics:
        for kind, name in metric_owners.measured(metric):
            yield kind, name, metric.owner


def metrics(ctx: Context, of: Measured) -> Event:
    """A job or an endpoint has more values of metrics."""
    kind, name, owner = of
    document = {"Kind": kind, "Name": name}
    subject = about(kind, name, store.arn(ctx, kind, name), owner)
    return Event("metrics", orjson.dumps(document), subject)


def images() -> Event:
    """The table of image URIs has changed."""
    return Event("images", b"{}", Ask("studio:ListImageRows", "*"))


def log(subject: Resource, stream: str, size: int) -> Event:
    """A log has that many bytes now."""
    document = {"Kind": subject.kind, "Name": subject.name, "Stream": stream, "Bytes": size}
    return Event("log", orjson.dumps(document), subject)


def capacity(document: dict[str, Any]) -> bytes:
    """What studio:DescribeCapacity answers, as it is sent."""
    model = models.operation_model("studio", "DescribeCapacity")
    assert model is not None
    assert model.output_shape is not None
    return orjson.dumps(shapes.dump(model.output_shape, document))

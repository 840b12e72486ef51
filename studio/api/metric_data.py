"""Metric data as clients write them: names, dimensions, values, and what CloudWatch refuses."""

import base64
import binascii
import json
import zlib
from collections.abc import Iterator
from dataclasses import dataclass, replace

from studio.db.resources import Doc
from studio.errors import ApiError, ValidationException
from studio.metrics.rows import LARGEST, Row, row
from studio.metrics.store import DAY, HOUR, MINUTE, SECOND, Batch, Metric

_MOST_DATA = 1_000
_MOST_VALUES = 150


def points(scope: tuple[str, str], owner: str, request: Doc, now: int) -> list[Batch]:
    """The values of a PutMetricData, as `owner`'s. Raises ApiError: then nothing of it is stored.

    `scope` is account and region.
    """
    namespace = request["Namespace"]
    if namespace.startswith("AWS/"):
        raise invalid("The value AWS/ for parameter Namespace is invalid.")
    data = request.get("MetricData", [])
    if not data:
        raise ApiError("MissingParameter", "The parameter MetricData is required.")
    _few(data, _MOST_DATA, "MetricData")
    batches = [
        _batch(scope, namespace, datum, f"MetricData.member.{number}", now)
        for number, datum in enumerate(data, 1)
    ]
    return [replace(each, metric=replace(each.metric, owner=owner)) for each in batches]


def metric_of(scope: tuple[str, str], request: Doc, path: str = "") -> Metric:
    """The metric that Namespace, MetricName and Dimensions name. Raises ApiError."""
    for name in ("Namespace", "MetricName"):
        if name not in request:
            raise ApiError("MissingParameter", f"The parameter {path}{name} is required.")
    pairs = [(each["Name"], each["Value"]) for each in request.get("Dimensions", [])]
    for name, value in pairs:
        if not (name + value).isascii() or name.startswith(":") or not value.strip():
            raise invalid(f"The value {name}={value} for parameter {path}Dimensions is invalid.")
    if len(dict(pairs)) != len(pairs):
        raise invalid(f"The names in {path}Dimensions are not unique.")
    return Metric(*scope, request["Namespace"], request["MetricName"], tuple(sorted(pairs)))


def described(metric: Metric) -> Doc:
    """As ListMetrics shows it."""
    return {
        "Namespace": metric.namespace,
        "MetricName": metric.name,
        "Dimensions": [{"Name": name, "Value": value} for name, value in metric.dimensions],
    }


def invalid(text: str) -> ApiError:
    return ApiError("InvalidParameterValue", text)


@dataclass(frozen=True)
class Token:
    """Where a page begins, and for which request that is said."""

    mark: int
    position: str

    def next(self, position: str) -> str:
        """The token of the page that begins behind `position`."""
        return base64.urlsafe_b64encode(json.dumps([self.mark, position]).encode()).decode()


def checked(request: Doc, members: tuple[str, ...], code: str = "InvalidParameterValue") -> Token:
    """The NextToken of a request. Raises ApiError(code) for one that another request was given:
    the `members` of both must be alike."""
    filters = [request.get(member) for member in members]
    mark = zlib.crc32(json.dumps(filters, sort_keys=True).encode())
    token = request.get("NextToken")
    if token is None:
        return Token(mark, "")
    try:
        known, position = json.loads(base64.urlsafe_b64decode(token.encode("ascii")))
    except (ValueError, TypeError, binascii.Error):
        known, position = None, ""
    if known != mark or not isinstance(position, str):
        raise ApiError(code, "Invalid NextToken")
    return Token(mark, position)


def _batch(scope: tuple[str, str], namespace: str, datum: Doc, path: str, now: int) -> Batch:
    metric = metric_of(scope, {**datum, "Namespace": namespace}, f"{path}.")
    at = _time(datum, path, now)
    resolution = datum.get("StorageResolution", 60)
    if resolution not in (1, 60):
        text = f"The value {resolution} for parameter {path}.StorageResolution is invalid."
        raise invalid(text)
    rows = tuple(_rows(datum, at, path))
    return Batch(metric, datum.get("Unit", "None"), rows, SECOND if resolution == 1 else MINUTE)


def _time(datum: Doc, path: str, now: int) -> int:
    at = int(datum.get("Timestamp", now))
    if at < now - 14 * DAY:
        raise invalid(
            f"The parameter {path}.Timestamp must specify a time within the past two weeks."
        )
    if at > now + 2 * HOUR:
        late = "must specify a time no more than two hours in the future."
        raise invalid(f"The parameter {path}.Timestamp {late}")
    return at


def _rows(datum: Doc, at: int, path: str) -> Iterator[Row]:
    given = [name for name in ("Value", "Values", "StatisticValues") if name in datum]
    if len(given) > 1:
        raise ApiError(
            "InvalidParameterCombination",
            f"The parameters {path}.{given[0]} and {path}.{given[1]} are mutually exclusive and "
            "you have specified both.",
        )
    if not given:
        raise ApiError(
            "MissingParameter",
            f"At least one of the parameters {path}.Value, {path}.Values or "
            f"{path}.StatisticValues must be specified.",
        )
    if given == ["StatisticValues"]:
        yield _set(datum["StatisticValues"], at, f"{path}.StatisticValues")
        return
    values = datum["Values"] if given == ["Values"] else [datum["Value"]]
    counts = datum.get("Counts", [1.0] * len(values))
    _few(values, _MOST_VALUES, f"{path}.Values")
    if len(values) != len(counts):
        raise invalid(f"The parameters {path}.Values and {path}.Counts must be of the same size.")
    if not values:
        raise ApiError("MissingParameter", f"The parameter {path}.Values is required.")
    for value, count in zip(values, counts, strict=True):
        _in_range(value, f"{path}.{given[0]}")
        if count <= 0 or abs(value * count) > LARGEST or count > LARGEST:
            raise invalid(f"The value {count} for parameter {path}.Counts is invalid.")
        yield row(at, value, count)


def _set(values: Doc, at: int, path: str) -> Row:
    for name, value in values.items():
        _in_range(value, f"{path}.{name}")
    count, low, high = values["SampleCount"], values["Minimum"], values["Maximum"]
    if count <= 0:
        raise invalid(f"The value {count} for parameter {path}.SampleCount is invalid.")
    if low > high:
        raise ApiError(
            "InvalidParameterCombination",
            f"The parameter {path}.Minimum must be less than or equal to {path}.Maximum.",
        )
    return Row(at, count, values["Sum"], low, high)


def _in_range(value: float, path: str) -> None:
    if abs(value) > LARGEST:
        raise invalid(f"The value {value} for parameter {path} is invalid.")


def _few(items: list[Doc], most: int, path: str) -> None:
    if len(items) > most:
        raise invalid(f"The collection {path} must not have a size greater than {most}.")


def unsupported(what: str) -> ApiError:
    """A part of an operation that is not executed."""
    return ValidationException(f"Studio does not execute {what} yet.")

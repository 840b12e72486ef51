"""The limits that an endpoint says itself, by tags: they can be given with CreateEndpoint by every
SDK, be changed while it serves, and policies decide who may set them.
"""

from collections.abc import Iterable, Mapping

from studio.db.resources import Doc, Resource
from studio.errors import ValidationException
from studio.serving import asynchronous
from studio.serving.bounds import MOST_BODY_BYTES, MOST_SECONDS, Bounds
from studio.serving.limits import Limits

_TAGS = {
    "studio:max-payload-bytes": ("body_bytes", MOST_BODY_BYTES),
    "studio:model-timeout-seconds": ("model_seconds", MOST_SECONDS),
    "studio:stream-timeout-seconds": ("stream_seconds", MOST_SECONDS),
}
_MEGABYTE = 1 << 20
_SERVERLESS_BYTES = 4 * _MEGABYTE
_END_SECONDS = 5


def check(tags: Iterable[Mapping[str, str]]) -> None:
    """Raises ValidationException for a limit that is none."""
    for each in tags:
        _, most = _TAGS.get(each["Key"], ("", 0))
        value = each["Value"]
        whole = value.isascii() and value.isdecimal() and len(value) <= 10
        if most and not (whole and 1 <= int(value) <= most):
            raise ValidationException(
                f"The tag {each['Key']} must be a whole number from 1 to {most}, not {value!r}."
            )


def of(endpoint: Resource, serverless: bool = False) -> Doc:
    """What its routes say of them; nothing when AWS's hold for variants of instances."""
    found = {"body_bytes": _SERVERLESS_BYTES} if serverless else {}
    found |= {
        _TAGS[tag["Key"]][0]: int(tag["Value"]) for tag in endpoint.tags if tag["Key"] in _TAGS
    }
    return {"bounds": found} if found else {}


def variables(endpoint: Resource) -> dict[str, str]:
    """Variables by which model servers that know AWS's learn of them when they start."""
    bounds = Bounds(**of(endpoint).get("bounds", {}))
    told = {}
    if bounds.body_bytes:
        # A megabyte is the least that can be told: the router counts bytes.
        told["SAGEMAKER_MAX_PAYLOAD_IN_MB"] = str(-(-bounds.body_bytes // _MEGABYTE))
    seconds = max(bounds.model_seconds, bounds.stream_seconds, _asynchronous_seconds(endpoint))
    if seconds:
        told["SAGEMAKER_MODEL_SERVER_TIMEOUT"] = str(seconds)
    return told


def drain_ms(endpoint: Resource) -> int:
    """How long the longest request of a server that leaves may take."""
    limits = Bounds(**of(endpoint).get("bounds", {})).applied(Limits())
    longest = max(limits.model_seconds, limits.stream_seconds, _asynchronous_seconds(endpoint))
    return int(1_000 * (longest + _END_SECONDS))


def _asynchronous_seconds(endpoint: Resource) -> int:
    """That a request may take for which nobody waits."""
    config = endpoint.state["Deployments"][-1].get("Async")
    return asynchronous.LONGEST_SECONDS if config else 0

"""Variants that may have no servers: how many they have now follows from what is asked of them.

`InitialInstanceCount` of a variant is what it has, or is about to have. A serverless variant has as
many as its requests of the last minutes needed at once, and none when there were none. A variant of
instances sleeps when it was given a count of 0, and wakes with one at the first request.
"""

from collections.abc import Iterable, Mapping
from dataclasses import replace
from math import ceil
from typing import Any

from studio.db.resources import Doc, Resource
from studio.errors import ValidationException
from studio.serving.limits import Limits
from studio.serving.table import Sleep

IDLE_TAG = "studio:idle-seconds"
"""Of an endpoint: after how long without requests its servers go to sleep."""
_LONGEST_IDLE = 86_400

_CAPACITY = 4
"""Requests that a server of a serverless variant has at once."""
_ROUNDED_MS = 1_000
"""Demand is told to a second."""
_REMEMBERED = 20


def may_sleep(variant: Doc) -> bool:
    return "ServerlessConfig" in variant or bool(variant.get("Sleeps"))


def may_any(endpoint: Resource) -> bool:
    deployments = endpoint.state["Deployments"]
    return any(may_sleep(it) for each in deployments for it in each["Variants"])


def with_count(variant: Doc, count: int) -> Doc:
    """A variant of instances with so many; with 0 it sleeps until the next request."""
    return {**variant, "InitialInstanceCount": count, **({} if count else {"Sleeps": True})}


def begun(variant: Doc, now: int) -> Doc:
    """A serverless variant as it begins: one server shows at once whether the model is any good."""
    if "ServerlessConfig" not in variant:
        return variant
    count = max(1, _floor(variant["ServerlessConfig"]))
    return {**variant, "InitialInstanceCount": count, "AwakeSince": now}


def adjusted(endpoint: Resource, demand: Mapping[str, Any], idle: float, now: int) -> Resource:
    """The endpoint with as many servers as its requests need: more at any time, fewer only while
    it is InService. `demand`: see studio.serving.waking; `idle`: seconds, unless its tag says."""
    deployments = endpoint.state["Deployments"]
    idle_ms = _idle_ms(endpoint, idle)
    starts = endpoint.state.get("ColdStarts", [])
    made, woken = [], []
    for deployment in deployments:
        variants = []
        for variant in deployment["Variants"]:
            known = demand.get(f"{endpoint.name}/{variant['VariantName']}", {})
            starts = _followed(starts, variant, known)
            changed = _adjusted(variant, known, endpoint.status == "InService", idle_ms, now)
            if changed is not variant and not variant["InitialInstanceCount"]:
                woken.append({"Variant": variant["VariantName"], **_times(known), "Noticed": now})
            variants.append(changed)
        made.append({**deployment, "Variants": variants})
    if made == deployments and starts == endpoint.state.get("ColdStarts", []) and not woken:
        return endpoint
    state = {**endpoint.state, "Deployments": made, "ColdStarts": [*starts, *woken][-_REMEMBERED:]}
    return replace(endpoint, state=state)


def slept(endpoint: Resource, variant: Doc, trouble: str) -> Doc:
    """What the router's table says of a variant that may sleep; nothing of others. `trouble`: why
    it has no server though it should."""
    if not may_sleep(variant):
        return {}
    config = variant.get("ServerlessConfig")
    sleep: Doc = {"endpoint": endpoint.id, "capacity": Limits.in_flight}
    if config:
        sleep |= {
            "capacity": _capacity(config),
            "most": config["MaxConcurrency"],
            "warm": config.get("ProvisionedConcurrency", 0),
        }
    return {"sleep": sleep | ({"trouble": trouble} if trouble else {})}


def table(route: Doc) -> Sleep | None:
    return Sleep(**route["sleep"]) if "sleep" in route else None


def check(tags: Iterable[Mapping[str, str]]) -> None:
    """Raises ValidationException for seconds that are none."""
    for each in tags:
        if each["Key"] == IDLE_TAG and not _seconds(each["Value"]):
            raise ValidationException(
                f"The tag {IDLE_TAG} must be a whole number of seconds from 1 to {_LONGEST_IDLE}, "
                f"not {each['Value']!r}."
            )


def _floor(config: Doc) -> int:
    """Servers that are always there."""
    return ceil(int(config.get("ProvisionedConcurrency", 0)) / _capacity(config))


def _capacity(config: Doc) -> int:
    return min(_CAPACITY, int(config["MaxConcurrency"]))


def _idle_ms(endpoint: Resource, idle: float) -> int:
    found = (_seconds(tag["Value"]) for tag in endpoint.tags if tag["Key"] == IDLE_TAG)
    return round(next(found, idle) * 1_000)


def _seconds(text: str) -> int:
    """0 for what is no number of seconds."""
    valid = text.isascii() and text.isdigit() and len(text) <= 5
    return int(text) if valid and int(text) <= _LONGEST_IDLE else 0


def _adjusted(variant: Doc, known: Doc, settled: bool, idle_ms: int, now: int) -> Doc:
    count = variant.get("InitialInstanceCount", 1)
    if "ServerlessConfig" in variant:
        wanted = _needed(variant, known, idle_ms, now)
    elif variant.get("Sleeps") and known.get("Asked", 0) > known.get("Ready", 0):
        wanted = max(count, 1)
    else:
        return variant
    if wanted > count:
        return {**variant, "InitialInstanceCount": wanted, "AwakeSince": now}
    if wanted < count and settled and not known.get("Held"):
        return {**variant, "InitialInstanceCount": wanted}
    return variant


def _needed(variant: Doc, known: Doc, idle_ms: int, now: int) -> int:
    """Servers that were needed at once not long ago; what has just woken stays for a while."""
    config = variant["ServerlessConfig"]
    busy = [at for at in known.get("Busy", ()) if now - at < idle_ms + _ROUNDED_MS]
    floor = _floor(config)
    if now - variant.get("AwakeSince", 0) < idle_ms:
        floor = max(floor, int(variant["InitialInstanceCount"]))
    return max(floor, min(len(busy), ceil(int(config["MaxConcurrency"]) / _capacity(config))))


def _times(known: Doc) -> Doc:
    return {name: known.get(name, 0) for name in ("Asked", "Ready", "Answered")}


def _followed(starts: list[Doc], variant: Doc, known: Doc) -> list[Doc]:
    """The cold starts, of which the last of this variant may have gone on."""
    mine = [each for each in starts if each["Variant"] == variant["VariantName"]]
    if not mine or mine[-1]["Answered"] or mine[-1]["Asked"] != known.get("Asked"):
        return starts
    return [{**each, **_times(known)} if each is mine[-1] else each for each in starts]

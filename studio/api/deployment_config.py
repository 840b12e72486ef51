"""DeploymentConfig: what AWS refuses of one, and the stages that it stands for.

A stage gives the new fleet a larger share of the requests, and waits. Blue/green starts all new
servers before the first, and keeps all old ones to the last; a rolling update starts new servers
and stops old ones from stage to stage.
"""

from dataclasses import dataclass
from fractions import Fraction
from math import ceil

from studio.db.resources import Doc
from studio.errors import ValidationException

_WHOLE = Fraction(1)
_SIZES = {"CANARY": "CanarySize", "LINEAR": "LinearStepSize"}
# Least and largest part of the capacity that AWS allows.
_LIMITS = {
    "CanarySize": (Fraction(0), Fraction(1, 2)),
    "LinearStepSize": (Fraction(1, 10), Fraction(1, 2)),
    "MaximumBatchSize": (Fraction(1, 20), Fraction(1, 2)),
    "RollbackMaximumBatchSize": (Fraction(0), _WHOLE),
}


@dataclass(frozen=True)
class Stage:
    """The new fleet's share of the requests, and how much of either fleet has to run for it."""

    share: Fraction
    new: Fraction = _WHOLE
    old: Fraction = _WHOLE


@dataclass(frozen=True)
class Strategy:
    """How an update goes. Times are milliseconds."""

    name: str
    """ALL_AT_ONCE, CANARY, LINEAR or ROLLING."""
    stages: tuple[Stage, ...] = (Stage(_WHOLE),)
    wait: int = 0
    """After each stage."""
    termination_wait: int = 0
    """For how long the old servers are kept, without requests, after all that."""
    timeout: int | None = None
    rollback_batch: Fraction = _WHOLE
    """How much of the old fleet is started at a time to go back."""
    alarms: tuple[str, ...] = ()
    """Names; any in ALARM rolls the update back."""


def checked(config: Doc | None, variants: list[Doc]) -> Doc:
    """The DeploymentConfig of a request for a fleet of these variants. Raises
    ValidationException."""
    config = config or {}
    both = [it for it in ("BlueGreenUpdatePolicy", "RollingUpdatePolicy") if it in config]
    if len(both) > 1:
        raise _invalid(f"{both[0]} and {both[1]} cannot be specified together")
    routing = config.get("BlueGreenUpdatePolicy", {}).get("TrafficRoutingConfiguration", {})
    for type_, member in _SIZES.items():
        if (routing.get("Type") == type_) != (member in routing):
            needed = "is required" if routing.get("Type") == type_ else "is not allowed"
            raise _invalid(f"{member} {needed} for traffic routing {routing.get('Type')}")
    rolling = config.get("RollingUpdatePolicy", {})
    for member in _LIMITS:
        if member in routing or member in rolling:
            _check_size(member, routing.get(member) or rolling[member], _instances(variants))
    _check_time(strategy(config, variants))
    return config


def strategy(config: Doc, variants: list[Doc]) -> Strategy:
    """What a DeploymentConfig that is right asks for; an empty one moves all at once."""
    names = config.get("AutoRollbackConfiguration", {}).get("Alarms", ())
    alarms = tuple(it["AlarmName"] for it in names if "AlarmName" in it)
    policy = config.get("BlueGreenUpdatePolicy") or config.get("RollingUpdatePolicy")
    if policy is None:
        return Strategy("ALL_AT_ONCE", alarms=alarms)
    routing = policy.get("TrafficRoutingConfiguration")
    rolling = routing is None
    kind = "ROLLING" if rolling else routing["Type"]
    count = _instances(variants)
    timeout = policy.get("MaximumExecutionTimeoutInSeconds")
    back = policy.get("RollbackMaximumBatchSize")
    return Strategy(
        kind,
        _rolled(policy, count) if rolling else _routed(routing, count),
        1_000 * (policy if rolling else routing)["WaitIntervalInSeconds"],
        1_000 * policy.get("TerminationWaitInSeconds", 0),
        None if timeout is None else 1_000 * timeout,
        _part(back, count) if back else _WHOLE,
        alarms,
    )


def _routed(routing: Doc, count: int) -> tuple[Stage, ...]:
    if routing["Type"] == "CANARY":
        return Stage(_part(routing["CanarySize"], count)), Stage(_WHOLE)
    if routing["Type"] == "LINEAR":
        return tuple(Stage(it) for it in _steps(_part(routing["LinearStepSize"], count)))
    return (Stage(_WHOLE),)


def _rolled(policy: Doc, count: int) -> tuple[Stage, ...]:
    shares = _steps(_part(policy["MaximumBatchSize"], count))
    before = (Fraction(0), *shares)
    return tuple(
        Stage(share, new=share, old=1 - gone) for share, gone in zip(shares, before, strict=False)
    )


def _steps(size: Fraction) -> list[Fraction]:
    return [min(_WHOLE, number * size) for number in range(1, ceil(1 / size) + 1)]


def _part(size: Doc, count: int) -> Fraction:
    """Of a fleet with that many instances."""
    whole = 100 if size["Type"] == "CAPACITY_PERCENT" else count
    return min(_WHOLE, Fraction(size["Value"], whole))


def _instances(variants: list[Doc]) -> int:
    """Of the largest variant: a size in instances is about each of the variants."""
    return max(
        (it.get("InitialInstanceCount", 1) for it in variants if "Shadow" not in it), default=1
    )


def _check_size(member: str, size: Doc, count: int) -> None:
    percent = size["Type"] == "CAPACITY_PERCENT"
    least, most = _LIMITS[member]
    if not least <= Fraction(size["Value"], 100 if percent else count) <= most:
        of = "%" if percent else f" of {count} instances"
        raise _invalid(
            f"{member} must be between {float(least):.0%} and {float(most):.0%} of the capacity, "
            f"and is {size['Value']}{of}"
        )


def _check_time(wanted: Strategy) -> None:
    waiting = len(wanted.stages) * wanted.wait + wanted.termination_wait
    if wanted.timeout is not None and wanted.timeout <= waiting:
        raise _invalid(
            f"MaximumExecutionTimeoutInSeconds ({wanted.timeout // 1_000}) must be larger than the "
            f"total waiting time of the deployment ({waiting // 1_000})"
        )


def _invalid(text: str) -> ValidationException:
    return ValidationException(f"Invalid DeploymentConfig: {text}.")

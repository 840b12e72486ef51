"""What a test of two variants says, from its arms: pure. The statistics are in
studio/experiments/sequential.py; here are the metrics, the guardrails and the words.
"""

import math
from dataclasses import dataclass

from studio.db.resources import Doc
from studio.experiments import sequential
from studio.experiments.arms import Tally
from studio.experiments.sequential import Effect, Sample

RUNNING, STOPPED = "Running", "Stopped"
TREATMENT, CONTROL = "TreatmentWon", "ControlWon"
NO_DIFFERENCE, INCONCLUSIVE, VIOLATED = "NoDifference", "Inconclusive", "GuardrailViolated"

FEEDBACK = ("Conversion", "Value")
"""Metrics whose values clients send; the router has those of the others."""

_SURE_OF_IMBALANCE = 0.001
_WORDS = {
    "Conversion": ("converts {} better", "converts {} worse"),
    "Value": ("has {} higher values", "has {} lower values"),
    "Errors": ("fails {} more often", "fails {} less often"),
    "ModelLatency": ("is {} slower", "is {} faster"),
}


@dataclass(frozen=True)
class Compared:
    """A metric of both arms: the difference (of ModelLatency, of the logarithms), and what it is as
    a part of the control's mean; None while nothing can be said, or of a mean of 0."""

    control: Sample
    treatment: Sample
    effect: Effect | None
    relative: tuple[float, float, float] | None
    """Estimate, low, high."""


@dataclass(frozen=True)
class Guardrail:
    metric: str
    limit: float
    state: str
    """Unknown, Held or Violated."""
    compared: Compared


@dataclass(frozen=True)
class Reading:
    """All that the arms of a test say now."""

    main: Compared
    guardrails: tuple[Guardrail, ...]
    left: int | None
    """Values still wanted of both arms, if the effect is the least that matters."""
    imbalance: float
    """Always-valid p-value of arms that got what the weights say, the less likely of requests and
    feedback."""

    @property
    def samples(self) -> int:
        """Values of the metric, of both arms."""
        return self.main.control.count + self.main.treatment.count

    @property
    def unbalanced(self) -> bool:
        """Whether the arms are surely not comparable: something loses requests or feedback."""
        return self.imbalance < _SURE_OF_IMBALANCE


def rises(spec: Doc, metric: str) -> bool:
    """Whether more of a metric is better."""
    if metric == spec["Metric"]:
        return bool(spec["Direction"] == "Increase")
    return metric in FEEDBACK


def metrics(spec: Doc) -> list[str]:
    """Those of a test: its own first, then those of its guardrails."""
    return [spec["Metric"], *(it["Metric"] for it in spec["Guardrails"])]


def scales(spec: Doc, known: Doc, arms: tuple[Tally, Tally]) -> Doc:
    """By metric, what a relative effect is a part of: the control's mean, once both arms have the
    fewest values. It stays what it was then: what is looked for must not follow what is found."""
    found = dict(known)
    for metric in metrics(spec):
        control, treatment = (it.sample(metric) for it in arms)
        if metric in found or min(control.count, treatment.count) < sequential.FEWEST:
            continue
        if metric == "ModelLatency":
            found[metric] = 1.0
        elif scale := abs(control.mean) or math.sqrt(control.variance):
            found[metric] = scale
    return found


def read(spec: Doc, scale: Doc, arms: tuple[Tally, Tally], share: float) -> Reading:
    """`arms` are the control's and the treatment's; `share`: of their requests, the treatment's."""
    metric, alpha = spec["Metric"], spec["Alpha"]
    tau = _part(metric, spec["MinimumEffect"]) * scale.get(metric, 0.0)
    control, treatment = arms
    mine = control.sample(metric), treatment.sample(metric)
    pairs = [(control.requests, treatment.requests)]
    if any(it in FEEDBACK for it in metrics(spec)):
        pairs.append((control.feedbacks, treatment.feedbacks))
    return Reading(
        _compared(metric, arms, tau, alpha),
        tuple(_guarded(spec, each, scale, arms) for each in spec["Guardrails"]),
        sequential.left(*mine, tau, alpha, spec["Power"]) if tau else None,
        min(sequential.imbalance(*each, share) for each in pairs),
    )


def verdict(spec: Doc, scale: Doc, reading: Reading, elapsed: int) -> str:
    """The state of a test that has run for so many milliseconds. A guardrail comes first."""
    if any(it.state == "Violated" for it in reading.guardrails):
        return VIOLATED
    effect, metric = reading.main.effect, spec["Metric"]
    if effect is not None:
        if effect.low > 0 or effect.high < 0:
            return TREATMENT if (effect.low > 0) == rises(spec, metric) else CONTROL
        least = _part(metric, spec["MinimumEffect"]) * scale[metric]
        if -least < effect.low and effect.high < least:
            return NO_DIFFERENCE
    most = spec.get("MaximumSamples")
    over = elapsed >= 1_000 * spec["MaximumDurationInSeconds"]
    return INCONCLUSIVE if over or (most and reading.samples >= most) else RUNNING


def summary(spec: Doc, status: str, reading: Reading, reason: str = "") -> str:
    """A sentence or two for people. `reason`: why a test was stopped."""
    control, treatment = spec["ControlVariant"], spec["TreatmentVariant"]
    effect, told = reading.main.effect, _told(spec, reading.main)
    if status == STOPPED:
        return " ".join(it for it in (f"Stopped: {reason}", told and f"Until then {told}.") if it)
    if effect is None or not told:
        counts = reading.main.control.count, reading.main.treatment.count
        text = f"{counts[0]:,} values of {control} and {counts[1]:,} of {treatment}"
        return f"{text}: at least {sequential.FEWEST} of each are needed to say anything."
    sure = f"Sure at {100 * (1 - spec['Alpha']):g} %, whenever one looks."
    if status == VIOLATED:
        found = next(it for it in reading.guardrails if it.state == "Violated")
        worse = _told({**spec, "Metric": found.metric}, found.compared)
        limit = f"{100 * found.limit:g} %"
        return f"A guardrail is violated: {worse}, and {limit} worse was the limit. {sure}"
    if status == NO_DIFFERENCE:
        least = f"{100 * spec['MinimumEffect']:g} %"
        return f"{treatment} and {control} differ by less than {least}. {sure}"
    if status == INCONCLUSIVE:
        return f"The test is over and has not settled it: {told}."
    if status in (TREATMENT, CONTROL):
        return f"{told}. {sure}"
    more = reading.left
    rest = f" About {more:,} values more settle it." if more else ""
    return f"So far {told}.{rest}"


def percent(part: float) -> str:
    """A part as people read it: of two digits at least."""
    value = abs(100 * part)
    return f"{value:.0f} %" if value >= 10 else f"{value:.2g} %"


def _told(spec: Doc, compared: Compared) -> str:
    """`green converts 12 % better than blue (between 4 % better and 20 % better)`."""
    if compared.relative is None:
        return ""
    estimate, low, high = compared.relative
    more, less = _WORDS[spec["Metric"]]
    said = (more if estimate >= 0 else less).format(percent(estimate))
    around = f"between {_signed(low)} and {_signed(high)}"
    return f"{spec['TreatmentVariant']} {said} than {spec['ControlVariant']} ({around})"


def _signed(part: float) -> str:
    return f"{'−' if part < 0 else '+'}{percent(part)}"  # noqa: RUF001


def _part(metric: str, relative: float) -> float:
    """A relative change in the measure of the metric's differences."""
    return math.log1p(relative) if metric == "ModelLatency" else relative


def _compared(metric: str, arms: tuple[Tally, Tally], tau: float, alpha: float) -> Compared:
    control, treatment = (it.sample(metric) for it in arms)
    effect = sequential.compared(control, treatment, tau, alpha) if tau else None
    return Compared(control, treatment, effect, _relative(metric, control, effect))


def _relative(
    metric: str, control: Sample, effect: Effect | None
) -> tuple[float, float, float] | None:
    if effect is None:
        return None
    values = effect.estimate, effect.low, effect.high
    if metric == "ModelLatency":
        estimate, low, high = (math.expm1(min(it, 50.0)) for it in values)
        return estimate, low, high
    if not control.mean:
        return None
    estimate, low, high = (it / abs(control.mean) for it in values)
    return estimate, low, high


def _guarded(spec: Doc, guardrail: Doc, scale: Doc, arms: tuple[Tally, Tally]) -> Guardrail:
    """A guardrail has its part of alpha. Beyond its limit surely is violated, within it held."""
    metric, limit = guardrail["Metric"], guardrail["MaxWorsening"]
    alpha = spec["Alpha"] / len(spec["Guardrails"])
    tau = _part(metric, limit) * scale.get(metric, 0.0)
    found = _compared(metric, arms, tau, alpha)
    state = "Unknown"
    if found.effect is not None:
        low, high = _beyond(metric, found, limit, tau, alpha, rises(spec, metric))
        state = "Violated" if low > 0 else "Held" if high < 0 else "Unknown"
    return Guardrail(metric, limit, state, found)


def _beyond(
    metric: str, found: Compared, limit: float, tau: float, alpha: float, rises: bool
) -> tuple[float, float]:
    """By how much the treatment is worse than the limit allows: low and high."""
    assert found.effect is not None
    if metric == "ModelLatency":
        return found.effect.low - math.log1p(limit), found.effect.high - math.log1p(limit)
    mean = found.control.mean
    factor = 1 + math.copysign(limit, mean) * (-1 if rises else 1)
    effect = sequential.compared(found.control, found.treatment, tau, alpha, factor)
    assert effect is not None
    return (-effect.high, -effect.low) if rises else (effect.low, effect.high)

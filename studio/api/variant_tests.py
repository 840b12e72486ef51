"""Tests of two variants of an endpoint: the operations. When one ends is in variant_test_plan.py,
what it says in variant_verdict.py.
"""

import math
from collections.abc import Mapping
from dataclasses import replace
from functools import partial

from sqlalchemy import Connection

from studio.api import access, endpoints, store, variant_verdict
from studio.api.registry import Context, operation
from studio.api.variant_verdict import RUNNING, STOPPED
from studio.db import resources
from studio.db.resources import Doc, Resource
from studio.errors import ResourceInUse, ResourceNotFound, ValidationException
from studio.experiments import arms
from studio.experiments.arms import Feedback, Tally
from studio.identity.authority import Ask

NOUN = store.Noun(
    kind="variant-test",
    missing=lambda it: ResourceNotFound(f"There is no variant test {it.name}."),
    taken=lambda it: ResourceInUse(f"There is a variant test {it.name} already."),
)

PROMOTE, ROLL_BACK, RELEASE = "Promote", "RollBack", "Release"
"""What is done to the endpoint when a test is over: all requests to the treatment, all to the
control, or nothing but to end the noting."""

_DEFAULTS = {
    "MinimumEffect": 0.05,
    "Alpha": 0.05,
    "Power": 0.8,
    "Guardrails": [],
    "FeedbackWindowInSeconds": 86_400,
    "MaximumDurationInSeconds": 1_209_600,
    "AutoPromote": False,
    "AutoRollback": False,
}
_DIRECTIONS = {
    "Conversion": "Increase",
    "Value": "Increase",
    "Errors": "Decrease",
    "ModelLatency": "Decrease",
}
_MOVES = "sagemaker:UpdateEndpointWeightsAndCapacities"


@operation("studio", "CreateVariantTest")
def create_variant_test(ctx: Context, request: Doc) -> Doc:
    name = request["VariantTestName"]
    made = store.made(ctx, NOUN, name) or _created(ctx, name, request)
    return {"VariantTestArn": made.arn}


@operation("studio", "DescribeVariantTest")
def describe_variant_test(ctx: Context, request: Doc) -> Doc:
    test = store.require(ctx, NOUN, request["VariantTestName"])
    return described(ctx, test)


@operation("studio", "ListVariantTests")
def list_variant_tests(ctx: Context, request: Doc) -> Doc:
    """The youngest first."""
    with ctx.db.read() as connection:
        found = resources.of_kind(connection, NOUN.kind)
    wanted = request.get("EndpointName")
    mine = [it for it in found if access.reaches(ctx, it)]
    rows = sorted(
        (it for it in mine if wanted in (None, it.spec["EndpointName"])),
        key=lambda it: (it.created_at, it.name),
        reverse=True,
    )
    return {"VariantTests": [_summary(it) for it in rows[: request.get("MaxResults", 100)]]}


@operation("studio", "StopVariantTest")
def stop_variant_test(ctx: Context, request: Doc) -> Doc:
    """Of a test that is over nothing is changed."""

    def stopped(test: Resource) -> Resource:
        if test.status != RUNNING:
            return test
        return ended(test, STOPPED, ctx.now(), "by hand.", RELEASE)

    store.change(ctx, NOUN, request["VariantTestName"], stopped)
    return {}


@operation("studio", "PromoteTreatment")
def promote_treatment(ctx: Context, request: Doc) -> Doc:
    return _moved(ctx, request["VariantTestName"], PROMOTE)


@operation("studio", "RollbackTreatment")
def rollback_treatment(ctx: Context, request: Doc) -> Doc:
    return _moved(ctx, request["VariantTestName"], ROLL_BACK)


@operation("studio", "DeleteVariantTest")
def delete_variant_test(ctx: Context, request: Doc) -> Doc:
    def deleted(test: Resource) -> Resource:
        if test.status == RUNNING or "Action" in test.state:
            raise ResourceInUse(f"The variant test {test.name} runs: stop it first.")
        return replace(test, deleted_at=ctx.now(), due_at=None)

    store.change(ctx, NOUN, request["VariantTestName"], deleted)
    return {}


@operation("studio", "PutInferenceFeedback")
def put_inference_feedback(ctx: Context, request: Doc) -> Doc:
    """It is on the disk when this answers. Without a test that wants it, it is of no use to anybody
    and is not kept: programs may go on sending it."""
    endpoint = store.require(ctx, endpoints.NOUN, request["EndpointName"])
    given, running = request["Feedback"], endpoint.state.get("Test")
    if not running or not running["Ids"]:
        return {"Accepted": 0, "Repeated": 0, "Ignored": len(given)}
    now = ctx.now()
    entries = [_feedback(each, at, running, now) for at, each in enumerate(given)]
    put = partial(arms.fed_back, test=running["Id"], entries=entries, now=now)
    accepted = ctx.db.write(put)
    if accepted is None:
        return {"Accepted": 0, "Repeated": 0, "Ignored": len(given)}
    return {"Accepted": accepted, "Repeated": len(given) - accepted, "Ignored": 0}


def described(ctx: Context, test: Resource) -> Doc:
    """As DescribeVariantTest answers."""
    spec, state = test.spec, test.state
    found = _tallies(ctx, test)
    reading = variant_verdict.read(spec, state["Scales"], found, share(test))
    told = variant_verdict.summary(spec, test.status, reading, state.get("Reason", ""))
    return {
        **_summary(test),
        **spec,
        "Arms": [_arm(test, role, tally) for role, tally in zip(_ROLES, found, strict=True)],
        "Summary": told,
        "Effect": _effect(reading.main),
        "Samples": reading.samples,
        "SamplesLeft": reading.left if test.status == RUNNING else None,
        "Guardrails": [
            {
                "Metric": it.metric,
                "MaxWorsening": it.limit,
                "State": it.state,
                "Effect": _effect(it.compared),
            }
            for it in reading.guardrails
        ],
        "ImbalancePValue": reading.imbalance,
        "Unbalanced": reading.unbalanced,
        "Decision": state.get("Decision"),
        "Action": None if state.get("Action") == RELEASE else state.get("Action"),
        "Problem": state.get("Problem"),
        "History": state["History"],
        "Series": [dict(zip(_POINT, point, strict=True)) for point in state["Series"]],
    }


_ROLES = ("Control", "Treatment")
_POINT = ("Time", "Samples", "Estimate", "Low", "High")


def share(test: Resource) -> float:
    """Of the requests of both arms, the treatment's."""
    control, treatment = (test.state["Weights"][test.spec[f"{it}Variant"]] for it in _ROLES)
    return float(treatment / (control + treatment))


def pair(test: Resource, tallies: Mapping[str, Tally]) -> tuple[Tally, Tally]:
    """The control's and the treatment's."""
    spec, nothing = test.spec, Tally()
    return (
        tallies.get(spec["ControlVariant"], nothing),
        tallies.get(spec["TreatmentVariant"], nothing),
    )


def ended(test: Resource, status: str, now: int, reason: str = "", action: str = "") -> Resource:
    """The test, over; `action` is what is left to be done to its endpoint."""
    text = f"{status}: {reason}" if reason else status
    state = {**test.state, "Reason": reason, "EndTime": now, "Action": action}
    return noted(replace(test, status=status, state=state, due_at=now), text, now)


def noted(test: Resource, event: str, now: int) -> Resource:
    """The test with one more line in its history."""
    history = [*test.state["History"], {"Time": now, "Event": event}]
    return replace(test, state={**test.state, "History": history}, modified_at=now)


def weights(endpoint: Resource) -> dict[str, float]:
    """Of the variants of the endpoint's deployment, by name."""
    variants = endpoint.state["Deployments"][-1]["Variants"]
    return {it["VariantName"]: float(it.get("InitialVariantWeight", 1.0)) for it in variants}


def same_variants(test: Resource, endpoint: Resource) -> bool:
    """Whether the endpoint has not been updated, nor made anew, since the test began."""
    generation = endpoint.state["Deployments"][-1]["Generation"]
    return bool(endpoint.id == test.state["EndpointId"] and generation == test.state["Generation"])


def _created(ctx: Context, name: str, request: Doc) -> Resource:
    spec = _spec(request)
    endpoint = store.require(ctx, endpoints.NOUN, spec["EndpointName"])
    _check(endpoint, spec)
    if spec["AutoPromote"] or spec["AutoRollback"]:
        ctx.identity.authority.check(ctx.caller.principal, Ask(_MOVES, endpoint.arn))
    now, both = ctx.now(), [spec["ControlVariant"], spec["TreatmentVariant"]]
    generation = endpoint.state["Deployments"][-1]["Generation"]

    def also(connection: Connection, test: Resource) -> None:
        """The endpoint's requests are noted for the test, from the same moment on."""
        found = resources.get(connection, endpoint.id)
        if found is None or found.deleted_at is not None:
            raise store.missing(ctx, endpoints.NOUN, endpoint.name)
        _check(found, spec)
        noting = {"Id": test.id, "Generation": generation, "Variants": both, **_wanted(spec)}
        state = {**found.state, "Test": noting}
        resources.update(connection, replace(found, state=state, due_at=now))
        arms.begin(connection, test.id, both, 1_000 * spec["FeedbackWindowInSeconds"])

    made = store.create(
        ctx,
        NOUN,
        name,
        spec,
        also=also,
        status=RUNNING,
        due_at=now,
        state={
            "EndpointId": endpoint.id,
            "Generation": generation,
            "Weights": {it: weights(endpoint)[it] for it in both},
            "Scales": {},
            "Series": [],
            "History": [{"Time": now, "Event": "Started"}],
        },
    )
    ctx.hint(endpoint.id)
    return made


def _wanted(spec: Doc) -> Doc:
    """What a test wants to know of each answer: its InferenceId, and how large its value is."""
    metrics = variant_verdict.metrics(spec)
    return {
        "Ids": any(it in variant_verdict.FEEDBACK for it in metrics),
        "Values": "Value" in metrics,
    }


def _spec(request: Doc) -> Doc:
    """The request with what it leaves out. Raises ValidationException."""
    metric = request["Metric"]
    spec = {**_DEFAULTS, "Direction": _DIRECTIONS[metric], **request}
    if spec["ControlVariant"] == spec["TreatmentVariant"]:
        raise ValidationException("ControlVariant and TreatmentVariant are the same.")
    if metric != "Value" and spec["Direction"] != _DIRECTIONS[metric]:
        raise ValidationException(f"Direction: of {metric} better is to {_DIRECTIONS[metric]}.")
    named = [it["Metric"] for it in spec["Guardrails"]]
    values = [it for it in (metric, *named) if it in variant_verdict.FEEDBACK]
    if len({metric, *named}) <= len(named) or len(values) > 1:
        raise ValidationException(
            "Guardrails: each metric is looked at once, and of Conversion and Value, which are "
            "both the feedback, one."
        )
    return {name: value for name, value in spec.items() if name != "VariantTestName"}


def _check(endpoint: Resource, spec: Doc) -> None:
    """Raises ResourceInUse, ValidationException."""
    if endpoint.state.get("Test"):
        raise ResourceInUse(f"A test runs on the endpoint {endpoint.name}: stop it first.")
    if endpoint.status != "InService":
        wait = f"The endpoint {endpoint.name} is {endpoint.status}"
        raise ValidationException(f"{wait}: a test begins when it is InService.")
    variants = endpoint.state["Deployments"][-1]["Variants"]
    production = {it["VariantName"] for it in variants if "Shadow" not in it}
    for member in ("ControlVariant", "TreatmentVariant"):
        name = spec[member]
        if name not in production:
            raise ValidationException(
                f"{member}: the endpoint {endpoint.name} has no production variant {name}."
            )
        if not weights(endpoint)[name]:
            raise ValidationException(
                f"{member}: {name} has a weight of 0, and would get no requests."
            )


def _feedback(given: Doc, at: int, running: Doc, now: int) -> Feedback:
    value = float(given["Value"])
    if not math.isfinite(value) or abs(value) > 1e12:
        raise ValidationException(f"Feedback[{at}].Value must be a number, of 1e12 at the most.")
    if not running["Values"] and value not in (0.0, 1.0):
        raise ValidationException(f"Feedback[{at}].Value must be 0 or 1: the metric is Conversion.")
    return Feedback(given["InferenceId"], value, given.get("EventTime", now))


def _moved(ctx: Context, name: str, action: str) -> Doc:
    """Intent first: the reconciler moves the weights, and tries again while the endpoint cannot."""
    test = store.require(ctx, NOUN, name)
    endpoint = store.require(ctx, endpoints.NOUN, test.spec["EndpointName"])
    ctx.identity.authority.check(ctx.caller.principal, Ask(_MOVES, endpoint.arn))
    if not same_variants(test, endpoint):
        raise ValidationException(
            f"The endpoint {endpoint.name} was updated or made anew since: its variants are not "
            "those of the test."
        )

    def wanted(test: Resource) -> Resource:
        if test.status == RUNNING:
            said = "Promoted" if action == PROMOTE else "Rolled back"
            return ended(test, STOPPED, ctx.now(), f"{said} by hand.", action)
        state = {**test.state, "Action": action}
        return replace(test, state=state, due_at=ctx.now())

    store.change(ctx, NOUN, name, wanted)
    return {}


def _tallies(ctx: Context, test: Resource) -> tuple[Tally, Tally]:
    """As they are, or were when the verdict was given."""
    if "Tallies" in test.state:
        kept = {name: Tally(**it) for name, it in test.state["Tallies"].items()}
        return pair(test, kept)
    with ctx.db.read() as connection:
        return pair(test, arms.tallies(connection, test.id))


def _arm(test: Resource, role: str, tally: Tally) -> Doc:
    name, metric = test.spec[f"{role}Variant"], test.spec["Metric"]
    sample = tally.sample(metric)
    mean = math.exp(sample.mean) if metric == "ModelLatency" else sample.mean
    return {
        "VariantName": name,
        "Role": role,
        "Weight": test.state["Weights"][name],
        "Requests": tally.requests,
        "Errors": tally.errors,
        "Feedbacks": tally.feedbacks,
        "LateFeedbacks": tally.late,
        "Samples": sample.count,
        "Mean": mean if sample.count else None,
    }


def _effect(compared: variant_verdict.Compared) -> Doc | None:
    effect, relative = compared.effect, compared.relative
    if effect is None:
        return None
    names = ("RelativeEstimate", "RelativeLow", "RelativeHigh")
    return {
        "Estimate": effect.estimate,
        "Low": effect.low,
        "High": effect.high,
        "PValue": effect.p_value,
        **(dict(zip(names, relative, strict=True)) if relative else {}),
    }


def _summary(test: Resource) -> Doc:
    spec = test.spec
    return {
        "VariantTestName": test.name,
        "VariantTestArn": test.arn,
        "VariantTestStatus": test.status,
        "EndpointName": spec["EndpointName"],
        "ControlVariant": spec["ControlVariant"],
        "TreatmentVariant": spec["TreatmentVariant"],
        "Metric": spec["Metric"],
        "CreationTime": test.created_at,
        "EndTime": test.state.get("EndTime"),
    }

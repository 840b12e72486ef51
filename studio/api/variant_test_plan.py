"""When a test of two variants ends, and what becomes of its endpoint then: a pure plan, and the one
change that it makes.

What is to be done to the endpoint is stored with the verdict, before it is done; a change that is
repeated changes nothing more.
"""

from collections.abc import Callable, Sequence
from dataclasses import replace

from sqlalchemy import Connection

from studio.api import endpoints, store, variant_tests, variant_verdict
from studio.api.registry import Context
from studio.api.variant_tests import PROMOTE, RELEASE, ROLL_BACK
from studio.api.variant_verdict import CONTROL, RUNNING, STOPPED, TREATMENT, VIOLATED, Reading
from studio.db import resources
from studio.db.resources import Doc, Resource
from studio.errors import ApiError, ValidationException
from studio.experiments import arms
from studio.experiments.arms import Tally
from studio.reconcile.steps import Call, Kind, Observed, Plan

_SHORTEST_LOOK_MS, _LONGEST_LOOK_MS = 2_000, 30_000
_LOOKS = 60
_RETRY_MS = 2_000
_MOST_POINTS = 200


def kind(context: Callable[[], Context]) -> Kind:
    """The behaviour of tests, for the reconciler; `context` is the owner's of the home."""
    return Kind(
        name=variant_tests.NOUN.kind,
        plan=plan,
        prepare=None,
        informed=informed,
        call=lambda test, step: _called(context(), test, step),
    )


def informed(connection: Connection, test: Resource, _now: int) -> Resource:
    """The test with how its arms did, and with its endpoint."""
    if test.status != RUNNING:
        return test
    endpoint = resources.get(connection, test.state["EndpointId"])
    there = endpoint is not None and endpoint.deleted_at is None and endpoint.desired != "absent"
    facts: Doc = {
        "Tallies": {name: vars(it) for name, it in arms.tallies(connection, test.id).items()}
    }
    if endpoint is not None and there:
        same = variant_tests.same_variants(test, endpoint)
        facts |= {"Same": same, "Weights": variant_tests.weights(endpoint)}
    return replace(test, state={**test.state, "Facts": facts})


def plan(test: Resource, _observed: list[Observed], now: int) -> Plan:
    """What to do next for a test."""
    state = dict(test.state)
    facts = state.pop("Facts", None)
    test = replace(test, state=state)
    if test.status == RUNNING and facts:
        test = looked(test, facts, now)
        elapsed = now - test.created_at
        pause = min(max(elapsed // _LOOKS, _SHORTEST_LOOK_MS), _LONGEST_LOOK_MS)
        return Plan(test, (), pause if test.status == RUNNING else 0)
    if action := state.get("Action"):
        # By the length of its history: what was done once can be asked for again later.
        key = f"{test.id} {action} {len(state['History'])}"
        return Plan(test, (Call("studio", action, "", "", key),), _RETRY_MS)
    return Plan(replace(test, due_at=None))


def looked(test: Resource, facts: Doc, now: int) -> Resource:
    """The test after a look at its arms: it may be over."""
    if reason := _broken(test, facts):
        return variant_tests.ended(test, STOPPED, now, reason, RELEASE)
    spec, found = test.spec, {name: Tally(**it) for name, it in facts["Tallies"].items()}
    pair = variant_tests.pair(test, found)
    scales = variant_verdict.scales(spec, test.state["Scales"], pair)
    reading = variant_verdict.read(spec, scales, pair, variant_tests.share(test))
    series = _with_point(test.state["Series"], reading, now)
    test = replace(test, state={**test.state, "Scales": scales, "Series": series})
    status = variant_verdict.verdict(spec, scales, reading, now - test.created_at)
    if status == RUNNING:
        return test
    test = replace(test, state={**test.state, "Tallies": facts["Tallies"]})
    told = variant_verdict.summary(spec, status, reading)
    return variant_tests.ended(test, status, now, told, _action(spec, status))


def _broken(test: Resource, facts: Doc) -> str:
    """Why the arms are not comparable any more; "" while they are."""
    if "Same" not in facts:
        return "the endpoint was deleted."
    if not facts["Same"]:
        return "the endpoint was updated: a test is of one deployment."
    now = {name: facts["Weights"].get(name) for name in test.state["Weights"]}
    if now != test.state["Weights"]:
        return "the weights were changed: a test is of one split of the requests."
    return ""


def _action(spec: Doc, status: str) -> str:
    if status == TREATMENT and spec["AutoPromote"]:
        return PROMOTE
    if status in (CONTROL, VIOLATED) and spec["AutoRollback"]:
        return ROLL_BACK
    return RELEASE


def _with_point(series: list[list[float]], reading: Reading, now: int) -> list[list[float]]:
    """The series with what is known now, if that is news; of a long one every second point goes."""
    if reading.main.relative is None or (series and series[-1][1] == reading.samples):
        return series
    longer = [*series, [now, reading.samples, *reading.main.relative]]
    return longer[::2] + longer[-1:] if len(longer) > _MOST_POINTS else longer


def _called(ctx: Context, test: Resource, step: Call) -> Resource:
    """The test with what came of its change of the endpoint, done by its operation."""
    action, now = step.operation, ctx.now()
    state = {name: it for name, it in test.state.items() if name not in ("Action", "Problem")}
    done = replace(test, state=state)
    try:
        _apply(replace(ctx, call=step.key), test, action)
    except ApiError as error:
        if "in-progress" in error.message:
            problem = f"It waits for the endpoint: {error.message}"
            return replace(test, state={**test.state, "Problem": problem})
        text = f"{action} was given up: {error.message}"
        return variant_tests.noted(replace(done, state={**state, "Problem": text}), text, now)
    if action == RELEASE:
        return done
    decision = {"Action": action, "Time": now}
    state = {**state, "Decision": decision}
    winner = test.spec["TreatmentVariant" if action == PROMOTE else "ControlVariant"]
    text = f"{winner} gets the requests of both."
    return variant_tests.noted(replace(done, state=state), text, now)


def _apply(ctx: Context, test: Resource, action: str) -> None:
    """Move the weights, and end the noting. Raises ApiError."""

    def changed(endpoint: Resource) -> Resource:
        state, mine = dict(endpoint.state), endpoint.state.get("Test") or {}
        if mine.get("Id") == test.id:
            del state["Test"]
            endpoint = replace(endpoint, state=state, due_at=ctx.now())
        if action == RELEASE:
            return endpoint
        if not variant_tests.same_variants(test, endpoint):
            raise ValidationException(f"The endpoint {endpoint.name} was updated since.")
        wanted, message = _weights(test, action), f"Variant test {test.name}: {test.status}."
        return endpoints.reweighted(endpoint, wanted, ctx.now(), message)

    try:
        store.change(ctx, endpoints.NOUN, test.spec["EndpointName"], changed)
    except ApiError:
        if action != RELEASE:
            raise  # an endpoint that is gone has nothing to be released of


def _weights(test: Resource, action: str) -> dict[str, Doc]:
    """Who wins has the weights of both."""
    names = test.spec["ControlVariant"], test.spec["TreatmentVariant"]
    winner = names[action == PROMOTE]
    whole = sum(test.state["Weights"].values())
    return {it: {"DesiredWeight": whole if it == winner else 0.0} for it in names}


def _follow(connection: Connection, before: Resource | None, test: Resource) -> None:
    """Once a test is over nothing more is taken of it, from that very transaction on."""
    if before is not None and before.status == RUNNING and test.status != RUNNING:
        arms.end(connection, test.id)


def _drop(connection: Connection, gone: Sequence[Resource]) -> None:
    for test in gone:
        arms.drop(connection, test.id)


resources.follow(variant_tests.NOUN.kind, _follow)
resources.drop_with(variant_tests.NOUN.kind, _drop)

"""Tests of two variants: what begins one, what ends it, and what becomes of the endpoint then."""

from dataclasses import replace
from typing import Any

import pytest
from botocore.exceptions import ClientError
from plane import Plane

from studio.api import endpoints, store, variant_test_plan, variant_tests
from studio.db import resources
from studio.db.resources import Resource
from studio.experiments import arms
from studio.experiments.arms import Answered, Tally

ROLE = "arn:aws:iam::000000000000:role/StudioExecutionRole"
IMAGE = "683313688378.dkr.ecr.us-east-1.amazonaws.com/sagemaker-xgboost:1.7-1"


@pytest.fixture(scope="module")
def sagemaker(plane: Plane) -> Any:
    client = plane.client("sagemaker")
    client.create_model(ModelName="m", ExecutionRoleArn=ROLE, PrimaryContainer={"Image": IMAGE})
    variants = [
        {
            "VariantName": name,
            "ModelName": "m",
            "InstanceType": "ml.m5.large",
            "InitialInstanceCount": 1,
            "InitialVariantWeight": weight,
        }
        for name, weight in (("blue", 3.0), ("green", 1.0), ("grey", 1.0), ("idle", 0.0))
    ]
    client.create_endpoint_config(EndpointConfigName="c", ProductionVariants=variants)
    return client


class House:
    """An endpoint in service, and the reconciler's looks at a test on it."""

    def __init__(self, plane: Plane, sagemaker: Any, name: str) -> None:
        self.ctx, self.name = plane.context, name
        self.studio, self.sagemaker = plane.client("studio"), sagemaker
        sagemaker.create_endpoint(EndpointName=name, EndpointConfigName="c")
        self.settle()
        self.kind = variant_test_plan.kind(lambda: self.ctx)

    def settle(self) -> Resource:
        """What its own plan would come to, with servers."""

        def served(it: Resource) -> Resource:
            state = {key: value for key, value in it.state.items() if key != "Before"}
            return replace(it, status="InService", state={**state, "Active": state["Latest"]})

        return store.change(self.ctx, endpoints.NOUN, self.name, served)

    def begin(self, **more: Any) -> None:
        both = {"ControlVariant": "blue", "TreatmentVariant": "green", "Metric": "Conversion"}
        request = {"VariantTestName": self.name, "EndpointName": self.name, **both, **more}
        self.studio.create_variant_test(**request)

    @property
    def test(self) -> Resource:
        return store.require(self.ctx, variant_tests.NOUN, self.name)

    def told(self) -> dict[str, Any]:
        return self.studio.describe_variant_test(VariantTestName=self.name)

    def answered(self, variant: str, requests: int, **more: float) -> None:
        noted = Answered(self.test.id, variant, 0, Tally(requests=requests, **more), ())
        self.ctx.db.write(lambda connection: arms.answered(connection, noted))

    def converted(self, blue: tuple[int, int], green: tuple[int, int]) -> None:
        """So many answers of each, and of them conversions."""
        for variant, (count, good) in (("blue", blue), ("green", green)):
            values = {"feedbacks": count, "value_sum": good, "value_squares": good}
            self.answered(variant, count, **values)

    def look(self, stored: bool = True) -> Resource:
        """One look, as the loop has it; without `stored` it dies before it stores the outcome."""
        test = self.test
        with self.ctx.db.read() as connection:
            informed = self.kind.informed(connection, test, 0)
        plan = self.kind.plan(informed, [], self.ctx.now())
        after = plan.resource
        for step in plan.steps:
            after = self.kind.call(after, step)
        if stored:
            self.ctx.db.write(lambda connection: resources.update(connection, after))
        return after

    def weights(self) -> dict[str, float]:
        return variant_tests.weights(store.require(self.ctx, endpoints.NOUN, self.name))

    def running(self) -> Any:
        return store.require(self.ctx, endpoints.NOUN, self.name).state.get("Test")


@pytest.fixture
def house(plane: Plane, sagemaker: Any, request: pytest.FixtureRequest) -> House:
    name = request.node.name.replace("_", "-").replace("[", "-").replace("]", "")[-40:].strip("-")
    return House(plane, sagemaker, f"e-{name}")


def refused(call: Any, **request: Any) -> str:
    with pytest.raises(ClientError) as error:
        call(**request)
    return str(error.value)


def test_a_winner_is_promoted_once_whoever_dies_when(house: House):
    house.begin(AutoPromote=True, MinimumEffect=0.2)
    assert "needed to say anything" in house.told()["Summary"]
    house.converted((1_800, 180), (600, 120))
    assert house.look(stored=False).status == "TreatmentWon"
    assert house.told()["VariantTestStatus"] == "Running"  # it died before it was stored
    assert house.look().status == "TreatmentWon"
    house.look(stored=False)  # the weights are moved, and it dies before it stores that
    assert house.weights() == {"blue": 0.0, "green": 4.0, "grey": 1.0, "idle": 0.0}
    endpoint = house.settle()
    after = house.look()
    assert store.require(house.ctx, endpoints.NOUN, house.name) == endpoint
    assert after.state["Decision"]["Action"] == "Promote"
    assert house.running() is None
    assert house.look().due_at is None
    told = house.told()
    assert told["Effect"]["RelativeEstimate"] == pytest.approx(1.0)
    assert told["Summary"].startswith("green converts 100 % better than blue (between +")
    assert [it["Event"][:12] for it in told["History"]] == [
        "Started",
        "TreatmentWon",
        "green gets t",
    ]
    # And back by hand, while the endpoint has something else to do.
    house.sagemaker.update_endpoint_weights_and_capacities(
        EndpointName=house.name,
        DesiredWeightsAndCapacities=[{"VariantName": "grey", "DesiredWeight": 2.0}],
    )
    house.studio.rollback_treatment(VariantTestName=house.name)
    house.look()
    assert "waits for the endpoint" in house.told()["Problem"]
    house.settle()
    house.look()
    assert house.weights() == {"blue": 4.0, "green": 0.0, "grey": 2.0, "idle": 0.0}
    assert house.told()["Decision"]["Action"] == "RollBack"
    house.settle()
    house.studio.promote_treatment(VariantTestName=house.name)
    house.look()
    assert house.weights() == {"blue": 0.0, "green": 4.0, "grey": 2.0, "idle": 0.0}


@pytest.mark.parametrize(
    ("status", "blue", "green", "weights"),
    [
        ("ControlWon", (1_800, 360), (600, 60), (4.0, 0.0)),
        ("NoDifference", (900_000, 90_000), (300_000, 30_000), (3.0, 1.0)),
        ("Inconclusive", (3_000, 300), (1_000, 101), (3.0, 1.0)),
    ],
)
def test_other_verdicts(house: House, status, blue, green, weights):
    house.begin(AutoPromote=True, AutoRollback=True, MaximumSamples=4_000)
    house.converted(blue, green)
    assert house.look().status == status
    house.look()
    assert (house.weights()["blue"], house.weights()["green"]) == weights
    assert house.running() is None


def test_a_guardrail_comes_before_a_win(house: House):
    house.begin(AutoRollback=True, Guardrails=[{"Metric": "Errors", "MaxWorsening": 0.5}])
    house.answered("blue", 9_000, errors=90)
    house.answered("green", 3_000, errors=150)
    house.converted((900, 90), (300, 90))
    assert house.look().status == "GuardrailViolated"
    assert "fails" in house.told()["Summary"]
    house.look()
    assert house.weights()["green"] == 0.0


def test_latency_is_compared_as_a_ratio(house: House):
    house.begin(Metric="ModelLatency", Guardrails=[{"Metric": "Errors", "MaxWorsening": 0.5}])
    for variant, log in (("blue", 7.0), ("green", 6.5)):
        house.answered(variant, 1_000, log_sum=1_000 * log, log_squares=1_000 * (log**2 + 0.25))
    told = house.told()
    assert told["Arms"][0]["Mean"] == pytest.approx(1096.6, rel=1e-3)
    assert house.look().status == "TreatmentWon"
    effect = house.told()["Effect"]
    assert effect["RelativeEstimate"] == pytest.approx(-0.3935, rel=1e-3)
    assert house.told()["Summary"].startswith("green is 39 % faster than blue")


@pytest.mark.parametrize("what", ["weights", "update", "delete"])
def test_a_changed_endpoint_ends_its_test(house: House, what):
    house.begin()
    house.converted((900, 90), (300, 60))
    if what == "weights":
        house.sagemaker.update_endpoint_weights_and_capacities(
            EndpointName=house.name,
            DesiredWeightsAndCapacities=[{"VariantName": "green", "DesiredWeight": 2.0}],
        )
    elif what == "update":
        house.sagemaker.update_endpoint(EndpointName=house.name, EndpointConfigName="c")
    else:
        house.sagemaker.delete_endpoint(EndpointName=house.name)
    assert house.look().status == "Stopped"
    house.look()
    assert house.look().due_at is None
    assert house.told()["Summary"].startswith("Stopped: the ")
    if what == "update":
        house.settle()
        text = refused(house.studio.promote_treatment, VariantTestName=house.name)
        assert "updated or made anew" in text
    house.studio.delete_variant_test(VariantTestName=house.name)
    assert "no variant test" in refused(
        house.studio.describe_variant_test, VariantTestName=house.name
    )


def test_feedback_is_taken_while_a_test_wants_it(house: House):
    def put(*entries: tuple[str, float]) -> tuple[int, int, int]:
        feedback = [{"InferenceId": name, "Value": value} for name, value in entries]
        told = house.studio.put_inference_feedback(EndpointName=house.name, Feedback=feedback)
        return told["Accepted"], told["Repeated"], told["Ignored"]

    assert put(("a", 1.0)) == (0, 0, 1)
    house.begin()
    assert put(("a", 1.0), ("b", 0.0), ("a", 0.0)) == (2, 1, 0)
    noted = Answered(house.test.id, "green", house.ctx.now(), Tally(requests=2), ("a", "b"))
    house.ctx.db.write(lambda connection: arms.answered(connection, noted))
    assert put(("b", 1.0)) == (0, 1, 0)
    green = house.told()["Arms"][1]
    assert (green["Feedbacks"], green["Mean"]) == (2, 0.5)
    with pytest.raises(ClientError, match=r"Feedback\[1\].Value must be 0 or 1"):
        put(("c", 1.0), ("d", 0.5))
    assert put(("c", 1.0)) == (1, 0, 0)  # nothing of a batch that is refused was kept
    house.studio.stop_variant_test(VariantTestName=house.name)
    assert put(("e", 1.0)) == (0, 0, 1)
    house.look()
    assert put(("e", 1.0)) == (0, 0, 1)


def test_arms_that_lose_requests_are_told(house: House):
    house.begin(Metric="Errors")
    house.answered("blue", 3_000, errors=30)
    house.answered("green", 1_000, errors=10)
    assert not house.told()["Unbalanced"]
    house.answered("blue", 1_000, errors=10)
    assert house.told()["Unbalanced"]


def test_what_cannot_begin_is_refused_with_its_member(house: House):
    def said(**more: Any) -> str:
        return refused(lambda: house.begin(**more))

    assert "ControlVariant and TreatmentVariant are the same" in said(ControlVariant="green")
    assert "TreatmentVariant: the endpoint" in said(TreatmentVariant="none")
    assert "TreatmentVariant: idle has a weight of 0" in said(TreatmentVariant="idle")
    assert "Direction: of Conversion" in said(Direction="Decrease")
    limit = {"MaxWorsening": 0.1}
    assert "Guardrails" in said(Guardrails=[{"Metric": "Value", **limit}])
    assert "Guardrails" in said(Guardrails=[{"Metric": "Errors", **limit}] * 2)
    assert "minimumEffect" in said(MinimumEffect=11.0)
    house.begin()
    house.studio.stop_variant_test(VariantTestName=house.name)
    assert "A test runs on the endpoint" in said(VariantTestName="another")
    assert "stop it first" in refused(house.studio.delete_variant_test, VariantTestName=house.name)
    house.look()
    assert "already" in said()
    house.begin(VariantTestName=f"{house.name}-2")
    found = house.studio.list_variant_tests(EndpointName=house.name)["VariantTests"]
    assert [it["VariantTestStatus"] for it in found] == ["Running", "Stopped"]

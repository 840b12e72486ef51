"""Tests of variants belong to somebody, and move weights for those only who may."""

from dataclasses import replace

import pytest
from botocore.exceptions import ClientError
from people_of import IMAGE, ROLE, allow, document, user
from plane import Plane

from studio.api import endpoints, store
from studio.db.resources import Resource

TEST = {"VariantTestName": "ann-test"}
REQUEST = {
    **TEST,
    "EndpointName": "ann-shop",
    "ControlVariant": "blue",
    "TreatmentVariant": "green",
    "Metric": "Conversion",
}
FEEDBACK = {"EndpointName": "ann-shop", "Feedback": [{"InferenceId": "i", "Value": 1.0}]}


@pytest.fixture(scope="module")
def ann(plane: Plane):
    actions = ["sagemaker:Create*", "studio:*", "iam:PassRole"]
    ann = user(plane, "ann", policy=document(allow(actions)))
    sagemaker = ann.client("sagemaker")
    sagemaker.create_model(
        ModelName="ann-m", ExecutionRoleArn=ROLE, PrimaryContainer={"Image": IMAGE}
    )
    variant = {"ModelName": "ann-m", "InstanceType": "ml.m5.large", "InitialInstanceCount": 1}
    both = [{**variant, "VariantName": name} for name in ("blue", "green")]
    sagemaker.create_endpoint_config(EndpointConfigName="ann-c", ProductionVariants=both)
    sagemaker.create_endpoint(EndpointName="ann-shop", EndpointConfigName="ann-c")

    def served(it: Resource) -> Resource:
        return replace(it, status="InService", state={**it.state, "Active": 1})

    store.change(plane.context, endpoints.NOUN, "ann-shop", served)
    return ann


def code(call, **request) -> str:
    with pytest.raises(ClientError) as error:
        call(**request)
    return error.value.response["Error"]["Code"]


def test_who_may_not_move_weights_has_none_moved_by_a_test(plane: Plane, ann):
    studio = ann.client("studio")
    for automatic in ("AutoPromote", "AutoRollback"):
        wanted = {**REQUEST, automatic: True}
        assert code(studio.create_variant_test, **wanted) == "AccessDeniedException"
    studio.create_variant_test(**REQUEST)
    assert studio.put_inference_feedback(**FEEDBACK)["Accepted"] == 1
    for act in (studio.promote_treatment, studio.rollback_treatment):
        assert code(act, **TEST) == "AccessDeniedException"
    assert studio.describe_variant_test(**TEST)["VariantTestStatus"] == "Running"
    moves = allow("sagemaker:UpdateEndpointWeightsAndCapacities")
    plane.client("iam").put_user_policy(
        UserName="ann", PolicyName="more", PolicyDocument=document(moves)
    )
    studio.promote_treatment(**TEST)
    assert studio.describe_variant_test(**TEST)["Action"] == "Promote"


def test_another_user_sees_no_test_and_feeds_nothing_back(plane: Plane, ann):
    bob = user(plane, "bob", "AmazonSageMakerFullAccess").client("studio")
    assert bob.list_variant_tests()["VariantTests"] == []
    for act in (
        bob.describe_variant_test,
        bob.stop_variant_test,
        bob.promote_treatment,
        bob.delete_variant_test,
    ):
        assert code(act, **TEST) == "ResourceNotFound"
    assert code(bob.put_inference_feedback, **FEEDBACK) == "ValidationException"
    assert code(bob.create_variant_test, **{**REQUEST, "VariantTestName": "bobs"}) == (
        "ValidationException"
    )

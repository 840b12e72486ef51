"""Endpoints of many models and of several containers, on a real Studio."""

import io
import json
import os
import signal
import tarfile
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from pathlib import Path

import flow
import numpy as np
import pytest
import xgboost
from botocore.exceptions import ClientError
from waiting import eventually

BUCKET, NAME = "many-models", "many"
SKLEARN = "683313688378.dkr.ecr.us-east-1.amazonaws.com/sagemaker-scikit-learn:1.2-1-cpu-py3"
ONE = {"SAGEMAKER_MODEL_SERVER_WORKERS": "1"}


def booster(constant: float) -> bytes:
    """The archive of a model that answers `constant` to everything."""
    rows = xgboost.DMatrix(np.zeros((2, 2)), label=[constant] * 2)
    model = xgboost.train({"base_score": constant, "max_depth": 1}, rows, 1)
    return packed("xgboost-model", bytes(model.save_raw("json")))


def packed(name: str, content: bytes) -> bytes:
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w:gz") as tar:
        info = tarfile.TarInfo(name)
        info.size = len(content)
        tar.addfile(info, io.BytesIO(content))
    return out.getvalue()


@pytest.fixture(scope="module")
def clients(studio):
    return {
        name: studio.client(name) for name in ("s3", "sagemaker", "sagemaker-runtime", "cloudwatch")
    } | {"studio": studio.client("studio")}


@pytest.fixture(scope="module")
def many(studio, clients):
    """An endpoint with room for two models, and four of them in S3."""
    s3 = clients["s3"]
    s3.create_bucket(Bucket=BUCKET)
    for number in range(4):
        s3.put_object(Bucket=BUCKET, Key=f"models/{number}.tar.gz", Body=booster(number))
    s3.put_object(Bucket=BUCKET, Key="models/bad.tar.gz", Body=packed("xgboost-model", b"no"))
    create(clients["sagemaker"], NAME, STUDIO_LOADED_MODELS="2")
    flow.settled(clients["sagemaker"], NAME)
    return NAME


def create(sagemaker, name: str, **environment: str) -> None:
    container = {
        "Image": flow.XGBOOST,
        "Mode": "MultiModel",
        "ModelDataUrl": f"s3://{BUCKET}/models/",
        "Environment": environment,
    }
    sagemaker.create_model(ModelName=name, PrimaryContainer=container, ExecutionRoleArn=flow.ROLE)
    deploy(sagemaker, name)


def deploy(sagemaker, name: str) -> None:
    variant = {
        "VariantName": "AllTraffic",
        "ModelName": name,
        "InstanceType": "ml.m5.large",
        "InitialInstanceCount": 1,
    }
    sagemaker.create_endpoint_config(EndpointConfigName=name, ProductionVariants=[variant])
    sagemaker.create_endpoint(EndpointName=name, EndpointConfigName=name)


def ask(clients, target: str, endpoint: str = NAME, body: bytes = b"0,0") -> float:
    answer = clients["sagemaker-runtime"].invoke_endpoint(
        EndpointName=endpoint, Body=body, ContentType="text/csv", TargetModel=target
    )
    return float(answer["Body"].read())


def refused(clients, target: str, endpoint: str = NAME) -> dict:
    with pytest.raises(ClientError) as caught:
        ask(clients, target, endpoint)
    return caught.value.response


def test_a_request_names_its_model(clients, many):
    assert [ask(clients, f"{number}.tar.gz") for number in (0, 1, 2, 3, 0)] == [0, 1, 2, 3, 0]
    assert ask(clients, "/3.tar.gz") == 3


def listed(clients, **filters) -> dict[str, dict]:
    answer = clients["studio"].list_endpoint_models(EndpointName=NAME, **filters)
    return {it["TargetModel"]: it for it in answer["Models"]}


def loaded(clients) -> set[str]:
    return set(listed(clients, StatusEquals="Loaded"))


def test_the_model_that_was_not_used_for_longest_goes(clients, many):
    for number in (1, 2, 1, 3):
        ask(clients, f"{number}.tar.gz")
    eventually(lambda: loaded(clients) == {"1.tar.gz", "3.tar.gz"})


def test_what_is_asked_for_at_once_is_loaded_once(clients, many):
    clients["studio"].unload_endpoint_model(EndpointName=NAME, TargetModel="2.tar.gz")
    before = listed(clients)["2.tar.gz"]
    with ThreadPoolExecutor(8) as threads:
        answers = list(threads.map(lambda _: ask(clients, "2.tar.gz"), range(8)))
    after = listed(clients)["2.tar.gz"]
    assert answers == [2] * 8
    assert after["Invocations"] - before["Invocations"] == 8
    assert after["Hits"] >= before["Hits"]


def test_an_artifact_that_changes_is_loaded_anew(clients, many):
    ask(clients, "0.tar.gz")
    clients["s3"].put_object(Bucket=BUCKET, Key="models/0.tar.gz", Body=booster(7))
    eventually(lambda: ask(clients, "0.tar.gz") == 7)
    clients["s3"].put_object(Bucket=BUCKET, Key="models/0.tar.gz", Body=booster(0))
    eventually(lambda: ask(clients, "0.tar.gz") == 0)


def test_a_model_that_is_not_there_is_refused_as_on_aws(clients, many):
    error = refused(clients, "none.tar.gz")["Error"]
    assert error["Code"] == "ValidationError"
    assert f"Failed to download model data(bucket: {BUCKET}, key: models/none.tar.gz)" in str(error)
    clients["s3"].put_object(Bucket=BUCKET, Key="models/later.tar.gz", Body=booster(5))
    eventually(lambda: ask_soon(clients, "later.tar.gz") == 5)
    clients["s3"].delete_object(Bucket=BUCKET, Key="models/later.tar.gz")
    eventually(lambda: ask_soon(clients, "later.tar.gz") is None)


def ask_soon(clients, target: str) -> float | None:
    try:
        return ask(clients, target)
    except ClientError:
        return None


@pytest.mark.parametrize("target", ["../secret.tar.gz", "a/../../b", "a//b", "./a", "a\\b"])
def test_a_target_that_leads_elsewhere_is_refused(clients, many, target):
    error = refused(clients, target)["Error"]
    assert error["Code"] == "ValidationError"
    assert "Invalid target model path" in error["Message"]


def test_a_bad_model_is_its_own_trouble(clients, many):
    for _ in range(8):
        response = refused(clients, "bad.tar.gz")
        assert response["Error"]["Code"] == "ModelError"
        assert response["OriginalStatusCode"] == 500
        assert "it is no XGBoost model" in response["OriginalMessage"]
        assert ask(clients, "1.tar.gz") == 1
    assert "no XGBoost model" in listed(clients)["bad.tar.gz"]["Problem"]


def test_an_archive_that_is_none_is_refused(clients, many):
    clients["s3"].put_object(Bucket=BUCKET, Key="models/cut.tar.gz", Body=booster(1)[:60])
    error = refused(clients, "cut.tar.gz")["Error"]
    assert error["Code"] == "ValidationError"
    assert "Failed to unpack model data(cut.tar.gz): model archive unreadable" in error["Message"]


def test_a_bad_request_is_a_model_error_and_the_model_stays(clients, many):
    with pytest.raises(ClientError) as caught:
        ask(clients, "1.tar.gz", body=b"1,2,3")
    assert caught.value.response["OriginalStatusCode"] == 400
    assert "1.tar.gz" in loaded(clients)


def test_a_pinned_model_stays(clients, many):
    studio = clients["studio"]
    studio.pin_endpoint_model(EndpointName=NAME, TargetModel="3.tar.gz")
    eventually(lambda: "3.tar.gz" in loaded(clients))
    for number in (0, 1, 2, 0, 1, 2):
        assert ask(clients, f"{number}.tar.gz") == number
    assert "3.tar.gz" in loaded(clients)
    assert set(listed(clients, PinnedOnly=True)) == {"3.tar.gz"}
    with pytest.raises(ClientError, match="is pinned"):
        studio.unload_endpoint_model(EndpointName=NAME, TargetModel="3.tar.gz")
    studio.pin_endpoint_model(EndpointName=NAME, TargetModel="3.tar.gz", Pinned=False)
    studio.unload_endpoint_model(EndpointName=NAME, TargetModel="3.tar.gz")
    assert "3.tar.gz" not in loaded(clients)
    studio.load_endpoint_model(EndpointName=NAME, TargetModel="3.tar.gz")
    assert "3.tar.gz" in loaded(clients)


def test_a_front_that_is_killed_loses_no_request_that_comes_later(studio, clients, many):
    ask(clients, "1.tar.gz")
    (front,) = fronts(studio)
    os.kill(front, signal.SIGKILL)
    eventually(lambda: not Path(f"/proc/{front}").exists())
    assert [ask(clients, f"{number}.tar.gz") for number in (1, 2, 3)] == [1, 2, 3]
    assert fronts(studio) != [front]
    assert loaded(clients) == {"2.tar.gz", "3.tar.gz"}


def fronts(studio) -> list[int]:
    """Pids of the programs that stand before the endpoint's servers."""
    logs = studio.home.glob("runs/*/front.log")
    lines = [log.read_text().splitlines() for log in logs if f'"{NAME}"' in spec(log)]
    return [json.loads(started(found)[-1])["pid"] for found in lines]


def started(lines: list[str]) -> list[str]:
    return [line for line in lines if "front started" in line]


def spec(log) -> str:
    front = json.loads((log.parent / "spec.json").read_text())["front"]
    return json.dumps(json.loads(front[-1])) if front else ""


def test_hits_and_loads_are_metrics(clients, many):
    for number in (0, 1, 2):  # one of them has to go
        ask(clients, f"{number}.tar.gz")
    ask(clients, "2.tar.gz")

    def values(metric: str, namespace: str = "AWS/SageMaker", **more: str) -> float:
        dimensions = {"EndpointName": NAME, "VariantName": "AllTraffic", **more}
        answer = clients["cloudwatch"].get_metric_statistics(
            Namespace=namespace,
            MetricName=metric,
            Dimensions=[{"Name": name, "Value": it} for name, it in dimensions.items()],
            StartTime=datetime.now(UTC) - timedelta(hours=1),
            EndTime=datetime.now(UTC) + timedelta(hours=1),
            Period=3600,
            Statistics=["SampleCount"],
        )
        return sum(point["SampleCount"] for point in answer["Datapoints"])

    times = ("ModelLoadingWaitTime", "ModelDownloadingTime", "ModelLoadingTime")
    for name in (*times, "ModelUnloadingTime", "ModelCacheHit"):
        eventually(lambda name=name: values(name) > 0)
    eventually(lambda: values("LoadedModelCount", "/aws/sagemaker/Endpoints") > 0)
    eventually(lambda: values("Invocations", TargetModel="2.tar.gz") > 0)


def test_a_request_has_to_name_a_model(clients, many):
    with pytest.raises(ClientError, match="is a multi-model endpoint"):
        invoke(clients, NAME)


DOUBLE = b"""
def model_fn(folder):
    return float(open(folder + "/factor").read())

def input_fn(body, kind):
    return [float(it) for it in body.split(",")]

def predict_fn(numbers, factor):
    return [factor * it for it in numbers]

def output_fn(numbers, accept):
    if accept == "text/event-stream":
        return (f"data: {it}\\n\\n" for it in numbers), accept
    return ",".join(map(str, numbers)), "text/csv"
"""


def script(factor: float) -> bytes:
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w:gz") as tar:
        for name, content in (("code/inference.py", DOUBLE), ("factor", b"%f" % factor)):
            info = tarfile.TarInfo(name)
            info.size = len(content)
            tar.addfile(info, io.BytesIO(content))
    return out.getvalue()


@pytest.fixture(scope="module")
def rows(studio, clients, many):
    """A row of two containers, `row`, and two that are named, `either`: scripts that double and
    treble."""
    s3, sagemaker = clients["s3"], clients["sagemaker"]
    for name, factor in (("first", 2), ("second", 3)):
        s3.put_object(Bucket=BUCKET, Key=f"scripts/{name}.tar.gz", Body=script(factor))
    containers = [scripted(name) for name in ("first", "second")]
    for name, mode in (("row", "Serial"), ("either", "Direct")):
        sagemaker.create_model(
            ModelName=name,
            Containers=containers,
            InferenceExecutionConfig={"Mode": mode},
            ExecutionRoleArn=flow.ROLE,
        )
        deploy(sagemaker, name)
    for name in ("row", "either"):
        assert flow.settled(sagemaker, name)["EndpointStatus"] == "InService"


def scripted(name: str) -> dict:
    return {
        "ContainerHostname": name,
        "Image": SKLEARN,
        "ModelDataUrl": f"s3://{BUCKET}/scripts/{name}.tar.gz",
        "Environment": {"SAGEMAKER_PROGRAM": "inference.py", **ONE},
    }


def invoke(clients, endpoint: str, **more: str) -> str:
    answer = clients["sagemaker-runtime"].invoke_endpoint(
        EndpointName=endpoint, Body=b"1,2", ContentType="text/csv", **more
    )
    return answer["Body"].read().decode()


def streamed(runtime, endpoint: str, **more: str) -> list[bytes]:
    answer = runtime.invoke_endpoint_with_response_stream(
        EndpointName=endpoint,
        Body=b"1,2",
        ContentType="text/csv",
        Accept="text/event-stream",
        **more,
    )
    assert answer["ContentType"] == "text/event-stream"
    return [event["PayloadPart"]["Bytes"] for event in answer["Body"]]


def test_containers_in_a_row_and_by_name(clients, rows):
    runtime = clients["sagemaker-runtime"]
    pieces = streamed(runtime, "either", TargetContainerHostname="second")
    # What comes at once may come as one piece.
    assert b"".join(pieces) == b"data: 3.0\n\ndata: 6.0\n\n"
    assert invoke(clients, "row") == "6.0,12.0"
    assert invoke(clients, "either", TargetContainerHostname="first") == "2.0,4.0"
    assert invoke(clients, "either", TargetContainerHostname="second") == "3.0,6.0"
    with pytest.raises(ClientError, match="no container with the hostname 'third'"):
        invoke(clients, "either", TargetContainerHostname="third")
    with pytest.raises(ClientError, match="does not support the target container"):
        invoke(clients, "row", TargetContainerHostname="second")
    with pytest.raises(ClientError, match="does not support target model"):
        invoke(clients, "row", TargetModel="first.tar.gz")
    with pytest.raises(ClientError, match="must have a TargetContainerHostname"):
        invoke(clients, "either")
    with pytest.raises(ClientError) as caught:
        clients["sagemaker-runtime"].invoke_endpoint(
            EndpointName="row", Body=b"x", ContentType="text/csv"
        )
    assert "from first with message" in str(caught.value)
    described = clients["sagemaker"].describe_endpoint(EndpointName="row")
    assert len(described["ProductionVariants"][0]["DeployedImages"]) == 2


def test_scripts_are_models_of_one_server(studio, clients, rows):
    sagemaker = clients["sagemaker"]
    container = {**scripted("x"), "Mode": "MultiModel", "ModelDataUrl": f"s3://{BUCKET}/scripts"}
    container["MultiModelConfig"] = {"ModelCacheSetting": "Disabled"}
    container["Environment"] = {**container["Environment"], "STUDIO_LOADED_MODELS": "1"}
    sagemaker.create_model(
        ModelName="scripts", PrimaryContainer=container, ExecutionRoleArn=flow.ROLE
    )
    deploy(sagemaker, "scripts")
    assert flow.settled(sagemaker, "scripts")["EndpointStatus"] == "InService"
    # There is room for one: the other waits until that has been loaded.
    wanted = {"second.tar.gz": "3.0,6.0", "first.tar.gz": "2.0,4.0"}
    with ThreadPoolExecutor(2) as pool:
        answers = pool.map(lambda it: invoke(clients, "scripts", TargetModel=it), wanted)
        assert list(answers) == list(wanted.values())
    # AWS's clients have no TargetModel here; the header of InvokeEndpoint is heeded.
    named = {"X-Amzn-SageMaker-Target-Model": "first.tar.gz"}
    runtime = studio.client("sagemaker-runtime")
    event = "before-call.sagemaker-runtime.InvokeEndpointWithResponseStream"
    runtime.meta.events.register(event, lambda params, **_: params["headers"].update(named))
    assert b"".join(streamed(runtime, "scripts")) == b"data: 2.0\n\ndata: 4.0\n\n"

    def status() -> set[str]:
        answer = clients["studio"].list_endpoint_models(EndpointName="scripts")
        return {it["Status"] for it in answer["Models"]}

    eventually(lambda: status() == {"NotLoaded"})  # nothing is kept


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"ModelDataUrl": None}, "needs a ModelDataUrl"),
        ({"ModelDataUrl": "s3://no-such-bucket/models/"}, "Could not find model data"),
        ({"Environment": {"STUDIO_LOADED_MODELS": "many"}}, "must be a number"),
        ({"Mode": "SingleModel", "MultiModelConfig": {}}, "needs Mode MultiModel"),
    ],
)
def test_a_model_that_could_not_be_served_is_refused(clients, many, change, said):
    container = {"Image": flow.XGBOOST, "Mode": "MultiModel", "ModelDataUrl": f"s3://{BUCKET}/m/"}
    container = {name: it for name, it in {**container, **change}.items() if it is not None}
    with pytest.raises(ClientError, match=said):
        clients["sagemaker"].create_model(
            ModelName="bad", PrimaryContainer=container, ExecutionRoleArn=flow.ROLE
        )

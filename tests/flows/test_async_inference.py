"""Asynchronous inference on a real Studio, whose processes are killed meanwhile."""

import base64
import io
import json
import os
import signal
import tarfile
from datetime import UTC, datetime, timedelta

import flow
import pytest
from botocore.exceptions import ClientError
from receiver import follow, receiving
from studios import run_studio, running_studio
from waiting import eventually

BUCKET, NAME = "asynchronous", "later"
SUCCESS = "SUCCESS_NOTIFICATION_TOPIC"
OUT, FAILED = f"s3://{BUCKET}/out", f"s3://{BUCKET}/failed"
SKLEARN = "683313688378.dkr.ecr.us-east-1.amazonaws.com/sagemaker-scikit-learn:1.2-1-cpu-py3"
SERVE = """
import os, pathlib, time

def model_fn(model_dir):
    return None

def transform_fn(model, body, content_type, accept):
    text = body.decode() if isinstance(body, bytes) else body
    if text.startswith("hold"):
        pathlib.Path("/opt/ml", text + ".begun").touch()
        while not pathlib.Path("/opt/ml/go").exists():
            time.sleep(0.02)
    if text == "bad":
        raise ValueError("this is no input")
    if text == "die":
        os.kill(os.getppid(), 9)
    return text.upper(), accept
"""


class Later:
    """The endpoint `NAME` of a Studio, and what is asked of it."""

    def __init__(self, studio):
        self.studio = studio
        self.s3, self.sagemaker = studio.client("s3"), studio.client("sagemaker")
        self.own = studio.client("studio")

    def ask(self, text: str | None, runtime=None, **values) -> dict:
        """What InvokeEndpointAsync answers to an object with `text`, or to a Body."""
        if text is not None:
            self.s3.put_object(Bucket=BUCKET, Key="in/" + text[:60], Body=text.encode())
            values["InputLocation"] = f"s3://{BUCKET}/in/{text[:60]}"
        runtime = runtime or self.studio.client("sagemaker-runtime")
        values = {"ContentType": "text/plain", "Accept": "text/plain", **values}
        return runtime.invoke_endpoint_async(EndpointName=NAME, **values)

    def read(self, uri: str) -> dict | None:
        try:
            key = uri.removeprefix(f"s3://{BUCKET}/")
            found = self.s3.get_object(Bucket=BUCKET, Key=key)
        except self.s3.exceptions.NoSuchKey:
            return None
        return {"text": found["Body"].read().decode(), "type": found["ContentType"]}

    def output(self, told: dict) -> str:
        return eventually(lambda: self.read(told["OutputLocation"]))["text"]

    def failure(self, told: dict) -> str:
        return eventually(lambda: self.read(told["FailureLocation"]))["text"]

    def objects(self, prefix: str) -> list[str]:
        found = self.s3.list_objects_v2(Bucket=BUCKET, Prefix=prefix).get("Contents", [])
        return [each["Key"] for each in found]

    def notices(self) -> list[dict]:
        """What the receiver was told of requests."""
        return [it for it in self.receiver.documents if "inferenceId" in it]

    def notice(self, told: dict) -> dict | None:
        mine = (it for it in self.notices() if it["inferenceId"] == told["InferenceId"])
        return next(mine, None)

    def begun(self, text: str) -> bool:
        return any(self.studio.home.glob(f"runs/*serve*/ml/{text}.begun"))

    def let_go(self) -> None:
        for folder in self.studio.home.glob("runs/*serve*/ml"):
            (folder / "go").touch()


def packed(script: str) -> bytes:
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w:gz") as tar:
        info = tarfile.TarInfo("code/inference.py")
        info.size = len(script.encode())
        tar.addfile(info, io.BytesIO(script.encode()))
    return out.getvalue()


@pytest.fixture(scope="module")
def later(tmp_path_factory):
    with running_studio(tmp_path_factory.mktemp("asynchronous") / "home") as studio:
        found = Later(studio)
        found.s3.create_bucket(Bucket=BUCKET)
        found.s3.put_object(Bucket=BUCKET, Key="model.tar.gz", Body=packed(SERVE))
        container = {
            "Image": SKLEARN,
            "ModelDataUrl": f"s3://{BUCKET}/model.tar.gz",
            "Environment": {"SAGEMAKER_MODEL_SERVER_WORKERS": "1"},
        }
        found.sagemaker.create_model(
            ModelName=NAME, PrimaryContainer=container, ExecutionRoleArn=flow.ROLE
        )
        sns = studio.client("sns")
        topic = sns.create_topic(Name="ends")["TopicArn"]
        told = {"SuccessTopic": topic, "ErrorTopic": topic, "IncludeInferenceResponseIn": [SUCCESS]}
        places = {"S3OutputPath": OUT, "S3FailurePath": FAILED, "NotificationConfig": told}
        configure(found.sagemaker, NAME, places)
        found.sagemaker.create_endpoint(EndpointName=NAME, EndpointConfigName=NAME)
        assert flow.settled(found.sagemaker, NAME)["EndpointStatus"] == "InService"
        with receiving() as found.receiver:
            sns.subscribe(TopicArn=topic, Protocol="http", Endpoint=found.receiver.url)
            follow(eventually(lambda: found.receiver.asked)[0]["SubscribeURL"])
            yield found


def configure(sagemaker, name: str, output: dict, **changes) -> None:
    variant = {
        "VariantName": "AllTraffic",
        "ModelName": NAME,
        "InstanceType": "ml.m5.large",
        "InitialInstanceCount": 1,
    }
    config = {"OutputConfig": output, "ClientConfig": {"MaxConcurrentInvocationsPerInstance": 2}}
    request = {
        "EndpointConfigName": name,
        "ProductionVariants": [variant],
        "AsyncInferenceConfig": config,
    }
    sagemaker.create_endpoint_config(**request | changes)


def refusal(call, **request) -> str:
    with pytest.raises(ClientError) as caught:
        call(**request)
    error = caught.value.response["Error"]
    return f"{error['Code']}: {error['Message']}"


def test_an_answer_lies_where_the_client_was_told(later):
    told = later.ask("hello", CustomAttributes="from=a", InferenceId="mine")
    assert told["ResponseMetadata"]["HTTPStatusCode"] == 202
    assert told["InferenceId"] == "mine"
    assert told["OutputLocation"].startswith(f"{OUT}/")
    assert told["OutputLocation"].endswith(".out")
    assert told["FailureLocation"].startswith(f"{FAILED}/")
    assert later.output(told) == "HELLO"
    assert later.read(told["OutputLocation"])["type"].startswith("text/plain")
    assert later.read(told["FailureLocation"]) is None
    notice = eventually(lambda: later.notice(told))
    assert (notice["invocationStatus"], notice["eventName"]) == ("Completed", "InferenceResult")
    assert notice["requestParameters"] == {
        "accept": "text/plain",
        "contentType": "text/plain",
        "customAttributes": "from=a",
        "endpointName": NAME,
        "inputLocation": f"s3://{BUCKET}/in/hello",
    }
    assert notice["responseParameters"]["outputLocation"] == told["OutputLocation"]
    assert base64.b64decode(notice["responseBody"]["content"]) == b"HELLO"


def test_a_small_input_comes_with_the_request_and_the_client_names_the_answer(later):
    told = later.ask(None, Body=b"inline", S3OutputPathExtension="a/b", Filename="it.txt")
    assert told["OutputLocation"] == f"{OUT}/a/b/it.txt"
    assert told["InferenceId"]
    assert later.output(told) == "INLINE"


def test_an_error_of_the_model_becomes_an_object_and_so_does_a_lack_of_input(later):
    bad = later.failure(later.ask("bad"))
    assert 'from primary with message "' in bad
    assert "this is no input" in bad
    notice = eventually(
        lambda: [it for it in later.notices() if it["invocationStatus"] == "Failed"]
    )[0]
    assert "this is no input" in notice["failureReason"]
    assert notice["failureLocation"].startswith(FAILED)
    assert "responseBody" not in notice
    lacking = later.ask(None, InputLocation=f"s3://{BUCKET}/in/nothing")
    assert "does not exist" in later.failure(lacking)
    hosted = later.ask(None, InputLocation=f"https://{BUCKET}.s3.amazonaws.com/in/hello")
    assert later.output(hosted) == "HELLO"


def test_requests_that_are_not_right_are_refused_by_name(later):
    ask = later.studio.client("sagemaker-runtime").invoke_endpoint_async
    text = refusal(ask, EndpointName=NAME, Body=b"1", InputLocation=f"s3://{BUCKET}/in/hello")
    assert text == "ValidationError: Provide exactly one of Body and InputLocation."
    text = refusal(ask, EndpointName=NAME, Body=b"x" * 128_001)
    assert "'body' failed to satisfy constraint" in text
    text = refusal(ask, EndpointName=NAME, Body=b"1", RequestTTLSeconds=21_601)
    assert "'requestTTLSeconds' failed to satisfy constraint" in text
    text = refusal(ask, EndpointName=NAME, Body=b"1", InvocationTimeoutSeconds=3_601)
    assert "'invocationTimeoutSeconds' failed to satisfy constraint" in text
    text = refusal(ask, EndpointName=NAME, Body=b"1", S3OutputPathExtension="a b")
    assert "'s3OutputPathExtension' failed to satisfy constraint" in text
    assert "not found" in refusal(ask, EndpointName="nobody", Body=b"1")
    invoke = later.studio.client("sagemaker-runtime").invoke_endpoint
    text = refusal(invoke, EndpointName=NAME, Body=b"1")
    assert text.startswith("ValidationError: ")
    assert "asynchronous" in text


def test_configurations_that_are_not_executed_are_refused(later):
    sagemaker = later.sagemaker
    text = refusal(lambda: configure(sagemaker, "x", {}))
    assert "S3OutputPath is required" in text
    capture = {
        "InitialSamplingPercentage": 100,
        "DestinationS3Uri": OUT,
        "CaptureOptions": [{"CaptureMode": "Input"}],
    }
    text = refusal(
        lambda: configure(sagemaker, "x", {"S3OutputPath": OUT}, DataCaptureConfig=capture)
    )
    assert "DataCaptureConfig" in text
    described = sagemaker.describe_endpoint(EndpointName=NAME)["AsyncInferenceConfig"]
    assert described["OutputConfig"]["S3FailurePath"] == FAILED
    assert described["ClientConfig"]["MaxConcurrentInvocationsPerInstance"] == 2


def test_kills_lose_nothing_and_double_nothing(later):
    """One request is with the model, others wait; the control plane, the router and the server are
    killed one after the other."""
    home = later.studio.home
    held = later.ask("hold-1")
    eventually(lambda: later.begun("hold-1"))
    waiting = [later.ask(f"hold-{number}") for number in range(2, 6)]
    kill(json.loads((home / "pid.json").read_text())["pid"])
    # Nobody takes anything out of the backlog now, and still it takes what comes.
    runtime = later.studio.client("sagemaker-runtime")
    waiting.append(later.ask(None, runtime, InputLocation=f"s3://{BUCKET}/in/hello"))
    router = json.loads((home / "router" / "pid.json").read_text())["pid"]
    kill(router)
    run_studio("serve", "--home", home, "--detach", env=later.studio.env)
    waiting.append(eventually(lambda: asked(later)))
    later.let_go()
    assert later.output(held) == "HOLD-1"
    texts = [later.output(told) for told in waiting]
    assert texts == ["HOLD-2", "HOLD-3", "HOLD-4", "HOLD-5", "HELLO", "HELLO"]
    told = [held, *waiting]
    keys = {each["OutputLocation"].removeprefix(f"s3://{BUCKET}/") for each in told}
    assert keys <= set(later.objects("out/"))
    assert not [it for it in told if later.read(it["FailureLocation"])]
    assert not any((home / "async" / "answers").iterdir())
    for each in told:  # and nobody was told of none
        assert eventually(lambda each=each: later.notice(each))


def test_an_alarm_tells_its_topics(later):
    cloudwatch, sns = later.studio.client("cloudwatch"), later.studio.client("sns")
    topic = sns.list_topics()["Topics"][0]["TopicArn"]
    alarm = {
        "AlarmName": "much",
        "Namespace": "N",
        "MetricName": "m",
        "Statistic": "Sum",
        "Period": 60,
        "EvaluationPeriods": 1,
        "Threshold": 1.0,
        "ComparisonOperator": "GreaterThanThreshold",
        "AlarmActions": [topic, topic.replace("ends", "none")],
        "OKActions": [topic],
        "ActionsEnabled": False,
    }
    cloudwatch.put_metric_alarm(**alarm)
    put = {"AlarmName": "much", "StateReason": "by hand"}
    cloudwatch.set_alarm_state(StateValue="ALARM", **put)
    cloudwatch.enable_alarm_actions(AlarmNames=["much"])
    for state in ("OK", "ALARM"):
        cloudwatch.set_alarm_state(StateValue=state, **put)

    def told() -> list[tuple[str, str]]:
        found = [it for it in later.receiver.documents if it.get("AlarmName") == "much"]
        return [(it["OldStateValue"], it["NewStateValue"]) for it in found]

    eventually(lambda: len(told()) >= 2)
    assert set(told()) == {("ALARM", "OK"), ("OK", "ALARM")}
    body = later.receiver.bodies[-1]
    assert body["Subject"] == 'ALARM: "much" in us-east-1'
    history = eventually(lambda: acted(cloudwatch))
    assert len([it for it in history if it.startswith("Successfully")]) == 2
    assert len([it for it in history if it.startswith("Failed")]) == 1


def acted(cloudwatch) -> list[str]:
    found = cloudwatch.describe_alarm_history(AlarmName="much", HistoryItemType="Action")
    texts = [it["HistorySummary"] for it in found["AlarmHistoryItems"]]
    return texts if len(texts) == 3 else []


def asked(later) -> dict | None:
    try:
        return later.ask(None, InputLocation=f"s3://{BUCKET}/in/hello")
    except Exception:
        return None


def kill(pid: int) -> None:
    os.kill(pid, signal.SIGKILL)


def test_a_request_that_kills_its_server_fails_after_some_attempts(later):
    text = later.failure(later.ask("die"))
    assert "The model server closed the connection" in text
    assert later.output(later.ask("after")) == "AFTER"


def test_the_queue_is_seen_and_what_waits_or_failed_is_in_hand(later):
    """The endpoint sleeps meanwhile: what waits wakes it."""

    def listed(**values) -> list[dict]:
        return later.own.list_async_invocations(EndpointName=NAME, **values)["Invocations"]

    failed = next(
        it for it in listed(StatusEquals="Failed") if "nothing" in it.get("InputLocation", "")
    )
    assert "does not exist" in failed["Reason"]
    youngest, *_ = page = listed(MaxResults=2)
    assert len(page) == 2
    assert youngest["AcceptedTime"] == max(it["AcceptedTime"] for it in listed())
    before = later.own.list_async_invocations(EndpointName=NAME)
    assert before["Completed"] == len(listed(StatusEquals="Completed"))
    assert before["SuccessTopic"].endswith(":ends")
    no_instance = [{"VariantName": "AllTraffic", "DesiredInstanceCount": 0}]
    later.sagemaker.update_endpoint_weights_and_capacities(
        EndpointName=NAME, DesiredWeightsAndCapacities=no_instance
    )
    eventually(lambda: later.own.list_async_invocations(EndpointName=NAME)["Instances"] == 0)
    flow.settled(later.sagemaker, NAME)
    later.ask("taken-back")
    waiting = later.ask("waiting")
    taken = next(it for it in listed() if it.get("InputLocation", "").endswith("taken-back"))
    stop, retry = later.own.stop_async_invocation, later.own.retry_async_invocation
    stop(EndpointName=NAME, InvocationId=taken["InvocationId"])
    assert "does not wait" in refusal(stop, EndpointName=NAME, InvocationId=taken["InvocationId"])
    later.s3.put_object(Bucket=BUCKET, Key="in/nothing", Body=b"something")
    retry(EndpointName=NAME, InvocationId=failed["InvocationId"])
    assert later.output(waiting) == "WAITING"
    done = eventually(
        lambda: [
            it
            for it in listed(StatusEquals="Completed")
            if it["InvocationId"] == failed["InvocationId"]
        ]
    )[0]
    assert later.read(done["OutputLocation"])["text"] == "SOMETHING"
    assert "has not failed" in refusal(
        retry, EndpointName=NAME, InvocationId=failed["InvocationId"]
    )
    assert not [it for it in later.objects("out/") if taken["InvocationId"] in it]


def test_cloudwatch_knows_the_queue(later):
    cloudwatch = later.studio.client("cloudwatch")
    now = datetime.now(UTC)

    def statistics(metric: str, *names: str) -> list[dict]:
        values = {"EndpointName": NAME, "VariantName": "AllTraffic"}
        found = cloudwatch.get_metric_statistics(
            Namespace="AWS/SageMaker",
            MetricName=metric,
            Dimensions=[{"Name": name, "Value": values[name]} for name in names],
            StartTime=now - timedelta(hours=1),
            EndTime=now + timedelta(hours=1),
            Period=86_400,
            Statistics=["Sum", "Maximum"],
        )
        return found["Datapoints"]

    both = ("EndpointName", "VariantName")

    def sum_of(metric: str) -> float:
        return sum(each["Sum"] for each in statistics(metric, *both))

    # What was counted in the two seconds before the control plane was killed is lost.
    eventually(lambda: sum_of("InvocationFailures") >= 1)
    eventually(lambda: sum_of("InvocationsProcessed") >= 8)
    for metric in ("TimeInBacklog", "TotalProcessingTime", "ModelLatency"):
        assert eventually(lambda metric=metric: statistics(metric, *both))[0]["Maximum"] > 0
    for metric in ("ApproximateBacklogSize", "ApproximateBacklogSizePerInstance"):
        assert eventually(lambda metric=metric: statistics(metric, "EndpointName"))
    assert eventually(lambda: statistics("HasBacklogWithoutCapacity", "EndpointName"))


def test_what_waits_for_an_endpoint_that_is_deleted_fails(later):
    for folder in later.studio.home.glob("runs/*serve*/ml"):
        (folder / "go").unlink(missing_ok=True)
    waiting = [later.ask(f"hold-{letter}") for letter in "abcd"]
    eventually(lambda: later.begun("hold-a") or later.begun("hold-b"))
    later.sagemaker.delete_endpoint(EndpointName=NAME)
    ask = later.studio.client("sagemaker-runtime").invoke_endpoint_async
    eventually(lambda: "not found" in told_off(ask, EndpointName=NAME, Body=b"1"))
    later.let_go()
    for told in waiting[:2]:  # the server had them, and may have been stopped before the second
        places = told["OutputLocation"], told["FailureLocation"]
        assert len(eventually(lambda places=places: [*filter(None, map(later.read, places))])) == 1
    for told in waiting[2:]:
        assert "was deleted" in later.failure(told)


def told_off(call, **request) -> str:
    try:
        return str(call(**request))
    except ClientError as error:
        return str(error)

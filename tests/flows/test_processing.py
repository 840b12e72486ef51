"""Processing jobs: data in, files out while they run and at their end, on one host and several."""

import json
import sys

import flow
import pytest
from botocore.exceptions import ClientError
from waiting import eventually

from studio.runners import sandbox

PYTHON = f"python:{sys.version_info.major}.{sys.version_info.minor}"
SCRIPTS = {
    "share": """
import json, os, pathlib, sys
config = json.load(open("/opt/ml/config/resourceconfig.json"))
job = json.load(open("/opt/ml/config/processingjobconfig.json"))
me = config["current_host"]
names = lambda place: sorted(it.name for it in pathlib.Path(place).iterdir())
told = {
    "hosts": config["hosts"], "args": sys.argv[1:], "stage": os.environ["STAGE"],
    "mine": names("/opt/ml/processing/data"), "all": names("/opt/ml/processing/every"),
    "job": job["ProcessingJobName"], "inputs": [it["InputName"] for it in job["ProcessingInputs"]],
    "arn": job["ProcessingJobArn"],
}
pathlib.Path("/opt/ml/processing/out/deep").mkdir()
pathlib.Path(f"/opt/ml/processing/out/deep/{me}.json").write_text(json.dumps(told))
pathlib.Path("/opt/ml/output/message").write_text(f"{me} was here. " + "\\N{SNOWMAN}" * 300)
print("processed on", me, flush=True)
""",
    "serve": """
import pathlib, signal, sys, time
late = pathlib.Path("/opt/ml/processing/late/rest.csv")
signal.signal(signal.SIGTERM, lambda *_: (late.write_text("3\\n"), sys.exit(0)))
late.with_name("early.csv").write_text("2\\n")
pathlib.Path("/opt/ml/processing/soon/part.csv").write_text("1\\n")
time.sleep(1000)
""",
    "fail": """
import pathlib
pathlib.Path("/opt/ml/processing/soon/part.csv").write_text("1\\n")
pathlib.Path("/opt/ml/processing/late/half.csv").write_text("2\\n")
pathlib.Path("/opt/ml/output/message").write_text("row 17 has no label")
raise ValueError("bad row")
""",
    "message": "open('/opt/ml/output/message', 'wb').write(b'\\xff\\xfe')",
}


@pytest.fixture(scope="module")
def lab(studio):
    assert sandbox.available(), "install bubblewrap and allow user namespaces"
    s3 = studio.client("s3")
    s3.create_bucket(Bucket="processing")
    for name, text in SCRIPTS.items():
        s3.put_object(Bucket="processing", Key=f"code/{name}/main.py", Body=text)
    for number in range(3):
        s3.put_object(Bucket="processing", Key=f"data/part-{number}", Body=b"1,2\n")
    return studio


def given(name: str, uri: str, place: str, **more) -> dict:
    source = {"S3Uri": uri, "LocalPath": f"/opt/ml/processing/{place}", "S3DataType": "S3Prefix"}
    return {"InputName": name, "S3Input": {**source, "S3InputMode": "File", **more}}


def output(name: str, mode: str, job: str) -> dict:
    place = {"LocalPath": f"/opt/ml/processing/{name}", "S3UploadMode": mode}
    return {"OutputName": name, "S3Output": {"S3Uri": f"s3://processing/{job}/{name}", **place}}


def job(name: str, script: str, outputs: list[dict] = (), **values) -> dict:
    cluster = {"InstanceType": "ml.m5.large", "InstanceCount": 1, "VolumeSizeInGB": 1}
    return {
        "ProcessingJobName": name,
        "RoleArn": flow.ROLE,
        "AppSpecification": {
            "ImageUri": PYTHON,
            "ContainerEntrypoint": ["python3", "/opt/ml/processing/input/code/main.py"],
        },
        "ProcessingInputs": [given("code", f"s3://processing/code/{script}", "input/code")],
        "ProcessingResources": {"ClusterConfig": cluster},
        **({"ProcessingOutputConfig": {"Outputs": list(outputs)}} if outputs else {}),
        **values,
    }


def ended(studio, name: str) -> dict:
    sagemaker = studio.client("sagemaker")

    def look() -> dict | None:
        found = sagemaker.describe_processing_job(ProcessingJobName=name)
        return found if found["ProcessingJobStatus"] not in ("InProgress", "Stopping") else None

    return eventually(look)


def stored(studio, prefix: str) -> dict[str, str]:
    s3 = studio.client("s3")
    found = s3.list_objects_v2(Bucket="processing", Prefix=f"{prefix}/").get("Contents", [])
    return {
        it["Key"].removeprefix(f"{prefix}/"): s3.get_object(Bucket="processing", Key=it["Key"])[
            "Body"
        ]
        .read()
        .decode()
        for it in found
    }


def said(studio, name: str) -> list[str]:
    logs, group = studio.client("logs"), "/aws/sagemaker/ProcessingJobs"
    events = logs.filter_log_events(logGroupName=group, logStreamNamePrefix=f"{name}/")["events"]
    return sorted(it["message"] for it in events)


def test_hosts_share_the_data_and_leave_files(lab):
    request = job("share", "share", [output("out", "EndOfJob", "share")])
    request["AppSpecification"]["ContainerArguments"] = ["--ratio", "0.2"]
    request["ProcessingInputs"] += [
        given("data", "s3://processing/data", "data", S3DataDistributionType="ShardedByS3Key"),
        given("every", "s3://processing/data/", "every"),
    ]
    request["ProcessingResources"]["ClusterConfig"]["InstanceCount"] = 2
    request["Environment"] = {"STAGE": "clean"}
    request["Tags"] = [{"Key": "team", "Value": "data"}]
    sagemaker = lab.client("sagemaker")
    arn = sagemaker.create_processing_job(**request)["ProcessingJobArn"]
    done = ended(lab, "share")
    assert done["ProcessingJobStatus"] == "Completed", (done, said(lab, "share"))
    left = {name: json.loads(text) for name, text in stored(lab, "share/out").items()}
    shards = {"deep/algo-1.json": ["part-0", "part-2"], "deep/algo-2.json": ["part-1"]}
    assert {name: told.pop("mine") for name, told in left.items()} == shards
    for told in left.values():
        assert told == {
            "hosts": ["algo-1", "algo-2"],
            "args": ["--ratio", "0.2"],
            "stage": "clean",
            "all": ["part-0", "part-1", "part-2"],
            "job": "share",
            "inputs": ["code", "data", "every"],
            "arn": arn,
        }
    assert done["ExitMessage"].startswith("algo-1 was here. \N{SNOWMAN}")
    assert 1020 < len(done["ExitMessage"].encode()) <= 1024
    assert done["ProcessingStartTime"] <= done["ProcessingEndTime"]
    assert said(lab, "share") == ["processed on algo-1", "processed on algo-2"]
    assert sagemaker.list_tags(ResourceArn=arn)["Tags"] == request["Tags"]
    listed = sagemaker.list_processing_jobs(NameContains="share")["ProcessingJobSummaries"]
    assert [(it["ProcessingJobName"], it["ProcessingJobStatus"]) for it in listed] == [
        ("share", "Completed")
    ]


def test_the_component_of_a_job_knows_its_data_and_its_results(lab):
    sagemaker = lab.client("sagemaker")
    sagemaker.create_experiment(ExperimentName="prepared")
    request = job("traced", "fail", [output("soon", "Continuous", "traced")])
    request["AppSpecification"]["ContainerEntrypoint"] = ["true"]
    request["ExperimentConfig"] = {"ExperimentName": "prepared"}
    arn = sagemaker.create_processing_job(**request)["ProcessingJobArn"]
    assert ended(lab, "traced")["ProcessingJobStatus"] == "Completed"
    name = "traced-aws-processing-job"
    known = sagemaker.describe_trial_component(TrialComponentName=name)
    assert known["Source"] == {"SourceArn": arn, "SourceType": "SageMakerProcessingJob"}
    assert known["InputArtifacts"] == {"code": {"Value": "s3://processing/code/fail"}}
    assert known["OutputArtifacts"] == {"soon": {"Value": "s3://processing/traced/soon"}}
    assert known["Parameters"]["SageMaker.ImageUri"] == {"StringValue": PYTHON}
    expression = {"Filters": [{"Name": "Source.SourceArn", "Value": arn}]}
    (found,) = sagemaker.search(Resource="ExperimentTrialComponent", SearchExpression=expression)[
        "Results"
    ]
    detail = found["TrialComponent"]["SourceDetail"]
    assert detail["ProcessingJob"]["ProcessingJobStatus"] == "Completed"
    edges = sagemaker.list_associations(SourceArn=known["TrialComponentArn"])
    assert [it["DestinationType"] for it in edges["AssociationSummaries"]] == ["DataSet"]
    sagemaker.delete_processing_job(ProcessingJobName="traced")
    with pytest.raises(ClientError, match="ResourceNotFound"):
        sagemaker.describe_processing_job(ProcessingJobName="traced")


def test_continuous_outputs_come_while_it_runs_the_others_when_it_is_stopped(lab):
    outputs = [output("soon", "Continuous", "serve"), output("late", "EndOfJob", "serve")]
    sagemaker = lab.client("sagemaker")
    sagemaker.create_processing_job(**job("serve", "serve", outputs))
    eventually(lambda: stored(lab, "serve/soon"))
    assert stored(lab, "serve") == {"soon/part.csv": "1\n"}
    sagemaker.stop_processing_job(ProcessingJobName="serve")
    done = ended(lab, "serve")
    assert done["ProcessingJobStatus"] == "Stopped", done
    assert stored(lab, "serve/late") == {"early.csv": "2\n", "rest.csv": "3\n"}
    with pytest.raises(ClientError, match="is in status Stopped"):
        sagemaker.stop_processing_job(ProcessingJobName="serve")


def test_a_job_that_fails_says_why_and_stores_no_half_results(lab):
    outputs = [output("soon", "Continuous", "fail"), output("late", "EndOfJob", "fail")]
    lab.client("sagemaker").create_processing_job(**job("fail", "fail", outputs))
    done = ended(lab, "fail")
    assert done["ProcessingJobStatus"] == "Failed"
    assert done["FailureReason"] == "AlgorithmError: ValueError: bad row, exit code: 1"
    assert done["ExitMessage"] == "row 17 has no label"
    assert stored(lab, "fail") == {"soon/part.csv": "1\n"}


def test_a_message_that_is_no_text_and_data_that_are_not_there_fail_a_job(lab):
    sagemaker = lab.client("sagemaker")
    sagemaker.create_processing_job(**job("message", "message"))
    sagemaker.create_processing_job(**job("nothing", "no-such-script"))
    assert "message is not encoded in UTF-8" in ended(lab, "message")["FailureReason"]
    assert "No S3 objects found" in ended(lab, "nothing")["FailureReason"]


def test_time_is_limited_and_the_network_can_be_taken_away(lab):
    port = lab.url.rsplit(":")[-1]
    alone = f"import socket; socket.create_connection(('127.0.0.1', {port}))"
    request = job("alone", "message", NetworkConfig={"EnableNetworkIsolation": True})
    request["AppSpecification"]["ContainerEntrypoint"] = ["python3", "-c", alone]
    slow = job("slow", "message", StoppingCondition={"MaxRuntimeInSeconds": 1})
    slow["AppSpecification"]["ContainerEntrypoint"] = ["sleep", "1000"]
    sagemaker = lab.client("sagemaker")
    sagemaker.create_processing_job(**request)
    sagemaker.create_processing_job(**slow)
    assert "ConnectionRefusedError" in ended(lab, "alone")["FailureReason"]
    done = ended(lab, "slow")
    assert done["ProcessingJobStatus"] == "Stopped"
    assert "MaxRuntimeInSeconds" in done["FailureReason"]


def test_a_schedule_starts_a_processing_job_with_files_of_its_own(lab):
    name = "nightly-<aws.scheduler.execution-id>"
    request = job(name, "message", [output("out", "EndOfJob", name)])
    request["AppSpecification"]["ContainerEntrypoint"] = [
        *("sh", "-c", "echo <aws.scheduler.execution-id> > /opt/ml/processing/out/id")
    ]
    target = "arn:aws:scheduler:::aws-sdk:sagemaker:createProcessingJob"
    lab.client("scheduler").create_schedule(
        Name="nightly",
        State="DISABLED",
        ScheduleExpression="rate(1 day)",
        FlexibleTimeWindow={"Mode": "OFF"},
        Target={"Arn": target, "RoleArn": flow.ROLE, "Input": json.dumps(request)},
    )
    panel = lab.client("studio")
    started = panel.run_schedule(Name="nightly")["ExecutionId"]
    [run] = eventually(lambda: panel.describe_schedules(Names=["nightly"])["Schedules"][0]["Runs"])
    assert (run["Status"], run["ByHand"]) == ("Started", True)
    found = ended(lab, f"nightly-{started}")
    assert found["ProcessingJobArn"] == run["Arn"]
    assert found["ProcessingJobStatus"] == "Completed", found.get("FailureReason")
    assert stored(lab, f"nightly-{started}/out") == {"id": f"{started}\n"}
    [row] = panel.query_resources(Kind="schedule", Text="nightly")["Rows"]
    shown = {key: row[key] for key in ("Name", "Status", "StatusMessage")}
    assert shown == {"Name": "nightly", "Status": "DISABLED", "StatusMessage": "rate(1 day) UTC"}

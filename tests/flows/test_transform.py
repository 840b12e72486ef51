"""Batch transform: files in, answers out, on one host and several; what fails is named."""

import gzip
import io
import json
import os
import re
import signal
import tarfile
from pathlib import Path

import flow
import pytest
from botocore.exceptions import ClientError
from waiting import eventually

SKLEARN = "683313688378.dkr.ecr.us-east-1.amazonaws.com/sagemaker-scikit-learn:1.2-1-cpu-py3"
BUCKET = "transform"
MODEL = """
import json, os, time

def model_fn(model_dir):
    return os.environ["SAGEMAKER_BATCH"], os.environ.get("SAGEMAKER_BATCH_STRATEGY", "")

def input_fn(body, content_type):
    return body.decode() if isinstance(body, bytes) else body

def predict_fn(text, model):
    rows = [line for line in text.split("\\n") if line.strip()]
    print("asked for", len(rows), "from", rows[0], *model, flush=True)
    for row in rows:
        if "bad" in row:
            raise ValueError("no such row: " + row)
        while "slow" in row and not os.path.exists("/opt/ml/go"):
            time.sleep(0.02)
    return rows

def output_fn(rows, accept):
    sizes = (json.dumps({"size": len(row)}) if "json" in accept else str(len(row)) for row in rows)
    return "\\n".join(sizes), accept
"""


@pytest.fixture(scope="module")
def lab(studio):
    s3, sagemaker = studio.client("s3"), studio.client("sagemaker")
    s3.create_bucket(Bucket=BUCKET)
    made = io.BytesIO()
    with tarfile.open(fileobj=made, mode="w:gz") as archive:
        entry = tarfile.TarInfo("code/inference.py")
        entry.size = len(MODEL)
        archive.addfile(entry, io.BytesIO(MODEL.encode()))
    put(studio, {"model.tar.gz": made.getvalue()})
    environment = {"SAGEMAKER_PROGRAM": "inference.py", "SAGEMAKER_MODEL_SERVER_WORKERS": "2"}
    container = {
        "Image": SKLEARN,
        "ModelDataUrl": f"s3://{BUCKET}/model.tar.gz",
        "Environment": environment,
    }
    sagemaker.create_model(
        ModelName="sizes", PrimaryContainer=container, ExecutionRoleArn=flow.ROLE
    )
    return studio


def put(studio, files: dict[str, bytes]) -> None:
    for name, data in files.items():
        studio.client("s3").put_object(Bucket=BUCKET, Key=name, Body=data)


def request(name: str, split: str = "Line", hosts: int = 1, **values) -> dict:
    """Of the files below `name`/in/, which is CSV."""
    source = {"S3DataType": "S3Prefix", "S3Uri": f"s3://{BUCKET}/{name}/in/"}
    given = {
        "DataSource": {"S3DataSource": source},
        "ContentType": "text/csv",
        "SplitType": split,
        **values.pop("TransformInput", {}),
    }
    kept = {
        "S3OutputPath": f"s3://{BUCKET}/{name}/out",
        "Accept": "text/csv",
        "AssembleWith": "Line",
        **values.pop("TransformOutput", {}),
    }
    return {
        "TransformJobName": name,
        "ModelName": "sizes",
        "TransformInput": given,
        "TransformOutput": kept,
        "TransformResources": {"InstanceType": "ml.m5.large", "InstanceCount": hosts},
        **values,
    }


def ended(studio, name: str) -> dict:
    sagemaker = studio.client("sagemaker")

    def look() -> dict | None:
        found = sagemaker.describe_transform_job(TransformJobName=name)
        return found if found["TransformJobStatus"] not in ("InProgress", "Stopping") else None

    return eventually(look, lambda: said(studio, name))


def stored(studio, name: str) -> dict[str, str]:
    s3, prefix = studio.client("s3"), f"{name}/out/"
    found = s3.list_objects_v2(Bucket=BUCKET, Prefix=prefix).get("Contents", [])
    keys = [it["Key"] for it in found]
    return {
        key.removeprefix(prefix): s3.get_object(Bucket=BUCKET, Key=key)["Body"].read().decode()
        for key in keys
    }


def said(studio, name: str) -> list[str]:
    logs, group = studio.client("logs"), "/aws/sagemaker/TransformJobs"
    events = logs.filter_log_events(logGroupName=group, logStreamNamePrefix=f"{name}/")["events"]
    return [it["message"] for it in events]


def runs_of(studio, name: str) -> list[Path]:
    """The folders of its runs, in the order of their starts."""
    place = f"s3://{BUCKET}/{name}/in/"
    specs = studio.home.glob("runs/*/spec.json")
    found = [it for it in specs if json.loads(it.read_text()).get("transform")]
    return sorted(
        (
            it.parent
            for it in found
            if json.loads(it.read_text())["transform"]["files"][0]["name"].startswith(place)
        ),
        key=lambda it: it.name,
    )


def test_files_on_two_hosts_are_filtered_joined_and_assembled(lab):
    files = {f"many/in/{n % 2}/{n}.csv": b"id%d,abc,%d\nx,yy,z\n" % (n, n) for n in range(5)}
    put(lab, files)
    sagemaker = lab.client("sagemaker")
    processing = {"InputFilter": "$[1:]", "JoinSource": "Input", "OutputFilter": "$[0,-1]"}
    made = request("many", hosts=2, DataProcessing=processing, BatchStrategy="MultiRecord")
    made |= {"MaxPayloadInMB": 1, "Environment": {"STAGE": "night"}, "Tags": flow_tags()}
    arn = sagemaker.create_transform_job(**made)["TransformJobArn"]
    done = ended(lab, "many")
    assert done["TransformJobStatus"] == "Completed", done["FailureReason"]
    assert stored(lab, "many") == {f"{n % 2}/{n}.csv.out": f"id{n},5\nx,4\n" for n in range(5)}
    assert done["TransformStartTime"] <= done["TransformEndTime"]
    for member in ("DataProcessing", "BatchStrategy", "MaxPayloadInMB", "Environment"):
        assert done[member] == made[member]
    assert "Model" not in done
    assert sagemaker.list_tags(ResourceArn=arn)["Tags"] == flow_tags()
    (listed,) = sagemaker.list_transform_jobs(NameContains="many")["TransformJobSummaries"]
    assert (listed["TransformJobArn"], listed["TransformJobStatus"]) == (arn, "Completed")
    lines = said(lab, "many")
    assert sum("asked for 2" in line and "true MULTI_RECORD" in line for line in lines) == 5
    named = "MaxConcurrentTransforms="
    assert any(named in it and "MaxPayloadInMB=1, BatchStrategy=MULTI_RECORD" in it for it in lines)
    asked = {"TransformJobName": "many"}
    progress = lab.client("studio").describe_transform_progress(**asked)
    wanted = {"Files": 5, "FilesDone": 5, "FilesFailed": 0, "Records": 10, "RecordsFailed": 0}
    assert progress.items() >= wanted.items()
    (component,) = sagemaker.list_trial_components(SourceArn=arn)["TrialComponentSummaries"]
    assert component["TrialComponentSource"]["SourceType"] == "SageMakerTransformJob"


def flow_tags() -> list[dict]:
    return [{"Key": "team", "Value": "data"}]


def test_a_manifest_of_gzip_files_and_json_lines(lab):
    rows = b'{"f":"ab"}\n{"f":"c"}\n'
    named = [{"prefix": f"s3://{BUCKET}/zipped/in/"}, "a.gz", "deep/b.gz"]
    put(lab, {"zipped/in/a.gz": gzip.compress(rows), "zipped/in/deep/b.gz": gzip.compress(rows)})
    put(lab, {"zipped/manifest": json.dumps(named).encode()})
    source = {"S3DataType": "ManifestFile", "S3Uri": f"s3://{BUCKET}/zipped/manifest"}
    given = {
        "DataSource": {"S3DataSource": source},
        "CompressionType": "Gzip",
        "ContentType": "application/jsonlines",
    }
    made = request("zipped", TransformInput=given, BatchStrategy="SingleRecord")
    made["TransformOutput"]["Accept"] = "application/jsonlines"
    made["DataProcessing"] = {"JoinSource": "Input"}
    lab.client("sagemaker").create_transform_job(**made)
    done = ended(lab, "zipped")
    assert done["TransformJobStatus"] == "Completed", done["FailureReason"]
    text = '{"f":"ab","SageMakerOutput":{"size":10}}\n{"f":"c","SageMakerOutput":{"size":9}}\n'
    assert stored(lab, "zipped") == {"a.gz.out": text, "deep/b.gz.out": text}


def test_whole_files_are_streamed(lab):
    put(lab, {"whole/in/a": b"1\n22\n" * 3, "whole/in/empty": b"", "whole/in/z": b"bad"})
    lab.client("sagemaker").create_transform_job(
        **request("whole", split="None", MaxPayloadInMB=0, Environment={"STAGE": "a"})
        | {"ModelClientConfig": {"InvocationsMaxRetries": 0}}
    )
    reason = ended(lab, "whole")["FailureReason"]
    assert "1 record of 1 file" in reason
    assert f"s3://{BUCKET}/whole/in/z: 500 ValueError: no such row: bad" in reason
    assert stored(lab, "whole") == {"a.out": "1\n2\n" * 3, "empty.out": ""}


def test_records_that_fail_are_named_and_other_files_are_kept(lab):
    rows = [b"%d,ok" % n for n in range(40)]
    rows[16], rows[30] = b"16,bad", b"30,bad"
    put(lab, {"fails/in/a.csv": b"1\n22\n", "fails/in/b.csv": b"\n".join(rows)})
    put(
        lab,
        {"fails/in/c.csv": b"333\n", "fails/in/large.csv": b"1\n" + b"2" * (2**20 + 1) + b"\n3"},
    )
    made = request("fails", MaxPayloadInMB=1, ModelClientConfig={"InvocationsMaxRetries": 0})
    lab.client("sagemaker").create_transform_job(**made)
    done = ended(lab, "fails")
    assert done["TransformJobStatus"] == "Failed"
    reason = done["FailureReason"]
    assert reason.startswith("ClientError: 3 records of 2 files could not be transformed: ")
    assert f"s3://{BUCKET}/fails/in/b.csv line 17: 500 " in reason
    assert "no such row: 16,bad" in reason
    assert f"s3://{BUCKET}/fails/in/large.csv line 2: 413 " in reason
    assert stored(lab, "fails") == {"a.csv.out": "1\n2\n", "c.csv.out": "3\n"}
    lines = said(lab, "fails")
    for number in (17, 31):
        place = f"{BUCKET}/fails/in/b.csv: line {number}"
        assert any(f"{place}: Bad HTTP status received from algorithm: 500" in it for it in lines)


def test_what_is_killed_goes_on_without_the_files_that_are_done(lab):
    put(lab, {"killed/in/a.csv": b"first\n", "killed/in/b.csv": b"slow\n"})
    put(lab, {"killed/in/c.csv": b"last\n"})
    made = request("killed", ModelClientConfig={"InvocationsMaxRetries": 0})
    lab.client("sagemaker").create_transform_job(**made | {"MaxConcurrentTransforms": 1})
    eventually(lambda: "a.csv.out" in stored(lab, "killed"))
    (folder,) = runs_of(lab, "killed")
    eventually(lambda: any("from slow" in it for it in said(lab, "killed")))
    shim = json.loads((folder / "pid.json").read_text())["pid"]
    os.kill(driver_of(shim), signal.SIGKILL)
    eventually(lambda: sum("from slow" in it for it in said(lab, "killed")) == 2)
    os.kill(shim, signal.SIGKILL)
    again = eventually(lambda: [it for it in runs_of(lab, "killed") if it != folder])
    eventually((again[0] / "ml").is_dir)
    (again[0] / "ml" / "go").touch()
    done = ended(lab, "killed")
    assert done["TransformJobStatus"] == "Completed", done["FailureReason"]
    wanted = {"a.csv.out": "5\n", "b.csv.out": "4\n", "c.csv.out": "4\n"}
    assert stored(lab, "killed") == wanted
    assert sum("from first" in it for it in said(lab, "killed")) == 1


def driver_of(shim: int) -> int:
    """The child of a shim that works in the folder of the run and has threads: it feeds the
    server."""
    for child in Path(f"/proc/{shim}/task/{shim}/children").read_text().split():
        place = Path(f"/proc/{child}")
        threads = len(list((place / "task").iterdir()))
        if threads > 1 and (place / "cwd").readlink().parent.name == "runs":
            return int(child)
    raise AssertionError("nobody feeds the server")


def test_a_job_is_stopped_and_keeps_what_is_done(lab):
    put(lab, {"stops/in/a.csv": b"first\n", "stops/in/b.csv": b"slow\n"})
    sagemaker = lab.client("sagemaker")
    sagemaker.create_transform_job(**request("stops", MaxConcurrentTransforms=1))
    eventually(lambda: "a.csv.out" in stored(lab, "stops"))
    sagemaker.stop_transform_job(TransformJobName="stops")
    assert ended(lab, "stops")["TransformJobStatus"] == "Stopped"
    assert stored(lab, "stops") == {"a.csv.out": "5\n"}
    with pytest.raises(ClientError, match="because the transform job is in status Stopped"):
        sagemaker.stop_transform_job(TransformJobName="stops")


REFUSED = {
    "Could not find model": {"ModelName": "none"},
    "cannot exceed 100 MB; it is 102 MB": {"MaxPayloadInMB": 51, "MaxConcurrentTransforms": 2},
    "MaxPayloadInMB cannot be greater than 100": {"MaxPayloadInMB": 101},
    "InputFilter: .* is not a JSONPath": {"DataProcessing": {"InputFilter": "$..a"}},
    "must be the same": {
        "DataProcessing": {"JoinSource": "Input"},
        "TransformOutput": {"Accept": "application/json"},
    },
    "use S3Prefix or ManifestFile": {
        "TransformInput": {
            "DataSource": {
                "S3DataSource": {"S3DataType": "AugmentedManifestFile", "S3Uri": "s3://b/k"}
            }
        }
    },
}


@pytest.mark.parametrize("said", REFUSED)
def test_requests_that_are_refused(lab, said):
    refused = request("refused", **REFUSED[said])
    with pytest.raises(ClientError, match=said):
        lab.client("sagemaker").create_transform_job(**refused)
    faults = lab.client("studio").validate_transform_job(Request=refused)["Faults"]
    assert any(re.search(said, it["Message"]) for it in faults)


def test_jobs_that_are_not_there_and_files_that_are_not(lab):
    sagemaker = lab.client("sagemaker")
    with pytest.raises(ClientError, match="Could not find requested job with name: none") as error:
        sagemaker.describe_transform_job(TransformJobName="none")
    assert error.value.response["Error"]["Code"] == "ResourceNotFound"
    sagemaker.create_transform_job(**request("empty"))
    assert "No S3 objects found under S3 URL" in ended(lab, "empty")["FailureReason"]
    with pytest.raises(ClientError, match="Job name must be unique"):
        sagemaker.create_transform_job(**request("empty"))

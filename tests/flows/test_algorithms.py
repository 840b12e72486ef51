"""The algorithms through the whole system: the SDK, pipes, hosts, checkpoints, endpoints."""

import subprocess

import flow
import numpy as np
import pytest
from studios import ROOT
from waiting import PATIENCE_SECONDS

from studio.runners import sandbox

SDK = ROOT / ".venv-sdk" / "bin" / "python"
KMEANS = "382416733822.dkr.ecr.us-east-1.amazonaws.com/kmeans:1"
RNG = np.random.default_rng(2)
CENTERS = RNG.normal(0, 20, (3, 4))
POINTS = CENTERS[RNG.integers(0, 3, 900)] + RNG.normal(0, 1, (900, 4))


@pytest.fixture(scope="module")
def lab(studio):
    s3 = studio.client("s3")
    s3.create_bucket(Bucket="algorithms")
    for number, rows in enumerate(np.array_split(POINTS, 3)):
        body = "".join(",".join(f"{cell:.6f}" for cell in row) + "\n" for row in rows)
        s3.put_object(Bucket="algorithms", Key=f"points/{number}.csv", Body=body)
    labels = (POINTS[:, 0] > 0).astype(int)
    for number, rows in enumerate(np.array_split(np.column_stack([labels, POINTS]), 3)):
        body = "".join(",".join(f"{cell:.6f}" for cell in row) + "\n" for row in rows)
        s3.put_object(Bucket="algorithms", Key=f"labelled/{number}.csv", Body=body)
    return studio


def sharded(uri: str, content_type: str) -> dict:
    channel = flow.channel(uri, content_type=content_type)
    channel["DataSource"]["S3DataSource"]["S3DataDistributionType"] = "ShardedByS3Key"
    return channel


def resources(count: int) -> dict:
    return {"InstanceType": "ml.m5.large", "InstanceCount": count, "VolumeSizeInGB": 1}


FIT = """
import numpy as np, sagemaker
from sagemaker import KMeans
rng = np.random.default_rng(1)
centers = np.array([[0, 0], [50, 0], [0, 50]], "float32")
points = (centers[rng.integers(0, 3, 600)] + rng.normal(0, 1, (600, 2))).astype("float32")
kmeans = KMeans(
    role="arn:aws:iam::000000000000:role/StudioExecutionRole", instance_count=1,
    instance_type="ml.c4.xlarge", k=3, output_path="s3://algorithms/out",
    data_location="s3://algorithms/records",
)
kmeans.fit(kmeans.record_set(points), mini_batch_size=200, logs=False)
predictor = kmeans.deploy(initial_instance_count=1, instance_type="ml.t2.medium")
found = predictor.predict(points)
labels = [int(it.label["closest_cluster"].float32_tensor.values[0]) for it in found]
gaps = [it.label["distance_to_cluster"].float32_tensor.values[0] for it in found]
true = ((points[:, None] - centers) ** 2).sum(2).argmin(1)
print("\\n", len(found), len(set(zip(labels, true.tolist()))), max(gaps) < 10)
predictor.delete_endpoint()
"""


@pytest.mark.skipif(not SDK.exists(), reason="`make setup` makes .venv-sdk")
def test_the_sdk_clusters_and_asks_for_clusters(lab):
    done = subprocess.run(
        [SDK, "-c", FIT],
        env=lab.env,
        capture_output=True,
        text=True,
        timeout=PATIENCE_SECONDS,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-3000:]
    assert done.stdout.split()[-3:] == ["600", "3", "True"]


def test_kmeans_reads_pipes_epoch_by_epoch(lab):
    sagemaker = lab.client("sagemaker")
    request = flow.training(
        "kmeans-pipe",
        "algorithms",
        AlgorithmSpecification={"TrainingImage": KMEANS, "TrainingInputMode": "Pipe"},
        InputDataConfig=[flow.channel("s3://algorithms/points", content_type="text/csv")],
        HyperParameters={"k": "3", "feature_dim": "4", "mini_batch_size": "100", "epochs": "3"},
    )
    sagemaker.create_training_job(**request)
    done = flow.ended(sagemaker, "kmeans-pipe")
    assert done["TrainingJobStatus"] == "Completed", done.get("FailureReason")
    final = {it["MetricName"]: it["Value"] for it in done["FinalMetricDataList"]}
    assert final["train:msd"] == pytest.approx(4, rel=0.15)
    assert final["train:progress"] == 100
    names = {it["Name"] for it in done["AlgorithmSpecification"]["MetricDefinitions"]}
    assert names >= {"test:msd", "test:ssd", "train:msd"}


@pytest.mark.skipif(not sandbox.available(), reason="several hosts need bubblewrap")
def test_algorithms_on_several_hosts(lab):
    sagemaker = lab.client("sagemaker")
    jobs = {
        "kmeans-hosts": flow.training(
            "kmeans-hosts",
            "algorithms",
            AlgorithmSpecification={"TrainingImage": KMEANS, "TrainingInputMode": "Pipe"},
            InputDataConfig=[sharded("s3://algorithms/points", "text/csv;label_size=0")],
            HyperParameters={"k": "3", "feature_dim": "4", "mini_batch_size": "100"},
            ResourceConfig=resources(2),
        ),
        "xgboost-hosts": flow.training(
            "xgboost-hosts",
            "algorithms",
            AlgorithmSpecification={"TrainingImage": flow.XGBOOST, "TrainingInputMode": "Pipe"},
            InputDataConfig=[sharded("s3://algorithms/labelled", "text/csv")],
            HyperParameters={
                "num_round": "5", "objective": "binary:logistic", "eval_metric": "error",
            },
            ResourceConfig=resources(2),
        ),
    }  # fmt: skip
    for request in jobs.values():
        sagemaker.create_training_job(**request)
    ends = {name: flow.ended(sagemaker, name) for name in jobs}
    for done in ends.values():
        assert done["TrainingJobStatus"] == "Completed", done.get("FailureReason")
    final = {it["MetricName"]: it["Value"] for it in ends["kmeans-hosts"]["FinalMetricDataList"]}
    assert final["train:msd"] == pytest.approx(4, rel=0.15)
    final = {it["MetricName"]: it["Value"] for it in ends["xgboost-hosts"]["FinalMetricDataList"]}
    assert final["train:error"] < 0.01


@pytest.mark.skipif(not sandbox.available(), reason="several hosts need bubblewrap")
def test_a_host_with_bad_data_fails_the_job_by_name(lab):
    s3, sagemaker = lab.client("s3"), lab.client("sagemaker")
    s3.put_object(Bucket="algorithms", Key="bad/0.csv", Body="1,2,3\n0,1,2\n")
    s3.put_object(Bucket="algorithms", Key="bad/1.csv", Body="1,2,oops\n")
    request = flow.training(
        "bad-host",
        "algorithms",
        InputDataConfig=[sharded("s3://algorithms/bad", "text/csv")],
        ResourceConfig=resources(2),
    )
    sagemaker.create_training_job(**request)
    done = flow.ended(sagemaker, "bad-host")
    assert done["TrainingJobStatus"] == "Failed"
    assert "algo-2" in done["FailureReason"]
    assert "Non-numeric value 'oops'" in done["FailureReason"]


def test_xgboost_goes_on_from_its_checkpoints(lab):
    s3, sagemaker = lab.client("s3"), lab.client("sagemaker")
    for name, rounds in (("begun", 4), ("continued", 6)):
        request = flow.training(
            name,
            "algorithms",
            InputDataConfig=[flow.channel("s3://algorithms/labelled")],
            HyperParameters={"num_round": str(rounds), "objective": "binary:logistic"},
            CheckpointConfig={"S3Uri": "s3://algorithms/checkpoints"},
        )
        sagemaker.create_training_job(**request)
        done = flow.ended(sagemaker, name)
        assert done["TrainingJobStatus"] == "Completed", done.get("FailureReason")
    listed = s3.list_objects_v2(Bucket="algorithms", Prefix="checkpoints/")["Contents"]
    names = {it["Key"].removeprefix("checkpoints/") for it in listed}
    assert names >= {f"xgboost-checkpoint.{number}" for number in range(6)}
    assert all(name.startswith("xgboost-checkpoint.") for name in names)
    events = lab.client("logs").filter_log_events(
        logGroupName="/aws/sagemaker/TrainingJobs", logStreamNamePrefix="continued/"
    )["events"]
    rounds = [it["message"].split("#")[0] for it in events if "#011" in it["message"]]
    assert rounds == ["[4]", "[5]"]

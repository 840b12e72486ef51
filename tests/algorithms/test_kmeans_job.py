"""k-means jobs as processes: formats, pipes, log lines, metrics, hosts, the artifact, errors."""

import json
import re

import numpy as np
import pytest
from algorithm_programs import Job, Serve, feed, on_hosts
from linear_jobs import csv, records, sparse_records

from studio.algorithms import record_message, recordio
from studio.algorithms.kmeans import IMAGE, model

RNG = np.random.default_rng(3)
CENTERS = RNG.normal(1000, 10, (4, 6)).astype(np.float32)
POINTS = (CENTERS[RNG.integers(0, 4, 1200)] + RNG.normal(0, 0.5, (1200, 6))).astype(np.float32)
BASE = {"k": 4, "feature_dim": 6, "mini_batch_size": 100}
CSV, RECORDIO = "text/csv;label_size=0", "application/x-recordio-protobuf"


@pytest.fixture
def clusters(job: Job) -> Job:
    job.module, job.tag = "studio.algorithms.kmeans", "1"
    return job


def metrics(log: str) -> dict[str, list[float]]:
    return {
        name: [float(value) for value in re.findall(expression, log)]
        for name, expression in IMAGE.metrics
    }


def assert_found(job: Job) -> None:
    """Every centre that the points were made around is there."""
    found = model.load(job.model).centers
    gaps = np.linalg.norm(CENTERS[:, None] - found[None], axis=2)
    assert found.shape == (4, 6)
    assert gaps.min(axis=1).max() < 0.2


@pytest.mark.parametrize(
    ("kind", "data"),
    [
        (CSV, csv(POINTS)),
        (RECORDIO, records(POINTS)),
        (RECORDIO, records(POINTS, np.ones(1200))),
        (RECORDIO, sparse_records(POINTS)),
    ],
)
def test_a_job_finds_the_clusters_and_scores_them(clusters: Job, kind: str, data: bytes) -> None:
    clusters.channel("train", kind, data=data)
    clusters.channel("test", CSV, data=csv(POINTS[:300]))
    ended = clusters.train(**BASE, eval_metrics='["msd","ssd"]', force_dense="True")
    assert ended.code == 0, ended.log
    assert_found(clusters)
    values = metrics(ended.log)
    _, squared = model.load(clusters.model).assign(POINTS[:300])
    assert values["test:msd"] == pytest.approx([squared.mean()], rel=1e-5)
    assert values["test:ssd"] == pytest.approx([squared.sum()], rel=1e-5)
    assert 1.2 < values["train:msd"][0] < 1.8
    assert values["train:progress"] == [100.0]
    assert values["train:throughput"][0] > 0
    assert "'extra_center_factor' was set to 'auto', evaluated to 10." in ended.log
    assert "shrinking 40 centers into 4" in ended.log
    assert "local kmeans attempt #9. Current mean square distance" in ended.log
    assert "#test_score (algo-1) : ('msd', 1." in ended.log


@pytest.mark.parametrize(("kind", "data"), [(CSV, csv(POINTS)), (RECORDIO, records(POINTS))])
def test_pipes_are_read_once_an_epoch(clusters: Job, kind: str, data: bytes) -> None:
    clusters.channel("train", kind)
    clusters.channels["train"]["TrainingInputMode"] = "Pipe"
    feeder = feed(clusters.base / "input" / "data", "train", 2, data)
    ended = clusters.train(**BASE, epochs=2)
    assert ended.code == 0, ended.log
    feeder.join(60)
    assert not feeder.is_alive()
    assert ended.log.count("processed a total of 1200 examples") == 2
    assert metrics(ended.log)["train:progress"] == [50.0, 100.0]
    assert_found(clusters)


def test_the_artifact_is_the_one_of_aws(clusters: Job) -> None:
    # Written by mxnet.ndarray.save("model_algo-1", [array]) of MXNet 1.9.1.
    theirs = bytes.fromhex(
        "120100000000000000000000000000000100000000000000c9fa93f9000000000200000002000000"
        "0000000003000000000000000100000000000000000000000000003f0000c0bf0000004000004040"
        "000080bf00000000" "0000000000000000"
    )  # fmt: skip
    (clusters.model / "model_algo-1").write_bytes(theirs)
    loaded = model.load(clusters.model)
    assert loaded.centers.tolist() == [[0.5, -1.5, 2.0], [3.0, -1.0, 0.0]]
    model.save(loaded, clusters.model)
    ours = (clusters.model / "model_algo-1").read_bytes()
    assert ours == theirs


@pytest.mark.parametrize("size", [0, 10, 24, 40, 80])
def test_a_cut_artifact_is_refused(clusters: Job, size: int) -> None:
    model.save(model.Model(CENTERS), clusters.model)
    path = clusters.model / "model_algo-1"
    path.write_bytes(path.read_bytes()[:size])
    with pytest.raises(ValueError, match="holds no k-means model"):
        model.load(clusters.model)


def test_answers_in_every_format(clusters: Job, serve: Serve) -> None:
    model.save(model.Model(CENTERS), clusters.model)
    server = serve(clusters)
    rows = CENTERS[[2, 0]] + np.float32([3, 4, 0, 0, 0, 0])
    plain = server.invoke(csv(rows), "text/csv")
    answers = json.loads(plain.body)["predictions"]
    assert [row["closest_cluster"] for row in answers] == [2.0, 0.0]
    assert [row["distance_to_cluster"] for row in answers] == pytest.approx([5, 5], rel=1e-5)
    instances = json.dumps({"instances": [{"features": row.tolist()} for row in rows]})
    for body, kind in (
        (instances, "application/json"),
        (records(rows), RECORDIO),
        (sparse_records(rows), RECORDIO),
    ):
        assert server.invoke(body, kind).body == plain.body
    lines = server.invoke(csv(rows), "text/csv", "application/jsonlines").text.splitlines()
    assert [json.loads(line) for line in lines] == answers
    text = server.invoke(csv(rows), "text/csv", "text/csv").text.splitlines()
    assert [line.split(",")[0] for line in text] == ["2.0", "0.0"]
    framed = server.invoke(csv(rows), "text/csv", RECORDIO).body
    record = record_message.record_class().FromString(next(recordio.payloads(framed)))
    assert list(record.label["closest_cluster"].float32_tensor.values) == [2.0]
    assert record.label["distance_to_cluster"].float32_tensor.values[0] == pytest.approx(5)
    assert server.invoke("1,2\n").status == 400
    assert server.invoke("1,2,3,4,5,nan\n").status == 400


@pytest.mark.parametrize(
    ("given", "data", "message"),
    [
        ({"k": 0}, "1,2\n", "'0' is not valid for hyperparameter 'k'"),
        ({"eval_metrics": '["mse"]'}, "1,2\n", "hyperparameter 'eval_metrics'"),
        ({"eval_metrics": "msd"}, "1,2\n", "'msd' is not a list for hyperparameter"),
        ({"local_lloyd_tol": 2}, "1,2\n", "local_lloyd_tol"),
        ({"clusters": 2}, "1,2\n", "Additional hyperparameters are not allowed ('clusters'"),
        ({"feature_dim": 3}, "1,2\n", "Channel 'train' has 2 features, but feature_dim is 3"),
        ({}, "1,2\n3,inf\n", "Feature 1 of record 1 in channel 'train' is not a finite number"),
        ({}, "1,2\n1,2\n", "fewer than k = 2"),
        ({}, "1,2\n1,x\n", "Non-numeric value 'x' found in line 2, column 2 of file 'data'"),
    ],
)
def test_what_is_wrong_is_named(clusters: Job, given: dict, data: str, message: str) -> None:
    clusters.channel("train", CSV, data=data)
    ended = clusters.train(**{"k": 2, "feature_dim": 2, **given})
    assert ended.code == 2, ended.log
    assert message in ended.failure


def test_a_required_hyperparameter_and_channel(clusters: Job) -> None:
    clusters.channel("test", CSV, data="1,2\n")
    assert "'k' which are required" in clusters.train(feature_dim=2).failure
    assert "Channel 'train' is missing" in clusters.train(k=2, feature_dim=2).failure


def test_hosts_cluster_their_shards_and_the_first_one_puts_them_together(clusters: Job) -> None:
    order = np.argsort(np.linalg.norm(POINTS - CENTERS[0], axis=1))
    shards = np.array_split(POINTS[order], 2)
    hosts = ["127.31.3.1", "127.31.3.2", "127.31.3.3"]
    # Each shard has clusters that the other one does not have; the third host has no shard.
    clusters.channel("train", CSV)
    for number, shard in enumerate(shards):
        path = clusters.base / "input" / "data" / "train" / f"{number}-part"
        path.write_bytes(csv(RNG.permutation(shard)))
    runs = on_hosts(clusters, hosts, **BASE)
    assert [run.code for run in runs] == [0, 0, 0], [run.log for run in runs]
    clusters = Job(clusters.base / hosts[0])
    assert_found(clusters)
    assert [(clusters.base.parent / host / "model").exists() for host in hosts[1:]] == [False] * 2
    assert 1.2 < metrics(runs[0].log)["train:msd"][0] < 1.8


def test_a_host_that_fails_fails_the_others_with_its_message(clusters: Job) -> None:
    hosts = ["127.31.4.1", "127.31.4.2"]
    clusters.channel("train", CSV)
    folder = clusters.base / "input" / "data" / "train"
    (folder / "0-part").write_bytes(csv(POINTS))
    (folder / "1-part").write_text("1,2,3,4,5,oops\n")
    runs = on_hosts(clusters, hosts, **BASE)
    assert [run.code for run in runs] == [2, 2], [run.log for run in runs]
    assert runs[0].failure.startswith("Host 127.31.4.2 failed: Non-numeric value 'oops'")

"""XGBoost and linear learner on several hosts: processes that meet on loopback addresses."""

import signal
from pathlib import Path

import numpy as np
import pytest
import xgboost
from algorithm_programs import Job, on_hosts, start_on_hosts
from linear_jobs import csv
from waiting import PATIENCE_SECONDS

from studio.algorithms import hosts as meeting
from studio.algorithms.base import Environment
from studio.algorithms.linear_learner import model as linear_model

RNG = np.random.default_rng(5)
FEATURES = RNG.normal(size=(3000, 5)).astype(np.float32)
LABELS = (FEATURES[:, 0] + FEATURES[:, 1] ** 2 > 1).astype(np.float32)
GIVEN = {
    "objective": "binary:logistic",
    "num_round": 10,
    "eval_metric": "logloss,accuracy",
    "max_depth": 3,
}


def sharded(job: Job, name: str, shards: int, rows: slice = slice(None)) -> None:
    job.channel(name, "text/csv")
    parts = np.array_split(np.arange(3000)[rows], shards)
    for number, part in enumerate(parts):
        path = job.base / "input" / "data" / name / f"{number}-part"
        path.write_bytes(csv(FEATURES[part], LABELS[part]))
    job.channels[name]["S3DistributionType"] = "ShardedByS3Key"


def booster(job: Job) -> xgboost.Booster:
    return xgboost.Booster(model_file=bytearray((job.model / "xgboost-model").read_bytes()))


def lines(log: str) -> list[list[float]]:
    """The scores of each round."""
    return [
        [float(part.rpartition(":")[2]) for part in line.split("#011")[1:]]
        for line in log.splitlines()
        if line.startswith("[") and "#011" in line
    ]


def test_xgboost_on_shards_is_what_it_is_on_one_host(job: Job) -> None:
    names = ["127.31.5.1", "127.31.5.2", "127.31.5.3"]
    sharded(job, "train", 2, slice(2400))  # the third host has no file of it
    sharded(job, "validation", 1, slice(2400, 3000))  # the second one has none of it either
    runs = on_hosts(job, names, **GIVEN)
    assert [run.code for run in runs] == [0, 0, 0], [run.log for run in runs]
    alone = Job(job.base / "alone")
    for name, rows in (("train", slice(2400)), ("validation", slice(2400, 3000))):
        alone.channel(name, "text/csv", data=csv(FEATURES[rows], LABELS[rows]))
    (alone.base / "output").mkdir()
    one = alone.train(**GIVEN)
    assert one.code == 0, one.log
    together = Job(job.base / names[0])
    data = xgboost.DMatrix(FEATURES)
    gap = np.abs(booster(together).predict(data) - booster(alone).predict(data))
    assert gap.mean() < 0.03
    assert np.allclose(lines(runs[0].log)[-1], lines(one.log)[-1], atol=0.02)
    # The metrics are those of all rows, not of the first host's, and only that host prints them.
    train = xgboost.DMatrix(FEATURES[:2400], LABELS[:2400])
    right = ((booster(together).predict(train) > 0.5) == LABELS[:2400]).mean()
    assert lines(runs[0].log)[-1][1] == pytest.approx(right, abs=1e-5)
    assert lines(runs[1].log) == []
    assert not (job.base / names[1] / "model").exists()


def test_a_replicated_channel_counts_its_rows_on_every_host(job: Job) -> None:
    names = ["127.31.6.1", "127.31.6.2"]
    job.channel("train", "text/csv", data=csv(FEATURES, LABELS))
    runs = on_hosts(job, names, **GIVEN, base_score=0.5)
    assert [run.code for run in runs] == [0, 0], [run.log for run in runs]
    root = booster(Job(job.base / names[0])).get_dump(with_stats=True)[0].splitlines()[0]
    # The second derivative of a row is a quarter at the start.
    assert float(root.rpartition("cover=")[2]) == pytest.approx(2 * 3000 / 4)


def test_a_lost_host_fails_the_others_by_name(job: Job) -> None:
    names = ["127.31.7.1", "127.31.7.2", "127.31.7.3"]
    sharded(job, "train", 3)
    running = start_on_hosts(job, names, **{**GIVEN, "num_round": 1_000_000})
    first = running[0][1]
    while not first.stdout.readline().startswith("[3]"):
        assert first.poll() is None
    running[1][1].kill()
    logs = [process.communicate(timeout=PATIENCE_SECONDS)[0] for _, process in running]
    assert [process.returncode for _, process in running] == [1, -9, 1], logs
    assert running[0][0].failure() == "Host 127.31.7.2 was lost."
    assert running[2][0].failure() in ("Host 127.31.7.2 was lost.", "Host 127.31.7.1 was lost.")


def test_all_hosts_stop_in_the_same_round(job: Job) -> None:
    names = ["127.31.8.1", "127.31.8.2"]
    sharded(job, "train", 2)
    given = {**GIVEN, "num_round": 1_000_000, "save_model_on_termination": "true"}
    running = start_on_hosts(job, names, **given)
    first = running[0][1]
    while not first.stdout.readline().startswith("[3]"):
        assert first.poll() is None
    running[1][1].send_signal(signal.SIGTERM)
    logs = [process.communicate(timeout=PATIENCE_SECONDS)[0] for _, process in running]
    assert [process.returncode for _, process in running] == [0, 0], logs
    assert (running[0][0].model / "xgboost-model").exists()


@pytest.mark.parametrize(
    ("given", "code", "message"),
    [
        ({"booster": "gblinear"}, 2, "booster 'gblinear' trains on one host only"),
        ({"tree_method": "exact"}, 2, "doesn't support distributed training"),
        ({"objective": "count:poisson"}, 2, "Host 127.31.9.2 failed: Row 1 of channel 'train'"),
    ],
)
def test_what_hosts_cannot_do_is_named(job: Job, given: dict, code: int, message: str) -> None:
    sharded(job, "train", 2)
    part = job.base / "input" / "data" / "train" / "1-part"
    if "objective" in given:
        part.write_bytes(b"-1,1,2,3,4,5\n")
    runs = on_hosts(job, ["127.31.9.1", "127.31.9.2"], **{**GIVEN, "eval_metric": "rmse", **given})
    assert [run.code for run in runs] == [code, code], [run.log for run in runs]
    assert message in runs[0].failure


def test_a_host_that_does_not_come_is_named(tmp_path: Path) -> None:
    names = ("127.31.10.1", "127.31.10.2", "127.31.10.3")
    environment = Environment(tmp_path, {}, {}, names[0], names)
    with (
        pytest.raises(RuntimeError, match=r"127.31.10.2, 127.31.10.3 did not come within 0.2"),
        meeting.joined(environment, seconds=0.2),
    ):
        pass
    worker = Environment(tmp_path, {}, {}, names[1], ("no-such-host.invalid", names[1]))
    with (
        pytest.raises(RuntimeError, match=r"The name no-such-host.invalid does not resolve"),
        meeting.joined(worker, seconds=0.2),
    ):
        pass


def test_linear_learner_trains_the_model_of_all_shards(job: Job) -> None:
    names = ["127.31.11.1", "127.31.11.2", "127.31.11.3"]
    job.module, job.tag = "studio.algorithms.linear_learner", "1"
    sharded(job, "train", 2)
    given = {"predictor_type": "binary_classifier", "mini_batch_size": 100, "epochs": 3}
    runs = on_hosts(job, names, **given)
    assert [run.code for run in runs] == [0, 0, 0], [run.log for run in runs]
    alone = Job(job.base / "alone", job.module, job.tag)
    alone.channel("train", "text/csv", data=csv(FEATURES, LABELS))
    (alone.base / "output").mkdir()
    assert alone.train(**given).code == 0
    ours, theirs = (linear_model.load(base / "model") for base in (job.base / names[0], alone.base))
    np.testing.assert_array_equal(ours.weights, theirs.weights)


def test_linear_learner_shares_the_work_where_it_is_worth_it(job: Job) -> None:
    names = ["127.31.12.1", "127.31.12.2", "127.31.12.3"]
    job.module, job.tag = "studio.algorithms.linear_learner", "1"
    wide = np.hstack([FEATURES[:1250], RNG.normal(size=(1250, 255)).astype(np.float32)])
    labels = 2 * LABELS[:1250] + (wide[:, 2] > 0)
    job.channel("train", "text/csv", data=csv(wide, labels))
    given = {"predictor_type": "multiclass_classifier", "num_classes": 4, "epochs": 4}
    runs = on_hosts(job, names, **given)
    assert [run.code for run in runs] == [0, 0, 0], [run.log for run in runs]
    assert "3 hosts share each mini-batch" in runs[0].log
    alone = Job(job.base / "alone", job.module, job.tag)
    alone.channel("train", "text/csv", data=csv(wide, labels))
    (alone.base / "output").mkdir()
    assert alone.train(**given).code == 0
    ours, theirs = (linear_model.load(base / "model") for base in (job.base / names[0], alone.base))
    np.testing.assert_allclose(ours.weights, theirs.weights, atol=1e-4)


def test_checkpoints_are_kept_and_gone_on_from(job: Job) -> None:
    folder = job.base / "checkpoints"
    folder.mkdir()
    job.channel("train", "text/csv", data=csv(FEATURES, LABELS))
    whole = Job(job.base / "whole", channels=job.channels)
    whole.channel("train", "text/csv", data=csv(FEATURES, LABELS))
    (whole.base / "output").mkdir()
    assert whole.train(**GIVEN).code == 0
    assert not list(folder.iterdir())
    job.configure()
    config = job.base / "input" / "config" / "checkpointconfig.json"
    config.write_text('{"S3Uri": "s3://b/c", "LocalPath": "/opt/ml/checkpoints"}')
    assert job.train(**{**GIVEN, "num_round": 7}).code == 0
    kept = [f"xgboost-checkpoint.{number}" for number in range(2, 7)]
    assert sorted(path.name for path in folder.iterdir()) == kept
    (folder / "xgboost-checkpoint.8").write_bytes(b"cut short")
    (folder / "xgboost-checkpoint.9").write_bytes(b"\x80\x04.")
    (folder / "xgboost-checkpoint.x").write_bytes(b"not one")
    resumed = job.train(**GIVEN)
    assert resumed.code == 0, resumed.log
    assert "resuming from iteration 7" in resumed.log
    assert [line[:3] for line in resumed.log.splitlines() if "#011" in line] == [
        "[7]",
        "[8]",
        "[9]",
    ]
    data = xgboost.DMatrix(FEATURES)
    np.testing.assert_allclose(booster(job).predict(data), booster(whole).predict(data), atol=1e-6)
    # Those of the first run lay there before: they stay, as on AWS.
    assert {path.name for path in folder.iterdir()} >= set(kept)


def test_hosts_go_on_from_the_checkpoint_of_the_first_one(job: Job) -> None:
    names = ["127.31.12.1", "127.31.12.2"]
    sharded(job, "train", 2)
    begun = xgboost.train({"max_depth": 3}, xgboost.DMatrix(FEATURES, LABELS), 4)
    folder = job.base / names[0] / "checkpoints"
    folder.mkdir(parents=True)
    (folder / "xgboost-checkpoint.3").write_bytes(begun.save_raw())
    for name in names:
        config = job.base / name / "input" / "config"
        config.mkdir(parents=True)
        (config / "checkpointconfig.json").write_text("{}")
    runs = on_hosts(job, names, **{**GIVEN, "objective": "reg:squarederror", "num_round": 6})
    assert [run.code for run in runs] == [0, 0], [run.log for run in runs]
    assert booster(Job(job.base / names[0])).num_boosted_rounds() == 6
    assert not list((job.base / names[1] / "checkpoints").iterdir())

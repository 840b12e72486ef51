"""Sample requests: from a model to the rows that it was trained on, whatever they lie in."""

import gzip
import json

import numpy as np
import pytest
from botocore.exceptions import ClientError

from studio.algorithms import recordio
from studio.algorithms.record_message import record_class

ROLE = "arn:aws:iam::000000000000:role/StudioExecutionRole"
REGISTRY = "382416733822.dkr.ecr.us-east-1.amazonaws.com"
CSV = b"1,5.1,3.5\n0,4.9,\n1,4.7,3.2\n0,4.6,3.1\n"


@pytest.fixture(scope="module")
def clients(plane):
    plane.client("s3").create_bucket(Bucket="samples")
    return plane.client("s3"), plane.client("sagemaker"), plane.client("studio")


def modelled(clients, name, algorithm, data, content_type="", parameters=None, **channel):
    """A job `name` on `data`, which need not run, and the model of its artifact."""
    s3, sagemaker, _ = clients
    s3.put_object(Bucket="samples", Key=f"{name}/train/rows", Body=data)
    source = {"S3DataType": "S3Prefix", "S3Uri": f"s3://samples/{name}/train/"}
    image = f"{REGISTRY}/{algorithm}:1"
    channel |= {"ContentType": content_type} if content_type else {}
    train = {"ChannelName": "train", "DataSource": {"S3DataSource": source}, **channel}
    sagemaker.create_training_job(
        TrainingJobName=name,
        RoleArn=ROLE,
        AlgorithmSpecification={"TrainingImage": image, "TrainingInputMode": "File"},
        InputDataConfig=[train],
        OutputDataConfig={"S3OutputPath": "s3://samples/out"},
        ResourceConfig={"InstanceType": "ml.m5.large", "InstanceCount": 1, "VolumeSizeInGB": 1},
        StoppingCondition={"MaxRuntimeInSeconds": 60},
        HyperParameters=parameters or {},
    )
    key = f"out/{name}/output/model.tar.gz"
    s3.put_object(Bucket="samples", Key=key, Body=b"an archive")
    model(sagemaker, name, image, f"s3://samples/{key}")


def model(sagemaker, name, image, artifact):
    sagemaker.create_model(
        ModelName=name,
        ExecutionRoleArn=ROLE,
        PrimaryContainer={"Image": image, "ModelDataUrl": artifact},
    )


def sample(clients, name, **more):
    found = clients[2].get_sample_request(ModelName=name, **more)
    return found, {it["ContentType"]: it["Body"] for it in found["Samples"]}


def test_rows_of_csv_without_their_label(clients):
    modelled(clients, "linear", "linear-learner", CSV, "text/csv")
    found, bodies = sample(clients, "linear", MaxRows=1)
    assert bodies["text/csv"] == "5.1,3.5"
    assert json.loads(bodies["application/json"]) == {"instances": [{"features": [5.1, 3.5]}]}
    assert found["Origin"] == "TrainingData"
    assert (found["TrainingJobName"], found["ChannelName"]) == ("linear", "train")
    assert found["S3Uri"] == "s3://samples/linear/train/rows"
    assert found["FeatureCount"] == 2


def test_a_missing_value_has_no_place_in_json(clients):
    modelled(clients, "gaps", "linear-learner", CSV, "text/csv")
    _, bodies = sample(clients, "gaps")
    assert bodies == {"text/csv": "5.1,3.5\n4.9,\n4.7,3.2"}


def test_weights_are_no_features_and_xgboost_takes_no_json(clients):
    weighted = b"1;0.5;7;8\n0;0.5;9;10\n"
    modelled(clients, "weighted", "xgboost", weighted, "text/csv", {"csv_weights": "1"})
    assert sample(clients, "weighted")[1] == {"text/csv": "7,8\n9,10"}


def test_rows_of_a_packed_channel(clients):
    packed = gzip.compress(CSV)
    modelled(
        clients, "packed", "xgboost", packed, "text/csv", CompressionType="Gzip", InputMode="Pipe"
    )
    assert sample(clients, "packed", MaxRows=1)[1]["text/csv"] == "5.1,3.5"


def test_lines_of_libsvm(clients):
    modelled(clients, "sparse", "xgboost", b"1 qid:3 1:5.1 7:3.5\n0 1:4.9\n")
    assert sample(clients, "sparse")[1] == {"text/libsvm": "1:5.1 7:3.5\n1:4.9"}


def test_records_of_recordio(clients):
    modelled(clients, "points", "kmeans", record([1.5, 2.0]) + record([3.0, 4.25]))
    _, bodies = sample(clients, "points")
    assert bodies["text/csv"] == "1.5,2.0\n3.0,4.25"


def test_zeros_where_only_the_width_is_known(clients):
    modelled(clients, "wide", "kmeans", b"no records", parameters={"feature_dim": "3"})
    clients[0].delete_object(Bucket="samples", Key="wide/train/rows")
    found, bodies = sample(clients, "wide")
    assert bodies["text/csv"] == "0,0,0"
    assert found["Origin"] == "FeatureCount"
    assert "no training data at s3://samples/wide/train/" in found["Message"]


def test_an_artifact_that_nobody_here_trained(clients):
    modelled(clients, "known", "xgboost", CSV, "text/csv")
    clients[0].put_object(Bucket="samples", Key="other/known/output/model.tar.gz", Body=b"x")
    model(
        clients[1],
        "brought",
        f"{REGISTRY}/xgboost:1",
        "s3://samples/other/known/output/model.tar.gz",
    )
    found, bodies = sample(clients, "brought")
    assert (found["Origin"], bodies) == ("None", {})
    assert found["ContentTypes"][0] == "text/csv"
    assert "No training job is known" in found["Message"]


@pytest.mark.parametrize("data", [b"", b"\n\n", b"\xff\xfe\x00", b'"1,2'])
def test_what_is_no_table_is_no_sample_and_no_error(clients, data):
    name = f"odd-{len(data)}-{data[:1].hex()}x"
    modelled(clients, name, "xgboost", data, "text/csv")
    assert sample(clients, name)[0]["Origin"] == "None"


def test_either_an_endpoint_or_a_model(clients):
    with pytest.raises(ClientError, match="Name either an endpoint or a model"):
        clients[2].get_sample_request()
    with pytest.raises(ClientError, match="Could not find model"):
        clients[2].get_sample_request(ModelName="nobody")


def record(values: list[float]) -> bytes:
    message = record_class()()
    message.features["values"].float32_tensor.values.extend(np.float32(values))
    return recordio.frame(message.SerializeToString())

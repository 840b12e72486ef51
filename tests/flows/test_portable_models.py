"""Models in MLflow's format and in ONNX, out of the registry and behind real endpoints."""

import json
import subprocess

import flow
import onnx_models
import pytest
from archives import archive
from studios import ROOT
from waiting import eventually

SDK3 = ROOT / ".venv-sdk3" / "bin" / "python"
BUCKET = "portable"
SAVE = """
import sys
import mlflow, numpy, pandas
from sklearn.linear_model import LinearRegression

rows = pandas.DataFrame({"width": [0.0, 1.0, 2.0], "height": [1.0, 1.0, 3.0]})
model = LinearRegression().fit(rows, rows.width + 2 * rows.height)
signature = mlflow.models.infer_signature(rows, model.predict(rows))
mlflow.sklearn.save_model(model, sys.argv[1], signature=signature)
"""


@pytest.fixture(scope="module", name="s3")
def s3_fixture(studio):
    client = studio.client("s3")
    client.create_bucket(Bucket=BUCKET)
    return client


def deployed(studio, s3, name: str, image: str, data: bytes, **environment: str) -> dict:
    """The endpoint of an approved version of a group, all of them called `name`."""
    s3.put_object(Bucket=BUCKET, Key=f"{name}.tar.gz", Body=data)
    sagemaker = studio.client("sagemaker")
    sagemaker.create_model_package_group(ModelPackageGroupName=name)
    container = {"Image": image, "ModelDataUrl": f"s3://{BUCKET}/{name}.tar.gz"}
    workers = {"SAGEMAKER_MODEL_SERVER_WORKERS": "1"}
    version = sagemaker.create_model_package(
        ModelPackageGroupName=name,
        InferenceSpecification={"Containers": [container | {"Environment": workers}]},
        ModelApprovalStatus="Approved",
    )["ModelPackageArn"]
    sagemaker.create_model(
        ModelName=name,
        PrimaryContainer={"ModelPackageName": version, "Environment": environment},
        ExecutionRoleArn=flow.ROLE,
    )
    variant = {"VariantName": "v", "ModelName": name, "InstanceType": "ml.m5.large"}
    variant["InitialInstanceCount"] = 1
    sagemaker.create_endpoint_config(EndpointConfigName=name, ProductionVariants=[variant])
    sagemaker.create_endpoint(EndpointName=name, EndpointConfigName=name)
    return flow.settled(sagemaker, name)


def asked(studio, name: str, body: str, kind: str) -> object:
    answer = studio.client("sagemaker-runtime").invoke_endpoint(
        EndpointName=name, Body=body, ContentType=kind, Accept="application/json"
    )
    return json.loads(answer["Body"].read())


def test_an_onnx_model_is_served(studio, s3):
    pytest.importorskip("onnxruntime")
    data = archive({"model.onnx": onnx_models.added("x")})
    made = deployed(studio, s3, "onnx", "onnxruntime:1.20", data, STUDIO_BATCHING="on")
    assert made["EndpointStatus"] == "InService", made.get("FailureReason")
    assert asked(studio, "onnx", "1,2\n3,4\n", "text/csv") == [[2, 4], [6, 8]]
    metric = {"Namespace": "AWS/SageMaker", "MetricName": "BatchSize"}
    cloudwatch = studio.client("cloudwatch")
    known = eventually(lambda: cloudwatch.list_metrics(**metric)["Metrics"])
    names = {it["Name"]: it["Value"] for it in known[0]["Dimensions"]}
    assert names == {"EndpointName": "onnx", "VariantName": "v"}


@pytest.mark.skipif(not SDK3.exists(), reason="`make setup` makes .venv-sdk3, which has mlflow")
def test_an_mlflow_model_is_served_in_the_environment_that_has_mlflow(studio, s3, tmp_path):
    subprocess.run([SDK3, "-c", SAVE, tmp_path / "model"], check=True, capture_output=True)
    files = [it for it in (tmp_path / "model").rglob("*") if it.is_file()]
    data = archive({str(it.relative_to(tmp_path)): it.read_bytes() for it in files})
    made = deployed(studio, s3, "mlflow", "mlflow-pyfunc:3.17.2", data, STUDIO_PYTHON=str(SDK3))
    assert made["EndpointStatus"] == "InService", made.get("FailureReason")
    table = '{"dataframe_split": {"columns": ["height", "width"], "data": [[3, 1]]}}'
    [named] = asked(studio, "mlflow", table, "application/json")["predictions"]
    [plain] = asked(studio, "mlflow", "1,3\n", "text/csv")["predictions"]
    assert (round(named, 6), round(plain, 6)) == (7, 7)


def test_a_package_that_lacks_is_named_with_the_way_out(studio, s3):
    data = archive({"MLmodel": b"flavors: {}\n"})
    made = deployed(studio, s3, "lacking", "mlflow-pyfunc:3.17.2", data)
    assert made["EndpointStatus"] == "Failed"
    assert "No module named 'mlflow'" in made["FailureReason"]
    assert "STUDIO_PYTHON" in made["FailureReason"]

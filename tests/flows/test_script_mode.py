"""Script mode: the user's own script in training and behind an endpoint, with real processes."""

import io
import json
import pathlib
import shutil
import sys
import tarfile
import zipfile

import flow
import pytest
from archives import archive
from botocore.exceptions import ClientError

SKLEARN = "683313688378.dkr.ecr.us-east-1.amazonaws.com/sagemaker-scikit-learn:1.2-1-cpu-py3"
PYTORCH = "763104351884.dkr.ecr.us-east-1.amazonaws.com/pytorch-training:2.1-cpu-py310"
BUCKET = "scripts"

TRAIN = """
import argparse, json, os, pathlib, pickle, sys

import helper
import studio_greeting

class Mean:
    def __init__(self, value):
        self.value = value

parser = argparse.ArgumentParser()
parser.add_argument("--offset", type=float)
parser.add_argument("--names", type=json.loads)
parser.add_argument("-k", type=int)
parser.add_argument("--model-dir", default=os.environ["SM_MODEL_DIR"])
parser.add_argument("--train", default=os.environ["SM_CHANNEL_TRAIN"])
arguments = parser.parse_args()
rows = [line.split(",") for it in pathlib.Path(arguments.train).iterdir() for line in it.open()]
mean = helper.mean([float(row[1]) for row in rows]) + arguments.offset
print(f"mean={mean} {studio_greeting.GREETING} {arguments.names} {arguments.k}")
environment = {name: it for name, it in os.environ.items() if name.startswith("SM_")}
pathlib.Path(arguments.model_dir, "environment.json").write_text(json.dumps(environment))
pathlib.Path(arguments.model_dir, "mean.pickle").write_bytes(pickle.dumps({"mean": mean}))
"""
SERVE = """
import json, os, pathlib, pickle

def model_fn(model_dir):
    return pickle.loads(pathlib.Path(model_dir, "mean.pickle").read_bytes())["mean"]

def predict_fn(data, model):
    if data[0][0] == -1:
        raise ValueError("a row of -1")
    if data[0][0] == -2:
        os._exit(3)
    return data - model
"""
WITH_CONTEXT = """
import studio_greeting

def model_fn(model_dir, context):
    return context.system_properties["model_dir"]

def transform_fn(model, body, content_type, accept):
    return f"{model} {type(body).__name__} {content_type} {studio_greeting.GREETING}", "text/plain"
"""
# MPI without mpi4py: the sum over all ranks of rank + 1.
SUMS = """
import ctypes, os
mpi = ctypes.CDLL("libmpi.so.40", mode=ctypes.RTLD_GLOBAL)
world, number, plus = (
    ctypes.byref(ctypes.c_char.in_dll(mpi, "ompi_mpi_" + name))
    for name in ("comm_world", "int", "op_sum")
)
rank, total = ctypes.c_int(), ctypes.c_int()
mpi.MPI_Init(None, None)
mpi.MPI_Comm_rank(world, ctypes.byref(rank))
own = ctypes.c_int(rank.value + 1)
mpi.MPI_Allreduce(ctypes.byref(own), ctypes.byref(total), 1, number, plus, world)
print("rank %d on %s: %d\\n" % (rank.value, os.environ["SM_CURRENT_HOST"], total.value), end="")
mpi.MPI_Finalize()
"""
FAILS = """
def inner():
    raise ValueError("no such column: price")

inner()
"""


def wheel() -> bytes:
    """A package that no environment has: pip installs it without an index."""
    made = io.BytesIO()
    info = "studio_greeting-1.0.dist-info"
    with zipfile.ZipFile(made, "w") as file:
        file.writestr("studio_greeting.py", "GREETING = 'hello'\n")
        file.writestr(
            f"{info}/METADATA", "Metadata-Version: 2.1\nName: studio-greeting\nVersion: 1.0\n"
        )
        file.writestr(
            f"{info}/WHEEL", "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n"
        )
        file.writestr(f"{info}/RECORD", "")
    return made.getvalue()


WHEEL = "vendor/studio_greeting-1.0-py3-none-any.whl"
BROUGHT = {"requirements.txt": f"./{WHEEL}\n", WHEEL: wheel()}


@pytest.fixture(scope="module")
def s3(studio):
    client = studio.client("s3")
    client.create_bucket(Bucket=BUCKET)
    client.put_object(Bucket=BUCKET, Key="train/rows.csv", Body=b"0,1\n0,2\n0,6\n")
    return client


def request(name: str, s3, files: dict, image: str = SKLEARN, **given) -> dict:
    key = f"{name}/source/sourcedir.tar.gz"
    s3.put_object(Bucket=BUCKET, Key=key, Body=archive(files))
    hyperparameters = {
        "sagemaker_program": json.dumps("train.py"),
        "sagemaker_submit_directory": json.dumps(f"s3://{BUCKET}/{key}"),
        "sagemaker_container_log_level": "20",
        "sagemaker_job_name": json.dumps(name),
        "sagemaker_region": '"us-east-1"',
        **given.pop("HyperParameters", {}),
    }
    made = flow.training(name, BUCKET, HyperParameters=hyperparameters, **given)
    made["AlgorithmSpecification"] = {"TrainingImage": image, "TrainingInputMode": "File"}
    return made


def log(studio, name: str) -> str:
    found = studio.client("logs").filter_log_events(
        logGroupName="/aws/sagemaker/TrainingJobs", logStreamNamePrefix=f"{name}/"
    )
    return "\n".join(event["message"] for event in found["events"])


@pytest.fixture(scope="module")
def trained(studio, s3):
    sagemaker = studio.client("sagemaker")
    made = request(
        "mean",
        s3,
        {"train.py": TRAIN, "helper.py": "def mean(them): return sum(them) / len(them)", **BROUGHT},
        HyperParameters={"offset": "0.5", "names": '["a", "b"]', "k": "3"},
    )
    made["AlgorithmSpecification"]["MetricDefinitions"] = [{"Name": "mean", "Regex": r"mean=(\S+)"}]
    sagemaker.create_training_job(**made)
    return flow.ended(sagemaker, "mean")


def test_a_script_trains_with_its_packages_and_arguments(studio, s3, trained):
    assert trained["TrainingJobStatus"] == "Completed", trained["FailureReason"]
    text = log(studio, "mean")
    assert "mean=3.5 hello ['a', 'b'] 3" in text
    assert "requirements.txt of the script into /tmp/.local, over the packages of" in text
    assert {it["MetricName"]: it["Value"] for it in trained["FinalMetricDataList"]} == {"mean": 3.5}
    body = s3.get_object(Bucket=BUCKET, Key="out/mean/output/model.tar.gz")["Body"].read()
    with tarfile.open(fileobj=io.BytesIO(body)) as tar:
        found = json.load(tar.extractfile("environment.json"))
    assert found["SM_HPS"] == '{"k":3,"names":["a","b"],"offset":0.5}'
    assert found["SM_USER_ARGS"] == '["-k","3","--names","[\\"a\\",\\"b\\"]","--offset","0.5"]'
    assert found["SM_HP_NAMES"] == '["a","b"]'
    assert (found["SM_CURRENT_HOST"], found["SM_HOSTS"]) == ("algo-1", '["algo-1"]')
    assert found["SM_CHANNEL_TRAIN"] == "/opt/ml/input/data/train"
    assert (found["SM_MODULE_NAME"], found["SM_USER_ENTRY_POINT"]) == ("train", "train.py")
    assert json.loads(found["SM_TRAINING_ENV"])["hyperparameters"]["k"] == 3


def test_a_script_that_fails_says_where(studio, s3):
    sagemaker = studio.client("sagemaker")
    sagemaker.create_training_job(
        **request("fails", s3, {"train.py": FAILS}, PYTORCH, HyperParameters={"lr": "0.1"})
    )
    job = flow.ended(sagemaker, "fails")
    assert job["FailureReason"] == (
        "AlgorithmError: ExecuteUserScriptError:\nExitCode 1\n"
        'ErrorMessage "ValueError: no such column: price\n'
        '  File "/opt/ml/code/train.py", line 5, in <module>\n    inner()\n'
        '  File "/opt/ml/code/train.py", line 3, in inner\n'
        '    raise ValueError("no such column: price")"\n'
        'Command "python3 train.py --lr 0.1", exit code: 1'
    )


@pytest.mark.parametrize(
    ("name", "files", "given", "said"),
    [
        (
            "lacks-script",
            {"other.py": ""},
            {},
            "The script train.py is not in its source (other.py).",
        ),
        ("exits", {"train.py": "import sys; sys.exit(2)"}, {}, "ended with exit code 2."),
        (
            "lacks-package",
            {"train.py": "", "requirements.txt": "./none-1.0-py3-none-any.whl"},
            {},
            "InstallRequirementsError: -r requirements.txt could not be installed",
        ),
        (
            "lacks-torch",
            {"train.py": ""},
            {"sagemaker_torch_distributed_enabled": "true"},
            "torch is not installed in the environment of",
        ),
        ("lacks-mpi", {"train.py": ""}, {"sagemaker_mpi_enabled": "true"}, "needs mpirun"),
    ],
)
def test_what_lacks_is_named(studio, s3, name, files, given, said):
    sagemaker = studio.client("sagemaker")
    # What this machine has beside Python is not looked at.
    path = {"PATH": str(pathlib.Path(sys.executable).parent)}
    sagemaker.create_training_job(
        **request(name, s3, files, HyperParameters=given, Environment=path)
    )
    reason = flow.ended(sagemaker, name)["FailureReason"]
    assert reason.startswith("AlgorithmError: ")
    assert said in reason


def test_a_source_that_is_not_there_and_a_script_that_is_not_named(studio, s3):
    sagemaker = studio.client("sagemaker")
    made = request("nowhere", s3, {"train.py": ""})
    made["HyperParameters"]["sagemaker_submit_directory"] = f'"s3://{BUCKET}/none.tar.gz"'
    sagemaker.create_training_job(**made)
    job = flow.ended(sagemaker, "nowhere")
    assert (
        "Could not find the source of the script at s3://scripts/none.tar.gz"
        in job["FailureReason"]
    )
    del made["HyperParameters"]["sagemaker_program"]
    with pytest.raises(ClientError, match="name a script in the hyperparameter sagemaker_program"):
        sagemaker.create_training_job(**{**made, "TrainingJobName": "unnamed"})


@pytest.mark.skipif(not shutil.which("mpirun"), reason="`make setup` installs openmpi-bin")
def test_mpi_reaches_all_hosts(studio, s3):
    sagemaker = studio.client("sagemaker")
    given = {"sagemaker_mpi_enabled": "true", "sagemaker_mpi_num_of_processes_per_host": "2"}
    made = request("mpi", s3, {"train.py": SUMS}, HyperParameters=given)
    made["ResourceConfig"]["InstanceCount"] = 2
    sagemaker.create_training_job(**made)
    job = flow.ended(sagemaker, "mpi")
    assert job["TrainingJobStatus"] == "Completed", job["FailureReason"]
    text = log(studio, "mpi")
    for rank in range(4):
        assert f"rank {rank} on algo-{rank // 2 + 1}: 10" in text


def test_a36_a_source_that_would_write_elsewhere_is_refused(studio, s3):
    sagemaker = studio.client("sagemaker")
    sagemaker.create_training_job(**request("escapes", s3, {"train.py": "", "../../escaped": "x"}))
    reason = flow.ended(sagemaker, "escapes")["FailureReason"]
    assert reason.startswith("ClientError: UnsafeArchive")


def endpoint(studio, name: str, image: str, artifact: str, environment: dict) -> dict:
    sagemaker = studio.client("sagemaker")
    container = {"Image": image, "ModelDataUrl": artifact, "Environment": environment}
    sagemaker.create_model(ModelName=name, PrimaryContainer=container, ExecutionRoleArn=flow.ROLE)
    variant = {
        "VariantName": "AllTraffic",
        "ModelName": name,
        "InstanceType": "ml.m5.large",
        "InitialInstanceCount": 1,
    }
    sagemaker.create_endpoint_config(EndpointConfigName=name, ProductionVariants=[variant])
    sagemaker.create_endpoint(EndpointName=name, EndpointConfigName=name)
    return flow.settled(sagemaker, name)


def test_functions_of_a_script_serve(studio, s3, trained):
    s3.put_object(Bucket=BUCKET, Key="serve.tar.gz", Body=archive({"serve.py": SERVE}))
    environment = {
        "SAGEMAKER_PROGRAM": "serve.py",
        "SAGEMAKER_SUBMIT_DIRECTORY": f"s3://{BUCKET}/serve.tar.gz",
    }
    artifact = trained["ModelArtifacts"]["S3ModelArtifacts"]
    made = endpoint(studio, "mean", SKLEARN, artifact, environment)
    assert made["EndpointStatus"] == "InService", made.get("FailureReason")
    runtime = studio.client("sagemaker-runtime")

    def ask(body: bytes, kind: str = "text/csv", accept: str = "application/json") -> bytes:
        answer = runtime.invoke_endpoint(
            EndpointName="mean", Body=body, ContentType=kind, Accept=accept
        )
        assert answer["ContentType"] == accept
        return answer["Body"].read()

    assert json.loads(ask(b"4.5,5.5\n")) == [[1.0, 2.0]]
    assert json.loads(ask(b"[[3.5]]", "application/json")) == [[0.0]]
    assert ask(b"4.5,5.5\n0,0\n", accept="text/csv") == b"1.0,2.0\n-3.5,-3.5\n"
    assert ask(b"4.5\n", accept="application/x-npy").startswith(b"\x93NUMPY")
    for body, kind, said in (
        (b"-1\n", "text/csv", "ValueError: a row of -1"),
        (b"1", "image/png", "Content type image/png is not supported"),
        (b"{", "application/json", "The body is no application/json"),
        (b"-2\n", "text/csv", "The process with the model ended: exit code 3"),
    ):
        with pytest.raises(ClientError, match=said):
            ask(body, kind)
    assert json.loads(ask(b"4.5\n")) == [[1.0]]  # the process was started again


@pytest.mark.parametrize("folder", ["/opt/ml/model/code", f"s3://{BUCKET}/carries.tar.gz"])
def test_a_model_that_carries_its_script_and_packages(studio, s3, folder):
    """By versions 2 and 1 of the SDK."""
    files = {
        "code/inference.py": WITH_CONTEXT,
        **{f"code/{name}": it for name, it in BROUGHT.items()},
    }
    s3.put_object(Bucket=BUCKET, Key="carries.tar.gz", Body=archive(files))
    image = "763104351884.dkr.ecr.us-east-1.amazonaws.com/pytorch-inference:2.1-cpu-py310"
    environment = {
        "SAGEMAKER_PROGRAM": "inference.py",
        "SAGEMAKER_SUBMIT_DIRECTORY": folder,
    }
    name = f"carries-{len(folder)}"
    made = endpoint(studio, name, image, f"s3://{BUCKET}/carries.tar.gz", environment)
    assert made["EndpointStatus"] == "InService", made.get("FailureReason")
    answer = studio.client("sagemaker-runtime").invoke_endpoint(
        EndpointName=name, Body=b"x", ContentType="image/png"
    )
    assert answer["Body"].read() == b"/opt/ml/model bytes image/png hello"


def test_a_model_that_cannot_be_loaded(studio, s3):
    s3.put_object(Bucket=BUCKET, Key="empty.tar.gz", Body=archive({"model.txt": "x"}))
    made = endpoint(studio, "empty", SKLEARN, f"s3://{BUCKET}/empty.tar.gz", {})
    assert made["EndpointStatus"] == "Failed"
    assert "NotImplementedError: The script has no model_fn(model_dir)" in made["FailureReason"]

"""What a user of AWS's SDK waits for under the hook: `fit()` after the job's end, `deploy()`.

The SDK runs in `.venv-sdk`, as a user has it; its own times without the hook are the peer.
"""

import json
import statistics
import subprocess

from benchmarks import running
from benchmarks.harness import Row, at_most

_PYTHON = running.ROOT / ".venv-sdk" / "bin" / "python"
_PROGRAM = """
import contextlib, io, json, sys, time
import boto3, sagemaker
from sagemaker import image_uris
from sagemaker.estimator import Estimator
from sagemaker.inputs import TrainingInput

session, role = sagemaker.Session(), "arn:aws:iam::000000000000:role/StudioExecutionRole"
text = "\\n".join(f"{int(x > 50)},{x}" for x in range(100))
boto3.client("s3").create_bucket(Bucket=sys.argv[2])
boto3.client("s3").put_object(Bucket=sys.argv[2], Key="train/rows.csv", Body=text)
train, output = f"s3://{sys.argv[2]}/train", f"s3://{sys.argv[2]}/output"
times = {"fit": [], "deploy": []}
for _ in range(int(sys.argv[1])):
    image = image_uris.retrieve("xgboost", "us-east-1", "1.7-1")
    xgb = Estimator(
        image, role, 1, "ml.m5.large", output_path=output, sagemaker_session=session
    )
    xgb.set_hyperparameters(objective="binary:logistic", num_round=5)
    with contextlib.redirect_stdout(io.StringIO()):
        xgb.fit({"train": TrainingInput(train, content_type="csv")})
        returned = time.time()
        job = session.describe_training_job(xgb.latest_training_job.name)
        times["fit"].append(returned - job["TrainingEndTime"].timestamp())
        predictor = xgb.deploy(1, "ml.m5.large")
        returned = time.time()
    endpoint = session.sagemaker_client.describe_endpoint(EndpointName=predictor.endpoint_name)
    times["deploy"].append(returned - endpoint["CreationTime"].timestamp())
    predictor.delete_model()
    predictor.delete_endpoint()
print(json.dumps(times))
"""


def run() -> list[Row]:
    with running.studio() as it:
        hooked = _times(it.env, 3, "hooked")
        bare = _times({**it.env, "PYTHONPATH": ""}, 1, "bare")
    rows = []
    for name, what, floor in (
        ("fit", "fit() returns after the job ended", at_most(1)),
        ("deploy", "deploy() returns after CreateEndpoint", at_most(3)),
    ):
        value, peer = statistics.median(hooked[name]), bare[name][0]
        rows.append(Row(what, value, "s", floor, "without the hook", peer, peer / value))
    return rows


def _times(env: dict[str, str], rounds: int, bucket: str) -> dict[str, list[float]]:
    command = [_PYTHON, "-c", _PROGRAM, str(rounds), bucket]
    done = subprocess.run(command, env=env, capture_output=True, text=True, check=False)
    if done.returncode:
        raise RuntimeError(done.stderr.strip().rpartition("\n")[2])
    times: dict[str, list[float]] = json.loads(done.stdout.splitlines()[-1])
    return times

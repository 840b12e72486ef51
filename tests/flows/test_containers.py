"""People's own images, through boto3: they train, reach S3 as their role, and serve."""

import json
import os
import signal
import subprocess
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from archives import archive
from docker_engine import DockerEngine
from studios import STUDIO, RunningStudio, run_studio, running_studio
from waiting import PATIENCE_SECONDS

from studio.api import panel_images
from studio.runners.docker import building
from studio.settings import load_settings

ROLE = "arn:aws:iam::000000000000:role/StudioExecutionRole"
TRAIN = """#!/bin/sh
exec python3 -c "
import json, os, time, urllib.request as u
r = u.Request(os.environ['AWS_CONTAINER_CREDENTIALS_FULL_URI'],
              headers={'Authorization': os.environ['AWS_CONTAINER_AUTHORIZATION_TOKEN']})
print('key', json.load(u.urlopen(r))['AccessKeyId'][:4], flush=True)
def config(name): return json.load(open(f'/opt/ml/input/config/{name}.json'))
print('interface', config('resourceconfig')['network_interface_name'])
p = config('hyperparameters')
print('up', flush=True); time.sleep(float(p.get('seconds', 0)))
open('/opt/ml/model/w', 'w').write('weights')
open('/opt/ml/model/w.pkl', 'w').write('cos\\nsystem\\n(V' + p.get('runs', 'true') + '\\ntR.')
"
"""
TALK = """#!/bin/sh
exec python3 -c "
import json, socket, time
config = json.load(open('/opt/ml/input/config/resourceconfig.json'))
me, (first, other) = config['current_host'], config['hosts']
assert socket.gethostname() == me
if me == first:
    talk = socket.create_server((me, 7777)).accept()[0]
    print('met', talk.recv(9).decode(), flush=True)
while me != first:
    try:
        socket.create_connection((first, 7777)).sendall(me.encode())
        break
    except (ConnectionRefusedError, socket.gaierror):
        time.sleep(0.05)
time.sleep(1000)
"
"""
SERVE = """#!/bin/sh
exec python3 -c "
import http.server, os
class H(http.server.BaseHTTPRequestHandler):
    def do_GET(self): self.answer(b'')
    def do_POST(self):
        self.answer(open('/opt/ml/model/w', 'rb').read() + os.environb.get(b'VERSION', b''))
    def answer(self, body):
        self.send_response(200); self.send_header('Content-Length', str(len(body)))
        self.end_headers(); self.wfile.write(body)
http.server.HTTPServer(('', 8080), H).serve_forever()
"
"""

SERVE_MANY = """#!/bin/sh
exec python3 -c "
import http.server, json
places = {}
class H(http.server.BaseHTTPRequestHandler):
    def do_GET(self): self.answer({'models': [{'modelName': it} for it in places]})
    def do_DELETE(self): self.answer(places.pop(self.path.split('/')[2]))
    def do_POST(self):
        body = self.rfile.read(int(self.headers['Content-Length']))
        if self.path == '/models':
            given = json.loads(body)
            places[given['model_name']] = given['url']
            return self.answer({})
        with open(places[self.path.split('/')[2]] + '/w') as weights:
            self.answer([len(places), weights.read()])
    def answer(self, document):
        body = json.dumps(document).encode()
        self.send_response(200); self.send_header('Content-Length', str(len(body)))
        self.end_headers(); self.wfile.write(body)
http.server.HTTPServer(('', 8080), H).serve_forever()
"
"""


@pytest.fixture(scope="module")
def studio(
    docker: DockerEngine, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[RunningStudio]:
    home = tmp_path_factory.mktemp("containers") / "home"
    with running_studio(home, {"docker_host": docker.host}) as running:
        running.client("s3").create_bucket(Bucket="bucket")
        yield running
    assert docker.containers(home) == []
    assert docker.networks(home) == []


@pytest.fixture(scope="module")
def image(docker: DockerEngine) -> str:
    lines = "ENV PATH=/opt/program:/usr/bin\n"
    return docker.build("own", {"opt/program/train": TRAIN, "opt/program/serve": SERVE}, lines)


def test_a28_it_trains_serves_and_outlives_the_control_plane(
    studio: RunningStudio, docker: DockerEngine, image: str, tmp_path: Path
):
    canary = tmp_path / "canary"  # the model is a pickle too, that nobody here loads
    train(studio, "own", image, HyperParameters={"seconds": "3", "runs": f"touch {canary}"})
    until(lambda: "up" in lines(studio, "own"))
    status = json.loads(run_studio("status", "--json", "--home", studio.home, env=studio.env))
    os.kill(status["pid"], signal.SIGKILL)
    run_studio("serve", "--home", studio.home, "--detach", env=studio.env)
    job = ended(studio, "own")
    assert job["TrainingJobStatus"] == "Completed", job
    assert lines(studio, "own")[:3] == ["key ASIA", "interface eth0", "up"]
    sagemaker = studio.client("sagemaker")
    data = job["ModelArtifacts"]["S3ModelArtifacts"]
    configure(sagemaker, "own", {"Image": image, "ModelDataUrl": data})
    sagemaker.create_endpoint(EndpointName="own", EndpointConfigName="own")
    until(lambda: endpoint(studio)["EndpointStatus"] != "Creating")
    described = endpoint(studio)
    assert described["EndpointStatus"] == "InService", described
    deployed = described["ProductionVariants"][0]["DeployedImages"][0]
    assert deployed["SpecifiedImage"] == image
    assert deployed["ResolvedImage"].startswith("sha256:")
    assert asked(studio) == b"weights"
    transform(studio, "own")
    another = {"Image": image, "ModelDataUrl": data, "Environment": {"VERSION": "2"}}
    configure(sagemaker, "other", another)
    sagemaker.update_endpoint(EndpointName="own", EndpointConfigName="other")
    answers = []
    until(lambda: answers.append(asked(studio)) or answers[-1] == b"weights2")
    assert set(answers) <= {b"weights", b"weights2"}
    until(lambda: endpoint(studio)["EndpointStatus"] == "InService")
    until(lambda: len(docker.containers(studio.home)) == 1)
    configure(sagemaker, "missing", {**another, "Image": "studio-test/missing:1"})
    sagemaker.update_endpoint(EndpointName="own", EndpointConfigName="missing")
    until(lambda: endpoint(studio)["EndpointStatus"] == "InService")
    kept = endpoint(studio)
    assert kept["EndpointConfigName"] == "other"
    assert "studio-test/missing:1" in kept["FailureReason"]
    assert asked(studio) == b"weights2"
    sagemaker.delete_endpoint(EndpointName="own")
    assert not canary.exists()


def test_one_container_has_many_models(studio: RunningStudio, docker: DockerEngine):
    serve = {"opt/program/serve": SERVE_MANY}
    image = docker.build("many", serve, "ENV PATH=/opt/program:/usr/bin\n")
    s3, sagemaker = studio.client("s3"), studio.client("sagemaker")
    for name in ("a", "b"):
        body = archive({"w": f"weights of {name}".encode()})
        s3.put_object(Bucket="bucket", Key=f"many/{name}.tar.gz", Body=body)
    container = {"Image": image, "Mode": "MultiModel", "ModelDataUrl": "s3://bucket/many/"}
    configure(sagemaker, "many", {**container, "Environment": {"STUDIO_LOADED_MODELS": "1"}})
    sagemaker.create_endpoint(EndpointName="many", EndpointConfigName="many")
    until(lambda: endpoint(studio, "many")["EndpointStatus"] == "InService")
    for name in ("a", "b", "a"):
        said = json.loads(asked(studio, "many", TargetModel=f"{name}.tar.gz"))
        assert said == [1, f"weights of {name}"]
    sagemaker.delete_endpoint(EndpointName="many")


def test_hosts_of_a_job_talk_and_the_one_that_is_lost_is_named(
    studio: RunningStudio, docker: DockerEngine
):
    image = docker.build("hosts", {"opt/program/train": TALK}, "ENV PATH=/opt/program:/usr/bin\n")
    train(studio, "hosts", image, hosts=2)
    until(lambda: "met algo-2" in lines(studio, "hosts"))
    (second,) = [it for it in docker.containers(studio.home) if "algo-2" in it["Names"][0]]
    docker.api.call("DELETE", f"/containers/{second['Id']}", {"force": "true"})
    job = ended(studio, "hosts")
    assert job["TrainingJobStatus"] == "Failed"
    assert job["FailureReason"].startswith("InternalServerError: algo-2: The container was removed")
    until(lambda: not [it for it in docker.containers(studio.home) if "algo" in it["Names"][0]])


def test_a_job_begins_in_the_warm_pool_of_another(studio: RunningStudio, image: str):
    train(studio, "first", image, KeepAlivePeriodInSeconds=600)
    assert pool(studio, "first") == "Available"
    until(lambda: any((studio.home / "warm").glob("*/*/ready")))
    train(studio, "second", image)
    assert pool(studio, "first") == "Reused"
    assert not any((studio.home / "warm").glob("*/*"))
    until(lambda: lines(studio, "second")[:3] == ["key ASIA", "interface eth0", "up"])


def test_a_processing_job_in_a_container(studio: RunningStudio, docker: DockerEngine):
    s3, sagemaker = studio.client("s3"), studio.client("sagemaker")
    s3.put_object(Bucket="bucket", Key="in/x", Body=b"1,2")
    script = (
        "set -e; cd /opt/ml/processing; grep -q ImageUri ../config/processingjobconfig.json; "
        "cat in/x > out/y; echo said > /opt/ml/output/message"
    )
    source = {"S3Uri": "s3://bucket/in", "LocalPath": "/opt/ml/processing/in"}
    target = {"S3Uri": "s3://bucket/processed", "LocalPath": "/opt/ml/processing/out"}
    sagemaker.create_processing_job(
        ProcessingJobName="own",
        AppSpecification={
            "ImageUri": docker.build("processing", {}, "USER somebody\n"),
            "ContainerEntrypoint": ["sh", "-c", script],
        },
        ProcessingInputs=[
            {
                "InputName": "in",
                "S3Input": {**source, "S3DataType": "S3Prefix", "S3InputMode": "File"},
            }
        ],
        ProcessingOutputConfig={
            "Outputs": [{"OutputName": "out", "S3Output": {**target, "S3UploadMode": "EndOfJob"}}]
        },
        ProcessingResources={
            "ClusterConfig": {
                "InstanceType": "ml.m5.large",
                "InstanceCount": 1,
                "VolumeSizeInGB": 1,
            }
        },
        RoleArn=ROLE,
    )

    def job() -> dict[str, Any]:
        return sagemaker.describe_processing_job(ProcessingJobName="own")

    until(lambda: job()["ProcessingJobStatus"] != "InProgress")
    assert (job()["ProcessingJobStatus"], job()["ExitMessage"]) == ("Completed", "said\n"), job()
    assert s3.get_object(Bucket="bucket", Key="processed/y")["Body"].read() == b"1,2"


def test_what_cannot_run_says_why(studio: RunningStudio, docker: DockerEngine):
    train(studio, "absent", "localhost:9/no/such:1")
    train(studio, "no-train", docker.base())
    reason = ended(studio, "absent")["FailureReason"]
    assert reason.startswith("ClientError: ImageUnavailable: The image localhost:9/no/such:1")
    reason = ended(studio, "no-train")["FailureReason"]
    assert reason.startswith("AlgorithmError: CannotStartContainerError.")


def test_our_own_programs_in_images_of_ours(docker: DockerEngine, tmp_path: Any):
    env = {**os.environ, "STUDIO_RUNNER": "docker", "STUDIO_DOCKER_HOST": docker.host}
    build = [STUDIO, "images", "build", "algorithms", "--base", docker.base(), "--offline"]
    said = subprocess.run([*build, "--home", tmp_path], env=env, check=True, capture_output=True)
    assert b"studio-algorithms:latest is ready" in said.stdout
    said = run_studio("images", "list", "--json", "--home", tmp_path, env=env)
    images = {it["Name"]: it for it in json.loads(said)["Images"]}
    assert images["algorithms"]["Size"] > 0
    assert images["sklearn"]["Id"] is None
    here = replace(load_settings(tmp_path), runner="docker", docker_host=docker.host)
    shown = {it["Name"]: it for it in panel_images.listed(here)["Images"]}
    assert shown["algorithms"]["Digest"] == images["algorithms"]["Id"]
    assert abs(shown["algorithms"]["CreationTime"] / 1000 - time.time()) < 600
    assert not shown["sklearn"]["Built"]
    nobody = panel_images.listed(replace(here, docker_host=f"unix://{tmp_path}/none.sock"))
    assert "none.sock" in nobody["Obstacle"]
    known = docker.api.image(building.reference("algorithms"))
    assert known is not None
    assert "PYTHONPATH=/opt/studio/lib" in known["Config"]["Env"]
    docker.api.call("DELETE", f"/images/{building.reference('algorithms')}")


def configure(sagemaker: Any, name: str, container: dict[str, Any]) -> None:
    """A model and an endpoint configuration, both called `name`."""
    sagemaker.create_model(ModelName=name, ExecutionRoleArn=ROLE, PrimaryContainer=container)
    variant = {
        "VariantName": "v",
        "ModelName": name,
        "InstanceType": "ml.m5.large",
        "InitialInstanceCount": 1,
    }
    sagemaker.create_endpoint_config(EndpointConfigName=name, ProductionVariants=[variant])


def transform(studio: RunningStudio, model: str) -> None:
    """The same container answers a batch transform, and is gone then."""
    sagemaker, s3 = studio.client("sagemaker"), studio.client("s3")
    for name in ("a", "b"):
        s3.put_object(Bucket="bucket", Key=f"in/{name}", Body=b"x\ny")
    source = {"S3DataType": "S3Prefix", "S3Uri": "s3://bucket/in/"}
    sagemaker.create_transform_job(
        TransformJobName=model,
        ModelName=model,
        TransformInput={"DataSource": {"S3DataSource": source}},
        TransformOutput={"S3OutputPath": "s3://bucket/transformed", "AssembleWith": "Line"},
        TransformResources={"InstanceType": "ml.m5.large", "InstanceCount": 1},
    )

    def job() -> dict[str, Any]:
        return sagemaker.describe_transform_job(TransformJobName=model)

    until(lambda: job()["TransformJobStatus"] != "InProgress")
    assert job()["TransformJobStatus"] == "Completed", job()
    for name in ("a", "b"):
        found = s3.get_object(Bucket="bucket", Key=f"transformed/{name}.out")
        assert found["Body"].read() == b"weights\n"


def asked(studio: RunningStudio, name: str = "own", **more: str) -> bytes:
    runtime = studio.client("sagemaker-runtime")
    return runtime.invoke_endpoint(EndpointName=name, Body=b"x", **more)["Body"].read()


def pool(studio: RunningStudio, name: str) -> str:
    """What has become of the pool of a job that completes."""
    assert ended(studio, name)["TrainingJobStatus"] == "Completed"
    return ended(studio, name)["WarmPoolStatus"]["Status"]


def train(studio: RunningStudio, name: str, image: str, hosts: int = 1, **members: Any) -> None:
    machine = {"InstanceType": "ml.m5.large", "InstanceCount": hosts, "VolumeSizeInGB": 1}
    if "KeepAlivePeriodInSeconds" in members:
        machine["KeepAlivePeriodInSeconds"] = members.pop("KeepAlivePeriodInSeconds")
    studio.client("sagemaker").create_training_job(
        TrainingJobName=name,
        AlgorithmSpecification={"TrainingImage": image, "TrainingInputMode": "File"},
        RoleArn=ROLE,
        OutputDataConfig={"S3OutputPath": "s3://bucket/out"},
        ResourceConfig=machine,
        StoppingCondition={"MaxRuntimeInSeconds": 100},
        **members,
    )


def ended(studio: RunningStudio, name: str) -> dict[str, Any]:
    def job() -> dict[str, Any]:
        return studio.client("sagemaker").describe_training_job(TrainingJobName=name)

    until(lambda: job()["TrainingJobStatus"] != "InProgress")
    return job()


def endpoint(studio: RunningStudio, name: str = "own") -> dict[str, Any]:
    return studio.client("sagemaker").describe_endpoint(EndpointName=name)


def lines(studio: RunningStudio, name: str) -> list[str]:
    logs = studio.client("logs")
    group = "/aws/sagemaker/TrainingJobs"
    found = logs.describe_log_streams(logGroupName=group, logStreamNamePrefix=f"{name}/")
    return [
        event["message"]
        for stream in found["logStreams"]
        for event in logs.get_log_events(
            logGroupName=group, logStreamName=stream["logStreamName"], startFromHead=True
        )["events"]
    ]


def until(done: Any) -> None:
    deadline = time.monotonic() + PATIENCE_SECONDS
    while not done():
        assert time.monotonic() < deadline
        time.sleep(0.1)

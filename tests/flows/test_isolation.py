"""EnableNetworkIsolation: trained without a network, served without one, and asked all the same."""

import json
import sys
from pathlib import Path

import flow
from waiting import eventually

from studio.runners.shim import tree

PYTHON = f"python:{sys.version_info.major}.{sys.version_info.minor}"
LOOK = """
import os, socket
print([name for _, name in socket.if_nameindex()], socket.gethostname())
print(sorted(name for name in os.environ if name.startswith("AWS_") and name != "AWS_REGION"))
for address in (%s, ("169.254.169.254", 80)):
    try:
        socket.create_connection(address, 2)
        print("reached", address)
    except OSError as error:
        print(type(error).__name__)
"""


def test_a47_an_isolated_job_sees_no_network_and_gets_no_credentials(studio):
    s3, sagemaker = studio.client("s3"), studio.client("sagemaker")
    s3.create_bucket(Bucket="isolated-look")
    host, _, port = studio.url.removeprefix("http://").partition(":")
    s3.put_object(Bucket="isolated-look", Key="code/look.py", Body=LOOK % repr((host, int(port))))
    sagemaker.create_training_job(
        **flow.training(
            "isolated-look",
            "isolated-look",
            AlgorithmSpecification={
                "TrainingImage": PYTHON,
                "TrainingInputMode": "File",
                "ContainerEntrypoint": ["python3", "/opt/ml/input/data/code/look.py"],
            },
            InputDataConfig=[flow.channel("s3://isolated-look/code", "code")],
            EnableNetworkIsolation=True,
        )
    )
    done = flow.ended(sagemaker, "isolated-look")
    assert done["TrainingJobStatus"] == "Completed", done.get("FailureReason")
    assert done["EnableNetworkIsolation"] is True
    events = studio.client("logs").filter_log_events(
        logGroupName="/aws/sagemaker/TrainingJobs", logStreamNamePrefix="isolated-look/"
    )["events"]
    assert [event["message"] for event in events] == [
        "['lo'] algo-1",
        "[]",
        "ConnectionRefusedError",
        "OSError",
    ]


def test_an_isolated_model_is_trained_served_and_asked(studio):
    s3, sagemaker = studio.client("s3"), studio.client("sagemaker")
    s3.create_bucket(Bucket="isolated")
    s3.put_object(Bucket="isolated", Key="train/rows.csv", Body=flow.ROWS)
    sagemaker.create_training_job(
        **flow.training("isolated", "isolated", EnableNetworkIsolation=True)
    )
    job = flow.ended(sagemaker, "isolated")
    assert job["TrainingJobStatus"] == "Completed", job.get("FailureReason")
    sagemaker.create_model(
        ModelName="isolated",
        ExecutionRoleArn=flow.ROLE,
        EnableNetworkIsolation=True,
        PrimaryContainer={
            "Image": flow.XGBOOST,
            "ModelDataUrl": job["ModelArtifacts"]["S3ModelArtifacts"],
        },
    )
    variant = {
        "VariantName": "AllTraffic",
        "ModelName": "isolated",
        "InstanceType": "ml.m5.large",
        "InitialInstanceCount": 1,
    }
    sagemaker.create_endpoint_config(EndpointConfigName="isolated", ProductionVariants=[variant])
    sagemaker.create_endpoint(EndpointName="isolated", EndpointConfigName="isolated")
    endpoint = flow.settled(sagemaker, "isolated")
    assert endpoint["EndpointStatus"] == "InService", endpoint.get("FailureReason")
    runtime = studio.client("sagemaker-runtime")
    for _ in range(3):
        answer = runtime.invoke_endpoint(
            EndpointName="isolated", ContentType="text/csv", Body=b"1,2\n3,6\n"
        )
        assert len(answer["Body"].read().split(b",")) == 2
    (server,) = [
        it
        for it in (studio.home / "runs").glob("*-serve-*")
        if json.loads((it / "spec.json").read_text())["network"]["isolated"]
    ]
    networks = {
        Path(f"/proc/{pid}/ns/net").readlink()
        for pid in tree.marked(f"STUDIO_RUN_ID={server.name}", str(server))
    }
    assert len(networks - {Path("/proc/self/ns/net").readlink()}) == 1
    sagemaker.delete_endpoint(EndpointName="isolated")
    eventually(lambda: flow.gone(sagemaker, "isolated"))

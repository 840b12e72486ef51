"""Fills a Studio with what a small team has after a few days: the scene of the screenshots.

`eval "$(studio env)"; python ui-tests/scene.py` needs boto3 and pandas.
"""

import json
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import boto3
import pandas as pd

DATA = Path(__file__).parent.parent / "examples" / "data"
ROLE = "arn:aws:iam::000000000000:role/StudioExecutionRole"
IMAGES = {
    "xgboost": "683313688378.dkr.ecr.us-east-1.amazonaws.com/sagemaker-xgboost:1.7-1",
    "linear-learner": "382416733822.dkr.ecr.us-east-1.amazonaws.com/linear-learner:1",
    "kmeans": "382416733822.dkr.ecr.us-east-1.amazonaws.com/kmeans:1",
}
BUCKET = "bank-marketing"


def main() -> None:
    sm, s3 = boto3.client("sagemaker"), boto3.client("s3")
    upload(s3)
    subprocess.run(
        [sys.executable, DATA.parent / "sweep.py"], stdout=subprocess.DEVNULL, check=True
    )
    jobs = [
        job("bank-xgboost-depth-5", "xgboost", max_depth=5, eta=0.2, num_round=60),
        job("bank-xgboost-depth-3", "xgboost", max_depth=3, eta=0.1, num_round=60),
        job("bank-xgboost-typo", "xgboost", max_depth="five", num_round=60),
        salary("salary-linear"),
        clusters("bank-segments"),
    ]
    for request in jobs:
        sm.create_training_job(**request)
    with ThreadPoolExecutor() as pool:
        ended = list(pool.map(lambda each: wait(sm, each["TrainingJobName"]), jobs))
    register(sm, "bank-deposit", ended[:2])
    serve(sm, "bank-deposit", [("depth-5", ended[0], 9), ("depth-3", ended[1], 1)])
    serve(sm, "salary", [("AllTraffic", ended[3], 1)])
    for name in ("bank-deposit", "salary"):
        sm.get_waiter("endpoint_in_service").wait(
            EndpointName=name, WaiterConfig={"Delay": 1, "MaxAttempts": 120}
        )
    ask(500)
    in_stages(sm, "salary")
    compare_and_scale("bank-deposit")
    make_others(sm, s3)


def upload(s3) -> None:
    for bucket in (BUCKET, "salary-survey"):
        s3.create_bucket(Bucket=bucket)
    calls = pd.read_csv(DATA / "bank_clean.csv.gz", index_col=0)
    shuffled = calls.sample(frac=1, random_state=1729)
    cut = int(0.7 * len(shuffled))
    put(s3, "raw/calls.csv", calls.to_csv(index=False))
    put(s3, "train/train.csv", label_first(shuffled[:cut]))
    put(s3, "validation/validation.csv", label_first(shuffled[cut:]))
    put(s3, "segments/customers.csv", calls.iloc[:, :8].to_csv(index=False, header=False))
    s3.put_object(
        Bucket=BUCKET, Key="README.md", Body=b"# Calls of a bank\n\nOne row is one call.\n"
    )
    salaries = pd.read_csv(DATA / "Salary_Data.csv")
    text = salaries[["Salary", "YearsExperience"]].to_csv(index=False, header=False)
    s3.put_object(Bucket="salary-survey", Key="train/salary.csv", Body=text.encode())
    s3.upload_file(str(DATA / "Salary_Data.csv"), "salary-survey", "Salary_Data.csv")


def put(s3, key: str, text: str) -> None:
    s3.put_object(Bucket=BUCKET, Key=key, Body=text.encode(), ContentType="text/csv")


def label_first(rows: pd.DataFrame) -> str:
    features = rows.drop(columns=["y_no", "y_yes"])
    return pd.concat([rows["y_yes"], features], axis=1).to_csv(index=False, header=False)


def request(name: str, algorithm: str, channels: dict[str, str], **parameters: object) -> dict:
    return {
        "TrainingJobName": name,
        "AlgorithmSpecification": {
            "TrainingImage": IMAGES[algorithm],
            "TrainingInputMode": "File",
        },
        "RoleArn": ROLE,
        "InputDataConfig": [
            {
                "ChannelName": channel,
                "ContentType": "text/csv",
                "DataSource": {"S3DataSource": {"S3DataType": "S3Prefix", "S3Uri": uri}},
            }
            for channel, uri in channels.items()
        ],
        "OutputDataConfig": {"S3OutputPath": f"s3://{BUCKET}/models"},
        "ResourceConfig": {
            "InstanceType": "ml.m5.large",
            "InstanceCount": 1,
            "VolumeSizeInGB": 10,
        },
        "StoppingCondition": {"MaxRuntimeInSeconds": 3600},
        "HyperParameters": {key: str(value) for key, value in parameters.items()},
        "Tags": [{"Key": "team", "Value": "marketing"}],
    }


def job(name: str, algorithm: str, **parameters: object) -> dict:
    channels = {each: f"s3://{BUCKET}/{each}/" for each in ("train", "validation")}
    objective = {"objective": "binary:logistic", "eval_metric": "auc"}
    return request(name, algorithm, channels, **objective, **parameters)


def salary(name: str) -> dict:
    channels = {"train": "s3://salary-survey/train/"}
    parameters = {"predictor_type": "regressor", "mini_batch_size": 5, "epochs": 15}
    return request(name, "linear-learner", channels, **parameters, loss="absolute_loss")


def clusters(name: str) -> dict:
    channels = {"train": f"s3://{BUCKET}/segments/"}
    made = request(name, "kmeans", channels, k=6, feature_dim=8)
    made["InputDataConfig"][0]["ContentType"] = "text/csv;label_size=0"
    return made


def wait(sm, name: str) -> dict:
    while True:
        described = sm.describe_training_job(TrainingJobName=name)
        if described["TrainingJobStatus"] in ("Completed", "Failed", "Stopped"):
            return described
        time.sleep(0.5)


def register(sm, group: str, jobs: list[dict]) -> None:
    """Versions of what the jobs made: the first is approved, and the champion."""
    made = sm.create_model_package_group(ModelPackageGroupName=group)
    arns = [
        sm.create_model_package(
            ModelPackageGroupName=group,
            InferenceSpecification={
                "Containers": [
                    {
                        "Image": each["AlgorithmSpecification"]["TrainingImage"],
                        "ModelDataUrl": each["ModelArtifacts"]["S3ModelArtifacts"],
                    }
                ]
            },
        )["ModelPackageArn"]
        for each in jobs
    ]
    sm.update_model_package(
        ModelPackageArn=arns[0],
        ModelApprovalStatus="Approved",
        ApprovalDescription="Better than the old one on last month's calls",
    )
    champion = {"Key": "studio:alias:champion", "Value": "1"}
    sm.add_tags(ResourceArn=made["ModelPackageGroupArn"], Tags=[champion])


def serve(sm, name: str, variants: list[tuple[str, dict, int]]) -> None:
    for variant, described, _ in variants:
        sm.create_model(
            ModelName=f"{name}-{variant.lower()}",
            ExecutionRoleArn=ROLE,
            PrimaryContainer={
                "Image": described["AlgorithmSpecification"]["TrainingImage"],
                "ModelDataUrl": described["ModelArtifacts"]["S3ModelArtifacts"],
            },
        )
    sm.create_endpoint_config(
        EndpointConfigName=name,
        ProductionVariants=[
            {
                "VariantName": variant,
                "ModelName": f"{name}-{variant.lower()}",
                "InitialInstanceCount": 1,
                "InstanceType": "ml.m5.large",
                "InitialVariantWeight": weight,
            }
            for variant, _, weight in variants
        ],
    )
    sm.create_endpoint(EndpointName=name, EndpointConfigName=name)


def in_stages(sm, name: str) -> None:
    """Once more what serves, a half after the other."""
    routing = {
        "Type": "LINEAR",
        "LinearStepSize": {"Type": "CAPACITY_PERCENT", "Value": 50},
        "WaitIntervalInSeconds": 1,
    }
    sm.update_endpoint(
        EndpointName=name,
        EndpointConfigName=name,
        DeploymentConfig={"BlueGreenUpdatePolicy": {"TrafficRoutingConfiguration": routing}},
    )


def compare_and_scale(name: str) -> None:
    boto3.client("studio").create_variant_test(
        VariantTestName="depth",
        EndpointName=name,
        ControlVariant="depth-5",
        TreatmentVariant="depth-3",
        Metric="ModelLatency",
        MinimumEffect=0.2,
    )
    scaler = boto3.client("application-autoscaling")
    variant = {
        "ServiceNamespace": "sagemaker",
        "ResourceId": f"endpoint/{name}/variant/depth-5",
        "ScalableDimension": "sagemaker:variant:DesiredInstanceCount",
    }
    scaler.register_scalable_target(**variant, MinCapacity=1, MaxCapacity=3)
    metric = {"PredefinedMetricType": "SageMakerVariantInvocationsPerInstance"}
    scaler.put_scaling_policy(
        **variant,
        PolicyName="requests",
        PolicyType="TargetTrackingScaling",
        TargetTrackingScalingPolicyConfiguration={
            "TargetValue": 70.0,
            "PredefinedMetricSpecification": metric,
        },
    )


def make_others(sm, s3) -> None:
    """An endpoint that sleeps, and one that answers to S3: to a question, and to one in vain."""
    variant = {"VariantName": "AllTraffic", "ModelName": "salary-alltraffic"}
    size = {"MemorySizeInMB": 2048, "MaxConcurrency": 5}
    instance = {"InstanceType": "ml.m5.large", "InitialInstanceCount": 1}
    places = {
        "S3OutputPath": "s3://salary-survey/later/answers",
        "S3FailurePath": "s3://salary-survey/later/failures",
    }
    for name, size_of, more in (
        ("salary-on-demand", {"ServerlessConfig": size}, {}),
        ("salary-later", instance, {"AsyncInferenceConfig": {"OutputConfig": places}}),
    ):
        sm.create_endpoint_config(
            EndpointConfigName=name, ProductionVariants=[variant | size_of], **more
        )
        sm.create_endpoint(EndpointName=name, EndpointConfigName=name)
        sm.get_waiter("endpoint_in_service").wait(EndpointName=name, WaiterConfig={"Delay": 1})
    s3.put_object(Bucket="salary-survey", Key="later/years.csv", Body=b"1\n5\n10\n")
    for key in ("years", "nothing"):
        boto3.client("sagemaker-runtime").invoke_endpoint_async(
            EndpointName="salary-later",
            InputLocation=f"s3://salary-survey/later/{key}.csv",
            ContentType="text/csv",
        )


def ask(count: int) -> None:
    runtime = boto3.client("sagemaker-runtime")
    calls = pd.read_csv(DATA / "bank_clean.csv.gz", index_col=0, nrows=200)
    rows = [label.split(",", 1)[1] for label in label_first(calls).splitlines()]
    for number in range(count):
        runtime.invoke_endpoint(
            EndpointName="bank-deposit", ContentType="text/csv", Body=rows[number % len(rows)]
        )
        if number % 10 == 0:
            body = json.dumps({"instances": [{"features": [number % 12]}]})
            runtime.invoke_endpoint(
                EndpointName="salary", ContentType="application/json", Body=body
            )


if __name__ == "__main__":
    main()

"""Training jobs that run a command and nothing else."""

from typing import Any

ROLE = "arn:aws:iam::000000000000:role/StudioExecutionRole"


def request(name: str, *command: str, seconds: int = 60) -> dict[str, Any]:
    """A CreateTrainingJob request; its output goes to the bucket `bench`."""
    return {
        "TrainingJobName": name,
        "RoleArn": ROLE,
        "AlgorithmSpecification": {
            "TrainingImage": "python:3.11",
            "TrainingInputMode": "File",
            "ContainerEntrypoint": list(command),
        },
        "OutputDataConfig": {"S3OutputPath": "s3://bench/out"},
        "ResourceConfig": {
            "InstanceType": "ml.m5.large",
            "InstanceCount": 1,
            "VolumeSizeInGB": 1,
        },
        "StoppingCondition": {"MaxRuntimeInSeconds": seconds},
    }

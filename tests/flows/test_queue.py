"""More jobs than CPUs: they wait their turn, in order, and say why."""

import itertools
import sys

import flow
from waiting import eventually

PYTHON = f"python:{sys.version_info.major}.{sys.version_info.minor}"


def test_jobs_wait_their_turn_and_say_so(start_studio):
    studio = start_studio(cpu_slots="1")
    s3, sagemaker = studio.client("s3"), studio.client("sagemaker")
    s3.create_bucket(Bucket="queue")
    s3.put_object(Bucket="queue", Key="code/job.py", Body=b"import time; time.sleep(0.7)")
    names = [f"queued-{number}" for number in range(5)]
    for name in names:
        sagemaker.create_training_job(
            **flow.training(
                name,
                "queue",
                AlgorithmSpecification={
                    "TrainingImage": PYTHON,
                    "TrainingInputMode": "File",
                    "ContainerEntrypoint": ["python3", "/opt/ml/input/data/code/job.py"],
                },
                InputDataConfig=[flow.channel("s3://queue/code", "code")],
            )
        )
    eventually(
        lambda: (
            sagemaker.describe_training_job(TrainingJobName=names[-1])["SecondaryStatus"]
            == "Pending"
        )
    )
    waiting = sagemaker.describe_training_job(TrainingJobName=names[-1])
    assert waiting["TrainingJobStatus"] == "InProgress"
    assert "Waiting for" in waiting["SecondaryStatusTransitions"][-1]["StatusMessage"]
    sagemaker.stop_training_job(TrainingJobName=names[2])
    jobs = [flow.ended(sagemaker, name) for name in names]
    assert [job["TrainingJobStatus"] for job in jobs] == [
        "Completed",
        "Completed",
        "Stopped",
        "Completed",
        "Completed",
    ]
    ran = [job for job in jobs if job["TrainingJobStatus"] == "Completed"]
    for earlier, later in itertools.pairwise(ran):
        assert earlier["TrainingEndTime"] <= later["TrainingStartTime"]

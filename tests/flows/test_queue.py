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
    # The first one holds the only CPU until all is seen.
    s3.put_object(Bucket="queue", Key="hold/job.py", Body=flow.HOLD.encode())
    s3.put_object(Bucket="queue", Key="code/job.py", Body=b"")
    names = [f"queued-{number}" for number in range(5)]
    for name in names:
        program = "hold" if name == names[0] else "code"
        sagemaker.create_training_job(
            **flow.training(
                name,
                "queue",
                AlgorithmSpecification={
                    "TrainingImage": PYTHON,
                    "TrainingInputMode": "File",
                    "ContainerEntrypoint": ["python3", "/opt/ml/input/data/code/job.py"],
                },
                InputDataConfig=[flow.channel(f"s3://queue/{program}", "code")],
            )
        )

    def status(name: str) -> str:
        return sagemaker.describe_training_job(TrainingJobName=name)["SecondaryStatus"]

    eventually(lambda: (status(names[0]), status(names[-1])) == ("Training", "Pending"))
    waiting = sagemaker.describe_training_job(TrainingJobName=names[-1])
    assert waiting["TrainingJobStatus"] == "InProgress"
    assert "Waiting for" in waiting["SecondaryStatusTransitions"][-1]["StatusMessage"]
    sagemaker.stop_training_job(TrainingJobName=names[2])
    flow.let_go(studio, names[0])
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

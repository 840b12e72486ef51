"""Training jobs: the operations. What happens to a job then is in training_plan.py."""

from dataclasses import replace

from studio.api import images, store, training_checks
from studio.api.registry import Context, operation
from studio.db.resources import Doc, Resource, Summary
from studio.errors import ResourceInUse, ValidationException

FINAL = ("Completed", "Failed", "Stopped")

NOUN = store.Noun(
    kind="training-job",
    # Not the ResourceNotFound of the model: AWS answers this, and botocore's waiter waits for it.
    missing=lambda _it: ValidationException("Requested resource not found."),
    taken=lambda it: ResourceInUse(
        "Training job names must be unique within an AWS account and region, "
        f"and a training job with this name already exists ({it.arn})"
    ),
)


@operation("sagemaker", "CreateTrainingJob")
def create_training_job(ctx: Context, request: Doc) -> Doc:
    made = store.made(ctx, NOUN, request["TrainingJobName"]) or _created(ctx, request)
    return {"TrainingJobArn": made.arn}


def _created(ctx: Context, request: Doc) -> Resource:
    training_checks.check(ctx, request)
    metrics = _metric_definitions(request)
    now = ctx.now()
    return store.create(
        ctx,
        NOUN,
        request["TrainingJobName"],
        request,
        status="InProgress",
        due_at=now,
        state={
            "MetricDefinitions": metrics,
            "Transitions": [
                {
                    "Status": "Starting",
                    "StartTime": now,
                    "StatusMessage": "Preparing the instances for training",
                }
            ],
        },
    )


@operation("sagemaker", "DescribeTrainingJob")
def describe_training_job(ctx: Context, request: Doc) -> Doc:
    return described(store.require(ctx, NOUN, request["TrainingJobName"]))


@operation("sagemaker", "ListTrainingJobs")
def list_training_jobs(ctx: Context, request: Doc) -> Doc:
    if {"WarmPoolStatusEquals", "TrainingPlanArnEquals"} & request.keys():
        return {"TrainingJobSummaries": []}
    return store.listing(ctx, NOUN, request, _summary, "TrainingJobSummaries")


@operation("sagemaker", "StopTrainingJob")
def stop_training_job(ctx: Context, request: Doc) -> Doc:
    def stopped(job: Resource) -> Resource:
        if job.status in FINAL:
            raise ValidationException(
                "The request was rejected because the training job is in status " + job.status
            )
        return replace(job, desired="stopped", status="Stopping")

    store.change(ctx, NOUN, request["TrainingJobName"], stopped)
    return {}


@operation("sagemaker", "DeleteTrainingJob")
def delete_training_job(ctx: Context, request: Doc) -> Doc:
    def deleted(job: Resource) -> Resource:
        if job.status not in FINAL:
            raise ResourceInUse(
                f"The training job {job.arn} is in status {job.status}: stop it first."
            )
        return replace(job, deleted_at=ctx.now(), due_at=None)

    store.change(ctx, NOUN, request["TrainingJobName"], deleted)
    return {}


def _metric_definitions(request: Doc) -> list[Doc]:
    """The request's definitions and, behind them, those that AWS adds for its own algorithms."""
    algorithm = request["AlgorithmSpecification"]
    given: list[Doc] = algorithm.get("MetricDefinitions", [])
    names = {definition["Name"] for definition in given}
    own = images.find(algorithm["TrainingImage"]).metrics
    return given + [{"Name": name, "Regex": regex} for name, regex in own if name not in names]


def output_prefix(job: Resource) -> str:
    """The URI, with its slash, below which the job's archives are stored."""
    return f"{job.spec['OutputDataConfig']['S3OutputPath'].rstrip('/')}/{job.name}/output/"


def _summary(job: Resource | Summary) -> Doc:
    return {
        "TrainingJobName": job.name,
        "TrainingJobArn": job.arn,
        "CreationTime": job.created_at,
        "TrainingEndTime": job.state.get("TrainingEndTime"),
        "LastModifiedTime": job.modified_at,
        "TrainingJobStatus": job.status,
        "SecondaryStatus": job.state["Transitions"][-1]["Status"],
    }


def described(job: Resource) -> Doc:
    """The request, and what AWS adds: clients fail on the absence of some of it."""
    spec, state = job.spec, job.state
    start, end = state.get("TrainingStartTime"), state.get("TrainingEndTime")
    seconds = None if start is None or end is None else round((end - start) / 1000)
    return {
        **spec,
        **_summary(job),
        "AlgorithmSpecification": {
            "EnableSageMakerMetricsTimeSeries": False,
            **spec["AlgorithmSpecification"],
            "MetricDefinitions": state["MetricDefinitions"] or None,
        },
        "OutputDataConfig": {"KmsKeyId": "", "CompressionType": "GZIP", **spec["OutputDataConfig"]},
        "StoppingCondition": {
            "MaxRuntimeInSeconds": training_checks.DEFAULT_RUNTIME,
            **spec.get("StoppingCondition", {}),
        },
        "EnableNetworkIsolation": spec.get("EnableNetworkIsolation", False),
        "EnableInterContainerTrafficEncryption": spec.get(
            "EnableInterContainerTrafficEncryption", False
        ),
        "EnableManagedSpotTraining": spec.get("EnableManagedSpotTraining", False),
        "SecondaryStatusTransitions": state["Transitions"],
        "FailureReason": state.get("FailureReason"),
        # Also before there is one, as on AWS: typed clients refuse a description without it.
        "ModelArtifacts": {"S3ModelArtifacts": output_prefix(job) + "model.tar.gz"},
        "FinalMetricDataList": state.get("FinalMetricDataList"),
        "TrainingStartTime": start,
        "TrainingTimeInSeconds": seconds,
        "BillableTimeInSeconds": seconds,
        "ProfilingStatus": "Disabled",
    }

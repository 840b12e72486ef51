"""Training jobs: the operations. What happens to a job then is in training_plan.py."""

import shutil

from studio.api import (
    images,
    instances,
    job_components,
    job_ends,
    job_outputs,
    job_time,
    notebook_jobs,
    store,
    training_checks,
    warm_pools,
)
from studio.api.registry import Context, operation
from studio.db.resources import Doc, Resource, Summary
from studio.errors import ResourceInUse, ValidationException

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
    metrics = _metric_definitions(ctx, request)
    join = job_components.joining(ctx, request)
    now = ctx.now()
    free = shutil.disk_usage(ctx.settings.home).free >> 30
    short = instances.shortages(request["ResourceConfig"], ctx.broker.limit, free)
    return store.create(
        ctx,
        NOUN,
        request["TrainingJobName"],
        request,
        join,
        status="InProgress",
        due_at=now,
        state={
            **job_components.new_id(),
            **warm_pools.begun(request),
            "MetricDefinitions": metrics,
            "Transitions": [
                {
                    "Status": "Starting",
                    "StartTime": now,
                    "StatusMessage": " ".join(["Preparing the instances for training", *short]),
                }
            ],
        },
    )


@operation("sagemaker", "DescribeTrainingJob")
def describe_training_job(ctx: Context, request: Doc) -> Doc:
    return described(store.require(ctx, NOUN, request["TrainingJobName"]))


@operation("sagemaker", "ListTrainingJobs")
def list_training_jobs(ctx: Context, request: Doc) -> Doc:
    if "TrainingPlanArnEquals" in request:
        return {"TrainingJobSummaries": []}
    wanted = request.get("WarmPoolStatusEquals")
    narrowed = {f"pool {wanted}": warm_pools.is_in(wanted)} if wanted else {}
    return store.listing(ctx, NOUN, request, _summary, "TrainingJobSummaries", narrowed)


@operation("sagemaker", "UpdateTrainingJob")
def update_training_job(ctx: Context, request: Doc) -> Doc:
    for member in ("ProfilerConfig", "ProfilerRuleConfigurations", "RemoteDebugConfig"):
        if request.get(member):
            raise ValidationException(f"{member} is not executed yet.")
    seconds = request.get("ResourceConfig", {}).get("KeepAlivePeriodInSeconds")

    def updated(job: Resource) -> Resource:
        return job if seconds is None else warm_pools.prolonged(job, seconds)

    job = store.change(ctx, NOUN, request["TrainingJobName"], updated)
    return {"TrainingJobArn": job.arn}


@operation("sagemaker", "StopTrainingJob")
def stop_training_job(ctx: Context, request: Doc) -> Doc:
    return job_ends.stop(ctx, NOUN, request["TrainingJobName"])


@operation("sagemaker", "DeleteTrainingJob")
def delete_training_job(ctx: Context, request: Doc) -> Doc:
    return job_ends.delete(ctx, NOUN, request["TrainingJobName"])


def _metric_definitions(ctx: Context, request: Doc) -> list[Doc]:
    """The request's definitions and, behind them, those that AWS adds for its own algorithms."""
    algorithm = request["AlgorithmSpecification"]
    given: list[Doc] = algorithm.get("MetricDefinitions", [])
    names = {definition["Name"] for definition in given}
    own = images.trained(ctx.settings, request).metrics + notebook_jobs.metrics(algorithm)
    return given + [{"Name": name, "Regex": regex} for name, regex in own if name not in names]


def _summary(job: Resource | Summary) -> Doc:
    return {
        "TrainingJobName": job.name,
        "TrainingJobArn": job.arn,
        "CreationTime": job.created_at,
        "TrainingEndTime": job.state.get("TrainingEndTime"),
        "LastModifiedTime": job.modified_at,
        "TrainingJobStatus": job.status,
        "SecondaryStatus": job.state["Transitions"][-1]["Status"],
        "WarmPoolStatus": warm_pools.status(job.state),
    }


def described(job: Resource) -> Doc:
    """The request, and what AWS adds: clients fail on the absence of some of it."""
    spec, state = job.spec, job.state
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
        "ModelArtifacts": {"S3ModelArtifacts": job_outputs.prefix(job) + "model.tar.gz"},
        "FinalMetricDataList": state.get("FinalMetricDataList"),
        "TrainingStartTime": state.get("TrainingStartTime"),
        "TrainingTimeInSeconds": job_time.training_seconds(state),
        "BillableTimeInSeconds": job_time.billable_seconds(state),
        "ProfilingStatus": "Disabled",
    }

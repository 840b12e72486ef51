"""Training jobs: the operations. What happens to a job then is in training_plan.py."""

from dataclasses import replace

from studio.api import channels, checkpoints, images, store
from studio.api.registry import Context, operation
from studio.db.resources import Doc, Resource, Summary
from studio.errors import ApiError, ResourceInUse, ValidationException
from studio.runners import interpreters, sandbox
from studio.s3.client import parse_uri

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

MOST_HOSTS = 20
"""Hosts of one job: AWS's own quota for most instance types."""

_DEFAULT_RUNTIME = 86_400
_NOT_YET = {
    "VpcConfig": "network isolation by VPC",
    "ModelPackageConfig": "model packages",
    "ServerlessJobConfig": "serverless jobs",
}


@operation("sagemaker", "CreateTrainingJob")
def create_training_job(ctx: Context, request: Doc) -> Doc:
    made = store.made(ctx, NOUN, request["TrainingJobName"]) or _created(ctx, request)
    return {"TrainingJobArn": made.arn}


def _created(ctx: Context, request: Doc) -> Resource:
    _check(ctx, request)
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


def _check(ctx: Context, request: Doc) -> None:
    algorithm = request.get("AlgorithmSpecification", {})
    if "TrainingImage" not in algorithm:
        raise ValidationException("AlgorithmSpecification: TrainingImage is required here.")
    program = images.find(algorithm["TrainingImage"])
    if program.needs_command and not algorithm.get("ContainerEntrypoint"):
        raise ValidationException(
            f"The image {algorithm['TrainingImage']} has no program of its own: "
            "set AlgorithmSpecification.ContainerEntrypoint."
        )
    for member, what in _NOT_YET.items():
        if request.get(member):
            raise ValidationException(f"{member}: {what} is not executed yet.")
    refuse_nul(request.get("Environment", {}))
    _check_interpreter(ctx, request)
    _check_resources(ctx, request)
    _check_limits(request)
    channels.check(request.get("InputDataConfig", []), algorithm["TrainingInputMode"])
    checkpoints.check(request)
    parse_uri(request["OutputDataConfig"]["S3OutputPath"])


def _check_interpreter(ctx: Context, request: Doc) -> None:
    environment = request.get("Environment", {})
    # It shows a folder of the machine to the job: for whom the machine belongs to.
    if interpreters.VARIABLE in environment and ctx.caller.principal.owner:
        raise ValidationException(f"Environment: only the owner may set {interpreters.VARIABLE}.")
    image = request["AlgorithmSpecification"]["TrainingImage"]
    images.interpreter(ctx.settings, image, environment)


def refuse_nul(environment: Doc) -> None:
    """No process can be given a NUL in its environment. Raises ValidationException."""
    for name, value in environment.items():
        if "\0" in name + value:
            raise ValidationException(f"Environment: {name!r} must not hold a NUL character.")


def _check_resources(ctx: Context, request: Doc) -> None:
    config = request.get("ResourceConfig", {})
    single = {"InstanceType", "InstanceCount"} & config.keys()
    if config.get("InstanceGroups") and single:
        raise ValidationException(
            "ResourceConfig: InstanceGroups cannot be used with InstanceType and InstanceCount."
        )
    if not config.get("InstanceGroups") and len(single) < 2:
        raise ValidationException("ResourceConfig: InstanceType and InstanceCount are required.")
    names = [group["InstanceGroupName"] for group in config.get("InstanceGroups", [])]
    if len(set(names)) != len(names):
        raise ValidationException("ResourceConfig: names of InstanceGroups must be unique.")
    for channel in request.get("InputDataConfig", []):
        groups = channel["DataSource"].get("S3DataSource", {}).get("InstanceGroupNames", [])
        if unknown := sorted(set(groups) - set(names)):
            raise ValidationException(
                f"Channel {channel['ChannelName']}: no instance group is called {unknown[0]}."
            )
    _check_hosts(ctx, request)


def _check_hosts(ctx: Context, request: Doc) -> None:
    config = request["ResourceConfig"]
    groups = config.get("InstanceGroups") or [config]
    count = sum(group["InstanceCount"] for group in groups)
    if count < 1:
        raise ValidationException("ResourceConfig: InstanceCount must be at least 1.")
    if count > MOST_HOSTS:
        raise ApiError(
            "ResourceLimitExceeded",
            f"The account-level service limit '{groups[0]['InstanceType']} for training job usage' "
            f"is {MOST_HOSTS} Instances, with current utilization of 0 Instances and a request "
            f"delta of {count} Instances.",
        )
    isolated = request.get("EnableNetworkIsolation", False)
    if isolated and count > 1:
        raise ValidationException(
            "EnableNetworkIsolation: a job of several hosts cannot be isolated here; "
            "set InstanceCount to 1."
        )
    if (isolated or count > 1) and not sandbox.possible(ctx.settings):
        what = "EnableNetworkIsolation" if isolated else "InstanceCount above 1"
        raise ValidationException(
            f"{what} needs bubblewrap, which does not work here or is switched off."
        )


def _check_limits(request: Doc) -> None:
    limits = request.get("StoppingCondition", {})
    runtime = limits.get("MaxRuntimeInSeconds", _DEFAULT_RUNTIME)
    wait = limits.get("MaxWaitTimeInSeconds")
    spot = request.get("EnableManagedSpotTraining", False)
    if spot and wait is None:
        raise ValidationException(
            "MaxWaitTimeInSeconds must be set when EnableManagedSpotTraining is true."
        )
    if wait is not None and not spot:
        raise ValidationException(
            "MaxWaitTimeInSeconds can be set only when EnableManagedSpotTraining is true."
        )
    if wait is not None and wait < runtime:
        raise ValidationException(
            "Invalid MaxWaitTimeInSeconds. It must be present and be greater than or equal to "
            "MaxRuntimeInSeconds."
        )


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
            "MaxRuntimeInSeconds": _DEFAULT_RUNTIME,
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

"""Processing jobs: the operations. What happens to a job then is in processing_plan.py."""

from studio.api import job_components, job_documents, job_ends, processing_checks, store
from studio.api.registry import Context, operation
from studio.db.resources import Doc, Resource, Summary
from studio.errors import ApiError, ResourceInUse

NOUN = store.Noun(
    kind=job_documents.PROCESSING,
    missing=lambda it: ApiError(
        "ResourceNotFound", f"Could not find requested job with name: {it.name}"
    ),
    taken=lambda it: ResourceInUse(
        "Job name must be unique within an AWS account and region, and a job with this name "
        f"already exists ({it.arn})"
    ),
)


@operation("sagemaker", "CreateProcessingJob")
def create_processing_job(ctx: Context, request: Doc) -> Doc:
    made = store.made(ctx, NOUN, request["ProcessingJobName"]) or _created(ctx, request)
    return {"ProcessingJobArn": made.arn}


def _created(ctx: Context, request: Doc) -> Resource:
    processing_checks.check(ctx, request)
    join = job_components.joining(ctx, request)
    now = ctx.now()
    starting = {"Status": "Starting", "StartTime": now, "StatusMessage": "Preparing the job"}
    return store.create(
        ctx,
        NOUN,
        request["ProcessingJobName"],
        request,
        join,
        status="InProgress",
        due_at=now,
        # Nobody defines metrics of a processing job; it may still write files of them.
        state={**job_components.new_id(), "MetricDefinitions": [], "Transitions": [starting]},
    )


@operation("sagemaker", "DescribeProcessingJob")
def describe_processing_job(ctx: Context, request: Doc) -> Doc:
    return described(store.require(ctx, NOUN, request["ProcessingJobName"]))


@operation("sagemaker", "ListProcessingJobs")
def list_processing_jobs(ctx: Context, request: Doc) -> Doc:
    return store.listing(ctx, NOUN, request, _summary, "ProcessingJobSummaries")


@operation("sagemaker", "StopProcessingJob")
def stop_processing_job(ctx: Context, request: Doc) -> Doc:
    return job_ends.stop(ctx, NOUN, request["ProcessingJobName"])


@operation("sagemaker", "DeleteProcessingJob")
def delete_processing_job(ctx: Context, request: Doc) -> Doc:
    return job_ends.delete(ctx, NOUN, request["ProcessingJobName"])


def _summary(job: Resource | Summary) -> Doc:
    return {
        "ProcessingJobName": job.name,
        "ProcessingJobArn": job.arn,
        "CreationTime": job.created_at,
        "ProcessingEndTime": job.state.get("ProcessingEndTime"),
        "LastModifiedTime": job.modified_at,
        "ProcessingJobStatus": job.status,
        "FailureReason": job.state.get("FailureReason"),
        "ExitMessage": job.state.get("ExitMessage"),
    }


def described(job: Resource) -> Doc:
    """The request, and what became of it."""
    limit = {"MaxRuntimeInSeconds": processing_checks.DEFAULT_RUNTIME}
    return {
        **job.spec,
        **_summary(job),
        "ProcessingInputs": [_input(each) for each in job.spec.get("ProcessingInputs", [])],
        "StoppingCondition": {**limit, **job.spec.get("StoppingCondition", {})},
        "ProcessingStartTime": job.state.get("ProcessingStartTime"),
    }


def _input(given: Doc) -> Doc:
    """With AWS's defaults, which clients read without a look."""
    if "S3Input" not in given:
        return given
    known = {
        "S3InputMode": "File",
        "S3DataDistributionType": "FullyReplicated",
        "S3CompressionType": "None",
    }
    return {"AppManaged": False, **given, "S3Input": {**known, **given["S3Input"]}}

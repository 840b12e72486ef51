"""Batch transform jobs: the operations. What happens to a job then is in transform_plan.py."""

from studio.api import job_components, job_documents, job_ends, models, store, transform_checks
from studio.api.registry import Context, operation
from studio.db.resources import Doc, Resource, Summary
from studio.errors import ApiError, ResourceInUse

NOUN = store.Noun(
    kind=job_documents.TRANSFORM,
    missing=lambda it: ApiError(
        "ResourceNotFound", f"Could not find requested job with name: {it.name}"
    ),
    taken=lambda it: ResourceInUse(
        "Job name must be unique within an AWS account and region, and a job with this name "
        f"already exists ({it.arn})"
    ),
)


@operation("sagemaker", "CreateTransformJob")
def create_transform_job(ctx: Context, request: Doc) -> Doc:
    made = store.made(ctx, NOUN, request["TransformJobName"]) or _created(ctx, request)
    return {"TransformJobArn": made.arn}


def _created(ctx: Context, request: Doc) -> Resource:
    transform_checks.check(ctx, request)
    model = store.require(ctx, models.NOUN, request["ModelName"])
    join = job_components.joining(ctx, request)
    now = ctx.now()
    starting = {"Status": "Starting", "StartTime": now, "StatusMessage": "Preparing the job"}
    return store.create(
        ctx,
        NOUN,
        request["TransformJobName"],
        # Whatever becomes of the model: the job has it as it was.
        {**request, job_documents.MODEL: models.definition(model)},
        join,
        status="InProgress",
        due_at=now,
        state={**job_components.new_id(), "MetricDefinitions": [], "Transitions": [starting]},
    )


@operation("sagemaker", "DescribeTransformJob")
def describe_transform_job(ctx: Context, request: Doc) -> Doc:
    return described(store.require(ctx, NOUN, request["TransformJobName"]))


@operation("sagemaker", "ListTransformJobs")
def list_transform_jobs(ctx: Context, request: Doc) -> Doc:
    return store.listing(ctx, NOUN, request, _summary, "TransformJobSummaries")


@operation("sagemaker", "StopTransformJob")
def stop_transform_job(ctx: Context, request: Doc) -> Doc:
    return job_ends.stop(ctx, NOUN, request["TransformJobName"])


def _summary(job: Resource | Summary) -> Doc:
    return {
        "TransformJobName": job.name,
        "TransformJobArn": job.arn,
        "CreationTime": job.created_at,
        "TransformEndTime": job.state.get("TransformEndTime"),
        "LastModifiedTime": job.modified_at,
        "TransformJobStatus": job.status,
        "FailureReason": job.state.get("FailureReason"),
    }


def described(job: Resource) -> Doc:
    """The request, and what became of it. Clients read AWS's defaults without a look."""
    spec = {name: it for name, it in job.spec.items() if name != job_documents.MODEL}
    known = {"CompressionType": "None", "SplitType": "None"}
    filters = {"InputFilter": "$", "OutputFilter": "$", "JoinSource": "None"}
    return {
        **spec,
        **_summary(job),
        "TransformInput": {**known, **spec["TransformInput"]},
        "TransformOutput": {"AssembleWith": "None", "KmsKeyId": "", **spec["TransformOutput"]},
        "DataProcessing": {**filters, **spec.get("DataProcessing", {})},
        "TransformStartTime": job.state.get("TransformStartTime"),
    }

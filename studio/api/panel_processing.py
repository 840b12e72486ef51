"""Whether a processing job could be made of a request: everything that CreateProcessingJob would
say against it, at once, and nothing is made."""

from collections.abc import Iterator

from studio.api import drafts, processing_checks, processing_jobs
from studio.api.drafts import Fault
from studio.api.registry import Context, operation
from studio.db.resources import Doc

_CREATE = "CreateProcessingJob"


@operation("studio", "ValidateProcessingJob")
def validate_processing_job(ctx: Context, request: Doc) -> Doc:
    return drafts.told(_faults(ctx, request["Request"]))


def _faults(ctx: Context, given: Doc) -> Iterator[Fault]:
    known = yield from drafts.examined(_CREATE, given)
    if known is None:
        return
    request, spoilt = known
    wrong = list(processing_checks.faults(ctx, request, spoilt))
    yield from wrong
    sound = {name: value for name, value in request.items() if name not in spoilt}
    allowed = yield from drafts.refused(ctx, _CREATE, processing_jobs.NOUN, sound)
    if allowed and not spoilt and not wrong:
        yield from _places(allowed, request)


def _places(ctx: Context, request: Doc) -> Iterator[Fault]:
    """Inputs of which the job would find nothing, and outputs that could not be stored."""
    for position, given in enumerate(request.get("ProcessingInputs", [])):
        if given in processing_checks.staged_inputs(request):
            path = f"ProcessingInputs[{position}].S3Input.S3Uri"
            yield from drafts.no_data(ctx, path, given["S3Input"])
    outputs = request.get("ProcessingOutputConfig", {}).get("Outputs", [])
    for position, given in enumerate(outputs):
        if given in processing_checks.stored_outputs(request):
            path = f"ProcessingOutputConfig.Outputs[{position}].S3Output.S3Uri"
            yield from drafts.no_place(ctx, path, given["S3Output"]["S3Uri"])

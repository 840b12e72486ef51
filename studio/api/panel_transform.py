"""What the panels ask of transform jobs: whether one could be made, and how far one is."""

from collections.abc import Iterator

from studio.api import drafts, job_runs, store, transform_checks, transform_jobs
from studio.api.drafts import Fault
from studio.api.registry import Context, operation
from studio.db.resources import Doc

_CREATE = "CreateTransformJob"
_SUMMED = {
    "Files": "files",
    "FilesDone": "done",
    "FilesFailed": "failed",
    "Records": "records",
    "RecordsFailed": "failed_records",
    "Bytes": "size",
    "BytesRead": "read",
}
_ALL_ATTEMPTS = ("FilesDone", "Records")


@operation("studio", "ValidateTransformJob")
def validate_transform_job(ctx: Context, request: Doc) -> Doc:
    return drafts.told(_faults(ctx, request["Request"]))


@operation("studio", "DescribeTransformProgress")
def describe_transform_progress(ctx: Context, request: Doc) -> Doc:
    """Of a job that went on after its hosts were lost: a later attempt has the files that the
    earlier ones had not done."""
    job = store.require(ctx, transform_jobs.NOUN, request["TransformJobName"])
    known: Doc = job.state.get("Progress", {})
    attempts: dict[int, Doc] = {}
    for role, of_run in known.items():
        of_attempt = attempts.setdefault(job_runs.attempt(role), {})
        for name in _SUMMED.values():
            of_attempt[name] = of_attempt.get(name, 0) + of_run[name]
    return {member: _summed(attempts, member) for member in _SUMMED}


def _summed(attempts: dict[int, Doc], member: str) -> int:
    if not attempts:
        return 0
    name = _SUMMED[member]
    if member in _ALL_ATTEMPTS:
        return sum(it[name] for it in attempts.values())
    # What there is to do is known from the first; what failed was tried again.
    return int(attempts[min(attempts) if member in ("Files", "Bytes") else max(attempts)][name])


def _faults(ctx: Context, given: Doc) -> Iterator[Fault]:
    known = yield from drafts.examined(_CREATE, given)
    if known is None:
        return
    request, spoilt = known
    wrong = list(transform_checks.faults(ctx, request, spoilt))
    yield from wrong
    sound = {name: value for name, value in request.items() if name not in spoilt}
    allowed = yield from drafts.refused(ctx, _CREATE, transform_jobs.NOUN, sound)
    if allowed and not spoilt and not wrong:
        source = request["TransformInput"]["DataSource"]["S3DataSource"]
        yield from drafts.no_data(allowed, "TransformInput.DataSource.S3DataSource.S3Uri", source)
        path = request["TransformOutput"]["S3OutputPath"]
        yield from drafts.no_place(allowed, "TransformOutput.S3OutputPath", path)

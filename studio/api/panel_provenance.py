"""Where a job or a trial component came from: the notebook and cell or the script, the commit, what
was not committed; and what a job ran with.

The client's hook tells it once the job is made; see studio/hook/studio_provenance.py. Who may see
the job may see it, and nobody can change it: a record that can be rewritten proves nothing.
"""

from functools import partial

from sqlalchemy.exc import IntegrityError

from studio.api import store
from studio.api.registry import Context, operation
from studio.db import executions, provenance
from studio.db.provenance import CellJob
from studio.db.resources import Doc
from studio.errors import ResourceInUse

_KIND = "training-job"
_MOST_JOBS = 1_000


@operation("studio", "PutProvenance")
def put_provenance(ctx: Context, request: Doc) -> Doc:
    arn, document = request["Arn"], request["Provenance"]
    with ctx.db.read() as connection:
        found = store.require_arn(connection, ctx, arn)
    put = partial(provenance.put, resource_id=found.id, document=document, now=ctx.now())
    try:
        ctx.db.write(put)
    except IntegrityError as error:
        raise ResourceInUse(f"Where {arn} came from is recorded already.") from error
    return {}


@operation("studio", "GetProvenance")
def get_provenance(ctx: Context, request: Doc) -> Doc:
    with ctx.db.read() as connection:
        found = store.require_arn(connection, ctx, request["Arn"])
        component = found.state.get("Component", found.id)
        return {
            "Arn": found.arn,
            "Provenance": provenance.get(connection, found.id),
            "Execution": executions.get(connection, component),
        }


@operation("studio", "ListCellJobs")
def list_cell_jobs(ctx: Context, request: Doc) -> Doc:
    with ctx.db.read() as connection:
        scope = store.scope(ctx, _KIND)
        jobs = provenance.of_cells(connection, scope, request["CellIds"], _MOST_JOBS)
    return {"Jobs": [_shown(job) for job in jobs]}


def _shown(job: CellJob) -> Doc:
    return {
        "Name": job.name,
        "Arn": job.arn,
        "Status": job.status,
        "CreationTime": job.created_at,
        "CellId": job.cell_id,
        "ExecutionCount": job.execution_count,
        "NotebookPath": job.path,
    }

"""Warm pools: what stays ready of a job that has completed, for the next one like it.

A job that asks for KeepAlivePeriodInSeconds has a pool: InUse while it runs, Available from its
end on, then Reused by the first job that matches, or Terminated when the time is over. Jobs match
that have the same owner, role, image and machine. What is kept is a Python with its packages, or a
container that has begun; a pool holds memory of this machine, and none of its CPUs.
"""

import hashlib
import json
from collections.abc import Iterable
from dataclasses import replace

from sqlalchemy import ColumnElement, Connection

from studio.api import images, instances
from studio.db import resources
from studio.db.resources import Doc, Resource
from studio.db.tables import RESOURCE
from studio.errors import ValidationException
from studio.reconcile.steps import Keep, Observed, Plan
from studio.runners import interpreters, warm_pool

_MACHINE = ("InstanceType", "InstanceCount", "VolumeSizeInGB", "VolumeKmsKeyId")
_REQUEST = ("RoleArn", "EnableNetworkIsolation", "EnableInterContainerTrafficEncryption")


def name(job: Resource, program: images.Program) -> str:
    """What jobs have in common that match; "" for those that nothing is kept ready for: isolated
    jobs, clusters of several kinds of machines, and containers of several hosts or with GPUs."""
    config = job.spec["ResourceConfig"]
    isolated = job.spec.get("EnableNetworkIsolation", False)
    if isolated or "InstanceGroups" in config or (program.container and not _plain(config)):
        return ""
    python = job.spec.get("Environment", {}).get(interpreters.VARIABLE, "")
    same = [job.owner, job.spec["AlgorithmSpecification"]["TrainingImage"], python]
    same += [config.get(member) for member in _MACHINE]
    same += [job.spec.get(member) for member in _REQUEST]
    return hashlib.sha256(json.dumps(same).encode()).hexdigest()[:32]


def _plain(config: Doc) -> bool:
    """One host without GPUs: which network and GPUs a container has is fixed when it is made."""
    return config["InstanceCount"] == 1 and not instances.resources_of(config["InstanceType"]).gpus


def environment(request: Doc, program: images.Program, pool: str) -> Doc:
    """Variables that have a job leave the names of what it imports for its pool."""
    wanted = pool and _period(request) and not program.container
    return {warm_pool.VARIABLE: f"/tmp/{warm_pool.RECORD}"} if wanted else {}


def begun(request: Doc) -> Doc:
    """The part of the state of a new job that says so."""
    return {"WarmPool": {"Status": "InUse"}} if _period(request) else {}


def ended(job: Resource, pool: str, now: int) -> Resource:
    """The job as it is done, with its pool: kept if it has completed."""
    if "WarmPool" not in job.state:
        return job
    if job.status != "Completed" or not pool:
        return _with(job, {"Status": "Terminated", "Seconds": 0})
    until = now + _period(job.spec) * 1000
    kept = {"Status": "Available", "Name": pool, "Since": now, "Until": until}
    return replace(_with(job, kept), due_at=now)


def prolonged(job: Resource, seconds: int) -> Resource:
    """The job whose pool is available, which it is for so long since the job's end.

    Raises ValidationException for one without such a pool.
    """
    if job.state.get("WarmPool", {}).get("Status") != "Available":
        raise ValidationException(
            "KeepAlivePeriodInSeconds can be updated only while the WarmPoolStatus of the training "
            f"job {job.name} is Available."
        )
    config = {**job.spec["ResourceConfig"], "KeepAlivePeriodInSeconds": seconds}
    pool = job.state["WarmPool"]
    changed = _with(job, {"Until": pool["Since"] + seconds * 1000})
    return replace(changed, spec={**job.spec, "ResourceConfig": config})


def upkeep(job: Resource, runs: Iterable[Observed], now: int) -> Plan:
    """What is left to do for a job that is done: nothing, or to keep its pool for a time."""
    pool = job.state.get("WarmPool", {})
    if pool.get("Status") != "Available":
        return Plan(replace(job, due_at=None))
    steps = tuple(Keep(each.run.id, pool["Until"]) for each in runs if "runner" in each.run.handle)
    if now < pool["Until"]:
        return Plan(job, steps, pool["Until"] - now)
    return Plan(_closed(job, "Terminated", now), steps)


def reused(connection: Connection, job: Resource, pool: str) -> None:
    """Note that the job has begun in what was kept ready, if anything was."""
    if not pool:
        return
    of = (job.account, job.region, job.kind, "Completed")
    columns = (RESOURCE.c.account, RESOURCE.c.region, RESOURCE.c.kind, RESOURCE.c.status)
    wanted = [column == value for column, value in zip(columns, of, strict=True)]
    query = resources.RESOURCES.where(*wanted, RESOURCE.c.due_at.is_not(None))
    for row in connection.execute(query.order_by(RESOURCE.c.created_at)):
        known = resources.resource(row)
        held = known.state.get("WarmPool", {})
        if held.get("Status") == "Available" and held["Name"] == pool:
            closed = _closed(known, "Reused", job.modified_at)
            resources.update(connection, _with(closed, {"ReusedByJob": job.name}))
            return


def status(state: Doc) -> Doc | None:
    """WarmPoolStatus of a job; None for one without a pool."""
    pool = state.get("WarmPool")
    if pool is None:
        return None
    return {
        "Status": pool["Status"],
        "ResourceRetainedBillableTimeInSeconds": pool.get("Seconds"),
        "ReusedByJob": pool.get("ReusedByJob"),
    }


def is_in(status: str) -> ColumnElement[bool]:
    """Jobs whose pool has that status."""
    known: ColumnElement[str] = RESOURCE.c.state["WarmPool"]["Status"].as_string()
    return known == status


def _closed(job: Resource, status: str, now: int) -> Resource:
    since = job.state["WarmPool"]["Since"]
    closed = {"Status": status, "Seconds": max(round((now - since) / 1000), 0)}
    return replace(_with(job, closed), due_at=None)


def _with(job: Resource, pool: Doc) -> Resource:
    known = job.state.get("WarmPool", {})
    return replace(job, state={**job.state, "WarmPool": {**known, **pool}})


def _period(request: Doc) -> int:
    return int(request["ResourceConfig"].get("KeepAlivePeriodInSeconds", 0))

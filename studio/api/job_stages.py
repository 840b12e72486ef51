"""The stages that processing and transform jobs go through: one status after the other, until all
their runs have ended."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace

from studio.api import job_components, job_runs
from studio.api.job_ends import FINAL
from studio.db.resources import Doc, Resource, Run
from studio.reconcile.interruptions import WANTED
from studio.reconcile.steps import Dimensions, Kind, Observed, Plan, Start
from studio.runners.base import RunSpec
from studio.s3.client import Storage


@dataclass(frozen=True)
class Stages:
    """Of a kind of job. `role` is what its runs are called, `namespace` that of what they take of
    the machine, `verb` the first word of `ProcessingStartTime` and the like."""

    kind: str
    role: str
    namespace: str
    verb: str
    names: Mapping[str, str]
    """A stage of a run -> what it is called here."""
    begins: str
    """The stage of a run with which the job has begun."""
    messages: Mapping[str, str]
    """By status."""

    def behaviour(
        self,
        plan: Callable[[Resource, list[Observed], int], Plan],
        prepare: Callable[[Resource, Start, Storage], RunSpec],
        role_arn: Callable[[Resource], str],
    ) -> Kind:
        """For the reconciler."""
        return Kind(
            name=self.kind,
            role_arn=lambda job, _run_role: role_arn(job),
            plan=plan,
            prepare=prepare,
            blocked=job_runs.blocked,
            meter=self._meter,
            said=job_components.said,
            started=job_components.started,
            installed=job_components.installed,
            used=job_components.used,
        )

    def still(self, job: Resource, runs: list[Observed], now: int) -> Plan | None:
        """The plan of a job of which nothing runs: it is done, or has not begun; else None."""
        if job.status in FINAL:
            return Plan(replace(job, due_at=None))
        if runs:
            return None
        if job.desired == "stopped":
            return Plan(self.finished(job, "Stopped", {}, now))
        # What does not run yet need not be interrupted.
        waiting = replace(job, desired="present") if job.desired == WANTED else job
        return Plan(waiting, (job_runs.gang(job, self.role),), job_runs.LOOK_MS)

    def entered(self, state: Doc, status: str, at: int, message: str = "") -> Doc:
        """The state of a job that came to `status`."""
        return job_runs.entered(state, status, at, message or self.messages[status])

    def reached(self, job: Resource, runs: list[Observed], now: int) -> Doc:
        """The state of a job with the stages that its runs went through; its own if none is new."""
        state, started = job.state, f"{self.verb}StartTime"
        for stage, since in job_runs.reached(runs, self.names):
            passed = job_runs.passed(state)
            if self.names[stage] not in passed and "Stopping" not in passed:
                state = self.entered(state, self.names[stage], since)
            if stage == self.begins and started not in state:
                state = {**state, started: since}
        if job.status == "Stopping" and "Stopping" not in job_runs.passed(state):
            state = self.entered(state, "Stopping", now)
        return state

    def finished(self, job: Resource, status: str, said: Doc, now: int) -> Resource:
        """The job at its end; `said` is what it says of that."""
        state = self.entered(job.state, status, now, said.get("FailureReason", ""))
        last = state["Transitions"][-1]
        now = last["StartTime"]  # never before the last, whatever the clock says
        last["EndTime"] = now
        state = {**state, **said, f"{self.verb}EndTime": now}
        return replace(job, status=status, state=state, modified_at=now, due_at=None)

    def _meter(self, job: Resource, run: Run) -> tuple[str, Dimensions]:
        return self.namespace, (("Host", f"{job.name}/{run.role.split('/')[1]}"),)


def noted(job: Resource, state: Doc, now: int) -> Resource:
    """The job with that state; it is modified when it came to another status."""
    if state is job.state:
        return job
    moved = len(state["Transitions"]) != len(job.state["Transitions"])
    return replace(job, state=state, modified_at=now if moved else job.modified_at)

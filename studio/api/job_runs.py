"""What jobs have in common, of whatever kind: their hosts, and how these ended together."""

import itertools
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from ipaddress import IPv4Address

from studio.api import instances, job_documents, scripts, training_metrics
from studio.container import layout
from studio.container.script.failure import mendable
from studio.db.resources import Doc, Resource
from studio.reconcile.steps import QUIET_LOOK_MS, Gang, Observed, Start
from studio.runners.base import Network, RunStatus

LOOK_MS = 1_000
_HASTY_LOOK_MS = 20
_FIRST_ADDRESS, _ADDRESSES = int(IPv4Address("127.1.0.0")), 2**24 - 2**17


def network(job: Resource, hosts: Sequence[layout.Host], name: str, isolated: bool) -> Network:
    """What the host `name` sees: the names of all hosts, each with a loopback address that hardly
    any other job has."""
    first = _FIRST_ADDRESS + int(job.id[:12], 16) % _ADDRESSES
    names = tuple(
        (host.name, str(IPv4Address(first + number))) for number, host in enumerate(hosts)
    )
    return Network(name, names, isolated, job.id)


def fatal(status: RunStatus) -> bool:
    """One host ended in a way that ends the job."""
    return status.ended and status.phase != "succeeded"


def verdict(statuses: list[RunStatus], stopped: bool) -> RunStatus:
    """How the hosts ended together; `stopped` says that somebody asked for it. What fails after the
    time was up, or after another host had failed, failed because of that."""
    for status in statuses:
        if status.reason == "MaxRuntimeExceeded":
            return status
    failed = [n for n, status in enumerate(statuses) if status.phase in ("failed", "lost")]
    if failed and not stopped:
        first = min(failed, key=lambda n: statuses[n].ended_at or 0)
        return _named(statuses[first], f"algo-{first + 1}" if len(statuses) > 1 else "")
    return next((status for status in statuses if status.phase != "succeeded"), statuses[0])


def failure_reason(status: RunStatus, spec: Doc) -> str:
    """FailureReason in AWS's form: whose fault, what, exit code; at most 1,024 characters."""
    code = f", exit code: {status.exit_code}" if status.exit_code is not None else ""
    if not status.image:  # who made an image says what is in it
        status = replace(status, message=mendable(status.message))
    if status.reason == "Rejected":
        return status.message[:1024]
    if status.reason == "CannotStart":
        return f"AlgorithmError: {status.message}"[: 1024 - len(code)] + code
    if status.reason in ("RunnerLost", "HostRestarted", "StartFailed"):
        return f"InternalServerError: {status.message}"[:1024]
    customer = (
        "OutOfMemory",
        "NoSpace",
        "DownloadFailed",
        "ImageUnavailable",
        "UnsafeArchive",
        "UploadFailed",
    )
    scripted = "sagemaker_program" in spec.get("HyperParameters", {})
    # Algorithms of ours and AWS's say so that the customer can mend it; scripts may mean anything.
    if status.reason in customer or (status.exit_code == 2 and not scripted):
        named = f"{status.reason}: " if status.reason and status.reason != "Error" else ""
        message = status.message.removeprefix(named)
        return f"ClientError: {named}{message}"[: 1024 - len(code)] + code
    if status.traceback and scripted and scripts.FAILURE not in status.message:
        return "AlgorithmError: " + scripts.failure(spec, status, 1008 - len(code)) + code
    return f"AlgorithmError: {status.message}"[: 1024 - len(code)] + code


def gang(job: Resource, kind: str) -> Gang:
    """The start of the hosts of a job, in the present attempt."""
    starts = []
    for host in job_documents.hosts(job.spec):
        name = role(job, kind, host.name)
        wanted = instances.resources_of(host.instance_type)
        starts.append(Start(f"{job.id}-{name.replace('/', '-')}", name, wanted))
    return Gang(tuple(starts))


def role(job: Resource, kind: str, host: str) -> str:
    """Of the run of a host: `train/algo-1`, and `train/algo-1/2` in the second attempt."""
    attempt = job.state.get("Attempt", 1)
    return f"{kind}/{host}" + (f"/{attempt}" if attempt > 1 else "")


def attempt(role: str) -> int:
    """Which attempt of its job a run of that role belongs to; the first is 1."""
    _, _, *number = role.split("/")
    return int(number[0]) if number else 1


def latest(job: Resource, kind: str, observed: list[Observed]) -> list[Observed]:
    """The runs of the present attempt, in the order of the hosts."""
    roles = [role(job, kind, host.name) for host in job_documents.hosts(job.spec)]
    known = {each.run.role: each for each in observed}
    return [known[each] for each in roles if each in known]


def unstarted(run: Observed) -> bool:
    """It was asked for, and nobody knows whether it was started."""
    return "runner" not in run.run.handle and not run.status.ended


def look_ms(runs: list[Observed], acts: bool) -> int:
    """When to look at runs again that are not done; `acts` says that something is done now."""
    if any(map(training_metrics.behind, runs)):
        return _HASTY_LOOK_MS
    return LOOK_MS if acts else QUIET_LOOK_MS


def reached(runs: list[Observed], names: Iterable[str]) -> Iterator[tuple[str, int]]:
    """(stage, when the last host came to it) of the stages that no host has before it."""
    stages = [dict(each.status.stages) for each in runs]
    for name in names:
        times = [each[name] for each in stages if name in each]
        later = all(
            name in each or run.status.ended for each, run in zip(stages, runs, strict=True)
        )
        if times and later:
            yield name, max(times)


def entered(state: Doc, status: str, at: int, message: str) -> Doc:
    """The state of a job that came to `status`."""
    before = [dict(each) for each in state["Transitions"]]
    at = max(at, before[-1]["StartTime"])
    before[-1].setdefault("EndTime", at)
    entry = {"Status": status, "StartTime": at, "StatusMessage": message}
    return {**state, "Transitions": [*before, entry]}


def passed(state: Doc) -> list[str]:
    """The statuses that the present attempt went through, the last first."""
    every = [each["Status"] for each in reversed(state["Transitions"])]
    return list(itertools.takewhile(lambda it: it not in ("Restarting", "Interrupted"), every))


def interrupted(state: Doc, now: int) -> Doc:
    """The state of a job that was interrupted for the reason in it, and waits for its turn anew."""
    state = entered(state, "Interrupted", now, state["InterruptionReason"])
    return {**state, "Interruptions": state.get("Interruptions", 0) + 1}


def blocked(job: Resource, reason: str, now: int) -> Resource:
    """The job, which waits for that reason."""
    last = job.state["Transitions"][-1]
    if last["Status"] == "Pending":
        if last["StatusMessage"] == reason:
            return job
        changed = {**last, "StatusMessage": reason}
        return replace(
            job, state={**job.state, "Transitions": [*job.state["Transitions"][:-1], changed]}
        )
    return replace(job, state=entered(job.state, "Pending", now, reason), modified_at=now)


def _named(status: RunStatus, host: str) -> RunStatus:
    """With the host in the message, where the failure was one host's."""
    if not host or status.reason in ("Rejected", "UploadFailed"):
        return status
    return replace(status, message=f"{host}: {status.message}")

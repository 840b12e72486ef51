"""The command of a script: itself, or the launcher that the SDK's `distribution` asks for."""

import shlex
import shutil
import subprocess
import sys
from pathlib import Path
from zlib import crc32

from studio.container.script import job as jobs
from studio.container.script import packages, remote
from studio.container.script.failure import ScriptError
from studio.container.script.job import Job

_FIRST_PORT, _PORTS = 30_000, 2_700
# With the last two AWS starts scripts of DistributedDataParallel by mpirun, which sets the same.
_TORCHRUN = (
    "torch_distributed_enabled",
    "pytorch_ddp_enabled",
    "distributed_dataparallel_enabled",
)
# Of AWS alone: who asks for one of these would otherwise train on each host by itself.
_ELSEWHERE = {
    "parameter_server_enabled": "parameter_server",
    "multi_worker_mirrored_strategy_enabled": "multi_worker_mirrored_strategy",
}


def command(job: Job, python: str, code: Path, environment: dict[str, str]) -> list[str]:
    """The words of it; adds to `environment` what the launcher needs. Raises ScriptError."""
    for name, what in _ELSEWHERE.items():
        if job.asked(name):
            raise ScriptError(
                f"distribution={{'{what}': ...}} runs on AWS only: use 'torch_distributed'."
            )
    if any(map(job.asked, _TORCHRUN)):
        return [*_torchrun(job, python, environment), *_script(job, code)]
    if job.asked("mpi_enabled"):
        return [*_mpirun(job, environment), *_plain(job, python, code)]
    return _plain(job, python, code)


def _plain(job: Job, python: str, code: Path) -> list[str]:
    if (code / packages.PACKAGE).is_file() or job.entry_point.endswith(".py"):
        return [python, *_script(job, code)]
    entry = code / job.entry_point
    entry.chmod(entry.stat().st_mode | 0o111)
    # A shell also runs what does not say what runs it.
    return ["/bin/sh", "-c", f'exec ./{shlex.quote(job.entry_point)} "$@"', "sh", *_words(job)]


def _script(job: Job, code: Path) -> list[str]:
    """What follows the name of an interpreter."""
    if (code / packages.PACKAGE).is_file():
        module = job.entry_point.removesuffix(".py").replace("/", ".")
        return ["-m", module, *_words(job)]
    return [job.entry_point, *_words(job)]


def _words(job: Job) -> list[str]:
    return jobs.arguments(job.hyperparameters)


def _torchrun(job: Job, python: str, environment: dict[str, str]) -> list[str]:
    """`torchrun`, by its module: the script of that name may belong to another environment."""
    _require("torch", python, environment)
    for library in ("GLOO", "NCCL"):
        environment.setdefault(f"{library}_SOCKET_IFNAME", job.interface)
    return [
        *(python, "-m", "torch.distributed.run", "--nnodes", str(len(job.hosts))),
        *("--nproc_per_node", str(jobs.gpus() or 1), "--node_rank", str(job.rank)),
        *("--master_addr", job.first, "--master_port", str(port(environment))),
    ]


def port(environment: dict[str, str]) -> int:
    """The same on all hosts, and hardly that of another job: torch listens on every address."""
    return _FIRST_PORT + crc32(environment.get("TRAINING_JOB_ARN", "").encode()) % _PORTS


def _mpirun(job: Job, environment: dict[str, str]) -> list[str]:
    mpirun = shutil.which("mpirun", path=environment.get("PATH"))
    if mpirun is None:
        raise ScriptError(
            "distribution={'mpi': ...} needs mpirun, which is not in PATH: install Open MPI "
            "(the package openmpi-bin), or use 'torch_distributed'."
        )
    count = int(job.own.get("mpi_num_of_processes_per_host") or jobs.gpus() or 1)
    options = shlex.split(str(job.own.get("mpi_custom_mpi_options", "")))
    # Its own rules refuse root, and more processes than there are cores.
    started = [mpirun, "--allow-run-as-root", "--oversubscribe", "-np", str(count * len(job.hosts))]
    return [*started, *(_among_hosts(job, count, environment) if job.hosts[1:] else ()), *options]


def _among_hosts(job: Job, count: int, environment: dict[str, str]) -> list[str]:
    """Hosts may be on one machine: mpirun must not take memory for shared that is not."""
    agent = f"{sys.executable} -P -m {remote.__name__} {port(environment)}"
    return [
        *("--host", ",".join(f"{host}:{count}" for host in job.hosts), "--leave-session-attached"),
        *("-mca", "plm_rsh_agent", agent, "-mca", "plm_rsh_no_tree_spawn", "1"),
        *("-mca", "oob_tcp_if_include", job.interface, "-mca", "btl_tcp_if_include", job.interface),
        *("-mca", "pml", "ob1", "-mca", "btl", "tcp,self"),
    ]


def _require(module: str, python: str, environment: dict[str, str]) -> None:
    look = "import importlib.util, sys; sys.exit(importlib.util.find_spec(sys.argv[1]) is None)"
    done = subprocess.run([python, "-c", look, module], env=environment, check=False)
    if done.returncode != 0:
        raise ScriptError(
            f"{module} is not installed in the environment of {python}: install it there, name it "
            "in requirements.txt, or choose another environment with STUDIO_PYTHON."
        )

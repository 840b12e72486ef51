"""What an instance type stands for. The names are AWS's; the machine is ours.

`local` is all CPUs of this machine, `local_gpu` its GPUs as well, as AWS's SDK calls them.

Sizes follow from AWS's naming: `large` is 2 vCPUs, `xlarge` 4, `Nxlarge` 4 N. The families whose
name says nothing of their GPUs are listed (https://aws.amazon.com/ec2/instance-types/).
"""

import os
import re
from dataclasses import replace

from studio.db.resources import Doc
from studio.runners.base import Resources

_SMALL = {"nano": 2, "micro": 2, "small": 2, "medium": 2, "large": 2, "xlarge": 4}
_GPUS = {
    "p2": {"xlarge": 1, "8xlarge": 8, "16xlarge": 16},
    "p3": {"2xlarge": 1, "8xlarge": 4, "16xlarge": 8},
    "p3dn": {"24xlarge": 8},
    "p4d": {"24xlarge": 8},
    "p4de": {"24xlarge": 8},
    "p5": {"4xlarge": 1, "48xlarge": 8},
    "g4dn": {"12xlarge": 4, "16xlarge": 1, "metal": 8},
    "g5": {"12xlarge": 4, "24xlarge": 4, "48xlarge": 8},
    "g6": {"12xlarge": 4, "24xlarge": 4, "48xlarge": 8},
    "g6e": {"12xlarge": 4, "24xlarge": 4, "48xlarge": 8},
}


_EVERY = 1 << 16
_OF_THE_MACHINE = {
    "local": Resources(cpus=_EVERY),
    "local_gpu": Resources(cpus=_EVERY, gpus=_EVERY),
}


def resources_of(instance_type: str) -> Resources:
    """CPUs and GPUs of `ml.<family>.<size>`; one CPU for a name that says nothing.

    Memory is left to the runner's limit: a job may use what the machine has.
    """
    if instance_type in _OF_THE_MACHINE:
        return _OF_THE_MACHINE[instance_type]
    match = re.fullmatch(r"(?:ml\.)?([a-z0-9-]+)\.([a-z0-9-]+)", instance_type)
    if match is None:
        return Resources()
    family, size = match.groups()
    return Resources(cpus=_cpus(size), gpus=_gpus(family, size))


def memory_bytes(instance_type: str) -> int:
    """What an instance of the type has, no more than this machine has; of AWS's families `c` has
    two GiB for a CPU, `r` and `x` eight, those with GPUs and all others four."""
    machine = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    if instance_type in _OF_THE_MACHINE:
        return machine
    family = instance_type.removeprefix("ml.")[:1]
    each = {"c": 2, "r": 8, "x": 8}.get(family, 4)
    return min(resources_of(instance_type).cpus * each << 30, machine)


def asked(instance_type: str, gpu_memory_mb: int = 0) -> Resources:
    """`resources_of`, but of the GPUs only a share of one when it names how much memory that is."""
    whole = resources_of(instance_type)
    return replace(whole, gpus=1, gpu_memory_mb=gpu_memory_mb) if gpu_memory_mb else whole


def disk_mb(config: Doc) -> int:
    """What the files of a host may take, MiB: the `VolumeSizeInGB` of a ResourceConfig or a
    ClusterConfig; 0 where it has none."""
    return 1024 * int(config.get("VolumeSizeInGB", 0))


def shortages(config: Doc, limit: Resources, free_gb: int) -> list[str]:
    """Warnings for who asks in a ResourceConfig for more than the machine has; `free_gb` is what
    its disk has left, GiB."""
    groups = config.get("InstanceGroups") or [config]
    types = dict.fromkeys(group["InstanceType"] for group in groups)
    found = [said for it in types if (said := _shortage(it, limit))]
    wanted = config.get("VolumeSizeInGB", 0)
    if wanted > free_gb:
        found.append(f"(this machine has {free_gb} of {wanted} GB left on its disk)")
    return found


def _shortage(instance_type: str, limit: Resources) -> str:
    wanted = resources_of(instance_type)
    short = [
        f"{there} of {number} {name}"
        for number, there, name in (
            (wanted.cpus, limit.cpus, "CPUs"),
            (wanted.gpus, limit.gpus, "GPUs"),
        )
        if there < number < _EVERY
    ]
    if not short:
        return ""
    return f"(this machine has {' and '.join(short)} of an {instance_type})"


def _cpus(size: str) -> int:
    if size in _SMALL:
        return _SMALL[size]
    match = re.fullmatch(r"(\d+)xlarge", size)
    return 4 * int(match.group(1)) if match else 1


def _gpus(family: str, size: str) -> int:
    if family not in _GPUS and not re.fullmatch(r"[pg]\d+[a-z]*", family):
        return 0
    return _GPUS.get(family, {}).get(size, 1)

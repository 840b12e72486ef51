"""What an instance type stands for. The names are AWS's; the machine is ours.

Sizes follow from AWS's naming: `large` is 2 vCPUs, `xlarge` 4, `Nxlarge` 4 N. The families whose
name says nothing of their GPUs are listed (https://aws.amazon.com/ec2/instance-types/).
"""

import re

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


def resources_of(instance_type: str) -> Resources:
    """CPUs and GPUs of `ml.<family>.<size>`; one CPU for a name that says nothing.

    Memory is left to the runner's limit: a job may use what the machine has.
    """
    match = re.fullmatch(r"(?:ml\.)?([a-z0-9-]+)\.([a-z0-9-]+)", instance_type)
    if match is None:
        return Resources()
    family, size = match.groups()
    return Resources(cpus=_cpus(size), gpus=_gpus(family, size))


def _cpus(size: str) -> int:
    if size in _SMALL:
        return _SMALL[size]
    match = re.fullmatch(r"(\d+)xlarge", size)
    return 4 * int(match.group(1)) if match else 1


def _gpus(family: str, size: str) -> int:
    if family not in _GPUS and not re.fullmatch(r"[pg]\d+[a-z]*", family):
        return 0
    return _GPUS.get(family, {}).get(size, 1)

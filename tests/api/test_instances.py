"""What instance types stand for; unknown ones are tolerated."""

import pytest

from studio.api.instances import resources_of, shortages
from studio.runners.base import Resources


@pytest.mark.parametrize(
    ("name", "cpus", "gpus"),
    [
        ("ml.m5.large", 2, 0),
        ("ml.m4.xlarge", 4, 0),
        ("ml.c5.9xlarge", 36, 0),
        ("ml.p3.2xlarge", 8, 1),
        ("ml.p3.16xlarge", 64, 8),
        ("ml.p4d.24xlarge", 96, 8),
        ("ml.g4dn.xlarge", 4, 1),
        ("ml.g5.48xlarge", 192, 8),
        ("ml.trn1.2xlarge", 8, 0),
        ("ml.future9.large", 2, 0),
        ("ml.m5.metal", 1, 0),
        ("unheard of", 1, 0),
    ],
)
def test_sizes(name, cpus, gpus):
    found = resources_of(name)
    assert (found.cpus, found.gpus) == (cpus, gpus)


def test_what_the_machine_has_less_of_is_said():
    config = {"InstanceType": "ml.m5.xlarge", "InstanceCount": 1, "VolumeSizeInGB": 30}
    assert shortages(config, Resources(cpus=4), 30) == []
    assert shortages(config, Resources(cpus=2), 29) == [
        "(this machine has 2 of 4 CPUs of an ml.m5.xlarge)",
        "(this machine has 29 of 30 GB left on its disk)",
    ]

"""Who may start: first in, first out, within what the machine has."""

from studio.reconcile.scheduler import Waiting, capacity, fitted, obstacle
from studio.runners.base import Resources
from studio.settings import Settings

LIMIT = Resources(cpus=4, memory_mb=1000, gpus=1)


def turn(since: int, cpus: int = 1, gpus: int = 0) -> Waiting:
    return Waiting(since, f"r{since}", Resources(cpus, 0, gpus))


def test_starts_when_there_is_room():
    assert obstacle(turn(1, 4), [], [], LIMIT) is None
    assert obstacle(turn(1, 2), [], [Resources(2)], LIMIT) is None


def test_waits_for_cpus_and_says_so():
    assert "2 CPUs: 1 of 4 free" in obstacle(turn(1, 2), [], [Resources(3)], LIMIT)


def test_waits_for_gpus_and_says_so():
    assert "1 GPUs: 0 of 1 free" in obstacle(turn(1, 1, 1), [], [Resources(1, 0, 1)], LIMIT)


def test_nobody_overtakes_in_the_same_line():
    assert "1 ahead" in obstacle(turn(2), [turn(1, 4)], [Resources(3)], LIMIT)
    assert obstacle(turn(1), [turn(1), turn(2)], [], LIMIT) is None


def test_a_gpu_job_does_not_hold_up_the_others():
    assert obstacle(turn(2), [turn(1, 1, 1)], [Resources(1, 0, 1)], LIMIT) is None


def test_large_instances_fit_a_small_machine():
    assert fitted(Resources(96, 0, 8), LIMIT) == Resources(4, 1000, 1)
    assert fitted(Resources(0, 0, 0), LIMIT) == Resources(1, 1000, 0)


def test_capacity_follows_settings(tmp_path):
    found = capacity(Settings(tmp_path, cpu_slots=3, gpu_slots=2, job_memory_mb=77))
    assert found == Resources(3, 77, 2)
    assert capacity(Settings(tmp_path)).cpus >= 1

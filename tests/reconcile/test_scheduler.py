"""Who may start: first in, first out, within what the machine has."""

from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from studio.reconcile.scheduler import Queue, Waiting, capacity, fitted, together
from studio.runners.base import Resources
from studio.runners.devices import Gpu
from studio.settings import Settings

LIMIT = Resources(cpus=4, memory_mb=1000, gpus=1)


def turn(since: int, cpus: int = 1, gpus: int = 0, hosts: int = 1) -> Waiting:
    return Waiting(since, f"r{since}", Resources(cpus, 0, gpus), hosts)


def queue(*held: Resources) -> Queue:
    return Queue(LIMIT, {f"run-{number}": each for number, each in enumerate(held)})


def test_starts_when_there_is_room():
    assert queue().ask(turn(1, 4)) is None
    assert queue(Resources(2)).ask(turn(1, 2)) is None


def test_waits_for_cpus_and_says_so():
    assert "Waiting for 2 CPUs: 1 of 4 free" in queue(Resources(3)).ask(turn(1, 2)).reason


def test_waits_for_gpus_and_says_so():
    obstacle = queue(Resources(1, gpus=1, gpu_ids=("0",))).ask(turn(1, 1, 1))
    assert "Waiting for 1 GPU: 0 of 1 free" in obstacle.reason


def test_hosts_wait_together_and_say_so():
    obstacle = queue(Resources(2)).ask(turn(1, 3, hosts=3))
    assert obstacle.reason == "Waiting for 3 CPUs for 3 hosts: 2 of 4 free"


def test_nobody_overtakes_in_the_same_line():
    line = queue(Resources(3))
    assert line.ask(turn(1, 4)) is not None
    assert "1 ahead" in line.ask(turn(2)).reason
    assert line.ready() == set()
    line.release(["run-0"])
    assert line.ready() == {"r1"}
    assert "1 ahead" in line.ask(turn(2)).reason
    assert line.ask(turn(1, 4)) is None


def test_those_far_behind_look_rarely():
    line = queue(Resources(4))
    looks = [line.ask(turn(number)).look_ms for number in range(100)]
    assert looks == sorted(looks)
    assert looks[0] == 5_000
    assert looks[-1] > 10_000


def test_whoever_asks_again_keeps_its_place():
    line = queue(Resources(4))
    for _ in range(3):
        for number in (2, 1, 3):
            line.ask(turn(number))
    assert "2 ahead" in line.ask(turn(3)).reason
    assert line.leave("r1")
    assert "1 ahead" in line.ask(turn(3)).reason
    assert "0 of 4 free" in line.ask(turn(2)).reason


def test_only_those_whose_turn_has_come_are_woken():
    line = queue(Resources(4))
    for number in range(10):
        line.ask(turn(number, 2))
    assert line.ready() == set()
    line.release(["run-0"])
    assert line.ready() == {"r0", "r1"}
    assert line.ask(turn(0, 2)) is None
    line.hold({"new": Resources(2)})
    assert line.ready() == {"r1"}
    assert line.leave("r1")
    assert not line.leave("r1")
    assert line.ready() == {"r2"}


def test_a_gpu_job_does_not_hold_up_the_others():
    line = queue(Resources(1, gpus=1, gpu_ids=("0",)))
    assert line.ask(turn(1, 1, 1)) is not None
    assert line.ask(turn(2)) is None


def test_large_instances_fit_a_small_machine():
    assert fitted(Resources(96, 0, 8), LIMIT) == Resources(4, 1000, 1)
    assert fitted(Resources(0, 0, 0), LIMIT) == Resources(1, 1000, 0)


def test_hosts_share_the_machine():
    parts = [fitted(Resources(4, 0, 1), LIMIT, 3) for _ in range(3)]
    assert parts == [Resources(1, 333, 1)] * 3
    assert together(parts, LIMIT) == Resources(3, 0, 1)


def test_more_hosts_than_cpus_take_them_all_and_still_start():
    parts = [fitted(Resources(4), LIMIT, 9) for _ in range(9)]
    wanted = together(parts, LIMIT)
    assert wanted == Resources(4, 0, 0)
    line = queue()
    assert line.ask(Waiting(1, "r1", wanted, 9)) is None
    line.hold({f"host-{n}": part for n, part in enumerate(parts)})
    assert "0 of 4 free" in line.ask(turn(2)).reason


JOBS = st.lists(
    st.tuples(st.integers(1, 6), st.integers(0, 2), st.integers(1, 5)), min_size=1, max_size=30
)


@given(JOBS, st.randoms(use_true_random=False))
def test_every_job_gets_its_turn_in_order_and_never_too_much_at_once(jobs, chance):
    """Jobs of (CPUs, GPUs, hosts): whoever is woken asks, whoever runs ends some day."""
    line = queue()
    turns, parts = {}, {}
    for number, (cpus, gpus, count) in enumerate(jobs):
        parts[f"r{number}"] = [fitted(Resources(cpus, 0, gpus), LIMIT, count)] * count
        wanted = together(parts[f"r{number}"], LIMIT)
        turns[f"r{number}"] = Waiting(number, f"r{number}", wanted, count)
    begun: list[str] = []
    running: list[str] = []

    def ask(name: str) -> None:
        if line.ask(turns[name]) is None:
            given = line.leased(parts[name])
            line.hold({f"{name}-{n}": part for n, part in enumerate(given)})
            begun.append(name)
            running.append(name)

    for name in turns:
        ask(name)
    while len(begun) < len(turns) or running:
        held = [turns[name].wanted for name in running]
        assert sum(each.cpus for each in held) <= LIMIT.cpus
        assert sum(each.gpus for each in held) <= LIMIT.gpus
        woken = sorted(line.ready(), key=lambda _: chance.random())
        assert woken or running, "everybody waits and nobody runs"
        if woken and chance.random() < 0.7:
            for name in woken:
                ask(name)
        elif running:
            done = running.pop(chance.randrange(len(running)))
            line.release([f"{done}-{n}" for n in range(len(parts[done]))])
    for gpus in (False, True):
        order = [name for name in begun if bool(turns[name].wanted.gpus) == gpus]
        assert order == sorted(order, key=lambda name: turns[name].since)


def test_capacity_follows_settings(tmp_path):
    found = capacity(Settings(tmp_path, cpu_slots=3, gpu_slots=2, job_memory_mb=77))
    assert found == Resources(3, 77, 2)
    assert capacity(Settings(tmp_path)).cpus >= 1


def test_who_does_not_wait_has_a_gpu_that_nobody_is_given_while_there_is_one():
    line = Queue(Resources(4, gpus=2), {})
    [server] = line.leased([Resources(1, gpus=1)])
    line.hold({"server": replace(server, cpus=0)})
    assert server.gpu_ids == ("0",)
    assert "1 of 2 free" in line.ask(turn(1, 1, 2)).reason
    [other] = line.leased([Resources(1, gpus=1)])
    assert other.gpu_ids == ("1",)
    line.hold({"other": replace(other, cpus=0)})
    assert len(line.leased([Resources(1, gpus=1)])[0].gpu_ids) == 1


def test_shares_fill_one_gpu_before_they_break_another():
    line = Queue(Resources(9, gpus=2), {}, (Gpu("a", memory_mb=1000), Gpu("b", memory_mb=1000)))
    for number, (wanted, gpu) in enumerate([(400, "a"), (700, "b"), (500, "a"), (300, "b")]):
        [part] = line.leased([Resources(1, gpus=1, gpu_memory_mb=wanted)])
        assert part.gpu_ids == (gpu,)
        line.hold({str(number): part})
    share = Waiting(1, "r1", Resources(1, gpus=1, gpu_memory_mb=200))
    assert line.ask(share).reason == "Waiting for 200 MiB of a GPU: 100 MiB free of the emptiest"
    line.release(["2"])
    assert line.ask(share) is None


def test_higher_priority_goes_first_and_waits_for_nobody_in_the_other_line():
    line = queue(Resources(4, gpus=0))
    line.ask(turn(1, 1, 1))
    line.ask(turn(2))
    line.ask(replace(turn(3, 4), priority=5))
    assert [(it.turn.resource_id, it.position) for it in line.places()] == [
        ("r3", 1), ("r1", 1), ("r2", 2),
    ]  # fmt: skip
    line.release(["run-0"])
    line.hold({"small": Resources(2)})
    assert line.ready() == set()  # r3 lacks CPUs: nobody of less priority takes them
    assert "1 ahead" in line.ask(turn(1, 1, 1)).reason
    line.release(["small"])
    assert line.ready() == {"r3"}


def test_as_few_as_make_room_are_interrupted():
    line = queue()
    line.hold({f"{name}-1": Resources(size) for name, size in (("a", 1), ("b", 2), ("c", 1))})
    urgent = replace(turn(9, 2), priority=1)
    assert line.victims(urgent, [], ["a", "b", "c"]) == ["b"]
    assert line.victims(urgent, ["b"], ["a", "c"]) == []
    assert line.victims(turn(9, 4), [], ["a", "b"]) == []

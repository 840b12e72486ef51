"""What a run takes of its machine: sampled while it runs, whole at its end, never too large."""

import os
import time
from itertools import pairwise

import pytest

from studio.runners.base import Network
from studio.runners.shim import samples, usage
from studio.runners.shim.usage import Sample


def test_a_busy_cpu_is_seen_and_the_last_sample_comes_with_the_end(bench):
    script = "timeout 4 sh -c 'while :; do :; done'; true"
    run = bench.start(script)
    assert bench.ended(run).phase == "succeeded"
    samples = bench.runner.usage(run, "usage", 0)
    assert len(samples) >= 2
    assert [each.at for each in samples] == sorted({each.at for each in samples})
    # A busy machine may leave it little of a core.
    assert 3 < max(each.values["cpu"] for each in samples) < 130
    assert all(0 < each.values["disk"] <= 100 for each in samples)
    assert 0 < max(each.values["memory"] for each in samples) < 50
    assert bench.runner.usage(run, "usage", samples[0].at) == samples[1:]
    assert bench.runner.usage(run, "usage", samples[-1].at) == ()
    assert bench.runner.usage(run, "gpus", 0) == ()


def test_a_short_run_has_a_sample(bench):
    run = bench.start("head -c 2000000 /dev/urandom > /dev/null")
    bench.ended(run)
    first, *_ = bench.runner.usage(run, "usage", 0)  # of a busy machine there may be more
    assert first.values["memory"] > 0


def test_what_a_run_writes_to_the_disk_is_counted(bench):
    write = "dd if=/dev/zero of=$ML/output/big bs=1M count=64 conv=fsync 2>/dev/null"
    run = bench.start(f"sleep 1.3; {write}; sleep 1", folders=("output",))
    assert bench.ended(run).phase == "succeeded"
    samples = bench.runner.usage(run, "usage", 0)
    begun = bench.poll(run).started_at
    spans = [
        (after - before) / 1000 for before, after in pairwise([begun, *(it.at for it in samples)])
    ]
    written = sum(it.values["disk_write"] * s for it, s in zip(samples, spans, strict=True))
    assert written == pytest.approx(64 * 2**20, rel=0.3)
    assert all(each.values["machine_network_in"] >= 0 for each in samples)


def test_an_isolated_run_has_no_network(bench, home):
    bare = bench.runner._settings.sandbox == "never"
    if not bare:
        run = bench.start("true", network=Network(isolated=True))
        bench.ended(run)
        samples = bench.runner.usage(run, "usage", 0)
        assert samples
        assert not any("machine_network_in" in each.values for each in samples)


def test_samples_are_found_by_their_time(tmp_path):
    every = [Sample(1_000 + n, n % 7, 1.0, 2.0) for n in range(2_000)]
    for each in every:
        usage._SAMPLES.append(tmp_path, each)
    for after in (0, 999, 1_000, 1_500, 2_741, 2_998, 2_999, 9_999):
        assert list(usage.read(tmp_path, after)) == [each for each in every if each.at > after]


def test_the_file_stays_small_and_the_older_part_is_read_too(tmp_path, monkeypatch):
    monkeypatch.setattr(samples, "_LARGEST", 100 * 20)
    for n in range(1_000):
        usage._SAMPLES.append(tmp_path, Sample(n, 0, 0, 0))
    size = sum(path.stat().st_size for path in tmp_path.iterdir())
    assert size <= 2 * 101 * 20
    found = [each.at for each in usage.read(tmp_path, 950)]
    assert found == list(range(951, 1_000))
    oldest = [each.at for each in usage.read(tmp_path, 0)]
    assert oldest == list(range(oldest[0], 1_000))


def test_a_sample_that_was_cut_short_is_not_read(tmp_path):
    usage._SAMPLES.append(tmp_path, Sample(1, 0, 0, 0))
    with (tmp_path / "usage").open("ab") as file:
        file.write(b"half")
    assert [each.at for each in usage.read(tmp_path, 0)] == [1]
    usage._SAMPLES.append(tmp_path, Sample(2, 0, 0, 0))
    assert [each.at for each in usage.read(tmp_path, 0)] == [1, 2]


def test_percentages_of_cpu_and_memory(tmp_path):
    begun = time.monotonic()
    meter = usage.Meter(tmp_path, 200)
    until = time.process_time() + 1.2
    while time.process_time() < until:
        pass
    meter.look([os.getpid()], 50)
    [sample] = usage.read(tmp_path, 0)
    assert sample.memory == pytest.approx(25)
    assert sample.cpu > 100 / (time.monotonic() - begun)  # a busy machine gave less than a core

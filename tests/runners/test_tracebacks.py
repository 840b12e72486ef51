"""The traceback that is a failed program's own, where launchers and other processes say more."""

import pytest

from studio.runners.shim import report, tracebacks

OWN = """Traceback (most recent call last):
  File "/opt/ml/code/train.py", line 5, in <module>
    raise ValueError("no such column: price")
ValueError: no such column: price"""
WHAT_CAME_OF_IT = """Traceback (most recent call last):
  File "/opt/ml/code/train.py", line 9, in <module>
    loss.backward()
RuntimeError: [gloo/transport/tcp/pair.cc:537] Read error [127.0.0.1]:18831: Connection reset"""
TORCHRUN = """E1122 09:37:20.597000 2 torch/distributed/elastic/multiprocessing/api.py:1002] failed
Traceback (most recent call last):
  File "/env/lib/python3.11/site-packages/torch/distributed/launcher/api.py", line 383
    raise ChildFailedError(
torch.distributed.elastic.multiprocessing.errors.ChildFailedError:
============================================================
train.py FAILED
------------------------------------------------------------
Failures:
[1]:
  time      : 2026-11-22_09:37:21
  host      : algo-1
  rank      : 0 (local_rank: 0)
  exitcode  : 1 (pid: 4)
------------------------------------------------------------
Root Cause (first observed failure):
[0]:
  time      : 2026-11-22_09:37:20
  host      : algo-1
  rank      : 1 (local_rank: 1)
  exitcode  : {code} (pid: 5)
  error_file: <N/A>
  traceback : To enable traceback see: https://pytorch.org/docs/stable/elastic/errors.html
============================================================"""


def of_rank(rank: int, text: str) -> list[str]:
    return [f"[rank{rank}]: {line}" for line in text.splitlines()]


def torchrun(code: int) -> list[str]:
    return TORCHRUN.format(code=code).splitlines()


def test_of_processes_of_torchrun_it_is_that_of_the_one_that_failed_first():
    first, other = of_rank(1, OWN), of_rank(0, WHAT_CAME_OF_IT)
    mixed = [line for pair in zip(first, other, strict=False) for line in pair]
    for lines in ([*first, *other], mixed, OWN.splitlines()):
        assert tracebacks.last(["step 1", *lines, *torchrun(1)]) == OWN.splitlines()


def test_without_a_launcher_the_ranks_are_left_out():
    assert tracebacks.last(of_rank(3, OWN)) == OWN.splitlines()


def test_a_launcher_that_fails_by_itself_says_why():
    lines = torchrun(1)[:5]
    assert tracebacks.last(lines) == lines[1:]


@pytest.mark.parametrize(
    ("code", "said"),
    [
        (7, "The process of rank 1 ended with exit code 7."),
        (-11, "The process of rank 1 was ended by signal SIGSEGV."),
    ],
)
def test_a_process_of_torchrun_that_says_nothing_is_named(tmp_path, code, said):
    lines = [*of_rank(0, WHAT_CAME_OF_IT), *torchrun(code)]
    assert tracebacks.last(lines) == []
    assert report.message(tmp_path, 1, "", lines) == said


BOILERPLATE = "Training Execution failed. For more details, see CloudWatch logs at 'x'.\n"
DRIVER = """Traceback (most recent call last):
  File "/opt/ml/input/data/sm_drivers/common/utils.py", line 193, in execute_commands
    raise subprocess.CalledProcessError(exitcode, commands)
subprocess.CalledProcessError: Command '['torchrun', 'train.py']' returned exit status 1."""


@pytest.mark.parametrize("written", [BOILERPLATE, DRIVER])
def test_version_3_of_the_sdk_hides_nothing(tmp_path, written):
    """It writes a failure file that says nothing, and takes the spaces from lines."""
    (tmp_path / "output").mkdir()
    file = tmp_path / "output" / "failure"
    file.write_text(written)
    for lines in ([*of_rank(1, OWN), *torchrun(1)], ["pass", *OWN.splitlines()]):
        said = [*map(str.strip, lines), f"Command failed. Traceback: {DRIVER}"]
        assert report.message(tmp_path, 1, "", said) == "ValueError: no such column: price"
    assert report.message(tmp_path, 1, "", ["no more"]) == written.strip()
    file.write_text("the column price is empty")
    assert report.message(tmp_path, 1, "", OWN.splitlines()) == "the column price is empty"


def test_lines_of_a_program_that_are_not_indented_are_no_exceptions():
    lines = ["Traceback (most recent call last):", 'File "a.py", line 1, in f', "raise", "Lost: x"]
    assert tracebacks.last(lines) == lines
    assert tracebacks.last([*lines[:2], "KeyError: 1"]) == [*lines[:2], "KeyError: 1"]

"""What is finished of a transform survives the driver, wherever it is killed."""

import json
from pathlib import Path

import pytest

from studio.container.transform import work
from studio.container.transform.ledger import Ledger

DONE = {"records": 2, "faults": 0}


class Desk:
    """Where a ledger lies, and what waits there to be stored."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.batches, self.told = folder / "transform", folder / "handed" / "0", 0

    def opened(self) -> Ledger:
        def tell() -> None:
            self.told += 1

        return Ledger(self.folder, self.batches, tell)

    def finish(self, ledger: Ledger, number: int, name: str) -> None:
        ledger.part(number).write_text(name)
        ledger.finish(number, name, DONE)

    def waiting(self) -> dict[str, str]:
        return {
            str(it.relative_to(self.batches)): it.read_text()
            for it in sorted(self.batches.rglob("*"))
            if it.is_file()
        }


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    return Desk(tmp_path)


def test_batches_are_handed_over_and_remembered(desk: Desk):
    ledger = desk.opened()
    desk.finish(ledger, 0, "a/b.out")
    assert desk.waiting() == {}
    ledger.give_up(1, {"records": 5, "faults": 1, "first": [3, 400, "no"]})
    ledger.close(now=True)
    desk.finish(ledger, 2, "c.out")
    ledger.close(now=True)
    assert desk.waiting() == {"1/a/b.out": "a/b.out", "2/c.out": "c.out"}
    assert desk.told == 2
    again = desk.opened()
    assert sorted(again.lines) == [0, 1, 2]
    assert again.lines[1]["first"] == [3, 400, "no"]


def test_what_was_not_closed_is_done_again(desk: Desk):
    ledger = desk.opened()
    desk.finish(ledger, 0, "a.out")
    ledger.close(now=True)
    desk.finish(ledger, 1, "b.out")
    ledger.part(2).write_text("half")
    again = desk.opened()
    assert sorted(again.lines) == [0]
    assert not again.part(2).exists()
    desk.finish(again, 1, "b.out")
    again.close(now=True)
    assert desk.waiting() == {"1/a.out": "a.out", "2/b.out": "b.out"}


def test_a_batch_that_the_journal_names_is_handed_over(desk: Desk):
    ledger = desk.opened()
    desk.finish(ledger, 0, "a.out")
    # Killed between the line and the rename.
    line = {"batch": 1, "files": [{"file": 0, **DONE}]}
    ledger._journal.write_text(json.dumps(line) + "\n" + '{"batch": 2, "fi')
    again = desk.opened()
    assert sorted(again.lines) == [0]
    assert desk.waiting() == {"1/a.out": "a.out"}
    desk.finish(again, 1, "b.out")
    again.close(now=True)
    assert sorted(desk.opened().lines) == [0, 1]


def test_a_name_may_be_that_of_a_folder_too(desk: Desk):
    ledger = desk.opened()
    for number, name in enumerate(("a.out", "a.out/b.out", "c.out/d.out", "c.out")):
        desk.finish(ledger, number, name)
    ledger.close(now=True)
    assert sorted(desk.waiting().values()) == ["a.out", "a.out/b.out", "c.out", "c.out/d.out"]


def test_failures_only_make_no_batch(desk: Desk):
    ledger = desk.opened()
    ledger.give_up(0, {"records": 1, "faults": 1, "first": [0, 500, "no"]})
    ledger.close(now=True)
    assert list(desk.batches.iterdir()) == []
    assert sorted(desk.opened().lines) == [0]


def test_settings_go_by_the_job_then_the_container_then_aws():
    assert work.settings({}, {}) == {
        "MaxConcurrentTransforms": 1,
        "MaxPayloadInMB": 6,
        "BatchStrategy": "MultiRecord",
    }
    told = {"MaxConcurrentTransforms": 4, "MaxPayloadInMB": 2, "BatchStrategy": "SingleRecord"}
    assert work.settings({"MaxConcurrentTransforms": 0}, told) == told
    wild = {"MaxConcurrentTransforms": 10**9, "MaxPayloadInMB": 10**9, "BatchStrategy": "x"}
    assert work.settings({}, wild) == wild | {"MaxConcurrentTransforms": 100, "MaxPayloadInMB": 100}
    given = {"MaxConcurrentTransforms": 3, "MaxPayloadInMB": 0, "BatchStrategy": "MultiRecord"}
    assert work.settings(given, told) == given


def test_a_verdict_names_three_files_and_counts_all():
    files = [{"name": f"s3://b/{number}"} for number in range(5)]
    lines = {n: {"records": 9, "faults": 2, "first": [n + 1, 500, "no"]} for n in range(4)}
    task = {"split": "Line", "files": files}
    assert work.verdict(task, lines | {4: {"records": 9, "faults": 0}}) == (
        "AlgorithmError: 8 records of 4 files could not be transformed: "
        "s3://b/0 line 1: 500 no; s3://b/1 line 2: 500 no; s3://b/2 line 3: 500 no"
    )
    lines[0] = {"records": 900, "faults": work.MOST_FAULTS, "first": [0, 0, "no answer"]}
    lines[1]["first"] = [1, 400, "no"]
    said = work.verdict({**task, "split": "None"}, lines)
    assert said.startswith("ClientError: 106 or more records of 4 files")
    assert "s3://b/0: no answer; s3://b/1 record 1: 400 no" in said
    assert work.verdict(task, {}) == ""

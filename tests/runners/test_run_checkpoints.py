"""Checkpoints are handed over whole while a command runs, and to the last when it ends."""

import os
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest
from runner_contract import Bench, lasting
from test_run_crashes import assert_gone, shim_of
from test_run_inputs import small_disk
from waiting import eventually

from studio.container import files
from studio.runners.base import Handed, Transfer
from studio.runners.process import ProcessRunner
from studio.runners.shim import handover
from studio.settings import Settings

FOLDER = "checkpoints"
SCRIPT = 'cd "$ML/checkpoints"; '
HOLD = "until [ -e ../go ]; do sleep 0.05; done"


@pytest.fixture
def bench(home: Path) -> Iterator[Bench]:
    """Of one kind: how files are handed over has nothing to do with the sandbox."""
    yield from lasting(Bench(ProcessRunner(Settings(home=home))))


def taken(bench: Bench, run: str) -> dict[str, str]:
    """What waits, as whoever stores it would find it; it is removed."""
    found: dict[str, str] = {}
    for _, batch in bench.poll(run).batches:
        for path in sorted(Path(batch).rglob("*")):
            if path.is_file():
                assert not path.is_symlink()
                found[str(path.relative_to(batch))] = path.read_text()
        files.remove_tree(Path(batch))
    return found


def waits(bench: Bench, run: str) -> dict[str, str]:
    bench.until(run, lambda status: bool(status.batches))
    return taken(bench, run)


def let_go(home: Path, run: str) -> None:
    """End what HOLD is in the script of a run."""
    (home / "runs" / run / "ml" / "go").touch()


def start(bench: Bench, script: str, **fields) -> str:
    fields.setdefault("folders", (FOLDER,))
    return bench.start(SCRIPT + script, handed=(Handed(FOLDER),), **fields)


def test_new_and_changed_files_while_it_runs_and_the_rest_at_the_end(bench: Bench, home: Path):
    run = start(
        bench,
        "mkdir -p a/b; echo one > a/b/c; echo two > d; echo ready; "
        f"{HOLD}; echo more >> d; "
        "until [ -e ../end ]; do sleep 0.05; done; rm a/b/c; echo last > e",
    )
    bench.said(run, "ready")
    assert waits(bench, run) == {"a/b/c": "one\n", "d": "two\n"}
    let_go(home, run)
    assert waits(bench, run) == {"d": "two\nmore\n"}
    (home / "runs" / run / "ml" / "end").touch()
    assert bench.ended(run).phase == "succeeded"
    assert taken(bench, run) == {"e": "last\n"}
    assert bench.poll(run).batches == ()


def test_what_was_restored_is_not_handed_over_again(bench: Bench, tmp_path: Path):
    (tmp_path / "object").write_text("restored")
    (tmp_path / "object").chmod(0o400)
    run = start(
        bench,
        "cat old changed; echo new > changed",
        inputs=tuple(
            Transfer(f"{FOLDER}/{name}", 8, link=str(tmp_path / "object"))
            for name in ("old", "changed")
        ),
    )
    assert bench.ended(run).phase == "succeeded"
    assert bench.lines(run) == ["restoredrestored"]
    assert taken(bench, run) == {"changed": "new\n"}
    assert (tmp_path / "object").read_text() == "restored"


@pytest.mark.parametrize("ending", ["exit 3", "sleep 1000", "kill -9 $$"])
def test_the_last_state_is_kept_however_a_run_ends(bench: Bench, home: Path, ending: str):
    run = start(bench, f"echo state > s; {ending}", timeout_seconds=2.0)
    status = bench.ended(run)
    assert status.phase == ("stopped" if "sleep" in ending else "failed")
    assert taken(bench, run) == {"s": "state\n"}
    assert_gone(home)
    bench.runner.remove(run, bench.handles[run])
    assert not (home / "runs" / run / "handed").exists()


def test_batches_wait_in_order(bench: Bench, home: Path):
    run = start(bench, f"echo 1 > a; {HOLD}; echo 2 > a")
    bench.until(run, lambda status: bool(status.batches))
    let_go(home, run)
    bench.ended(run)
    (_, first), (_, second) = bench.poll(run).batches
    assert (Path(first) / "a").read_text() == "1\n"
    assert (Path(second) / "a").read_text() == "2\n"


def keepers_of(shim: int, folder: Path) -> list[int]:
    """The shim's own children that work in the folder of checkpoints."""
    found = []
    for pid in Path(f"/proc/{shim}/task/{shim}/children").read_text().split():
        try:
            same = Path(f"/proc/{pid}/exe").readlink() == Path(f"/proc/{shim}/exe").readlink()
            if same and Path(f"/proc/{pid}/cwd").readlink() == folder:
                found.append(int(pid))
        except FileNotFoundError:
            continue
    return found


def test_a_killed_keeper_is_replaced(bench: Bench, home: Path):
    run = start(bench, "echo one > a; echo ready; until [ -e ../end ]; do sleep 0.05; done")
    bench.said(run, "ready")
    shim = shim_of(home, run)
    keepers = eventually(lambda: keepers_of(shim, home / "runs" / run / "ml" / FOLDER))
    for pid in keepers:
        os.kill(pid, signal.SIGKILL)
    assert waits(bench, run) == {"a": "one\n"}
    (home / "runs" / run / "ml" / "end").touch()
    assert bench.ended(run).phase == "succeeded"


def test_a_killed_shim_takes_its_keeper_with_it(bench: Bench, home: Path):
    run = start(bench, "echo one > a; echo ready; sleep 1000")
    bench.said(run, "ready")
    bench.until(run, lambda status: bool(status.batches))
    shim = shim_of(home, run)
    os.kill(shim, signal.SIGKILL)
    assert bench.ended(run).reason == "RunnerLost"
    assert taken(bench, run) == {"a": "one\n"}
    assert_gone(home)


def test_nothing_from_elsewhere_is_handed_over(bench: Bench, home: Path, tmp_path: Path):
    secret = tmp_path / "secret"
    secret.mkdir()
    (secret / "key").write_text("secret")
    run = start(
        bench,
        f"ln -s {secret}/key link; ln -s {secret} folder; mkfifo pipe; echo fine > a; "
        "python3 -c \"import os; os.mkdir(b'caf\\xe9'); open(b'caf\\xe9/x', 'w'); "
        "[(os.mkdir('d'), os.chdir('d')) for _ in range(300)]; open('deep', 'w')\"; "
        f"{HOLD}; rm -r a; mv folder a; true",
    )
    assert waits(bench, run) == {"a": "fine\n"}
    let_go(home, run)
    assert bench.ended(run).phase == "succeeded"
    assert taken(bench, run) == {}


def test_the_folder_itself_may_be_led_elsewhere(bench: Bench, tmp_path: Path):
    (tmp_path / "key").write_text("secret")
    run = start(bench, f"cd ..; rm -r checkpoints; ln -s {tmp_path} checkpoints; sleep 1.5")
    assert bench.ended(run).phase == "succeeded"
    assert taken(bench, run) == {}


def test_a_folder_above_it_may_be_led_elsewhere(bench: Bench, tmp_path: Path):
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "key").write_text("secret")
    run = bench.start(
        f'cd "$ML"; echo fine > out/a; rm -r results; ln -s {tmp_path} results; echo x > b',
        folders=("out", "results/out"),
        handed=(Handed("results/out", at_end=True), Handed("out", at_end=True)),
    )
    assert bench.ended(run).phase == "succeeded"
    ((number, batch),) = bench.poll(run).batches
    assert (number, [path.name for path in Path(batch).iterdir()]) == (1, ["a"])


def test_what_is_for_the_end_waits_for_it(bench: Bench, home: Path):
    run = bench.start(
        f'cd "$ML/soon"; echo x | tee ../late/a > a; {HOLD}; cd ../late; rm a; echo y > b',
        folders=("late", "soon"),
        handed=(Handed("late", at_end=True), Handed("soon")),
    )
    bench.until(run, lambda status: bool(status.batches))
    assert [number for number, _ in bench.poll(run).batches] == [1]
    let_go(home, run)
    bench.ended(run)
    (_, late), _ = bench.poll(run).batches
    assert [path.name for path in Path(late).iterdir()] == ["b"]


@pytest.mark.root
def test_a_checkpoint_that_has_no_room_for_a_copy_is_kept_at_the_end(tmp_path: Path):
    with small_disk(tmp_path / "home", 24) as home:
        bench = Bench(ProcessRunner(Settings(home=home)))
        run = start(
            bench,
            "head -c 15000000 /dev/zero > large; sleep 2.5; "
            "head -c 5000000 /dev/zero > ../fits && echo fits; rm ../fits",
        )
        status = bench.ended(run)
        assert (status.phase, bench.lines(run)) == ("succeeded", ["fits"]), status
        ((_, batch),) = bench.poll(run).batches
        assert (Path(batch) / "large").stat().st_size == 15_000_000


class Changing(handover.Collector):
    """A command that writes at the worst moment: while its file is copied."""

    def __init__(self, root: Path) -> None:
        super().__init__(root, "source", root / "batches")
        self.writes = 1

    def _take(self, name, fresh, last):
        original = handover._copy

        def copy(fd, target):
            original(fd, target)
            if self.writes:
                self.writes -= 1
                (self._root / "source" / name).write_text("changed")

        handover._copy = copy
        try:
            return super()._take(name, fresh, last)
        finally:
            handover._copy = original


def test_a_file_that_changes_while_it_is_copied_is_tried_again(tmp_path: Path):
    source = tmp_path / "source"
    source.mkdir()
    collector = Changing(tmp_path)
    (source / "a").write_text("first")
    assert not collector.look()  # seen once: it may still be written
    assert not collector.look()  # torn
    assert not collector.look()
    assert handover.waiting(tmp_path / "batches") == ()
    while not collector.look():
        pass
    (batch,) = handover.waiting(tmp_path / "batches")
    assert (Path(batch) / "a").read_text() == "changed"
    assert not collector.look()
    files.remove_tree(Path(batch))
    assert not collector.look()
    assert not collector.look(last=True)

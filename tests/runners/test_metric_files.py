"""Files of metrics that a run writes: whole lines once, whatever lies among them."""

import os

import pytest

from studio.runners import metric_files


@pytest.fixture(name="folder")
def folder_fixture(tmp_path):
    folder = tmp_path / metric_files.FOLDER
    folder.mkdir(parents=True)
    return folder


def read(folder, positions=None, ended=False):
    return metric_files.read(folder.parents[2], positions or {}, ended)


def test_whole_lines_are_read_as_the_files_grow(folder):
    (folder / "7.json").write_text("one\ntw")
    first = read(folder)
    assert (first.lines, first.ends) == ((b"one",), {"7.json": 4})
    assert read(folder, first.ends).ends == {}
    with (folder / "7.json").open("a") as file:
        file.write("o\nthree")
    (folder / "8.json").write_text("other\n")
    more = read(folder, first.ends)
    assert more.lines == (b"two", b"other")
    last = read(folder, {**first.ends, **more.ends}, ended=True)
    assert (last.lines, last.ends) == ((b"three",), {"7.json": 13})
    assert read(folder, {**more.ends, **last.ends}, ended=True).ends == {}


def test_what_is_no_file_of_metrics_is_left_alone(folder, tmp_path):
    (tmp_path / "secret").write_text("secret\n")
    (folder / "link.json").symlink_to(tmp_path / "secret")
    os.mkfifo(folder / "pipe.json")
    (folder / "folder.json").mkdir()
    (folder / ".hidden.json").write_text("hidden\n")
    (folder / "text.txt").write_text("text\n")
    (folder / os.fsdecode(b"\xff.json")).write_text("no name\n")
    assert read(folder, ended=True).ends == {}


def test_a_link_in_the_place_of_the_folder_is_not_followed(folder, tmp_path):
    elsewhere = tmp_path / "elsewhere"
    folder.rename(elsewhere)
    (elsewhere / "7.json").write_text("secret\n")
    folder.symlink_to(elsewhere)
    assert read(folder, ended=True).ends == {}
    assert metric_files.sizes(tmp_path / "nowhere") == {}


def test_a_file_that_was_begun_anew_is_not_read_twice(folder):
    (folder / "7.json").write_text("one\ntwo\n")
    position = read(folder).ends
    (folder / "7.json").write_text("new\n")
    assert read(folder, position).ends == {}


def test_a_line_without_end_and_many_bytes_are_passed_piece_by_piece(folder):
    (folder / "long.json").write_bytes(b"x" * (2**20 + 100) + b"\nshort\n")
    (folder / "many.json").write_bytes(b"line\n" * 2_000_000)
    positions, lines, looks = {}, [], 0
    while (page := read(folder, positions)).ends:
        positions.update(page.ends)
        lines += page.lines
        looks += 1
        assert sum(map(len, page.lines)) < 6 * 2**20
    assert lines.count(b"line") == 2_000_000
    assert lines.count(b"short") == 1
    assert looks > 5


def test_of_very_many_files_some_are_looked_at(folder):
    for number in range(1_100):
        (folder / f"{number:05}.json").write_text(f"{number}\n")
    assert len(read(folder).lines) == 1_024

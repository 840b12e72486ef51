"""Archives of several hosts become one; of names that clash the first host's stays."""

import os
from pathlib import Path

import pytest

from studio.container import archive, merge


def left(tmp_path: Path, host: str, files: dict[str, str], compress: bool = True) -> Path:
    folder = tmp_path / host / "model"
    for name, text in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text)
    target = tmp_path / host / "model.tar.gz"
    if not archive.pack(folder, target, compress):
        target.parent.mkdir(parents=True, exist_ok=True)
        archive.pack_nothing(target)
    return target


def unpacked(path: Path, tmp_path: Path) -> dict[str, str]:
    folder = tmp_path / "unpacked"
    archive.unpack(path, folder)
    return {str(it.relative_to(folder)): it.read_text() for it in folder.rglob("*") if it.is_file()}


@pytest.mark.parametrize("compress", [True, False])
def test_members_of_all_hosts(tmp_path, compress):
    made = merge.merged(
        [
            left(tmp_path, "one", {"a/x": "1", "b": "1"}, compress),
            left(tmp_path, "two", {"a/x": "2", "a/y": "2", "c": "2"}, compress),
            left(tmp_path, "three", {"c": "3", "a/z/deep": "3"}, compress),
        ]
    )
    assert archive.packed(made) == compress
    assert unpacked(made, tmp_path) == {
        "a/x": "1", "b": "1", "a/y": "2", "c": "2", "a/z/deep": "3",
    }  # fmt: skip


def test_a_file_here_and_a_folder_there(tmp_path):
    made = merge.merged(
        [
            left(tmp_path, "one", {"file": "1", "folder/in": "1"}),
            left(tmp_path, "two", {"file/in": "2", "folder": "2", "other": "2"}),
        ]
    )
    assert unpacked(made, tmp_path) == {"file": "1", "folder/in": "1", "other": "2"}


def test_what_only_one_host_left_is_not_packed_again(tmp_path):
    empty, full = left(tmp_path, "one", {}), left(tmp_path, "two", {"w": "2"})
    assert merge.merged([empty, full, empty]) == full
    assert merge.merged([empty, empty]) == empty


def test_names_that_are_long_and_strange(tmp_path):
    name = os.fsdecode(b"\xff" + b"d" * 150 + b"/" + b"n" * 200)
    made = merge.merged([left(tmp_path, "one", {"a": "1"}), left(tmp_path, "two", {name: "2"})])
    assert unpacked(made, tmp_path) == {"a": "1", name: "2"}

"""Folders that a job wrote are removed whatever it did to them, and read through no link."""

import os
from pathlib import Path

import pytest

from studio.container import files


def test_a_tree_is_removed_and_what_its_links_lead_to_is_not(tmp_path: Path):
    kept = tmp_path / "kept"
    kept.mkdir()
    kept.chmod(0o755)
    (kept / "x").write_text("kept")
    (kept / "x").chmod(0o400)
    tree = tmp_path / "tree"
    (tree / "a" / "b").mkdir(parents=True)
    (tree / "a" / "file").write_text("1")
    (tree / "a" / "b" / "link").symlink_to(kept)
    (tree / "link").symlink_to(kept / "x")
    os.link(kept / "x", tree / "hard")
    os.mkfifo(tree / "fifo")
    files.remove_tree(tree)
    assert not tree.exists()
    assert (kept / "x").read_text() == "kept"
    assert (kept / "x").stat().st_mode & 0o777 == 0o400
    assert kept.stat().st_mode & 0o777 == 0o755


def test_a_link_to_a_folder_is_not_entered(tmp_path: Path):
    (tmp_path / "kept").mkdir()
    (tmp_path / "kept" / "x").write_text("kept")
    (tmp_path / "link").symlink_to("kept")
    files.remove_tree(tmp_path / "link")
    assert (tmp_path / "kept" / "x").exists()
    files.remove_tree(tmp_path / "missing")


def test_a_tree_deeper_than_any_path(tmp_path: Path):
    tree = tmp_path / "tree"
    tree.mkdir()
    fd = os.open(tree, os.O_RDONLY)
    for _ in range(1500):
        os.mkdir("deeper", dir_fd=fd)
        inner = os.open("deeper", os.O_RDONLY, dir_fd=fd)
        os.close(fd)
        fd = inner
    os.close(os.open("file", os.O_CREAT | os.O_WRONLY, dir_fd=fd))
    os.close(fd)
    files.remove_tree(tree)
    assert not tree.exists()


_UNREADABLE = """
import os, sys
from pathlib import Path
from studio.container import archive, files
root = Path(sys.argv[1])
(root / "tree/a/b").mkdir(parents=True)
(root / "tree/a/b/file").write_text("1")
(root / "tree/a/unreadable").write_text("2")
(root / "tree/a/unreadable").chmod(0)
for folder in ("tree/a/b", "tree/a", "tree"):
    (root / folder).chmod(0)
if sys.argv[2] == "pack":
    assert archive.pack(root / "tree", root / "a.tar.gz")
    archive.unpack(root / "a.tar.gz", root / "to")
    assert (root / "to/a/unreadable").read_text() == "2"
else:
    files.remove_tree(root / "tree")
    assert os.listdir(root) == [], os.listdir(root)
"""


@pytest.mark.parametrize("act", ["pack", "remove"])
def test_rights_that_were_taken_away(unprivileged, act: str):
    unprivileged.run(_UNREADABLE, act)


def test_text_is_read_through_no_link(tmp_path: Path):
    (tmp_path / "output").mkdir()
    (tmp_path / "secret").write_text("secret")
    failure = tmp_path / "output" / "failure"
    assert files.read_text(tmp_path, "output/failure", 10) == ""
    failure.write_bytes("päivää".encode() + b"\xff")
    assert files.read_text(tmp_path, "output/failure", 100) == "päivää\ufffd"
    assert files.read_text(tmp_path, "output/failure", 1) == "p"
    failure.unlink()
    failure.symlink_to(tmp_path / "secret")
    assert files.read_text(tmp_path, "output/failure", 100) == ""
    failure.unlink()
    os.mkfifo(failure)
    assert files.read_text(tmp_path, "output/failure", 100) == ""
    failure.unlink()
    failure.mkdir()
    assert files.read_text(tmp_path, "output/failure", 100) == ""
    failure.rmdir()
    (tmp_path / "output").rmdir()
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "elsewhere" / "failure").write_text("secret")
    (tmp_path / "output").symlink_to("elsewhere")
    assert files.read_text(tmp_path, "output/failure", 100) == ""
    assert files.read_text(tmp_path / "missing", "output/failure", 100) == ""

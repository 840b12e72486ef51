"""Archives that Studio makes: unpacked they are what was packed, and they name nobody."""

import os
import subprocess
import sys
import tarfile
from pathlib import Path

from hypothesis import given, settings
from hypothesis import strategies as st

from studio.container import archive

_part = st.text(
    st.characters(blacklist_characters="/\\\0", blacklist_categories=["Cs"]),
    min_size=1,
    max_size=20,
).filter(lambda part: part not in (".", "..") and part.isascii())
_trees = st.recursive(
    st.binary(max_size=3000),
    lambda children: st.dictionaries(_part, children, max_size=5),
    max_leaves=12,
).filter(lambda tree: isinstance(tree, dict))


def grow(folder: Path, tree: dict) -> None:
    for name, inside in tree.items():
        if isinstance(inside, dict):
            (folder / name).mkdir()
            grow(folder / name, inside)
        else:
            (folder / name).write_bytes(inside)


def seen(folder: Path) -> dict:
    return {it.name: seen(it) if it.is_dir() else it.read_bytes() for it in folder.iterdir()}


def folded(tree: dict) -> bool:
    names = {name.casefold() for name in tree}
    return len(names) < len(tree) or any(folded(it) for it in tree.values() if isinstance(it, dict))


@given(tree=_trees.filter(lambda tree: not folded(tree)), compress=st.booleans())
@settings(max_examples=60, deadline=None)
def test_what_is_packed_is_unpacked(tmp_path_factory, tree: dict, compress: bool):
    root = tmp_path_factory.mktemp("round")
    (root / "from").mkdir()
    grow(root / "from", tree)
    assert archive.pack(root / "from", root / "made" / "a.tar.gz", compress) is bool(tree)
    if tree:
        archive.unpack(root / "made" / "a.tar.gz", root / "to")
        assert seen(root / "to") == tree
    else:
        assert not (root / "made").exists()


def test_packing_is_the_same_twice_and_names_nobody(tmp_path: Path):
    folder = tmp_path / "from"
    (folder / "b").mkdir(parents=True)
    (folder / "a").write_bytes(b"1")
    (folder / "b" / "c").write_bytes(b"2")
    archive.pack(folder, tmp_path / "1.tar.gz")
    archive.pack(folder, tmp_path / "2.tar.gz")
    assert (tmp_path / "1.tar.gz").read_bytes() == (tmp_path / "2.tar.gz").read_bytes()
    with tarfile.open(tmp_path / "1.tar.gz") as tar:
        assert tar.getnames() == ["a", "b", "b/c"]
        assert {(it.uid, it.gid, it.uname, it.gname) for it in tar} == {(0, 0, "", "")}


def test_links_are_packed_as_what_they_mean_or_not_at_all(tmp_path: Path):
    folder, outside = tmp_path / "from", tmp_path / "secret"
    (folder / "sub").mkdir(parents=True)
    outside.write_text("secret")
    (folder / "real").write_text("real")
    os.link(folder / "real", folder / "twin")
    (folder / "link").symlink_to("real")
    (folder / "sub" / "up").symlink_to("../real")
    (folder / "out").symlink_to(outside)
    (folder / "broken").symlink_to("nowhere")
    (folder / "loop").symlink_to("loop")
    (folder / "folder").symlink_to("sub")
    os.mkfifo(folder / "fifo")
    archive.pack(folder, tmp_path / "a.tar.gz")
    archive.unpack(tmp_path / "a.tar.gz", tmp_path / "to")
    wanted = {"real": b"real", "twin": b"real", "link": b"real", "sub": {"up": b"real"}}
    assert seen(tmp_path / "to") == wanted


def test_a_folder_that_is_a_link_packs_nothing(tmp_path: Path):
    (tmp_path / "secret").mkdir()
    (tmp_path / "secret" / "x").write_text("secret")
    (tmp_path / "model").symlink_to("secret")
    assert not archive.pack(tmp_path / "model", tmp_path / "a.tar.gz")
    assert not archive.pack(tmp_path / "missing", tmp_path / "a.tar.gz")


def test_names_that_are_no_utf8_survive(tmp_path: Path):
    (tmp_path / "from").mkdir()
    name = os.fsdecode(b"caf\xe9")
    (tmp_path / "from" / name).write_bytes(b"1")
    archive.pack(tmp_path / "from", tmp_path / "a.tar.gz")
    archive.unpack(tmp_path / "a.tar.gz", tmp_path / "to")
    assert seen(tmp_path / "to") == {name: b"1"}


def test_an_archive_of_nothing(tmp_path: Path):
    archive.pack_nothing(tmp_path / "a.tar.gz")
    archive.unpack(tmp_path / "a.tar.gz", tmp_path / "to")
    assert seen(tmp_path / "to") == {}


def test_an_archive_that_could_not_be_finished_is_not_there(tmp_path: Path):
    (tmp_path / "from").mkdir()
    (tmp_path / "from" / "a").write_bytes(os.urandom(5000))
    made = tmp_path / "full" / "a.tar.gz"
    made.parent.mkdir()
    script = (
        "import resource, signal, sys; from pathlib import Path;"
        "from studio.container import archive;"
        "signal.signal(signal.SIGXFSZ, signal.SIG_IGN);"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (1000, 1000));"
        "archive.pack(Path(sys.argv[1]), Path(sys.argv[2]))"
    )
    done = subprocess.run(
        [sys.executable, "-c", script, tmp_path / "from", made], capture_output=True, check=False
    )
    assert b"File too large" in done.stderr
    assert not made.exists()

"""Archives that somebody else made: unpacked whole or refused with nothing left anywhere."""

import gzip
import io
import os
import subprocess
import sys
import tarfile
import time
import zlib
from pathlib import Path

import pytest
from waiting import PATIENCE_SECONDS

from studio.container import archive
from studio.container.archive import UnsafeArchive


def file(name: str, data: bytes = b"x", **fields) -> tuple[tarfile.TarInfo, bytes]:
    info = tarfile.TarInfo(name)
    info.size = len(data)
    for field, value in fields.items():
        setattr(info, field, value)
    return info, data


def other(name: str, kind: bytes, link: str = "") -> tuple[tarfile.TarInfo, bytes]:
    info = tarfile.TarInfo(name)
    info.type, info.linkname = kind, link
    return info, b""


def tar_of(*members: tuple[tarfile.TarInfo, bytes], style: int = tarfile.PAX_FORMAT) -> bytes:
    raw = io.BytesIO()
    with tarfile.open(fileobj=raw, mode="w", format=style) as tar:
        for info, data in members:
            tar.addfile(info, io.BytesIO(data) if info.isreg() else None)
    return raw.getvalue()


class Yard:
    """An archive, the folder it is unpacked in, and what lies around that folder."""

    def __init__(self, root: Path) -> None:
        self.source = root / "model.tar.gz"
        self.target = root / "inner" / "model"
        self.target.parent.mkdir()
        (root / "canary").write_text("untouched")
        self._root = root

    def unpack(self, tar: bytes, packed: bool = True) -> None:
        self.source.write_bytes(gzip.compress(tar, 1, mtime=0) if packed else tar)
        archive.unpack(self.source, self.target)

    def refuses(self, tar: bytes, said: str, packed: bool = True) -> None:
        with pytest.raises(UnsafeArchive, match=said):
            self.unpack(tar, packed)
        self.assert_clean()

    def assert_clean(self) -> None:
        assert list(self.target.iterdir()) == []
        assert (self._root / "canary").read_text() == "untouched"
        assert sorted(it.name for it in self._root.iterdir()) == ["canary", "inner", "model.tar.gz"]
        assert [it.name for it in self.target.parent.iterdir()] == ["model"]


@pytest.fixture
def yard(tmp_path: Path) -> Yard:
    return Yard(tmp_path)


@pytest.mark.parametrize(
    "name",
    ["../x", "../../canary", "/etc/x", "a/../../x", "..", "a/..", "..\\x", "a\\b", "//x", "./../x"],
)
def test_a21_names_that_lead_elsewhere(yard: Yard, name: str):
    yard.refuses(tar_of(file("good"), file(name)), "unsafe archive member .*its name leads")


def test_a21_a_null_byte_in_a_name(yard: Yard):
    info, data = file("x")
    info.pax_headers = {"path": "a\0b"}
    yard.refuses(tar_of(file("good"), (info, data)), "unsafe archive member .*its name leads")


def test_a21_names_that_are_too_long_or_too_deep(yard: Yard):
    yard.refuses(tar_of(file("good"), file("/".join(["n" * 200] * 6))), "its name leads elsewhere")
    yard.refuses(tar_of(file("n" * 256)), "its name is too long")
    yard.refuses(tar_of(file("/".join("d" * 33))), "too many folders")


def test_the_deepest_and_longest_names_that_pass(yard: Yard):
    deep, long = "/".join("d" * 32), "/".join(["n" * 250] * 4)
    yard.unpack(tar_of(file(deep, b"deep"), file(long, b"long")))
    assert (yard.target / deep).read_bytes() == b"deep"
    assert (yard.target / long).read_bytes() == b"long"


@pytest.mark.parametrize(
    ("kind", "link"),
    [
        (tarfile.SYMTYPE, "/etc/passwd"),
        (tarfile.SYMTYPE, "good"),
        (tarfile.LNKTYPE, "/etc/passwd"),
        (tarfile.LNKTYPE, "good"),
        (tarfile.CHRTYPE, ""),
        (tarfile.BLKTYPE, ""),
        (tarfile.FIFOTYPE, ""),
        (b"Z", ""),
    ],
)
def test_a22_a23_members_that_are_neither_files_nor_folders(yard: Yard, kind: bytes, link: str):
    members = [file("good"), other("odd", kind, link), file("odd/x")]
    yard.refuses(tar_of(*members), "unsafe archive member 'odd': neither a file nor a folder")


def test_a22_the_chain_of_links_that_escapes_from_tarfile(yard: Yard, tmp_path: Path):
    """CVE-2025-4517: links so deep that realpath() gives up before it sees where they lead."""
    component, members, path = "d" * 247, [], ""
    for step in "abcdefghijklmnop":
        members.append(other(f"{path}{component}", tarfile.DIRTYPE))
        members.append(other(f"{path}{step}", tarfile.SYMTYPE, component))
        path += f"{step}/"
    members.append(other(f"{path}{'l' * 254}", tarfile.SYMTYPE, "../" * 16))
    members.append(other("escape", tarfile.SYMTYPE, f"{path}{'l' * 254}/../../../canary"))
    members.append(file("escape", b"overwritten"))
    yard.refuses(tar_of(*members), "neither a file nor a folder")


def test_a22_a_link_that_was_there_before_is_not_followed(yard: Yard, tmp_path: Path):
    yard.target.mkdir()
    (yard.target / "sub").symlink_to(tmp_path)
    with pytest.raises(UnsafeArchive, match="a clash"):
        yard.unpack(tar_of(file("sub/new", b"outside")))
    yard.assert_clean()


def test_a23_sparse_files_of_every_kind(yard: Yard):
    yard.refuses(tar_of(other("s", tarfile.GNUTYPE_SPARSE)), "its size is not plain")
    for headers in (
        {"GNU.sparse.map": "0,1"},
        {"GNU.sparse.size": "5", "GNU.sparse.major": "0", "GNU.sparse.offset": "0"},
        {"GNU.sparse.major": "1", "GNU.sparse.minor": "0", "GNU.sparse.realsize": "9"},
    ):
        info, data = file("s", b"1\n0\n1\n")
        info.pax_headers = headers
        with pytest.raises(UnsafeArchive):
            yard.unpack(tar_of(file("good"), (info, data)))
        yard.assert_clean()


def test_a23_rights_and_owners_of_an_archive_mean_nothing(yard: Yard):
    members = [
        file("program", mode=0o6777, uid=12345, gid=12345, uname="root"),
        file("folder/hidden", mode=0o000),
        (other("folder", tarfile.DIRTYPE)[0], b""),
    ]
    yard.unpack(tar_of(*members))
    mask = os.umask(0)
    os.umask(mask)
    found = (yard.target / "program").stat()
    assert found.st_mode & 0o7777 == 0o644 & ~mask
    assert found.st_uid == os.geteuid()
    assert (yard.target / "folder").stat().st_mode & 0o7777 == 0o755 & ~mask
    assert (yard.target / "folder/hidden").read_bytes() == b"x"


@pytest.mark.parametrize(
    "names",
    [
        ("a", "a"),
        ("a", "./a"),
        ("a/b", "a//b"),
        ("Model", "model"),
        ("Dir/x", "dir/y"),
        ("caf\u00e9", "cafe\u0301"),
        ("stra\u00dfe", "STRASSE"),
        ("x", "x/y"),
        ("x/y", "x"),
    ],
)
def test_a24_names_that_are_there_twice(yard: Yard, names: tuple[str, str]):
    with pytest.raises(UnsafeArchive, match=r"it is there twice|a clash"):
        yard.unpack(tar_of(*(file(name) for name in names)))
    yard.assert_clean()


def test_folders_may_be_named_again(yard: Yard):
    folder = other("a", tarfile.DIRTYPE)
    yard.unpack(tar_of(other(".", tarfile.DIRTYPE), folder, file("a/x"), folder, file("a/y")))
    assert sorted(it.name for it in (yard.target / "a").iterdir()) == ["x", "y"]


def test_a25_a_bomb_by_ratio(yard: Yard):
    began = time.monotonic()
    yard.refuses(tar_of(file("zeros", bytes(65 * 2**20))), "more than 200 times its size")
    yard.refuses(tar_of(*(file(f"{n}", bytes(2**20)) for n in range(65))), "more than 200 times")
    assert time.monotonic() - began < 60


def test_a_small_archive_may_have_any_ratio(yard: Yard):
    yard.unpack(tar_of(file("zeros", bytes(20 * 2**20))))
    assert (yard.target / "zeros").stat().st_size == 20 * 2**20


def test_a25_too_many_members(yard: Yard):
    members = [file(f"{number}", b"") for number in range(10_001)]
    yard.refuses(tar_of(*members, style=tarfile.USTAR_FORMAT), "more than 10000 members")


def test_more_than_the_disk_holds(yard: Yard):
    header = tarfile.TarInfo("huge")
    header.size = 2**60
    yard.refuses(header.tobuf(tarfile.GNU_FORMAT) + bytes(1024), "no space left on the disk")


def test_a26_sizes_below_zero(yard: Yard):
    header = tarfile.TarInfo("less")
    header.size = -512
    yard.refuses(header.tobuf(tarfile.GNU_FORMAT) + bytes(1024), "its size is not plain|unreadable")
    info, data = file("less")
    info.pax_headers = {"size": "-5"}
    with pytest.raises(UnsafeArchive):
        yard.unpack(tar_of((info, data)))
    yard.assert_clean()


def pax_header(size: int) -> bytes:
    info = tarfile.TarInfo("PaxHeader")
    info.type, info.size = tarfile.XHDTYPE, size
    return info.tobuf(tarfile.USTAR_FORMAT)


def nested_headers(count: int) -> bytes:
    record = b"12 path=abc\n"
    return (pax_header(len(record)) + record.ljust(512, b"\0")) * count


def long_name(size: int) -> bytes:
    info = tarfile.TarInfo("././@LongLink")
    info.type, info.size = tarfile.GNUTYPE_LONGNAME, size
    return info.tobuf(tarfile.GNU_FORMAT)


def endless(header: bytes, megabytes: int) -> bytes:
    """`header` and then zeros, compressed without holding them."""
    packer = zlib.compressobj(1, zlib.DEFLATED, 31)
    parts = [packer.compress(header)]
    parts += [packer.compress(bytes(2**20)) for _ in range(megabytes)]
    return b"".join([*parts, packer.flush()])


_MEASURED = """
import resource, sys
from pathlib import Path
from studio.container import archive
before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
try:
    archive.unpack(Path(sys.argv[1]), Path(sys.argv[2]))
except archive.UnsafeArchive as error:
    print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before, error)
"""


@pytest.mark.parametrize(
    ("header", "megabytes"),
    [
        pytest.param(pax_header(100 * 2**20), 100, id="pax header of 100 MiB"),
        pytest.param(long_name(100 * 2**20), 100, id="name of 100 MiB"),
        pytest.param(nested_headers(3_000), 1, id="headers of headers"),
        pytest.param(tar_of(file("a"))[:-512], 200, id="zeros without end"),
        pytest.param(tarfile.TarInfo("s").tobuf()[:156] + b"S" + bytes(100), 1, id="broken sparse"),
    ],
)
def test_a25_hostile_headers_take_little_memory(yard: Yard, header: bytes, megabytes: int):
    yard.source.write_bytes(endless(header, megabytes))
    done = subprocess.run(
        [sys.executable, "-c", _MEASURED, yard.source, yard.target],
        capture_output=True,
        text=True,
        check=True,
        timeout=PATIENCE_SECONDS,
    )
    kilobytes, _, said = done.stdout.partition(" ")
    assert int(kilobytes) < 64 * 1024, done.stdout
    assert "unsafe archive" in said or "unreadable" in said
    yard.assert_clean()


GOOD = tar_of(file("a", os.urandom(5000)), file("b", os.urandom(5000)))


@pytest.mark.parametrize(
    "content",
    [
        pytest.param(b"", id="empty"),
        pytest.param(b"\x1f\x8b", id="two bytes"),
        pytest.param(b"hello world" * 100, id="not a tar"),
        pytest.param(gzip.compress(b""), id="nothing, packed"),
        pytest.param(gzip.compress(b"hello world" * 100), id="packed, not a tar"),
        pytest.param(gzip.compress(GOOD)[:-4], id="length missing"),
        pytest.param(gzip.compress(GOOD)[:-2000], id="cut in a member"),
        pytest.param(gzip.compress(GOOD)[:-8] + bytes(8), id="wrong sum"),
        pytest.param(gzip.compress(GOOD[:7000]), id="tar cut in a member"),
        pytest.param(gzip.compress(GOOD[:5632]), id="tar cut between members"),
        pytest.param(GOOD[:5632], id="plain tar cut between members"),
        pytest.param(gzip.compress(GOOD[:5632] + b"?" * 512 + GOOD[6144:]), id="broken header"),
        pytest.param(gzip.compress(gzip.compress(GOOD)), id="packed twice"),
    ],
)
def test_a26_what_cannot_be_read_to_its_end(yard: Yard, content: bytes):
    yard.refuses(content, "model archive unreadable", packed=False)


def test_flipped_bytes_never_pass_silently(yard: Yard):
    packed = bytearray(gzip.compress(GOOD, mtime=0))
    for place in range(10, len(packed), len(packed) // 25):
        packed[place] ^= 0x55
        yard.source.write_bytes(packed)
        with pytest.raises(UnsafeArchive):
            archive.unpack(yard.source, yard.target)
        yard.assert_clean()
        packed[place] ^= 0x55


def test_a27_an_archive_that_is_replaced_while_it_is_unpacked(yard: Yard):
    """What is looked at and what is written come from one reading of one file."""
    yard.source.write_bytes(gzip.compress(GOOD))

    def replace() -> None:
        other = yard.source.with_name("other")
        other.write_bytes(gzip.compress(tar_of(file("evil"), file("../x"))))
        other.replace(yard.source)

    archive.unpack(yard.source, yard.target, check=replace)
    assert sorted(it.name for it in yard.target.iterdir()) == ["a", "b"]


def test_a25_archives_in_archives_stay_files(yard: Yard):
    inner = gzip.compress(tar_of(file("../x")))
    yard.unpack(tar_of(file("inner.tar.gz", inner)))
    assert [it.name for it in yard.target.iterdir()] == ["inner.tar.gz"]


@pytest.mark.parametrize("style", [tarfile.USTAR_FORMAT, tarfile.GNU_FORMAT, tarfile.PAX_FORMAT])
@pytest.mark.parametrize("packed", [True, False])
def test_every_format_of_tar(yard: Yard, style: int, packed: bool):
    name = "folder/" + "n" * 90 + "/" + "f" * 40
    yard.unpack(tar_of(file(name, b"data"), style=style), packed)
    assert (yard.target / name).read_bytes() == b"data"


def test_unpacking_ends_when_it_is_told_to(yard: Yard):
    class Enough(Exception):
        pass

    def check() -> None:
        raise Enough

    yard.source.write_bytes(gzip.compress(GOOD))
    with pytest.raises(Enough):
        archive.unpack(yard.source, yard.target, check=check)
    yard.assert_clean()

"""What is installed in an environment: read from its files, known until something changes."""

from pathlib import Path

import pytest

from studio.runners import environments, hardware


@pytest.fixture(name="prefix")
def prefix_fixture(tmp_path: Path) -> Path:
    """An environment with one package, and the installation behind it with another."""
    base, prefix = tmp_path / "base", tmp_path / "prefix"
    for folder in (base, prefix):
        (folder / "bin").mkdir(parents=True)
        (folder / "bin/python3").write_text("#!/bin/sh\n")
        (folder / "bin/python3").chmod(0o755)
        (folder / "lib/python3.12/site-packages").mkdir(parents=True)
    (base / "lib/python3.12/os.py").touch()
    (base / "lib/python3.12/site-packages/behind-2.0.dist-info").mkdir()
    (prefix / "lib/python3.12/site-packages/In_Front-1.0.post1.dist-info").mkdir()
    (prefix / "pyvenv.cfg").write_text(f"home = {base}/bin\n")
    return prefix


def packages(prefix: Path) -> dict[str, str]:
    found = environments.of(str(prefix / "bin/python3"))
    assert found["PackageCount"] == len(found["Packages"])
    return {each["Name"]: each["Version"] for each in found["Packages"]}


def test_packages_of_a_virtual_environment(prefix):
    found = environments.of(str(prefix / "bin/python3"))
    assert found["Version"] == "3.12"
    assert packages(prefix) == {"in-front": "1.0.post1"}
    (prefix / "pyvenv.cfg").write_text(
        f"home = {prefix.parent}/base/bin\ninclude-system-site-packages = true\n"
    )
    assert packages(prefix) == {"in-front": "1.0.post1", "behind": "2.0"}


def test_what_files_of_paths_add_is_seen(prefix, tmp_path):
    (tmp_path / "mine/worked_on-0.2.egg-info").mkdir(parents=True)
    site = prefix / "lib/python3.12/site-packages"
    (site / "mine.pth").write_text(f"import os\n{tmp_path}/mine\n/no/such/folder\n\0\n")
    assert packages(prefix) == {"in-front": "1.0.post1", "worked-on": "0.2"}


def test_what_is_installed_later_and_by_conda_is_seen(prefix):
    packages(prefix)
    (prefix / "lib/python3.12/site-packages/later-3.dist-info").mkdir()
    (prefix / "conda-meta").mkdir()
    (prefix / "conda-meta/libzip-tool-1.2-h123_0.json").touch()
    assert packages(prefix) == {"in-front": "1.0.post1", "later": "3", "libzip-tool": "1.2"}


def test_what_a_program_installed_for_its_user(tmp_path):
    site = tmp_path / ".local/lib/python3.12/site-packages"
    (site / "Fresh_One-0.1.dist-info").mkdir(parents=True)
    (site / "fresh_one").mkdir()
    assert environments.added(tmp_path) == [{"Name": "fresh-one", "Version": "0.1"}]
    site.rename(tmp_path / "elsewhere")
    site.symlink_to(tmp_path / "elsewhere")
    assert environments.added(tmp_path) == []
    assert environments.added(tmp_path / "nowhere") == []


def test_studios_own_environment_and_its_machine():
    names = {each["Name"] for each in environments.of("")["Packages"]}
    assert {"sqlalchemy", "tornado"} <= names
    machine = hardware.of_machine()
    assert machine["Cores"] >= 1
    assert machine["MemoryInMB"] > 100

"""What a suite is: `NAME.toml`, read and checked.

    title = "moto's tests of S3"       # for the page
    package = "moto"                    # whose source distribution on PyPI holds the tests
    version = "5.2.5"
    sha256 = "..."                      # of that source distribution
    install = ["moto[server]==5.2.5"]   # into the virtual environment; pytest comes by itself
    tests = ["tests/test_s3"]           # what pytest collects, relative to the source
    adapter = "moto"                    # module below `inside/`, a plugin of pytest; optional
    arguments = ["-m", "not slow"]      # more of pytest's; optional
    [studio]                            # settings of the Studio that is started; optional
    account = "123456789012"
    [environment]                       # variables for the tests; optional
    TEST_SERVER_MODE = "true"
    [[out]]                             # tests that must fail, and why
    reason = "Object lock is out: the owner of the disk can always delete."
    tests = ["tests/test_s3/test_s3_lock.py"]

A line below `out` names a test as pytest does, or all that begin with it: a file, a class, a test
with any parameters. `reason` is one sentence that the page repeats.
"""

import tomllib
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

FOLDER = Path(__file__).parent


@dataclass(frozen=True)
class Out:
    reason: str
    tests: list[str]

    def names(self, test: str) -> bool:
        return any(_begins(test, name) for name in self.tests)


@dataclass(frozen=True)
class Suite:
    name: str
    title: str
    package: str
    version: str
    sha256: str
    install: list[str]
    tests: list[str]
    adapter: str = ""
    arguments: list[str] = field(default_factory=list)
    studio: dict[str, str] = field(default_factory=dict)
    environment: dict[str, str] = field(default_factory=dict)
    out: list[Out] = field(default_factory=list)

    def reason(self, test: str) -> str:
        """Why `test` must fail; "" for one that must pass."""
        return next((out.reason for out in self.out if out.names(test)), "")


def names() -> list[str]:
    """Every suite there is, sorted."""
    return sorted(path.stem for path in FOLDER.glob("*.toml"))


def load(name: str) -> Suite:
    """Raises TypeError for an unknown or missing entry, FileNotFoundError for an unknown suite."""
    values: dict[str, Any] = tomllib.loads((FOLDER / f"{name}.toml").read_text())
    values["out"] = [Out(**entry) for entry in values.get("out", [])]
    return Suite(name, **values)


def _begins(test: str, name: str) -> bool:
    return test == name or test.startswith((f"{name}[", f"{name}::", f"{name}/"))

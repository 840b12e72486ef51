"""The page on S3 names just the operations that the gateway serves; its example runs."""

import re
from pathlib import Path
from typing import Any

from studio.api import compatibility
from studio.wire import models

PAGE = (Path(__file__).parents[2] / "docs" / "reference" / "s3.md").read_text()


def test_every_operation_is_named() -> None:
    rows = re.findall(r"^\| ([A-Z]\w+(?:, \w+)*) \| .+ \|$", PAGE, re.MULTILINE)
    named = [name for row in rows for name in row.split(", ")]
    known = models.service_model("s3").operation_names
    operations = [name for name in named if name in known]
    served = [name for name in known if compatibility.gateway_serves(name)]
    assert sorted(operations) == sorted(served)


def test_the_example(s3: Any) -> None:
    [code] = re.findall(r"```python\n(.*?)```", PAGE, re.DOTALL)
    lines = code.strip().splitlines()
    found: dict[str, Any] = {"s3": s3}
    exec("\n".join(lines[:-1]), found)  # our own page
    assert eval(lines[-1].partition("#")[0], found) == b"1"

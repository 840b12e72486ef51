"""botocore's tests need no more than Studio's variables; they only wait less.

They wait for a store that is consistent eventually; Studio's is so at once.
"""

import pytest


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        test = getattr(item, "cls", None)
        if hasattr(test, "DEFAULT_DELAY"):
            test.DEFAULT_DELAY = 0
        item.module.time.sleep = lambda seconds: None

"""Fixtures: `router` (a real process on an empty home), `model` (one model server),
`start_router`, `start_model` (as many as a test wants), `sign` in serving_support.
"""

from collections.abc import Callable, Iterator

import pytest
from serving_support import Model, Router


@pytest.fixture
def start_router(tmp_path) -> Iterator[Callable[..., Router]]:
    routers: list[Router] = []

    def start(*options: str) -> Router:
        routers.append(Router(tmp_path / "home", options))
        return routers[-1]

    yield start
    for router in routers:
        router.stop()


@pytest.fixture
def start_model(tmp_path) -> Iterator[Callable[..., Model]]:
    models: list[Model] = []

    def start(name: str = "one", port: int = 0) -> Model:
        models.append(Model(name, tmp_path / f"journal-{name}", port))
        return models[-1]

    yield start
    for model in models:
        model.stop()


@pytest.fixture
def model(start_model) -> Model:
    return start_model()


@pytest.fixture
def router(start_router, model) -> Router:
    """A router with one endpoint `echo`, one variant `AllTraffic`, one server."""
    router = start_router()
    router.write({"echo": [("AllTraffic", 1.0, [model.address])]})
    return router

"""Fixtures: `router` (a real process on an empty home), `model` (one model server),
`start_router`, `start_model` (as many as a test wants), `sign` in serving_support.

A module whose tests harm neither says ONE_FOR_ALL = True: they have one router and one model.
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


@pytest.fixture(scope="module")
def lasting(tmp_path_factory) -> Iterator[tuple[Router, Model]]:
    folder = tmp_path_factory.mktemp("lasting")
    router, model = Router(folder / "home"), Model("one", folder / "journal")
    yield router, model
    router.stop()
    model.stop()


@pytest.fixture
def model(request) -> Model:
    if not _one_for_all(request):
        return request.getfixturevalue("start_model")()
    model = request.getfixturevalue("lasting")[1]
    model.journal.unlink(missing_ok=True)
    return model


@pytest.fixture
def router(request, model) -> Router:
    """A router with one endpoint `echo`, one variant `AllTraffic`, one server."""
    if _one_for_all(request):
        router = request.getfixturevalue("lasting")[0]
    else:
        router = request.getfixturevalue("start_router")()
    router.write({"echo": [("AllTraffic", 1.0, [model.address])]})
    return router


def _one_for_all(request: pytest.FixtureRequest) -> bool:
    return getattr(request.module, "ONE_FOR_ALL", False)

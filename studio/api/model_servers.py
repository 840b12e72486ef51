"""The run of a model server: what a container of a model needs, whoever sends it requests."""

from studio.api import images, models, multi_models, scripts
from studio.container import layout
from studio.db.resources import Doc
from studio.reconcile.steps import Rejected
from studio.runners.base import Network, RunSpec, Server, Transfer
from studio.s3.client import Storage
from studio.settings import Settings

HEALTH_SECONDS = 240.0
"""From the start of a server to its first answer to /ping."""


def spec(
    settings: Settings, run_id: str, model: Doc, container: Doc, storage: Storage, seconds: float
) -> RunSpec:
    """Of the run `run_id`, healthy within `seconds`. Raises Rejected, StudioError."""
    several = multi_models.several(container)
    program = images.served(settings, container)
    python = images.interpreter(settings, program, container.get("Environment", {}))
    return RunSpec(
        id=run_id,
        command=(*program.entrypoint, "serve"),
        env=layout.serving_env(container, settings.region, several),
        folders=(*layout.SERVING_FOLDERS, *(("models",) if several else ())),
        # Nothing of a model may lead whoever unpacks the next one elsewhere.
        linked=("models",) if several else (),
        archives=(
            *(() if several else _archives(container, storage)),
            *scripts.of_server(program, container, storage),
        ),
        stop_seconds=settings.server_stop_seconds,
        server=Server(health_seconds=seconds),
        network=Network(isolated=model.get("EnableNetworkIsolation", False)),
        image=program.container,
        image_program=not program.entrypoint,
        python=python,
    )


def _archives(container: Doc, storage: Storage) -> tuple[Transfer, ...]:
    location = models.artifact(container)
    if location is None:
        return ()
    bucket, key = location
    found = storage.head(bucket, key)
    if found is None:
        raise Rejected(f"ClientError: Could not find model data at s3://{bucket}/{key}.")
    if said := models.changed(container, found.etag):
        raise Rejected(f"ClientError: {said}")
    link, url = storage.source(found)
    return (Transfer(path="model", size=found.size, link=link, url=url),)

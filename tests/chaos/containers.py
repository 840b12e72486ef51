"""Experiments anew, with jobs in containers of a real engine."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import docker_engine
import pytest
from chaos import clocks, databases, full_disks, house, kills, lines
from chaos.outcome import Experiment, Report


def _anew(experiment: Callable[..., Report], **fewer: Any) -> Experiment:
    """With `fewer` jobs, for each container costs a machine more than a process does."""

    def contained(repeats: int, seed: int) -> Report:
        try:
            with docker_engine.running() as engine:
                house.SETTINGS.update(docker_host=engine.host, images=f"python*={engine.base()}")
                report = experiment(repeats, seed, **fewer)
                wrong = (*report.broken, *_left(engine))
        except pytest.skip.Exception as error:
            return Report(experiment.__name__, "", 0, seed, skipped=str(error))
        finally:
            house.SETTINGS.clear()
        return replace(report, name=f"{report.name}, in containers", broken=wrong)

    return contained


def _left(engine: docker_engine.DockerEngine) -> list[str]:
    """What homes that are no more have left with the engine."""
    found = engine.api.call("GET", "/containers/json", {"all": "true"})
    names = [name for each in found for name in each["Names"]]
    names += [it["Name"] for it in engine.api.call("GET", "/networks")]
    return [f"{each} is left" for each in names if "studio-" in each]


under_load = _anew(kills.under_load, jobs=6, seconds=12)
survive = _anew(lines.survive, jobs=3, lines=20_000)
limits, jumps = _anew(clocks.limits), _anew(clocks.jumps)
outages = _anew(databases.outages)
home, others = _anew(full_disks.home), _anew(full_disks.others)

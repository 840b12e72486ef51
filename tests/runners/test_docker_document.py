"""What the engine is asked for, and what is weak about one: of engines that are not here."""

from pathlib import Path
from typing import Any

import pytest

from studio.runners.base import Network, Resources, RunSpec
from studio.runners.docker import document, engines
from studio.runners.docker.engines import Machine

NVIDIA = {"Runtimes": {"nvidia": {}}}
OPTIONS = {"root": "read-only", "hook": "/hook", "user": [0, 0]}


def body(
    info: dict[str, Any], image: dict[str, Any] | None = None, **fields: Any
) -> dict[str, Any]:
    spec = RunSpec(id="run", command=("train",), image="mine", **fields).document()
    known = {"Id": "sha256:1", "Config": image or {}}
    given = {**spec, "engine": OPTIONS, "home": "/home"}
    return document.container(given, Path("/runs/run"), known, info, [])


def test_gpus_are_handed_on_by_their_ids_and_by_what_the_engine_has():
    some = Resources(1, 0, 2, 0, ("GPU-1", "GPU-2"))
    asked = body(NVIDIA, resources=some)["HostConfig"]["DeviceRequests"]
    assert asked == [{"DeviceIDs": ["GPU-1", "GPU-2"], "Capabilities": [["gpu"]]}]
    cdi = {"DiscoveredDevices": [{"Source": "cdi", "ID": "nvidia.com/gpu=GPU-1"}]}
    asked = body(cdi, resources=some)["HostConfig"]["DeviceRequests"]
    names = ["nvidia.com/gpu=GPU-1", "nvidia.com/gpu=GPU-2"]
    assert asked == [{"Driver": "cdi", "DeviceIDs": names}]
    with pytest.raises(ValueError, match="NVIDIA Container Toolkit"):
        body({}, resources=some)


def test_a63_an_image_cannot_load_code_into_what_hands_gpus_on():
    preloaded = {"Env": ["LD_PRELOAD=/evil.so", "LD_AUDIT=/evil.so", "PATH=/bin"]}
    env = body(NVIDIA, preloaded, resources=Resources(1, 0, 1))["Env"]
    assert {"LD_PRELOAD=", "LD_AUDIT="} <= set(env)
    assert not any("evil" in each for each in env)
    assert not any("LD_" in each for each in body(NVIDIA, preloaded)["Env"])  # no GPU, its own


def test_hosts_have_names_on_the_network_of_their_job_alone():
    names = (("algo-1", "127.1.0.1"), ("algo-2", "127.1.0.2"))
    made = body({}, network=Network("algo-2", names, job="job"))
    assert made["HostConfig"]["NetworkMode"] == "studio-job"
    assert made["NetworkingConfig"]["EndpointsConfig"]["studio-job"] == {"Aliases": ["algo-2"]}
    alone = body({}, network=Network("algo-1", names[:1], job="job"))
    apart = document.apart("/home")
    assert alone["NetworkingConfig"]["EndpointsConfig"] == {apart: {"Aliases": []}}
    assert body({}, network=Network("algo-1", isolated=True))["NetworkingConfig"] == {}


def test_a63_what_is_weak_about_an_engine_is_said_with_the_way_out():
    def engine(runc: str) -> dict[str, Any]:
        return {"Components": [{"Name": "runc", "Version": runc}]}

    good = {"CgroupVersion": "2", "InitBinary": "docker-init", **NVIDIA}
    toolkit = "NVIDIA Container Toolkit CLI version "
    for runc in ("1.2.8", "1.3.3", "1.4.0", "2.0.0"):
        assert engines.weaknesses(engine(runc), good, Machine(True, toolkit + "1.17.8")) == []
    for runc in ("1.1.15", "1.2.7", "1.3.2"):
        ((what, way),) = engines.weaknesses(engine(runc), good, Machine())
        assert f"runc {runc}" in what
        assert "1.2.8, 1.3.3" in way
    bad = {"CgroupVersion": "1"}
    old = Machine(True, toolkit + "1.17.7\ncommit: 1", bridges_filtered=False)
    found = engines.weaknesses(engine("1.3.3"), bad, old)
    assert [what.split(" (")[0] for what, _ in found] == [
        "cgroup v1",
        "no docker-init",
        "no br_netfilter in the kernel: unless the engine loads it, no container starts",
        "NVIDIA Container Toolkit 1.17.7 runs code of images",
        "GPUs of this machine cannot be given to containers",
    ]

"""What the engine is told to make of a run: a container with nothing that the run does not need.

Pure: of the run's spec, of what the engine says of the image and of itself.
"""

import hashlib
from pathlib import Path
from typing import Any

Doc = dict[str, Any]

WRITABLE = "STUDIO_CONTAINER_ROOT"
"""Variable of a run or of an image: `writable` or `read-only`, stronger than the setting."""
HOOK = "/opt/studio/hook"
SERVER_PORT = 8080
_PIDS = 8_192
_ROOTS_OWN = ("CHOWN", "DAC_OVERRIDE", "FOWNER", "SETGID", "SETUID")
"""What root needs among files and users of its own container, as nginx does to leave root."""
_PRELOADED = ("LD_PRELOAD", "LD_AUDIT")
_THREADS = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")


def name(run_id: str) -> str:
    """Of the container of a run: there can be one only."""
    return f"studio-{run_id}"


def network(spec: Doc) -> str:
    """Of the network that the run is on: the one of its job where that has several hosts, else the
    one on which no container reaches another; "" for a run without a network."""
    if spec["network"]["isolated"]:
        return ""
    if len(spec["network"]["names"]) > 1:
        return f"studio-{spec['network']['job'] or spec['id']}"
    return apart(spec["home"])


def apart(home: str) -> str:
    """Of the network of all containers of a home that have nobody to talk to."""
    return f"studio-{hashlib.sha256(home.encode()).hexdigest()[:12]}"


def container(spec: Doc, folder: Path, image: Doc, info: Doc, read_only: list[str]) -> Doc:
    """The body of the request that creates the container of the run in `folder`.

    Raises ValueError, with a sentence, for GPUs that this engine cannot hand on.
    """
    own = image.get("Config") or {}
    user = _user(spec, own, info)
    made: Doc = {
        "Image": image["Id"],
        "Hostname": spec["network"]["host"],
        "User": user,
        "Env": [f"{key}={value}" for key, value in variables(spec, image).items()],
        "Labels": labels(spec),
        "AttachStdin": False,
        "OpenStdin": False,
        "Tty": False,
        "StopSignal": "SIGTERM",
        "Healthcheck": {"Test": ["NONE"]},
        "HostConfig": _host(spec, folder, image, info, read_only)
        | {"CapAdd": list(_ROOTS_OWN) if is_root(user) else []},
        "NetworkingConfig": _networking(spec),
        **_command(spec),
    }
    if spec["server"] and rootless(info):
        made["ExposedPorts"] = {f"{SERVER_PORT}/tcp": {}}
    return made


def program(spec: Doc, image: Doc) -> list[str]:
    """What the container runs, in full."""
    own = (image.get("Config") or {}).get("Entrypoint") or []
    return [*own, *spec["command"]] if spec["image_program"] else list(spec["command"])


def variables(spec: Doc, image: Doc) -> dict[str, str]:
    """What the run's program finds in its environment beside what the image says."""
    return _environment(spec, _given(image))


def writable(spec: Doc, image: Doc) -> bool:
    """Whether the container may write to its root."""
    chosen = {**_given(image), **spec["env"]}.get(WRITABLE, spec["engine"]["root"])
    return bool(chosen == "writable")


def labels(spec: Doc) -> dict[str, str]:
    """By which containers and networks are found again."""
    return {"studio.home": spec["home"], "studio.run": spec["id"]}


def rootless(info: Doc) -> bool:
    """Whether the engine runs without root's rights, in a network of its own."""
    return any("rootless" in str(each) for each in info.get("SecurityOptions") or [])


def _command(spec: Doc) -> Doc:
    if spec["image_program"]:
        return {"Cmd": spec["command"]}
    return {"Entrypoint": spec["command"], "Cmd": []}


def _host(spec: Doc, folder: Path, image: Doc, info: Doc, read_only: list[str]) -> Doc:
    resources = spec["resources"]
    memory = resources["memory_mb"] * 2**20
    return {
        "NetworkMode": network(spec) or "none",
        "Binds": [
            f"{folder}/ml:/opt/ml",
            *(f"{folder}/ml/{each}:/opt/ml/{each}:ro" for each in read_only),
            f"{folder}/tmp:/tmp",
            f"{folder}/tmp:/var/tmp",
            f"{spec['engine']['hook']}:{HOOK}:ro",
        ],
        "Tmpfs": {"/run": "rw,nosuid,nodev,size=64m"},
        "ReadonlyRootfs": not writable(spec, image),
        "CapDrop": ["ALL"],
        "SecurityOpt": ["no-new-privileges:true"],
        "Privileged": False,
        "Init": bool(info.get("InitBinary")),
        "PidsLimit": _PIDS,
        "Memory": memory,
        "MemorySwap": memory,
        "ShmSize": max(memory // 2, 64 * 2**20),
        # A server takes what is free, as its processes would; a job what it was given.
        "NanoCpus": 0 if spec["server"] else resources["cpus"] * 10**9,
        "OomScoreAdj": 500,
        "RestartPolicy": {"Name": "no"},
        "IpcMode": "private",
        # Keeps every byte as it was said, and all of them until the container is removed.
        "LogConfig": {"Type": "local", "Config": {"max-size": "1t", "compress": "false"}},
        "DeviceRequests": _gpus(resources, info),
        "PortBindings": _published(spec, info),
    }


def _environment(spec: Doc, given: dict[str, str]) -> dict[str, str]:
    """The run's variables over the image's. Those of programs that hand GPUs on are not the
    image's to choose."""
    env: dict[str, str] = dict(spec["env"])
    if not spec["server"]:
        cpus = str(spec["resources"]["cpus"])
        env = {**{each: cpus for each in _THREADS if each not in given}, **env}
    if env.get("PYTHONPATH") == spec["engine"]["hook"]:
        env["PYTHONPATH"] = ":".join([HOOK, *filter(None, [given.get("PYTHONPATH")])])
    if spec["server"]:
        env["SAGEMAKER_BIND_TO_PORT"] = str(SERVER_PORT)
    if spec["resources"]["gpus"]:
        env = {**{each: "" for each in _PRELOADED if each in given}, **env}
    return {**env, "STUDIO_RUN_ID": spec["id"]}


def _networking(spec: Doc) -> Doc:
    joined = network(spec)
    if not joined:
        return {}
    host = spec["network"]["host"]
    # On the network of all, others have the same name: each finds its own in /etc/hosts.
    aliases = [host] if host and joined != apart(spec["home"]) else []
    return {"EndpointsConfig": {joined: {"Aliases": aliases}}}


def _user(spec: Doc, own: Doc, info: Doc) -> str:
    """The image's, as on AWS. Unless the engine is another user's: what the run leaves must be
    the files of whoever owns the home."""
    user: str = own.get("User") or ""
    uid, gid = spec["engine"]["user"]
    return user if uid == 0 or rootless(info) else f"{uid}:{gid}"


def is_root(user: str) -> bool:
    return user.partition(":")[0] in ("", "0", "root")


def _gpus(resources: Doc, info: Doc) -> list[Doc]:
    count, ids = resources["gpus"], [str(each) for each in resources.get("gpu_ids") or ()]
    if not count:
        return []
    devices = info.get("DiscoveredDevices") or []
    if any(str(each.get("ID", "")).startswith("nvidia.com/gpu") for each in devices):
        named = ids or [str(number) for number in range(count)]
        return [{"Driver": "cdi", "DeviceIDs": [f"nvidia.com/gpu={each}" for each in named]}]
    if "nvidia" not in (info.get("Runtimes") or {}):
        raise ValueError(
            "The run needs a GPU, and the Docker engine has none to give: install the NVIDIA "
            "Container Toolkit (1.17.8 or newer), then `nvidia-ctk runtime configure` and restart "
            "the engine."
        )
    wanted: Doc = {"DeviceIDs": ids} if ids else {"Count": count}
    return [{**wanted, "Capabilities": [["gpu"]]}]


def _published(spec: Doc, info: Doc) -> Doc:
    """A rootless engine's networks are not this machine's: there the port is published."""
    if not (spec["server"] and rootless(info)):
        return {}
    return {f"{SERVER_PORT}/tcp": [{"HostIp": "127.0.0.1", "HostPort": ""}]}


def _given(image: Doc) -> dict[str, str]:
    lines = (image.get("Config") or {}).get("Env") or []
    return {key: value for key, _, value in (line.partition("=") for line in lines)}

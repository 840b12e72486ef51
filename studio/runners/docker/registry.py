"""Credentials of registries, from the configuration that `docker login` writes."""

import base64
import json
import subprocess
from pathlib import Path
from typing import Any

Doc = dict[str, Any]

_HUB = "https://index.docker.io/v1/"
_SECONDS = 20.0


def header(image: str, folders: list[str]) -> dict[str, str]:
    """HTTP header with which the engine may pull `image`; empty when nothing is known of its
    registry. The first of `folders` with a `config.json` that knows the registry wins."""
    for folder in folders:
        try:
            config = json.loads((Path(folder) / "config.json").read_bytes())
        except (OSError, ValueError):
            continue
        known = _credentials(config, registry(image))
        if known:
            text = base64.urlsafe_b64encode(json.dumps(known).encode())
            return {"X-Registry-Auth": text.decode()}
    return {}


def registry(image: str) -> str:
    """The registry of an image's reference; Docker Hub's long name for those without one."""
    first, found, _ = image.partition("/")
    named = found and ("." in first or ":" in first or first == "localhost")
    return first if named and first not in ("docker.io", "index.docker.io") else _HUB


def _credentials(config: Doc, name: str) -> Doc | None:
    helper = config.get("credHelpers", {}).get(name) or config.get("credsStore")
    if helper and (found := _asked(str(helper), name)):
        return found
    for key in (name, f"https://{name}", f"https://{name}/v1/", f"https://{name}/v2/"):
        entry = config.get("auths", {}).get(key)
        if entry:
            return _stored(entry, name)
    return None


def _stored(entry: Doc, name: str) -> Doc | None:
    if entry.get("identitytoken"):
        return {"identitytoken": entry["identitytoken"], "serveraddress": name}
    try:
        user, _, password = base64.b64decode(entry.get("auth", "")).decode().partition(":")
    except ValueError:
        return None
    user, password = user or entry.get("username", ""), password or entry.get("password", "")
    return {"username": user, "password": password, "serveraddress": name} if user else None


def _asked(helper: str, name: str) -> Doc | None:
    """What the program `docker-credential-<helper>` says; it is the user's own choice."""
    if not helper.replace("-", "").replace("_", "").isalnum():
        return None
    try:
        done = subprocess.run(
            [f"docker-credential-{helper}", "get"],
            input=name,
            capture_output=True,
            text=True,
            timeout=_SECONDS,
            check=True,
        )
        said = json.loads(done.stdout)
    except (OSError, ValueError, subprocess.SubprocessError):
        return None
    if said.get("Username") == "<token>":
        return {"identitytoken": said["Secret"], "serveraddress": name}
    return {"username": said["Username"], "password": said["Secret"], "serveraddress": name}

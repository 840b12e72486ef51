"""Credentials of registries, as `docker login` and credential helpers leave them."""

import base64
import json
from pathlib import Path
from typing import Any

import pytest

from studio.runners.docker import registry


def known(image: str, *folders: Path) -> dict[str, Any]:
    header = registry.header(image, [str(folder) for folder in folders])
    if not header:
        return {}
    return json.loads(base64.urlsafe_b64decode(header["X-Registry-Auth"]))


def config(folder: Path, **document: Any) -> Path:
    folder.mkdir(exist_ok=True)
    (folder / "config.json").write_text(json.dumps(document))
    return folder


def login(user: str, password: str) -> dict[str, str]:
    return {"auth": base64.b64encode(f"{user}:{password}".encode()).decode()}


def test_the_first_folder_that_knows_the_registry_wins(tmp_path: Path):
    own = config(tmp_path / "own", auths={"r.example:5000": login("own", "a:b")})
    usual = config(
        tmp_path / "usual",
        auths={
            "r.example:5000": login("usual", "x"),
            "https://index.docker.io/v1/": login("hub", "y"),
            "https://t.example": {"identitytoken": "token"},
        },
    )
    found = known("r.example:5000/team/image:1", own, usual)
    assert (found["username"], found["password"]) == ("own", "a:b")
    for image in ("ubuntu", "team/image:1", "docker.io/team/image"):
        assert known(image, own, usual)["username"] == "hub"
    assert known("t.example/image", own, usual)["identitytoken"] == "token"
    assert known("other.example/image", own, usual) == {}
    assert known("r.example/image", tmp_path / "nowhere") == {}


def test_a_credential_helper_is_asked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    helper = tmp_path / "docker-credential-test"
    answer = '{\\"Username\\":\\"u\\",\\"Secret\\":\\"$name\\"}'
    helper.write_text(f'#!/bin/sh\nread name; echo "{answer}"\n')
    helper.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:/usr/bin:/bin")
    folder = config(tmp_path / "own", credHelpers={"r.example": "test"})
    assert known("r.example/image", folder)["password"] == "r.example"
    for evil in ("../test", "test;id", "missing"):
        folder = config(tmp_path / "own", credHelpers={"r.example": evil})
        assert known("r.example/image", folder) == {}

"""Clients that send slowly, or stop: they are cut, and nobody else waits."""

import socket

import pytest
from plane import Plane, running
from signing import message, raw, status, target

from studio.server import app


@pytest.fixture
def hasty(tmp_path, monkeypatch):
    monkeypatch.setattr(app, "_IDLE_SECONDS", 0.5)
    monkeypatch.setattr(app, "_BODY_SECONDS", 0.5)
    with running(tmp_path) as plane:
        yield plane


@pytest.mark.parametrize("part", ["nothing", "head", "body"])
def test_unfinished_requests_are_cut(hasty: Plane, part: str):
    whole = raw(hasty, **target("ListTrainingJobs"))
    begun = {"nothing": b"", "head": whole[:40], "body": whole[:-1]}[part]
    with socket.create_connection(("127.0.0.1", hasty.port), timeout=30) as connection:
        connection.sendall(begun)
        health = message("GET", "/_studio/health", {"Host": f"127.0.0.1:{hasty.port}"})
        assert status(hasty.send(health)) == 200
        assert connection.recv(1000) == b""  # closed; a timeout fails the test


def test_clients_that_leave_early_harm_nobody(hasty: Plane):
    request = raw(hasty, **target("ListTrainingJobs"))
    for size in (10, len(request) // 2, len(request)):
        for _ in range(20):
            with socket.create_connection(("127.0.0.1", hasty.port), timeout=30) as connection:
                connection.sendall(request[:size])
    assert status(hasty.send(raw(hasty, **target("ListTrainingJobs")))) == 200

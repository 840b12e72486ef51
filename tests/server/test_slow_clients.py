"""Clients that send slowly, or stop: they are cut, and nobody else waits."""

import contextlib
import socket
import time

import pytest
from plane import Plane, running
from signing import message, raw, status, target

from studio.s3 import gateway
from studio.server import app

UNSIGNED = {"X_Amz_Content_SHA256": "UNSIGNED-PAYLOAD"}


@pytest.fixture
def hasty(tmp_path, monkeypatch):
    monkeypatch.setattr(app, "_IDLE_SECONDS", 0.5)
    monkeypatch.setattr(app, "_BODY_SECONDS", 0.5)
    with running(tmp_path) as plane:
        yield plane


@pytest.mark.parametrize("part", ["nothing", "head", "body"])
def test_a65_unfinished_requests_are_cut(hasty: Plane, part: str):
    whole = raw(hasty, **target("ListTrainingJobs"))
    begun = {"nothing": b"", "head": whole[:40], "body": whole[:-1]}[part]
    with socket.create_connection(("127.0.0.1", hasty.port), timeout=30) as connection:
        connection.sendall(begun)
        health = message("GET", "/_studio/health", {"Host": f"127.0.0.1:{hasty.port}"})
        assert status(hasty.send(health)) == 200
        said = b""
        while piece := connection.recv(1000):  # until closed; a timeout fails the test
            said += piece
    assert status(said) == {"nothing": 0, "head": 408, "body": 408}[part]


def test_slow_bodies_of_objects_are_cut(hasty: Plane, monkeypatch):
    monkeypatch.setattr(gateway, "_SILENCE_SECONDS", 0.5)
    hasty.client("s3").create_bucket(Bucket="slow")
    for begun in (b"", b"x" * 100, b"x" * (3 << 20)):
        whole = raw(hasty, "PUT", "/slow/k", b"x" * (4 << 20), "s3", **UNSIGNED)
        head, _, _ = whole.partition(b"\r\n\r\n")
        answer = hasty.send(head + b"\r\n\r\n" + begun, seconds=30)
        assert status(answer) == 400
        assert b"<Code>RequestTimeout</Code>" in answer
    assert "Contents" not in hasty.client("s3").list_objects_v2(Bucket="slow")
    assert not list((hasty.home / "s3" / "tmp").iterdir())


def test_a_steady_trickle_is_no_silence(hasty: Plane, monkeypatch):
    monkeypatch.setattr(gateway, "_SILENCE_SECONDS", 1.5)
    hasty.client("s3").create_bucket(Bucket="trickle")
    whole = raw(hasty, "PUT", "/trickle/k", b"x" * 8, "s3", **UNSIGNED)
    with socket.create_connection(("127.0.0.1", hasty.port), timeout=30) as connection:
        connection.sendall(whole[:-8])
        for _ in range(8):
            time.sleep(0.2)
            connection.sendall(b"x")
        assert status(connection.recv(1000)) == 200


def test_a65_many_slow_clients_hold_nobody_up(studio):
    """Five hundred that send one byte; a hundred good requests meanwhile."""
    port = int(studio.url.rpartition(":")[2])
    s3 = studio.client("s3")
    s3.list_buckets()
    with contextlib.ExitStack() as opened:
        for _ in range(500):
            one = socket.create_connection(("127.0.0.1", port), timeout=30)
            opened.enter_context(one).sendall(b"G")
        seconds = []
        for _ in range(100):
            began = time.monotonic()
            s3.list_buckets()
            seconds.append(time.monotonic() - began)
    assert sorted(seconds)[98] < 10.0  # 0.25 on a machine of its own; each of them may take 30
    s3.close()


def test_clients_that_leave_early_harm_nobody(hasty: Plane):
    request = raw(hasty, **target("ListTrainingJobs"))
    for size in (10, len(request) // 2, len(request)):
        for _ in range(20):
            with socket.create_connection(("127.0.0.1", hasty.port), timeout=30) as connection:
                connection.sendall(request[:size])
    assert status(hasty.send(raw(hasty, **target("ListTrainingJobs")))) == 200

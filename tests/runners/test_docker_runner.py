"""Runs in containers of a real engine: hostile images, and everything around them killed."""

import json
import os
import signal
import socket
import tempfile
import time
from collections.abc import Collection, Iterator
from pathlib import Path
from typing import Any

import pytest
from cut_engine import cutting, slow
from docker_engine import DockerEngine
from left_over import alive_of
from runner_contract import HOSTILE, Bench, contents, said_back, serving
from waiting import eventually

from studio.runners.base import Network, Output, Resources, Server, Transfer
from studio.runners.docker import document
from studio.runners.docker.client import NAME
from studio.runners.docker.leftovers import Sweeper, leave, sweep
from studio.runners.process import ProcessRunner
from studio.runners.shim import tree
from studio.runners.warm_pool import end_all
from studio.settings import Settings

STRANGER = """
import socket
for place in (*%s, '/var/run/docker.sock'):
    try:
        if isinstance(place, str): socket.socket(socket.AF_UNIX).connect(place)
        else: socket.create_connection(place, 1)
        print('reached', place)
    except OSError as error:
        print(type(error).__name__)
"""
MODEL = (Output("model", "model.tar.gz"),)


class Containers(Bench):
    """Whose runs are containers of the base image."""

    def __init__(self, engine: DockerEngine, home: Path, host: str = "") -> None:
        """`host`: by which the engine is reached, if it is not its own."""
        self.settings = Settings(home=home, docker_host=host or engine.host)
        super().__init__(ProcessRunner(self.settings))
        self.engine, self.home = engine, home

    def spec(self, script: str, **fields: Any) -> Any:
        fields.setdefault("image", self.engine.base())
        fields.setdefault("folders", ("model",))
        return super().spec(script, **fields)

    def document(self, run: str, name: str) -> dict[str, Any]:
        return json.loads((self.home / "runs" / run / name).read_text())

    def client(self, run: str, killed: Collection[int] = ()) -> int:
        """Pid of the process that stands for the container, and of no one who was killed."""
        shim = self.document(run, "pid.json")["pid"]

        def look() -> int:
            below = (pid for pid in tree.descendants(shim) if pid not in killed)
            return next((pid for pid in below if _read(pid, "comm").strip() == NAME), 0)

        return int(eventually(look))

    def inspect(self, run: str) -> dict[str, Any]:
        found = self.engine.api.inspect(f"studio-{run}")
        assert found is not None
        return found


@pytest.fixture
def bench(docker: DockerEngine, tmp_path: Path) -> Iterator[Containers]:
    home = tmp_path / "home"
    home.mkdir()
    made = Containers(docker, home)
    yield made
    del made.runner  # and with it the process that it keeps; pytest keeps `made` for longer
    leave(made.settings)
    tree.send(signal.SIGKILL, alive_of(home))
    left = docker.containers(home), docker.networks(home)
    for each in left[0]:
        docker.api.call("DELETE", f"/containers/{each['Id']}", {"force": "true"})
    assert left == ([], [])


def test_a_container_trains_and_nothing_stays(bench: Containers, tmp_path: Path):
    (tmp_path / "object").write_text("1,2\n")
    run = bench.start(
        "cat /opt/ml/input/data/train/a.csv; echo $GREETING; echo w > /opt/ml/model/w; "
        "printf 'a\\000b\\377c\\n' >&2; echo x > /tmp/x",
        env={"GREETING": "grüezi mitenand"},
        inputs=(Transfer("input/data/train/a.csv", 4, link=str(tmp_path / "object")),),
        outputs=MODEL,
    )
    status = bench.ended(run)
    assert (status.phase, status.exit_code, status.reason) == ("succeeded", 0, "")
    assert [stage for stage, _ in status.stages] == ["Downloading", "Training", "Uploading"]
    assert contents(status.outputs[0].path) == {"w": b"w\n"}
    log = (bench.home / "runs" / run / "log").read_bytes()
    assert sorted(log.splitlines()) == sorted([b"1,2", "grüezi mitenand".encode(), b"a\0b\377c"])
    assert status.image.startswith("sha256:")


def test_a34_a62_what_a_container_may_do(bench: Containers):
    _, lines = bench.result("", **said_back())
    assert lines == [ascii([*HOSTILE, *HOSTILE])]
    run = bench.start(
        "echo up; touch /etc/x; sleep 60", resources=Resources(1, 300), stop_seconds=5
    )
    bench.said(run, "up")
    known = bench.inspect(run)
    host = known["HostConfig"]
    assert (host["CapDrop"], host["Privileged"], host["ReadonlyRootfs"]) == (["ALL"], False, True)
    assert host["SecurityOpt"] == ["no-new-privileges:true"]
    assert (host["PidMode"], host["IpcMode"], host["Devices"]) == ("", "private", None)
    assert (host["NetworkMode"], host["UTSMode"]) == (document.apart(str(bench.home)), "")
    assert (host["Memory"], host["MemorySwap"], host["NanoCpus"]) == (300 << 20, 300 << 20, 10**9)
    assert 0 < host["PidsLimit"] <= 8192
    status = Path(f"/proc/{bench.inspect(run)['State']['Pid']}/status").read_text()
    assert "NoNewPrivs:\t1" in status
    assert "Seccomp:\t2" in status
    own = str(bench.home / "runs" / run)
    sources = {each["Source"] for each in known["Mounts"] if each["RW"]}
    assert sources == {f"{own}/ml", f"{own}/tmp"}
    bench.stop(run)
    assert bench.ended(run).phase == "stopped"
    assert any("Read-only file system" in line for line in bench.lines(run))


def test_a48_hostile_images(bench: Containers, docker: DockerEngine):
    ended = bench.result("", command=("train",), image_program=True)[0]
    assert (ended.phase, ended.reason) == ("failed", "CannotStart")
    assert "CannotStartContainerError" in ended.message
    with socket.create_server(("127.0.0.1", 0)) as nobody:
        proxy = f"http://127.0.0.1:{nobody.getsockname()[1]}"
        env = {"HTTPS_PROXY": proxy, "HTTP_PROXY": proxy, "DOCKER_HOST": proxy}
        ended = bench.result("", command=("train",), image="localhost:9/no/such:1", env=env)[0]
        nobody.settimeout(0)
        with pytest.raises(BlockingIOError):
            nobody.accept()
    assert (ended.phase, ended.reason) == ("failed", "ImageUnavailable")
    assert "localhost:9/no/such:1" in ended.message
    ended = bench.result(
        "echo x > /root-is-mine; echo wrote", env={"STUDIO_CONTAINER_ROOT": "writable"}
    )
    assert ended[0].phase == "succeeded"
    hog = "x = bytearray(400 * 2**20); x[::4096] = x[::4096]"
    ended = bench.result(f'python3 -c "{hog}" || exit 7', resources=Resources(1, 200))[0]
    assert (ended.phase, ended.reason, ended.exit_code) == ("failed", "OutOfMemory", 7)
    assert "200 MB" in ended.message
    gpu = bench.result("true", resources=Resources(1, 0, 1))[0]
    assert (gpu.phase, gpu.reason) == ("failed", "StartFailed")
    assert "NVIDIA Container Toolkit" in gpu.message


def test_an_image_with_a_user_of_its_own(bench: Containers, tmp_path: Path):
    image = bench.engine.build("user", {}, "USER somebody\n")
    stored = tmp_path / "object"
    stored.write_text("1,2\n")
    stored.chmod(0o600)
    status, said = bench.result(
        "id -u; cat /opt/ml/input/data/train/a.csv; echo w > /opt/ml/model/w; "
        "grep CapEff /proc/self/status",
        image=image,
        inputs=(Transfer("input/data/train/a.csv", 4, link=str(stored)),),
        linked=("input/data/train",),
        outputs=MODEL,
    )
    assert said == ["1234", "1,2", "CapEff:\t0000000000000000"]
    assert contents(status.outputs[0].path) == {"w": b"w\n"}
    assert stored.stat().st_mode & 0o777 == 0o600


def test_it_leaves_no_model_or_fills_its_disk(bench: Containers):
    status, _ = bench.result("true", outputs=MODEL)
    assert status.phase == "succeeded"
    assert contents(status.outputs[0].path) == {}
    fill = "trap '' TERM; dd if=/dev/zero of=/tmp/x bs=1000000 count=4; while :; do sleep 1; done"
    status, _ = bench.result(fill, outputs=MODEL, disk_mb=3)
    assert (status.phase, status.reason, status.outputs) == ("failed", "NoSpace", ())
    assert status.message.startswith("Insufficient disk space: ")
    # Neither would be too much by itself.
    both = fill.replace("4;", "2; dd if=/dev/zero of=/x bs=1000000 count=2;")
    status, _ = bench.result(both, outputs=MODEL, disk_mb=3, env={document.WRITABLE: "writable"})
    assert (status.phase, status.reason, status.outputs) == ("failed", "NoSpace", ())
    assert status.message == "Insufficient disk space: files took 4 MB of a volume of 3 MB"
    assert bench.engine.containers(bench.home) == []


def test_a_pull_that_hangs_is_told_and_can_be_stopped(bench: Containers):
    with socket.create_server(("127.0.0.1", 0)) as silent:
        image = f"localhost:{silent.getsockname()[1]}/no/such:1"
        run = bench.start("", command=("train",), image=image)
        told = bench.until(run, lambda it: it.ended or it.waits_for)
        assert told.waits_for == "Downloading the training image"
        bench.stop(run)
        assert bench.ended(run).phase == "stopped"


def test_however_they_end_the_status_is_right(bench: Containers):
    freeze = "import os, signal, sys; print('up', flush=True); os.kill(os.getpid(), signal.SIGSTOP)"
    goodbye = "trap 'echo w > /opt/ml/model/w; exit 0' TERM; echo up; while :; do sleep 0.1; done"
    frozen = bench.start(f'python3 -c "{freeze}; sys.exit(0)"', stop_seconds=60)
    polite = bench.start(goodbye, outputs=MODEL, stop_seconds=60)
    late = bench.start("sleep 1000", timeout_seconds=0.5)
    for run in (frozen, polite):
        bench.said(run, "up")
        bench.stop(run)
    assert bench.ended(frozen).phase == "stopped"
    status = bench.ended(polite)
    assert (status.phase, status.exit_code) == ("stopped", 0)
    assert contents(status.outputs[0].path) == {"w": b"w\n"}
    status = bench.ended(late)
    assert (status.phase, status.reason) == ("stopped", "MaxRuntimeExceeded")


def test_daemons_that_ignore_sigterm_end_with_their_container(bench: Containers):
    daemon = "setsid sh -c 'trap \"\" TERM; echo up; sleep 1000' &"
    script = f"trap '' TERM; {daemon} while :; do sleep 1; done"
    run = bench.start(script, stop_seconds=0.5)
    bench.said(run, "up")
    first = bench.inspect(run)["State"]["Pid"]
    inside = eventually(lambda: len(found := tree.descendants(first)) >= 3 and found)
    bench.stop(run)
    status = bench.ended(run)
    assert (status.phase, status.exit_code) == ("stopped", 137)
    assert not any(b"sleep" in _read(pid, "cmdline") for pid in inside)


def test_the_client_is_killed_and_no_line_is_lost(bench: Containers):
    count = 'i=0; while [ $i -lt 3000 ]; do i=$((i+1)); echo "line $i"; done'
    hold = "until [ -e /opt/ml/go ]; do sleep 0.05; done"
    run = bench.start(f"echo up; {count}; {hold}; {count}; echo w > /opt/ml/model/w", outputs=MODEL)
    bench.said(run, "up")
    killed: list[int] = []
    for _ in range(3):
        killed.append(bench.client(run, killed))
        os.kill(killed[-1], signal.SIGKILL)
    (bench.home / "runs" / run / "ml" / "go").touch()
    assert bench.ended(run).phase == "succeeded"
    lines = [f"line {number}" for number in range(1, 3001)]
    assert bench.lines(run) == ["up", *lines, *lines]


def test_f12_what_is_said_last_is_in_the_log_also_without_an_end(bench: Containers):
    code = "import sys; w = sys.stdout.buffer.write; w(b'a\\n' * %d); w(b'x' * 99_999 + b'\\nhalf')"
    for lines in (1, 3000):
        run = bench.start(f'python3 -c "{code % lines}"')
        assert bench.ended(run).phase == "succeeded"
        log = (bench.home / "runs" / run / "log").read_bytes()
        assert log == b"a\n" * lines + b"x" * 99_999 + b"\nhalf"


def test_f27_the_engine_breaks_a_log_off_and_no_line_is_lost(docker: DockerEngine, tmp_path: Path):
    with (
        tempfile.TemporaryDirectory(dir="/tmp") as short,
        cutting(docker.socket, Path(short)) as host,
    ):
        bench = Containers(docker, tmp_path, host)
        count = 'i=0; while [ $i -lt 200 ]; do i=$((i+1)); echo "line $i"; done'
        status, lines = bench.result(f"{count}; sleep 0.3; echo last")
        assert status.phase == "succeeded"
        assert lines == [*(f"line {number}" for number in range(1, 201)), "last"]
        leave(bench.settings)
    assert (docker.containers(tmp_path), docker.networks(tmp_path)) == ([], [])


def test_f27_an_engine_that_is_slow_is_named_and_waited_for(docker: DockerEngine, tmp_path: Path):
    with (
        tempfile.TemporaryDirectory(dir="/tmp") as short,
        slow(docker.socket, Path(short)) as (host, free),
    ):
        bench = Containers(docker, tmp_path, host)
        run = bench.start("echo once")
        told = bench.until(run, lambda it: bool(it.ended or it.waits_for))
        assert told.waits_for == "The Docker engine takes long to answer."
        free.set()
        assert (bench.ended(run).phase, bench.lines(run)) == ("succeeded", ["once"])
        leave(bench.settings)


def test_the_shim_is_killed(bench: Containers):
    run = bench.start("echo up; sleep 1000")
    bench.said(run, "up")
    os.kill(bench.document(run, "pid.json")["pid"], signal.SIGKILL)
    status = bench.ended(run)
    assert (status.phase, status.reason) == ("lost", "RunnerLost")
    assert not bench.engine.containers(bench.home)
    sweep(bench.settings)


def test_the_machine_was_restarted(bench: Containers):
    run = bench.start("echo up; sleep 1000")
    bench.said(run, "up")
    pids = bench.home / "runs" / run / "pid.json"
    known = bench.document(run, "pid.json")
    os.kill(known["pid"], signal.SIGKILL)
    pids.write_text(json.dumps({**known, "boot_id": "another"}))
    status = bench.ended(run)
    assert (status.phase, status.reason) == ("lost", "HostRestarted")
    sweep(bench.settings)


def kept(bench: Containers, **fields: Any) -> str:
    """Have a container wait because of a run that has ended; its id."""
    first = bench.spec("true", pool="pool", **fields)
    bench.handles[first.id] = bench.runner.start(first)
    assert bench.ended(first.id).phase == "succeeded"
    bench.runner.keep(first, time.time_ns() // 1_000_000 + 600_000)
    place = bench.home / "warm" / "pool-" / first.id
    eventually((place / "ready").exists)
    ((known,),) = ([it["Id"] for it in bench.engine.containers(bench.home)],)
    return known


def test_a34_a_container_that_waits_becomes_the_next_run_and_shows_nothing_of_the_last(
    bench: Containers,
):
    image = bench.engine.build("pooled", {}, "USER somebody\nENV OWN=image\n")
    waiting = kept(bench, image=image)
    begin = 'echo "$OWN $MINE"; id -u; ls -A /tmp; ls /opt/ml; cat /opt/ml/input/a; exit 3'
    script = {"input/a": "given\n"}
    run = bench.start(begin, image=image, pool="pool", files=script, env={"MINE": "é"})
    status = bench.ended(run)
    assert (status.phase, status.exit_code) == ("failed", 3)
    assert bench.lines(run) == ["image é", "1234", "input", "model", "given"]
    assert bench.document(run, "container.json")["id"] == waiting
    assert status.image == bench.engine.api.image(image)["Id"]
    waiting = kept(bench, image=image)
    run = bench.start("", image=image, pool="pool", **said_back())
    bench.ended(run)
    assert bench.lines(run) == [ascii([*HOSTILE, *HOSTILE])]
    assert bench.document(run, "container.json")["id"] == waiting
    waiting = kept(bench, image=image)
    ended = bench.result("", image=image, pool="pool", command=("no-such", "train"))[0]
    assert (ended.phase, ended.reason) == ("failed", "CannotStart")
    kept(bench, image=image)
    bench.engine.build("pooled", {}, "ENV OWN=new\n")  # the same name
    assert bench.result("echo $OWN", image=image, pool="pool")[1] == ["new"]


def test_what_waits_is_gone_when_its_time_is_over_or_whoever_keeps_it_is_killed(bench: Containers):
    kept(bench)
    end_all(bench.settings)
    assert bench.engine.containers(bench.home) == []
    kept(bench)
    (place,) = (bench.home / "warm" / "pool-").iterdir()
    os.kill(json.loads((place / "pid.json").read_text())["pid"], signal.SIGKILL)
    eventually(lambda: sweep(bench.settings) or not bench.engine.containers(bench.home))
    assert bench.result("echo cold", pool="pool")[1] == ["cold"]
    waiting = kept(bench)
    run = bench.start("echo up; sleep 1000", pool="pool")
    bench.said(run, "up")
    assert bench.document(run, "container.json")["id"] == waiting
    sweep(bench.settings)  # it is somebody's
    os.kill(bench.client(run), signal.SIGKILL)
    bench.stop(run)
    assert bench.ended(run).phase == "stopped"


def test_a_container_that_somebody_removes(bench: Containers):
    run = bench.start("echo up; sleep 1000")
    bench.said(run, "up")
    bench.engine.api.call("DELETE", f"/containers/studio-{run}", {"force": "true"})
    status = bench.ended(run)
    assert (status.phase, status.reason) == ("failed", "RunnerLost")
    assert "removed by somebody else" in status.message


def test_what_was_made_for_a_run_that_has_ended_is_swept(bench: Containers):
    labels = {"studio.home": str(bench.home), "studio.run": "gone"}
    body = {"Image": bench.engine.base(), "Labels": labels, "Cmd": ["true"]}
    bench.engine.api.call("POST", "/containers/create", {"name": "studio-gone"}, body)
    body = {"Name": "studio-gone", "Labels": labels}
    bench.engine.api.call("POST", "/networks/create", body=body)
    sweep(bench.settings)


def test_a_network_that_a_killed_control_plane_left_goes_at_the_next_start(bench: Containers):
    assert bench.result("true")[0].phase == "succeeded"
    assert len(bench.engine.networks(bench.home)) == 1  # for those that come
    sweeper = Sweeper(bench.settings)
    try:
        eventually(lambda: not bench.engine.networks(bench.home))
    finally:
        sweeper.close()


def test_a47_hosts_of_a_job_reach_each_other_and_no_stranger_reaches_anybody(bench: Containers):
    names = (("algo-1", "127.1.0.1"), ("algo-2", "127.1.0.2"))
    listen = (
        "import socket; s = socket.create_server(('', 5000)); print('up', flush=True); "
        "c, _ = s.accept(); print(c.recv(9).decode(), flush=True); s.accept()"
    )
    call = "import socket; s = socket.create_connection(('algo-1', 5000), 9); s.send(b'hello')"
    one = bench.start(f'python3 -c "{listen}"', network=Network("algo-1", names, job="j1"))
    bench.said(one, "up")
    two = bench.start(f'python3 -c "{call}"', network=Network("algo-2", names, job="j1"))
    assert bench.ended(two).phase == "succeeded"
    bench.said(one, "hello")
    alone = bench.start(f'python3 -c "{listen}"', network=Network("algo-1", names[:1], job="j2"))
    bench.said(alone, "up")
    found = [
        next(iter(bench.inspect(run)["NetworkSettings"]["Networks"].values()))["IPAddress"]
        for run in (one, alone)
    ]
    foreign = STRANGER % repr([*((it, 5000) for it in found), ("algo-2", 5000)])
    stranger = Network("algo-1", names[:1], job="j3")
    _, said = bench.result(f'hostname; python3 -c "{foreign}"', network=stranger)
    assert said[0] == "algo-1"
    assert len(said) == 5
    assert not [line for line in said if "reached" in line]
    for run in (one, alone):
        bench.stop(run)
        assert bench.ended(run).phase == "stopped"


@pytest.mark.parametrize("isolated", [False, True])
def test_a_server_in_a_container(bench: Containers, isolated: bool):
    alone = "cat /proc/net/route | wc -l;" if isolated else ""
    network = Network(isolated=isolated)
    run = bench.start(alone + serving("true"), server=Server(30.0), network=network, stop_seconds=5)
    status = bench.until(run, lambda it: it.ready or it.ended)
    assert status.ready, bench.lines(run)
    if isolated:
        assert bench.lines(run)[0] == "1"  # the heading: no route leads anywhere
    bench.stop(run)
    assert bench.ended(run).phase == "stopped"


@pytest.mark.parametrize("end", [signal.SIGTERM, signal.SIGKILL])
def test_the_engine_is_restarted(docker: DockerEngine, tmp_path: Path, end: signal.Signals):
    if docker.folder is None:
        pytest.skip("not an engine of the tests")
    bench = Containers(docker, tmp_path)
    run = bench.start("echo up; exec sleep 1000")
    bench.said(run, "up")
    docker.stop(end)
    docker.start()
    begun = time.monotonic()
    status = bench.ended(run)
    assert time.monotonic() - begun < 60
    assert (status.phase, status.reason) == ("failed", "RunnerLost")
    assert "engine was restarted" in status.message
    assert bench.result("true")[0].phase == "succeeded"
    leave(bench.settings)
    assert (docker.containers(tmp_path), docker.networks(tmp_path)) == ([], [])


def _read(pid: int, name: str) -> bytes:
    try:
        return Path(f"/proc/{pid}/{name}").read_bytes()
    except OSError:
        return b""

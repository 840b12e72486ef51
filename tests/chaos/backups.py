"""Backups are taken while a home is written to, and restored elsewhere."""

import hashlib
import itertools
import tempfile
import threading
import time
from pathlib import Path

from botocore.exceptions import BotoCoreError, ClientError
from chaos.house import BUCKET, ROLE, House, house
from chaos.invariants import broken
from chaos.outcome import Report, slower, spread
from studios import run_studio

_WRITERS = 4
_RATE = 100
_CALM_SECONDS = 2.0
_RESTORED_SECONDS = 60.0
_IMAGE = "683313688378.dkr.ecr.us-east-1.amazonaws.com/sagemaker-xgboost:1.7-1"


def restored(repeats: int, seed: int) -> Report:
    """`repeats` backups under some 100 writes a second; each becomes a home of its own."""
    wrong: list[str] = []
    took: list[float] = []
    with tempfile.TemporaryDirectory(prefix="chaos-") as folder, house(Path(folder, "0")) as home:
        over, began = threading.Event(), time.monotonic()
        writers = [_Writer(home, number, seed, over) for number in range(_WRITERS)]
        for each in writers:
            each.start()
        try:
            for number in range(1, repeats + 1):
                time.sleep(_CALM_SECONDS)
                before = [(each, len(each.objects), len(each.models)) for each in writers]
                file = Path(folder, f"{number}.tar")
                run_studio("backup", file, "--home", home.home, env=home.env)
                wrong += _compared(Path(folder, str(number)), file, before, took)
        finally:
            over.set()
            for each in writers:
                each.join()
        rate = sum(len(it.objects) + len(it.models) for it in writers) / (time.monotonic() - began)
        wrong += [said for each in writers for said in each.wrong] + broken(home)
    figures = {"writes": f"{rate:.0f}/s", "restored and ready": spread(took)}
    return Report(
        "F20 backups under load",
        "what was acknowledged before is there, byte for byte; nothing half",
        repeats,
        seed,
        figures,
        tuple(wrong),
        slow=slower(took, _RESTORED_SECONDS, "restored"),
    )


class _Writer(threading.Thread):
    """Stores objects that it never stores again, a model with each fifth of them."""

    def __init__(self, home: House, number: int, seed: int, over: threading.Event) -> None:
        super().__init__(name=f"writer-{number}")
        self._home, self._number, self._seed, self._over = home, number, seed, over
        self.objects: list[str] = []
        self.models: list[str] = []
        self.wrong: list[str] = []

    def body(self, key: str) -> bytes:
        block = hashlib.sha256(f"{self._seed} {key}".encode()).digest()
        return block * (1 + block[0] * block[1] // 8)  # up to 256 KiB

    def run(self) -> None:
        try:
            for number in itertools.count():
                if self._over.wait(_WRITERS / _RATE):
                    return
                self._write(number)
        except (BotoCoreError, ClientError) as error:
            self.wrong.append(f"{self.name}: {error}")

    def _write(self, number: int) -> None:
        key = f"objects/{self._number}-{number}"
        self._home.client("s3").put_object(Bucket=BUCKET, Key=key, Body=self.body(key))
        self.objects.append(key)
        if number % 5 == 0:
            name = f"model-{self._number}-{number}"
            self._home.client("sagemaker").create_model(
                ModelName=name, ExecutionRoleArn=ROLE, PrimaryContainer={"Image": _IMAGE}
            )
            self.models.append(name)


def _compared(
    folder: Path, file: Path, before: list[tuple[_Writer, int, int]], took: list[float]
) -> list[str]:
    """What is wrong with the home that is made of a backup."""
    second = House(folder)
    began = time.monotonic()
    run_studio("restore", file, "--home", folder, env=second.env)
    try:
        second.start()
        took.append(time.monotonic() - began)
        return _held(second, before) + broken(second)
    except (BotoCoreError, ClientError) as error:
        said = (second.home / "chaos.log").read_text()[-5_000:]
        return [f"the restored home answered: {error}\n{said}"]
    finally:
        second.close()


def _held(home: House, before: list[tuple[_Writer, int, int]]) -> list[str]:
    s3, sagemaker = home.client("s3"), home.client("sagemaker")
    pages = s3.get_paginator("list_objects_v2").paginate(Bucket=BUCKET)
    stored = {each["Key"]: each for page in pages for each in page.get("Contents", [])}
    models = sagemaker.get_paginator("list_models").paginate()
    named = {each["ModelName"] for page in models for each in page["Models"]}
    wrong = []
    for writer, objects, count in before:
        wrong += [f"{key} is gone" for key in writer.objects[:objects] if key not in stored]
        wrong += [f"{name} is gone" for name in writer.models[:count] if name not in named]
        mine = f"objects/{writer.name.rpartition('-')[2]}-"
        for key in (key for key in stored if key.startswith(mine)):
            if s3.get_object(Bucket=BUCKET, Key=key)["Body"].read() != writer.body(key):
                wrong.append(f"{key} is not what was stored")
    return wrong

"""Lineage is stored with what it tells of, or neither is: also at the moment of a kill."""

import json
import os
import random
import signal
import threading
import time

from botocore.exceptions import BotoCoreError, ClientError
from flow import ROLE, XGBOOST
from studios import run_studio
from waiting import PATIENCE_SECONDS

KILLS = 2
MOST = 600  # fewer than one answer tells


def test_every_model_has_its_lineage_after_kills(start_studio):
    studio = start_studio()
    s3 = studio.client("s3")
    s3.create_bucket(Bucket="killed")
    s3.put_object(Bucket="killed", Key="model.tar.gz", Body=b"x")
    container = {"Image": XGBOOST, "ModelDataUrl": "s3://killed/model.tar.gz"}
    over, made = threading.Event(), threading.Semaphore(0)

    def create() -> None:
        sagemaker = studio.client("sagemaker")
        for number in range(MOST):
            if over.is_set():
                return
            try:
                sagemaker.create_model(
                    ModelName=f"m-{number}", PrimaryContainer=container, ExecutionRoleArn=ROLE
                )
                made.release()
            except (BotoCoreError, ClientError):
                time.sleep(0.05)

    chance = random.Random(11)
    writer = threading.Thread(target=create)
    writer.start()
    for _ in range(KILLS):
        for _ in range(chance.randrange(5, 40)):
            assert made.acquire(timeout=PATIENCE_SECONDS)
        os.kill(json.loads((studio.home / "pid.json").read_text())["pid"], signal.SIGKILL)
        run_studio("serve", "--home", studio.home, "--detach", env=studio.env)
    over.set()
    writer.join()
    sagemaker = studio.client("sagemaker")
    pages = sagemaker.get_paginator("list_models").paginate(PaginationConfig={"PageSize": 100})
    models = {it["ModelArn"] for page in pages for it in page["Models"]}
    [data] = sagemaker.list_artifacts(SourceUri="s3://killed/model.tar.gz")["ArtifactSummaries"]
    found = studio.client("studio").describe_lineage(
        Arns=[data["ArtifactArn"]], Direction="Descendants"
    )
    told = [it["SourceUri"] for it in found["Vertices"] if it["Depth"] == 1]
    assert len(models) > KILLS
    assert sorted(told) == sorted(models)

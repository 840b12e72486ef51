"""What programs ran with: an environment is stored once, and all of it goes with its component."""

import zlib
from dataclasses import replace

import orjson
import pytest
from sqlalchemy import func, select

from studio.api import job_components
from studio.db import executions, migrate, provenance, resources
from studio.db.experiment_tables import ARRIVAL, COMPONENT, ENVIRONMENT, EXECUTION
from studio.db.resources import Resource
from studio.db.session import Database
from studio.db.tables import PROVENANCE
from studio.experiments import components

PLACE = {"account": "0" * 12, "region": "us-east-1"}
PYTHON = {"Version": "3.11", "Packages": [{"Name": "numpy", "Version": "2.0"}]}


@pytest.fixture
def db(database_url):
    database = Database(database_url)
    migrate.upgrade(database)
    yield database
    database.close()


def count(db, table) -> int:
    with db.read() as connection:
        return connection.execute(select(func.count()).select_from(table)).scalar_one()


def component(name: str) -> Resource:
    arn = f"arn:aws:sagemaker:us-east-1:{'0' * 12}:{components.KIND}/{name}"
    return Resource(**PLACE, kind=components.KIND, name=name, arn=arn, status="", spec={},
                    created_at=1, modified_at=1)  # fmt: skip


def old_job(name: str, status: str = "Completed") -> Resource:
    """As a release without trial components left it."""
    return Resource(
        **PLACE,
        kind="training-job",
        name=name,
        arn=f"arn:aws:sagemaker:us-east-1:{'0' * 12}:training-job/{name}",
        status=status,
        spec={
            "AlgorithmSpecification": {"TrainingImage": "xgboost:1"},
            "HyperParameters": {"eta": "0.3", "objective": "reg", "wide": "1_000", "odd": "nan"},
            "OutputDataConfig": {"S3OutputPath": "s3://out"},
            "ResourceConfig": {"InstanceType": "ml.m5.large", "InstanceCount": 1},
        },
        state={
            "Transitions": [{"Status": status, "StartTime": 5}],
            "TrainingStartTime": 5,
            "FinalMetricDataList": [{"MetricName": "auc", "Value": 0.9, "Timestamp": 7}],
        },
        created_at=3,
        modified_at=9,
        owner="anna",
    )


def test_an_environment_is_stored_once_and_the_last_attempt_counts(db):
    one, other = component("one"), component("other")
    for it in (one, other):
        db.write(lambda connection, it=it: resources.insert(connection, it))
        for cpus in (1, 2):
            facts = {"Allotted": {"Cpus": cpus}}
            db.write(lambda c, it=it, facts=facts: executions.put(c, it.id, facts, PYTHON, 7))
    assert count(db, ENVIRONMENT) == 1
    with db.read() as connection:
        found = executions.get(connection, one.id)
        assert executions.get(connection, "nobody") is None
    assert found["Allotted"] == {"Cpus": 2}
    assert found["Python"] == PYTHON
    assert found["RecordedAt"] == 7
    db.write(lambda c: resources.update(c, replace(one, deleted_at=8)))
    assert count(db, EXECUTION) == 1


def test_where_jobs_came_from_shares_the_python_and_not_the_code(db):
    jobs = [component(name) for name in ("one", "other", "older")]
    for number, it in enumerate(jobs):
        told = {"Kind": "script", "Git": {"Patch": f"+{number}"}, "Python": PYTHON}
        db.write(lambda connection, it=it: resources.insert(connection, it))
        db.write(lambda c, it=it, told=told: provenance.put(c, it.id, told, 4))
    assert count(db, ENVIRONMENT) == 1
    whole = {"Kind": "script", "Python": PYTHON}  # as it was stored before Pythons were shared
    old = {"data": zlib.compress(orjson.dumps(whole))}
    mine = PROVENANCE.c.resource_id == jobs[2].id
    db.write(lambda c: c.execute(PROVENANCE.update().where(mine).values(old)))
    with db.read() as connection:
        found = [provenance.get(connection, it.id) for it in jobs]
    assert found[0] == {**whole, "Git": {"Patch": "+0"}, "RecordedAt": 4}
    assert found[1]["Git"] == {"Patch": "+1"}
    assert found[2] == {**whole, "RecordedAt": 4}


def test_jobs_of_an_older_home_get_their_components_once(db):
    for job in (old_job("done"), old_job("going", "InProgress")):
        db.write(lambda connection, job=job: resources.insert(connection, job))
    assert count(db, COMPONENT) == 0
    for _ in range(2):
        job_components.adopt(db)
    assert count(db, ARRIVAL) == 2  # their last values of metrics
    with db.read() as connection:
        found = resources.of_kind(connection, components.KIND)
    assert {it.name: it.status for it in found} == {
        "done-aws-training-job": "Completed",
        "going-aws-training-job": "InProgress",
    }
    it = next(each for each in found if each.status == "Completed")
    assert (it.owner, it.created_at, it.spec["StartTime"]) == ("anna", 3, 5)
    parameters = {name: value for name, value in it.spec["Parameters"].items() if "." not in name}
    assert parameters == {
        "eta": {"NumberValue": 0.3},
        "objective": {"StringValue": "reg"},
        "wide": {"StringValue": "1_000"},
        "odd": {"StringValue": "nan"},
    }
    db.write(lambda c: resources.update(c, replace(it, deleted_at=9)))
    job_components.adopt(db)
    assert count(db, COMPONENT) == 1


def test_where_a_job_came_from_stays_with_its_component(db):
    job = replace(old_job("sent"), state={**old_job("sent").state, **job_components.new_id()})
    own = job.state["Component"]

    def told(connection) -> list[bool]:
        return [bool(provenance.get(connection, each)) for each in (job.id, own)]

    db.write(lambda connection: resources.insert(connection, job))
    db.write(lambda connection: provenance.put(connection, job.id, {"Kind": "script"}, 4))
    with db.read() as connection:
        assert told(connection) == [True, True]
    db.write(lambda c: resources.update(c, replace(job, deleted_at=8)))
    with db.read() as connection:
        assert told(connection) == [False, True]
        it = resources.get(connection, own)
    db.write(lambda c: resources.update(c, replace(it, deleted_at=9)))
    with db.read() as connection:
        assert told(connection) == [False, False]

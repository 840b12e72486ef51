"""Walks along edges, beside a walk that anybody can read."""

import random
from collections.abc import Iterator

import pytest

from studio.db import migrate
from studio.db.experiment_tables import EDGE
from studio.db.session import Database
from studio.experiments import lineage
from studio.experiments.lineage import Edge

SCOPE = {"account": "0" * 12, "region": "us-east-1", "owner": ""}


@pytest.fixture(name="db")
def db_fixture(database_url) -> Iterator[Database]:
    database = Database(database_url)
    migrate.upgrade(database)
    yield database
    database.close()


def reference(pairs: set[tuple[str, str]], start: str, direction: str, depth: int) -> dict:
    depths = {start: 0}
    for level in range(1, depth + 1):
        for source, destination in sorted(pairs):
            for here, there, way in (
                (source, destination, "Descendants"),
                (destination, source, "Ascendants"),
            ):
                if direction in (way, "Both") and depths.get(here, level) < level:
                    depths.setdefault(there, level)
    return depths


def test_walks_of_a_random_graph(db):
    chance = random.Random(7)
    names = [f"thing-{number}" for number in range(60)]
    pairs = {(chance.choice(names), chance.choice(names)) for _ in range(90)}

    def fill(connection):
        for at, (source, destination) in enumerate(sorted(pairs)):
            edge = Edge(source, destination, "ContributedTo", at)
            assert lineage.add(connection, SCOPE, edge)
            assert not lineage.add(connection, SCOPE, edge)

    db.write(fill)
    with db.read() as connection:
        for start in names[:20]:
            for direction in ("Ascendants", "Descendants", "Both"):
                depth = chance.randint(0, 10)
                walk = lineage.walk(connection, SCOPE, [start], direction, depth, 10_000)
                assert walk.depths == reference(pairs, start, direction, depth)
                assert {edge[:2] for edge in walk.edges} <= pairs
                assert all({*edge[:2]} <= walk.depths.keys() for edge in walk.edges)


def test_edges_of_others_lead_nowhere(db):
    theirs = {**SCOPE, "owner": "ann"}
    db.write(lambda it: lineage.add(it, theirs, Edge("a", "b", "Produced", 1)))
    db.write(lambda it: lineage.add(it, SCOPE, Edge("b", "c", "Produced", 2)))
    with db.read() as connection:
        walk = lineage.walk(connection, theirs, ["a"], "Both", 10, 100)
        assert walk.depths == {"a": 0, "b": 1}
        every = {name: SCOPE[name] for name in ("account", "region")}
        assert list(lineage.walk(connection, every, ["a"], "Both", 10, 100).depths) == [*"abc"]


def test_many_neighbours_are_found_in_pages(db):
    edges = [Edge("hub", f"leaf-{number:04}", "", number) for number in range(1_200)]
    edges += [Edge(edge.destination, f"{edge.destination}-x", "", 0) for edge in edges]
    rows = [{**SCOPE, **edge._asdict()} for edge in edges]
    db.write(lambda it: it.execute(EDGE.insert(), rows))
    with db.read() as connection:
        walk = lineage.walk(connection, SCOPE, ["hub"], "Descendants", 2, 10_000)
        assert len(walk.depths) == 2_401
        cut = lineage.walk(connection, SCOPE, ["hub"], "Descendants", 2, 100)
        assert len(cut.depths) == 1_201


def test_what_is_gone_has_no_edges(db):
    db.write(lambda it: lineage.add(it, SCOPE, Edge("a", "b", "", 1)))
    db.write(lambda it: lineage.add(it, SCOPE, Edge("b", "c", "", 1)))
    db.write(lambda it: lineage.forget(it, ["b"]))
    with db.read() as connection:
        assert not lineage.touched(connection, "a")
        assert not lineage.touched(connection, "c")

"""Experiments on connections and databases in a short form."""

from chaos import connections, databases, leaders
from chaos.test_chaos_processes import held


def test_broken_connections_of_the_router():
    held(connections.broken_lines(1, seed=1))


def test_twice_the_capacity():
    held(connections.overload(1, seed=1))


def test_many_want_to_lead():
    held(leaders.claims(8, seed=1, claimants=3, deposed=1))


def test_postgresql_is_killed_and_full():
    held(databases.outages(1, seed=1, kinds=("killed", "full")))

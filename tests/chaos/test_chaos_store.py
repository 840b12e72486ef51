"""The store's experiments of `make chaos` in a short form."""

from chaos import store_errors, store_kills, upgrades
from chaos.test_chaos_processes import held


def test_kills_within_uploads():
    held(store_kills.uploads(8, seed=1))


def test_the_disk_fails():
    held(store_errors.swept(4, seed=1))


def test_upgrades_are_killed():
    held(upgrades.killed(2, seed=1))

"""The store's experiments of `make chaos` in a short form.

Those of many clients at once, of power cuts and of the other full disks are in
tests/s3/test_s3_races.py and tests/durability.
"""

import pytest
from chaos import full_disks, multiparts, rot, store_errors, store_kills, upgrades
from chaos.test_chaos_processes import held


def test_kills_within_uploads():
    held(store_kills.uploads(8, seed=1, sizes={1: 1, 5 << 20: 2}))


def test_the_disk_fails():
    held(store_errors.swept(5, seed=1))


def test_upgrades_are_killed():
    held(upgrades.killed(2, seed=1))


def test_files_that_rot():
    held(rot.harmed(6, seed=1, cycle=False))


def test_uploads_in_parts():
    held(multiparts.survived(3, seed=1, expire=False))


@pytest.mark.root
def test_full_disks():
    held(full_disks.home(1, seed=1))
    held(full_disks.others(1, seed=1, disks=("database", "temporary")))

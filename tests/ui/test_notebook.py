"""Notebooks and the S3 browser: cells that start jobs, a slash, drops, uploads and undo."""

from browser_flows import patient, run_flow


@patient
def test_notebook(tmp_path):
    run_flow("notebook", tmp_path)

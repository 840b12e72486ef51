"""Processing jobs through the processors of any generation of the SDK: a script that is uploaded,
and a folder of source that comes as an archive."""

import os
import sys
import tempfile

_SCRIPT = """
import json, os, pathlib, sys
try:
    from helper import NAME
except ImportError:
    NAME = "alone"
told = {"name": NAME, "python": sys.executable, "args": sys.argv[1:]}
pathlib.Path("/opt/ml/processing/out").mkdir(exist_ok=True)
pathlib.Path("/opt/ml/processing/out/told.json").write_text(json.dumps(told))
pathlib.Path("/opt/ml/output/message").write_text(NAME)
"""
IMAGE = "python:%d.%d" % sys.version_info[:2]


def process(run_script, run_framework, describe):
    """What the jobs said: the functions run a script, given its path and the folder it is in."""
    with tempfile.TemporaryDirectory() as source:
        for name, text in (("told.py", _SCRIPT), ("helper.py", "NAME = 'helped'\n")):
            with open(os.path.join(source, name), "w") as file:
                file.write(text)
        jobs = [run_script(os.path.join(source, "told.py"), ["--a", "1"])]
        if run_framework:
            jobs.append(run_framework("told.py", source, ["--b", "2"]))
        return [describe(job) for job in jobs]

"""A function of this program, run as a training job: `@remote` of version 2."""

import os
import sys

import tutorial_data
from sagemaker.remote_function import RemoteExecutor, remote

HERE = (
    {}
    if os.environ.get("STUDIO_URL")
    else {
        # Without the hook nobody tells the job which environment is meant.
        "image_uri": "python:%d.%d" % sys.version_info[:2],
        "environment_variables": {"STUDIO_PYTHON": sys.executable},
    }
)


@remote(instance_type="ml.m5.large", **HERE)
def where(text):
    import platform

    print("in the job: " + text)
    return sys.executable, platform.node(), text.upper()


@remote(instance_type="ml.m5.large", **HERE)
def broken():
    raise KeyError("nothing of that name")


def square(number):
    return number * number


executable, host, text = where("hello")
try:
    broken()
    error = ""
except KeyError as raised:
    error = str(raised)
with RemoteExecutor(max_parallel_jobs=2, instance_type="ml.m5.large", **HERE) as executor:
    squares = list(executor.map(square, [3, 4]))

tutorial_data.tell(
    executable=executable, own=sys.executable, text=text, error=error, squares=squares
)

"""A function of this program, run as a training job: `@remote` of version 3."""

import os
import sys

import tutorial_data
from sagemaker.core.remote_function import remote

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
    print("in the job: " + text)
    return sys.executable, text.upper()


executable, text = where("hello")
tutorial_data.tell(executable=executable, own=sys.executable, text=text)

"""Sources of scripts, as SDKs pack them. None imports a framework: what is tested is the way."""

import os

# Trains and serves, as scripts of scikit-learn's container did from the beginning.
BOTH = """
import argparse, json, os

def model_fn(model_dir):
    with open(os.path.join(model_dir, "model.json")) as file:
        return json.load(file)

def predict_fn(data, model):
    return data * model["factor"]

if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("--factor", type=float)
    parser.add_argument("--model-dir", default=os.environ["SM_MODEL_DIR"])
    arguments = parser.parse_args()
    if arguments.factor < 0:
        raise ValueError("a factor of %s" % arguments.factor)
    hosts = json.loads(os.environ["SM_HOSTS"])
    if os.environ["SM_CURRENT_HOST"] == hosts[0]:
        told = {"factor": arguments.factor, "hosts": hosts, "ranks": os.environ.get("RANKS")}
        with open(os.path.join(arguments.model_dir, "model.json"), "w") as file:
            json.dump(told, file)
"""
# What PyTorch's own handlers would need torch for.
PLAIN_INPUT = """
def input_fn(body, content_type):
    import io, numpy
    return numpy.load(io.BytesIO(body))

def output_fn(prediction, accept):
    import io, numpy
    buffer = io.BytesIO()
    numpy.save(buffer, prediction)
    return buffer.getvalue()
"""
# In the place of torchrun: it tells what it was started with, and runs the script once.
TORCHRUN = """
import argparse, os, runpy, sys

parser = argparse.ArgumentParser()
for name in ("nnodes", "nproc_per_node", "node_rank", "master_addr", "master_port"):
    parser.add_argument("--" + name)
given, words = parser.parse_known_args()
os.environ["RANKS"] = "%(node_rank)s of %(nnodes)s at %(master_addr)s" % vars(given)
print("launched", os.environ["RANKS"], int(given.master_port) > 0)
sys.argv = words
runpy.run_path(words[0], run_name="__main__")
"""


def write(folder, files):
    """A source_dir with these files."""
    for name, text in files.items():
        path = os.path.join(folder, name)
        if not os.path.isdir(os.path.dirname(path)):
            os.makedirs(os.path.dirname(path))
        with open(path, "w") as file:
            file.write(text)
    return folder

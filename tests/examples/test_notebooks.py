"""The example notebooks as a user runs them: AWS's SDK in a virtual environment of its own."""

import json
import re
import subprocess

import pytest
from botocore.exceptions import ClientError
from studios import ROOT

EXAMPLES = ROOT / "examples"
SDK = ROOT / ".venv-sdk" / "bin" / "python"
NOTEBOOKS = sorted(path.name for path in EXAMPLES.glob("*.ipynb"))

# Executes a notebook with one more cell, which tells what its variables hold in the end.
EXECUTE = """
import sys, nbformat
from nbclient import NotebookClient
notebook = nbformat.read(sys.argv[1], as_version=4)
notebook.cells.append(nbformat.v4.new_code_cell(sys.argv[2]))
client = NotebookClient(notebook, timeout=200, resources={"metadata": {"path": sys.argv[3]}})
print(nbformat.writes(client.execute()))
"""


def execute(name, told, studio) -> tuple[dict, str]:
    """What the expressions in `told` are worth at the end; all that was printed before."""
    values = ", ".join(f"{key!r}: {expression}" for key, expression in told.items())
    cell = f"import json; print(json.dumps({{{values}}}))"
    done = subprocess.run(
        [SDK, "-c", EXECUTE, EXAMPLES / name, cell, EXAMPLES],
        env=studio.env,
        capture_output=True,
        text=True,
        timeout=250,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-3000:]
    streams = [
        "".join(out["text"])
        for cell in json.loads(done.stdout)["cells"]
        for out in cell.get("outputs", ())
        if out["output_type"] == "stream" and out["name"] == "stdout"
    ]
    return json.loads(streams[-1]), "".join(streams[:-1])


def assert_nothing_left(studio, job, endpoint, bucket):
    sagemaker = studio.client("sagemaker")
    described = sagemaker.describe_training_job(TrainingJobName=job)
    assert described["TrainingJobStatus"] == "Completed"
    with pytest.raises(ClientError, match="Could not find endpoint configuration"):
        sagemaker.describe_endpoint_config(EndpointConfigName=endpoint)
    assert bucket not in [it["Name"] for it in studio.client("s3").list_buckets()["Buckets"]]
    names = [it["ModelName"] for it in sagemaker.list_models(NameContains=endpoint)["Models"]]
    assert names == []
    sagemaker.get_waiter("endpoint_deleted").wait(
        EndpointName=endpoint, WaiterConfig={"Delay": 1, "MaxAttempts": 60}
    )


NAMES = {
    "job": "linear.latest_training_job.name",
    "endpoint": "predictor.endpoint_name",
    "bucket": "bucket_name",
}


def test_salary(studio):
    told = {
        "predicted": "predicted.tolist()",
        "actual": "test_y.tolist()",
        "years": "test_x[:, 0].tolist()",
        "traces": "[trace.name for trace in figure.data]",
    }
    values, printed = execute("salary.ipynb", NAMES | told, studio)
    assert len(values["predicted"]) == len(values["actual"]) == 10
    errors = [abs(a - b) for a, b in zip(values["predicted"], values["actual"], strict=True)]
    assert sum(errors) / 10 < 8_000  # the spread of the salaries is 27,000
    by_years = sorted(zip(values["years"], values["predicted"], strict=True))
    assert [salary for _, salary in by_years] == sorted(values["predicted"])
    assert values["traces"] == ["training set", "test set", "prediction"]
    assert "#quality_metric: host=algo-1" in printed
    assert "Training job completed" in printed
    assert_nothing_left(studio, values["job"], values["endpoint"], values["bucket"])


def test_bank(studio):
    told = {
        "predictions": "len(probability)",
        "accuracy": "float(accuracy)",
        "matrix": "matrix.to_numpy().tolist()",
        "range": "[probability.min(), probability.max()]",
    }
    names = NAMES | {"job": "xgb.latest_training_job.name"}
    values, printed = execute("bank.ipynb", names | told, studio)
    assert values["predictions"] == 12_357
    assert values["accuracy"] > 0.88
    (no_no, no_yes), (yes_no, yes_yes) = values["matrix"]
    assert no_no + no_yes + yes_no + yes_yes == 12_357
    assert yes_yes > no_yes  # who is expected to buy, mostly does
    assert 0 < values["range"][0] < values["range"][1] < 1
    assert re.search(r"\[49\]#011train-logloss:0\.\d+#011validation-logloss:0\.\d+", printed)
    assert_nothing_left(studio, values["job"], values["endpoint"], values["bucket"])


@pytest.mark.parametrize("name", NOTEBOOKS)
def test_notebooks_name_no_studio_and_keep_no_output(name):
    for cell in json.loads((EXAMPLES / name).read_text())["cells"]:
        if cell["cell_type"] == "code":
            source = "".join(cell["source"])
            assert "studio" not in source.lower()
            assert "endpoint_url" not in source
            assert cell["outputs"] == []
            assert cell["execution_count"] is None

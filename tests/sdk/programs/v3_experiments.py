"""Experiments with version 3: Run, load_run and the table of a run."""

import boto3
import tutorial_data
from sagemaker.core.experiments.run import Run, list_runs, load_run

told = {}
with Run(experiment_name="third", run_name="one") as run:
    run.log_parameters({"lr": 0.1, "optimizer": "adam"})
    for step in range(25):
        run.log_metric("loss", 1 / (step + 1), step=step)
with load_run(experiment_name="third", run_name="one") as again:
    again.log_metric("loss", 0.01, step=25)
told["runs"] = [it.run_name for it in list_runs("third")]
client = boto3.client("sagemaker")
component = client.describe_trial_component(TrialComponentName="third-one")
told["status"] = component["Status"]["PrimaryStatus"]
told["parameters"] = component["Parameters"]
(loss,) = component["Metrics"]
told["loss"] = {name: loss[name] for name in ("Count", "Min", "Max", "Last")}
tutorial_data.tell(**told)

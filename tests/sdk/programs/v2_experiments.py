"""Experiments with version 2: sagemaker-experiments, Run and load_run, and the table of a run."""

import json
from pathlib import Path

import boto3
import pandas as pd
import tutorial_data
from sagemaker.analytics import ExperimentAnalytics
from sagemaker.experiments.run import Run, list_runs, load_run
from sagemaker.session import Session
from smexperiments.experiment import Experiment
from smexperiments.search_expression import Filter, Operator, SearchExpression
from smexperiments.tracker import Tracker
from smexperiments.trial import Trial
from smexperiments.trial_component import TrialComponent

told = {}
s3, sagemaker = boto3.client("s3"), boto3.client("sagemaker")
# Clients that a class makes for itself are tried once a class; each costs a third of a second.
shared = {"sagemaker_boto_client": sagemaker}
session = {"sagemaker_session": Session()}


def content(uri):
    """The JSON document that is stored there; None for anything else."""
    bucket, key = uri[5:].split("/", 1)
    body = s3.get_object(Bucket=bucket, Key=key)["Body"].read()
    return json.loads(body) if body.startswith(b"{") else None


# sagemaker-experiments, as in the notebooks of its time
experiment = Experiment.create(experiment_name="mnist", description="hand-written digits")
trial = Trial.create(experiment_name="mnist", trial_name="cnn-1", **shared)
Path("notes.txt").write_text("what was done\n")
with Tracker.create(display_name="Preprocessing") as tracker:
    tracker.log_parameters({"mean": 0.1307, "std": 0.3081, "kind": "torch"})
    tracker.log_parameter("epochs", 3)
    tracker.log_input("data", "s3://bucket/mnist", media_type="s3/uri")
    tracker.log_output("prepared", "s3://bucket/prepared")
    tracker.log_artifact("notes.txt", name="notes")
    tracker.log_table("scores", data_frame=pd.DataFrame({"digit": [0, 1], "f1": [0.9, 0.8]}))
    tracker.log_precision_recall([0, 0, 1, 1], [0.1, 0.4, 0.35, 0.8], title="curve", no_skill=1)
    tracker.log_roc_curve([0, 0, 1, 1], [0.1, 0.4, 0.35, 0.8], title="roc")
    tracker.log_confusion_matrix([2, 0, 2], [0, 0, 2], title="confusion")
    tracker.log_metric("ignored", 1.0)  # outside of a job it only warns
trial.add_trial_component(tracker.trial_component)

name = tracker.trial_component.trial_component_name
component = TrialComponent.load(name)
told["parameters"] = component.parameters
told["status"] = component.status.primary_status
told["inputs"] = sorted(component.input_artifacts)
told["outputs"] = {key: it.media_type for key, it in component.output_artifacts.items()}
made = sagemaker.list_associations(SourceArn=component.trial_component_arn)
told["charts"] = {}
for association in made["AssociationSummaries"]:
    artifact = sagemaker.describe_artifact(ArtifactArn=association["DestinationArn"])
    document = content(artifact["Source"]["SourceUri"])
    if document:
        told["charts"][document["title"]] = document["type"]
with Tracker.load(trial_component_name=name, **shared) as loaded:
    loaded.log_parameter("epochs", 4)
told["epochs"] = TrialComponent.load(name, **shared).parameters["epochs"]
told["components"] = [it.display_name for it in trial.list_trial_components()]
told["trials"] = [it.trial_name for it in experiment.list_trials()]
found = SearchExpression(filters=[Filter("Parents.TrialName", Operator.EQUALS, "cnn-1")])
told["searched"] = [it.display_name for it in TrialComponent.search(found, **shared)]
table = ExperimentAnalytics("mnist", parameter_names=["mean", "kind"], **session).dataframe()
told["columns"] = list(table.columns)
told["row"] = [table["DisplayName"][0], float(table["mean"][0]), table["kind"][0]]
experiment.delete_all(action="--force")
found = Experiment.list(**shared)
told["left"] = [it.experiment_name for it in found if it.experiment_name == "mnist"]
found = TrialComponent.list(**shared)
told["left"] += [it.display_name for it in found if it.trial_component_name == name]

# Run, its successor
with Run(experiment_name="Digits", run_name="First", tags=[{"Key": "a", "Value": "b"}]) as run:
    run.log_parameters({"lr": 0.1, "optimizer": "adam"})
    for step in range(25):
        run.log_metric("loss", 1 / (step + 1), step=step)
    run.log_metric("accuracy", 0.9)
    run.log_artifact("where", "s3://bucket/where", is_output=False)
    run.log_file("notes.txt", name="notes")
    run.log_precision_recall([0, 0, 1, 1], [0.1, 0.4, 0.35, 0.8], title="curve")
    run.log_confusion_matrix([2, 0, 2], [0, 0, 2], title="confusion")
    within = load_run()
    told["same"] = within.run_name
with load_run(experiment_name="digits", run_name="first", **session) as again:
    again.log_parameter("lr", 0.2)
    again.log_metric("loss", 0.01, step=25)
with Run(experiment_name="digits", run_name="first", **session) as third:
    told["existing"] = third.run_name
runs = list_runs("digits", **session)
told["runs"] = [it.run_name for it in runs]
table = ExperimentAnalytics(
    "digits", metric_names=["loss"], sort_by="metrics.loss.min", **session
).dataframe()
told["losses"] = {it: float(table[f"loss - {it}"][0]) for it in ("Min", "Max", "Last", "Count")}
told["lr"] = float(table["lr"][0])
told["groups"] = list(table["Trials"][0])
status = sagemaker.describe_trial_component(TrialComponentName="digits-first")
told["completed"] = status["Status"]["PrimaryStatus"]
tutorial_data.tell(**told)

"""One of many processes that track into the same experiment: python experiment_writer.py NUMBER."""

import sys

import boto3
from botocore.exceptions import ClientError

ROUNDS = 10


def made(call, **request):
    """Make what another process may have made already."""
    try:
        call(**request)
    except ClientError as error:
        if "already exists" not in str(error):
            raise


number = int(sys.argv[1])
client, metrics = boto3.client("sagemaker"), boto3.client("sagemaker-metrics")
made(client.create_experiment, ExperimentName="crowd")
made(client.create_trial, TrialName="crowd-trial", ExperimentName="crowd")
made(client.create_trial_component, TrialComponentName="shared")
own = f"writer-{number}"
client.create_trial_component(TrialComponentName=own, Parameters={"n": {"NumberValue": number}})
client.associate_trial_component(TrialComponentName=own, TrialName="crowd-trial")
for turn in range(ROUNDS):
    points = [
        {"MetricName": "m", "Timestamp": 1_700_000_000 + turn, "Step": turn * 10 + it, "Value": it}
        for it in range(10)
    ]
    for name in (own, "shared"):
        answer = metrics.batch_put_metrics(TrialComponentName=name, MetricData=points)
        assert answer["Errors"] == []
    client.update_trial_component(
        TrialComponentName="shared",
        Parameters={f"{number}-{turn % 4}": {"NumberValue": turn}},
    )
    arn = "arn:aws:sagemaker:us-east-1:000000000000:experiment-trial-component/shared"
    if turn == 0 and number < 50:
        client.add_tags(ResourceArn=arn, Tags=[{"Key": f"t{number}", "Value": own}])
client.update_trial_component(TrialComponentName=own, Status={"PrimaryStatus": "Completed"})

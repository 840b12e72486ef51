"""Tutorials and more with version 3 of the SDK: trainers, builders and core resources."""

import os
import sys
import tempfile

import boto3
import numpy as np
import processing_steps
import tutorial_data
from sagemaker.core import image_uris
from sagemaker.core.helper.session_helper import Session, get_execution_role
from sagemaker.core.processing import FrameworkProcessor, ScriptProcessor
from sagemaker.core.remote_function import remote
from sagemaker.core.resources import Endpoint, EndpointConfig, Model, TrainingJob
from sagemaker.core.shapes import (
    ContainerDefinition,
    ProcessingOutput,
    ProcessingS3Output,
    ProductionVariant,
)
from sagemaker.core.transformer import Transformer
from sagemaker.serve.model_builder import ModelBuilder
from sagemaker.train import ModelTrainer
from sagemaker.train.configs import Compute, InputData, OutputDataConfig, SourceCode

session = Session()
role = get_execution_role()
bucket = session.default_bucket()
region = session.boto_region_name

# Bank: a built-in algorithm through ModelTrainer.
train, features, labels = tutorial_data.bank()
boto3.resource("s3").Object(bucket, "bank/train/train.csv").put(Body=train)
trainer = ModelTrainer(
    training_image=image_uris.retrieve("xgboost", region, "3.0-5"),
    role=role,
    compute=Compute(instance_type="ml.m5.large", instance_count=1),
    hyperparameters={"objective": "binary:logistic", "max_depth": 5, "eta": 0.2, "num_round": 30},
    output_data_config=OutputDataConfig(s3_output_path=f"s3://{bucket}/output"),
    base_job_name="bank",
    sagemaker_session=session,
)
channel = f"s3://{bucket}/bank/train"
trainer.train(
    input_data_config=[
        InputData(channel_name=name, data_source=channel, content_type="csv")
        for name in ("train", "validation")
    ]
)
job = trainer._latest_training_job
job.refresh()

# Deployed by ModelBuilder.
builder = ModelBuilder(
    image_uri=image_uris.retrieve("xgboost", region, "3.0-5"),
    s3_model_data_url=job.model_artifacts.s3_model_artifacts,
    role_arn=role,
    sagemaker_session=session,
    instance_type="ml.m5.large",
)
model = builder.build(model_name="bank-v3")
endpoint = builder.deploy(endpoint_name="bank-v3", instance_type="ml.m5.large")
text = "\n".join(",".join(f"{value:g}" for value in row) for row in features)
answer = endpoint.invoke(body=text.encode(), content_type="text/csv", accept="text/csv")
body = answer.body.read().decode()
probability = np.array(body.replace("\n", ",").rstrip(",").split(","), dtype=float)
accuracy = float(((probability > 0.5) == labels).mean())

# Core resources, one by one.
found = TrainingJob.get(training_job_name=job.training_job_name)
listed = [each.training_job_name for each in TrainingJob.get_all(name_contains="bank")]
second = Model.create(
    model_name="bank-v3-core",
    primary_container=ContainerDefinition(
        image=image_uris.retrieve("xgboost", region, "3.0-5"),
        model_data_url=found.model_artifacts.s3_model_artifacts,
    ),
    execution_role_arn=role,
)
config = EndpointConfig.create(
    endpoint_config_name="bank-v3-core",
    production_variants=[
        ProductionVariant(
            variant_name="AllTraffic",
            model_name="bank-v3-core",
            initial_instance_count=1,
            instance_type="ml.m5.large",
        )
    ],
)
served = Endpoint.get(endpoint_name="bank-v3")
served.endpoint_config_name = "bank-v3-core"
served.update()
served.wait_for_status("InService")
served.refresh()
updated = served.endpoint_status
served.delete()
served.wait_for_delete()
config.delete()

# The same rows as a file.
boto3.resource("s3").Object(bucket, "bank/rows/rows.csv").put(Body=text)
transformer = Transformer(
    model_name="bank-v3-core",
    instance_count=1,
    instance_type="ml.m5.large",
    assemble_with="Line",
    output_path=f"s3://{bucket}/scores",
    sagemaker_session=session,
)
transformer.transform(f"s3://{bucket}/bank/rows", content_type="text/csv", split_type="Line")
body = boto3.resource("s3").Object(bucket, "scores/rows.csv.out").get()["Body"].read().decode()
batch = float(((np.array(body.split(), dtype=float) > 0.5) == labels).mean())
second.delete()

# One's own script, in this program's environment.
with tempfile.TemporaryDirectory() as source:
    with open(os.path.join(source, "train.py"), "w") as file:
        file.write(
            "import json, os, sys\n"
            "told = {'python': sys.executable, 'depth': os.environ['SM_HP_DEPTH'],\n"
            "        'train': sorted(os.listdir(os.environ['SM_CHANNEL_TRAIN']))}\n"
            "with open(os.environ['SM_MODEL_DIR'] + '/told.json', 'w') as file:\n"
            "    json.dump(told, file)\n"
        )
    script = ModelTrainer(
        training_image="763104351884.dkr.ecr.us-east-1.amazonaws.com/pytorch-training:2.1-cpu-py310",
        source_code=SourceCode(source_dir=source, entry_script="train.py"),
        compute=Compute(instance_type="ml.m5.large", instance_count=1),
        hyperparameters={"depth": 3},
        role=role,
        base_job_name="script",
        sagemaker_session=session,
    )
    script.train(input_data_config=[InputData(channel_name="train", data_source=channel)])
scripted = script._latest_training_job
scripted.refresh()


@remote(instance_type="ml.m5.large")
def where(text):
    print("in the job: " + text)
    return sys.executable, text.upper()


def run_script(path, arguments):
    processor = ScriptProcessor(
        image_uri=processing_steps.IMAGE,
        command=["python3"],
        role=role,
        instance_count=1,
        instance_type="ml.m5.large",
        sagemaker_session=session,
    )
    processor.run(code=path, arguments=arguments, outputs=[out])
    return processor.latest_job


def run_framework(entry, source, arguments):
    processor = FrameworkProcessor(
        image_uri=processing_steps.IMAGE,
        role=role,
        instance_count=1,
        instance_type="ml.m5.large",
        sagemaker_session=session,
    )
    processor.run(code=entry, source_dir=source, arguments=arguments, outputs=[out])
    return processor.latest_job


def exit_message(processing_job):
    processing_job.refresh()
    return processing_job.exit_message


out = ProcessingOutput(
    output_name="out",
    s3_output=ProcessingS3Output(
        s3_uri="s3://%s/processed" % bucket,
        local_path="/opt/ml/processing/out",
        s3_upload_mode="EndOfJob",
    ),
)
processed = processing_steps.process(run_script, run_framework, exit_message)

tutorial_data.tell(
    processed=processed,
    remote=where("hello"),
    role=role,
    bucket=bucket,
    accuracy=accuracy,
    batch=batch,
    listed=job.training_job_name in listed,
    status=updated,
    script=scripted.training_job_status,
    model=scripted.model_artifacts.s3_model_artifacts,
    own=sys.executable,
)

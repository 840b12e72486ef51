"""Tutorials and more with version 2 of the SDK."""

import sys
import tempfile

import boto3
import numpy as np
import processing_steps
import sagemaker
import script_sources
import tutorial_data
from sagemaker import image_uris
from sagemaker.analytics import TrainingJobAnalytics
from sagemaker.deserializers import CSVDeserializer
from sagemaker.estimator import Estimator
from sagemaker.inputs import TrainingInput
from sagemaker.processing import FrameworkProcessor, ProcessingOutput, ScriptProcessor
from sagemaker.pytorch import PyTorch
from sagemaker.remote_function import remote
from sagemaker.serializers import CSVSerializer
from sagemaker.sklearn.estimator import SKLearn

session = sagemaker.Session()
role = sagemaker.get_execution_role()
bucket = session.default_bucket()
region = session.boto_region_name

train_x, train_y, test_x, test_y = tutorial_data.salary()
linear = sagemaker.LinearLearner(
    role,
    1,
    "ml.c4.xlarge",
    predictor_type="regressor",
    loss="absolute_loss",
    num_models=32,
    epochs=5,
    sagemaker_session=session,
)
linear.fit(linear.record_set(train_x, labels=train_y), mini_batch_size=5)
salaries = linear.deploy(initial_instance_count=1, instance_type="ml.m4.xlarge")
answer = [r.label["score"].float32_tensor.values[0] for r in salaries.predict(test_x)]
salary_error = float(np.abs(np.array(answer) - test_y).mean())
salaries.delete_model()
salaries.delete_endpoint()

train, features, labels = tutorial_data.bank()
boto3.resource("s3").Object(bucket, "bank/train/train.csv").put(Body=train)
xgb = Estimator(
    image_uris.retrieve("xgboost", region, "1.7-1"),
    role,
    instance_count=1,
    instance_type="ml.m4.xlarge",
    output_path=f"s3://{bucket}/output",
    sagemaker_session=session,
)
xgb.set_hyperparameters(objective="binary:logistic", max_depth=5, eta=0.2, num_round=30)
channel = TrainingInput(f"s3://{bucket}/bank/train", content_type="csv")
xgb.fit({"train": channel, "validation": channel})
predictor = xgb.deploy(
    initial_instance_count=1,
    instance_type="ml.m4.xlarge",
    serializer=CSVSerializer(),
    deserializer=CSVDeserializer(),
)
rows = predictor.predict(features)
probability = np.array([value for row in rows for value in row if value], dtype=float)
accuracy = float(((probability > 0.5) == labels).mean())

name = xgb.latest_training_job.name
attached = Estimator.attach(name, sagemaker_session=session)
predictor.update_endpoint(
    initial_instance_count=1,
    instance_type="ml.m5.xlarge",
    model_name=session.sagemaker_client.describe_endpoint_config(
        EndpointConfigName=predictor._get_endpoint_config_name()
    )["ProductionVariants"][0]["ModelName"],
)
updated = session.sagemaker_client.describe_endpoint(EndpointName=predictor.endpoint_name)
metrics = TrainingJobAnalytics(name, sagemaker_session=session).dataframe()
predictor.delete_model()
predictor.delete_endpoint()

# Registered, approved, and deployed from the registry.
version = xgb.register(
    ["text/csv"],
    ["text/csv"],
    ["ml.m5.large"],
    ["ml.m5.large"],
    model_package_group_name="bank-v2",
)
version.update_approval_status("Rejected", "not yet")
package = sagemaker.ModelPackage(
    role=role, model_package_arn=version.model_package_arn, sagemaker_session=session
)
package.deploy(1, "ml.m5.large", endpoint_name="bank-v2-registered")
registered = sagemaker.Predictor("bank-v2-registered", session, CSVSerializer(), CSVDeserializer())
same = registered.predict(features) == rows
approval = session.sagemaker_client.describe_model_package(
    ModelPackageName=version.model_package_arn
)["ModelApprovalStatus"]
registered.delete_endpoint()

groups = np.concatenate([np.random.default_rng(n).normal(10 * n, 1, (60, 3)) for n in range(3)])
kmeans = sagemaker.KMeans(role, 1, "ml.c4.xlarge", k=3, sagemaker_session=session)
kmeans.fit(kmeans.record_set(groups.astype("float32")))


@remote(instance_type="ml.m5.large")
def where(text):
    print("in the job: " + text)
    return sys.executable, text.upper()


@remote(instance_type="ml.m5.large")
def broken():
    raise KeyError("nothing of that name")


try:
    broken()
    error = ""
except KeyError as raised:
    error = str(raised)

# One's own script, launched by torchrun on two hosts; its model is packed again to be served.
files = {
    "both.py": script_sources.BOTH + script_sources.PLAIN_INPUT,
    "torch/distributed/run.py": script_sources.TORCHRUN,
}
script = PyTorch(
    "both.py",
    source_dir=script_sources.write(tempfile.mkdtemp(), files),
    role=role,
    framework_version="2.1.0",
    py_version="py310",
    instance_count=2,
    instance_type="ml.g5.xlarge",
    hyperparameters={"factor": 2.5},
    distribution={"torch_distributed": {"enabled": True}},
    sagemaker_session=session,
)
script.fit()
scripted = script.deploy(initial_instance_count=1, instance_type="ml.m5.large")
products = scripted.predict(np.array([[2.0, 4.0]])).tolist()
scripted.delete_endpoint()
script.set_hyperparameters(factor=-1)
try:
    script.fit(logs=False)
    failure = ""
except sagemaker.exceptions.UnexpectedStatusException as raised:
    failure = str(raised)


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
        estimator_cls=SKLearn,
        framework_version="1.2-1",
        role=role,
        instance_count=1,
        instance_type="ml.m5.large",
        sagemaker_session=session,
    )
    processor.run(code=entry, source_dir=source, arguments=arguments, outputs=[out])
    return processor.latest_job


out = ProcessingOutput(output_name="out", source="/opt/ml/processing/out")
processed = processing_steps.process(
    run_script, run_framework, lambda job: job.describe()["ExitMessage"]
)

tutorial_data.tell(
    products=products,
    registered=[version.model_package_arn.rpartition(":")[2], approval, same],
    failure=failure,
    processed=processed,
    remote=where("hello"),
    error=error,
    own=sys.executable,
    version=sagemaker.__version__,
    role=role,
    bucket=bucket,
    salary_error=salary_error,
    accuracy=accuracy,
    attached=attached.model_data,
    status=updated["EndpointStatus"],
    metrics=sorted(set(metrics["metric_name"])),
    kmeans=kmeans.model_data,
)

"""Tutorials and more with version 1 of the SDK, in the calls of 2019."""

import tempfile

import boto3
import numpy as np
import processing_steps
import sagemaker
import script_sources
import tutorial_data
from sagemaker.amazon.amazon_estimator import get_image_uri
from sagemaker.analytics import TrainingJobAnalytics
from sagemaker.predictor import csv_serializer
from sagemaker.processing import ProcessingOutput, ScriptProcessor
from sagemaker.sklearn import SKLearn

session = sagemaker.Session()
role = sagemaker.get_execution_role()
bucket = session.default_bucket()

# Salary: the SDK's own class, which writes RecordIO and a manifest of it.
train_x, train_y, test_x, test_y = tutorial_data.salary()
linear = sagemaker.LinearLearner(
    role,
    train_instance_count=1,
    train_instance_type="ml.c4.xlarge",
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
session.delete_endpoint(salaries.endpoint)

# Bank: XGBoost as a generic estimator.
train, features, labels = tutorial_data.bank()
boto3.resource("s3").Object(bucket, "bank/train/train.csv").put(Body=train)
xgb = sagemaker.estimator.Estimator(
    get_image_uri(session.boto_region_name, "xgboost", "1.0-1"),
    role,
    train_instance_count=1,
    train_instance_type="ml.m4.xlarge",
    output_path="s3://%s/output" % bucket,
    sagemaker_session=session,
)
xgb.set_hyperparameters(objective="binary:logistic", max_depth=5, eta=0.2, num_round=30)
channel = sagemaker.s3_input(s3_data="s3://%s/bank/train" % bucket, content_type="csv")
xgb.fit({"train": channel, "validation": channel})
predictor = xgb.deploy(initial_instance_count=1, instance_type="ml.m4.xlarge")
predictor.content_type = "text/csv"
predictor.serializer = csv_serializer
text = predictor.predict(features).decode()
probability = np.array(text.replace("\n", ",").rstrip(",").split(","), dtype=float)
accuracy = float(((probability > 0.5) == labels).mean())

# The model of another job on the same endpoint, without a moment in which it is gone.
name = xgb.latest_training_job.name
attached = sagemaker.estimator.Estimator.attach(name, sagemaker_session=session)
attached.deploy(
    initial_instance_count=1,
    instance_type="ml.m5.xlarge",
    endpoint_name=predictor.endpoint,
    model_name="bank-second",
    update_endpoint=True,
)
updated = session.sagemaker_client.describe_endpoint(EndpointName=predictor.endpoint)
metrics = TrainingJobAnalytics(name, sagemaker_session=session).dataframe()
session.delete_endpoint(predictor.endpoint)

# k-means of the SDK.
groups = np.concatenate([np.random.default_rng(n).normal(10 * n, 1, (60, 3)) for n in range(3)])
kmeans = sagemaker.KMeans(
    role, 1, "ml.c4.xlarge", k=3, sagemaker_session=session, output_path="s3://%s/k" % bucket
)
kmeans.fit(kmeans.record_set(groups.astype("float32")))

# One's own script trains, and serves.
source = script_sources.write(tempfile.mkdtemp(), {"both.py": script_sources.BOTH})
script = SKLearn(
    "both.py",
    source_dir=source,
    role=role,
    train_instance_type="ml.m5.large",
    hyperparameters={"factor": 2.5},
    sagemaker_session=session,
)
script.fit()
scripted = script.deploy(initial_instance_count=1, instance_type="ml.m5.large")
products = scripted.predict(np.array([[2.0, 4.0]])).tolist()
session.delete_endpoint(scripted.endpoint)


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


out = ProcessingOutput(output_name="out", source="/opt/ml/processing/out")
processed = processing_steps.process(run_script, None, lambda job: job.describe()["ExitMessage"])

tutorial_data.tell(
    products=products,
    processed=processed,
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

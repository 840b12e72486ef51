"""Version 1 where no hook can run: it finds STS by botocore's list of endpoints."""

import time

import boto3
import sagemaker
import tutorial_data
from sagemaker.amazon.amazon_estimator import get_image_uri
from sagemaker.predictor import RealTimePredictor, csv_serializer

session = sagemaker.Session()
role = sagemaker.get_execution_role(session)
bucket = session.default_bucket()
client = session.sagemaker_client

train, features, labels = tutorial_data.bank(2_000)
boto3.resource("s3").Object(bucket, "bare/train.csv").put(Body=train)
xgb = sagemaker.estimator.Estimator(
    get_image_uri(session.boto_region_name, "xgboost", "1.0-1"),
    role,
    train_instance_count=1,
    train_instance_type="ml.m4.xlarge",
    sagemaker_session=session,
)
xgb.set_hyperparameters(objective="binary:logistic", num_round=10)
channel = sagemaker.s3_input(s3_data="s3://%s/bare" % bucket, content_type="csv")
xgb.fit({"train": channel}, wait=False)
while client.describe_training_job(TrainingJobName=xgb.latest_training_job.name)[
    "TrainingJobStatus"
] in ("InProgress", "Stopping"):
    time.sleep(0.5)
attached = sagemaker.estimator.Estimator.attach(xgb.latest_training_job.name, session)
attached.deploy(1, "ml.m4.xlarge", endpoint_name="bare-v1", wait=False)
while client.describe_endpoint(EndpointName="bare-v1")["EndpointStatus"] == "Creating":
    time.sleep(0.5)
predictor = RealTimePredictor("bare-v1", serializer=csv_serializer, content_type="text/csv")
answer = predictor.predict(features[:5]).decode()
session.delete_endpoint("bare-v1")
tutorial_data.tell(role=role, bucket=bucket, answers=len(answer.split(",")))

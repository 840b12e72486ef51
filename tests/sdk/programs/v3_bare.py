"""Version 3 where no hook can run: it also asks IAM what the role may do."""

import boto3
import tutorial_data
from sagemaker.core import image_uris
from sagemaker.core.helper.session_helper import Session, get_execution_role
from sagemaker.train import ModelTrainer
from sagemaker.train.configs import Compute, InputData

session = Session()
role = get_execution_role(session)
bucket = session.default_bucket()

train, features, labels = tutorial_data.bank(2_000)
boto3.resource("s3").Object(bucket, "bare/train.csv").put(Body=train)
trainer = ModelTrainer(
    training_image=image_uris.retrieve("xgboost", session.boto_region_name, "3.0-5"),
    role=role,
    compute=Compute(instance_type="ml.m5.large", instance_count=1),
    hyperparameters={"objective": "binary:logistic", "num_round": 10},
    sagemaker_session=session,
)
trainer.train(
    input_data_config=[
        InputData(channel_name="train", data_source=f"s3://{bucket}/bare", content_type="csv")
    ]
)
trainer._latest_training_job.refresh()
tutorial_data.tell(
    role=role, bucket=bucket, status=trainer._latest_training_job.training_job_status
)

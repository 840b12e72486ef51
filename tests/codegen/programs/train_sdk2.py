from sagemaker.estimator import Estimator
from sagemaker.inputs import TrainingInput

estimator = Estimator(
    image_uri="683313688378.dkr.ecr.us-east-1.amazonaws.com/sagemaker-xgboost:3.0-5",
    role="arn:aws:iam::000000000000:role/StudioExecutionRole",
    instance_count=1,
    instance_type="ml.m5.large",
    volume_size=5,
    max_run=600,
    max_wait=900,
    use_spot_instances=True,
    output_path="s3://generated-code/output",
    checkpoint_s3_uri="s3://generated-code/checkpoints/generated-sdk2",
    environment={"GREETING": "it's \"quoted\" \\ $HOME\n☃ true"},
    hyperparameters={"num_round": "3", "objective": "reg:squarederror"},
    tags=[{"Key": "note", "Value": "one: 100"}, {"Key": "yes", "Value": "1e3"}],
)
estimator.fit(
    inputs={
        "train": TrainingInput(
            s3_data="s3://generated-code/train/",
            content_type="text/csv",
        ),
        "validation": TrainingInput(
            s3_data="s3://generated-code/train/",
            content_type="text/csv",
        ),
    },
    job_name="generated-sdk2",
)

from sagemaker.train import ModelTrainer
from sagemaker.train.configs import (
    CheckpointConfig,
    Compute,
    InputData,
    OutputDataConfig,
    StoppingCondition,
    Tag,
)

trainer = ModelTrainer(
    training_image="683313688378.dkr.ecr.us-east-1.amazonaws.com/sagemaker-xgboost:3.0-5",
    training_input_mode="File",
    role="arn:aws:iam::000000000000:role/StudioExecutionRole",
    base_job_name="generated-sdk3",
    compute=Compute(
        instance_type="ml.m5.large",
        instance_count=1,
        volume_size_in_gb=5,
        enable_managed_spot_training=True,
    ),
    stopping_condition=StoppingCondition(
        max_runtime_in_seconds=600,
        max_wait_time_in_seconds=900,
    ),
    output_data_config=OutputDataConfig(s3_output_path="s3://generated-code/output"),
    checkpoint_config=CheckpointConfig(
        s3_uri="s3://generated-code/checkpoints/generated-sdk3",
    ),
    hyperparameters={"num_round": "3", "objective": "reg:squarederror"},
    environment={"GREETING": "it's \"quoted\" \\ $HOME\n☃ true"},
    tags=[Tag(key="note", value="one: 100"), Tag(key="yes", value="1e3")],
)
trainer.train(
    input_data_config=[
        InputData(
            channel_name="train",
            data_source="s3://generated-code/train/",
            content_type="text/csv",
        ),
        InputData(
            channel_name="validation",
            data_source="s3://generated-code/train/",
            content_type="text/csv",
        ),
    ],
)

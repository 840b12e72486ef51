import boto3

sagemaker = boto3.client("sagemaker")

sagemaker.create_model(
    ModelName="generated-boto3",
    ExecutionRoleArn="arn:aws:iam::000000000000:role/StudioExecutionRole",
    PrimaryContainer={
        "Image": "683313688378.dkr.ecr.us-east-1.amazonaws.com/sagemaker-xgboost:3.0-5",
        "ModelDataUrl": "s3://generated-code/output/generated-boto3/output/model.tar.gz",
    },
)

sagemaker.create_endpoint_config(
    EndpointConfigName="generated-boto3",
    ProductionVariants=[
        {
            "VariantName": "AllTraffic",
            "ModelName": "generated-boto3",
            "InstanceType": "ml.m5.large",
            "InitialInstanceCount": 1,
            "InitialVariantWeight": 1,
        },
    ],
)

sagemaker.create_endpoint(
    EndpointName="generated-boto3",
    EndpointConfigName="generated-boto3",
)
sagemaker.get_waiter("endpoint_in_service").wait(EndpointName="generated-boto3")

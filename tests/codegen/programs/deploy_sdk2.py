from sagemaker import Session

session = Session()
session.create_model(
    name="generated-sdk2",
    role="arn:aws:iam::000000000000:role/StudioExecutionRole",
    container_defs={
        "Image": "683313688378.dkr.ecr.us-east-1.amazonaws.com/sagemaker-xgboost:3.0-5",
        "ModelDataUrl": "s3://generated-code/output/generated-boto3/output/model.tar.gz",
    },
)
session.endpoint_from_production_variants(
    name="generated-sdk2",
    production_variants=[
        {
            "VariantName": "AllTraffic",
            "ModelName": "generated-sdk2",
            "InstanceType": "ml.m5.large",
            "InitialInstanceCount": 1,
            "InitialVariantWeight": 1,
        },
    ],
)

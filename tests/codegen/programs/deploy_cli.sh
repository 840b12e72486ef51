aws sagemaker create-model --cli-input-json '{
  "ModelName": "generated-cli",
  "ExecutionRoleArn": "arn:aws:iam::000000000000:role/StudioExecutionRole",
  "PrimaryContainer": {
    "Image": "683313688378.dkr.ecr.us-east-1.amazonaws.com/sagemaker-xgboost:3.0-5",
    "ModelDataUrl": "s3://generated-code/output/generated-boto3/output/model.tar.gz"
  }
}'

aws sagemaker create-endpoint-config --cli-input-json '{
  "EndpointConfigName": "generated-cli",
  "ProductionVariants": [
    {
      "VariantName": "AllTraffic",
      "ModelName": "generated-cli",
      "InstanceType": "ml.m5.large",
      "InitialInstanceCount": 1,
      "InitialVariantWeight": 1
    }
  ]
}'

aws sagemaker create-endpoint --cli-input-json '{
  "EndpointName": "generated-cli",
  "EndpointConfigName": "generated-cli"
}'

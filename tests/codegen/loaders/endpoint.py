import boto3

body = "1,2"
answer = boto3.client("sagemaker-runtime").invoke_endpoint(
    EndpointName="loaded",
    ContentType="text/csv",
    Body=body,
)
print(answer["Body"].read().decode())

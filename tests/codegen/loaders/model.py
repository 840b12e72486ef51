import boto3

model = boto3.client("sagemaker").describe_model(ModelName="loaded")
model_data = model.get("PrimaryContainer", {}).get("ModelDataUrl")
print(model_data)

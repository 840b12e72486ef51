import boto3

job = boto3.client("sagemaker").describe_training_job(TrainingJobName="loaded")
metrics = {it["MetricName"]: it["Value"] for it in job.get("FinalMetricDataList", [])}
model_data = job["ModelArtifacts"]["S3ModelArtifacts"]
print(job["TrainingJobStatus"], metrics, model_data)

import boto3
import pandas as pd

body = boto3.client("s3").get_object(Bucket="loaders", Key="a.jsonl")["Body"]
data = pd.read_json(body, lines=True)
data.head()

import boto3
import pandas as pd

body = boto3.client("s3").get_object(Bucket="loaders", Key="it's ü.csv")["Body"]
data = pd.read_csv(body)
data.head()

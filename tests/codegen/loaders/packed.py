import boto3
import pandas as pd

body = boto3.client("s3").get_object(Bucket="loaders", Key="a.csv.gz")["Body"]
data = pd.read_csv(body, compression="gzip")
data.head()

import io

import boto3
import pandas as pd

body = boto3.client("s3").get_object(Bucket="loaders", Key="a.parquet")["Body"]
data = pd.read_parquet(io.BytesIO(body.read()))
data.head()

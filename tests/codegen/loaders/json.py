import json

import boto3

body = boto3.client("s3").get_object(Bucket="loaders", Key="a.json")["Body"]
data = json.load(body)
data

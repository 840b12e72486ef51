import boto3
from IPython.display import Image

body = boto3.client("s3").get_object(Bucket="loaders", Key="a.png")["Body"]
Image(body.read())

import boto3

body = boto3.client("s3").get_object(Bucket="loaders", Key="a.bin")["Body"]
data = body.read()
print(len(data), data[:200])

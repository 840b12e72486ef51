import io
import tarfile

import boto3

body = boto3.client("s3").get_object(Bucket="loaders", Key="model.tar.gz")["Body"]
with tarfile.open(fileobj=io.BytesIO(body.read())) as archive:
    archive.extractall("model", filter="data")
    print(archive.getnames())

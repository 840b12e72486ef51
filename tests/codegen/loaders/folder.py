import boto3

folder = boto3.resource("s3").Bucket("loaders")
objects = [it.key for it in folder.objects.filter(Prefix="folder/").limit(1000)]
objects

import io
import tarfile
from pathlib import Path

import boto3

body = boto3.client("s3").get_object(Bucket="loaders", Key="model.tar.gz")["Body"]
folder = Path("model").resolve()
with tarfile.open(fileobj=io.BytesIO(body.read())) as archive:
    for member in archive:
        path = (folder / member.name).resolve()
        # Not extractall(): a link, or a name with "..", can lead out of the folder.
        if member.isfile() and folder in path.parents:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(archive.extractfile(member).read())
            print(path)

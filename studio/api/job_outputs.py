"""Where the archives of training jobs are stored."""

from studio.db.resources import Resource


def prefix(job: Resource) -> str:
    """The URI, with its slash, below which the job's archives are stored."""
    return f"{job.spec['OutputDataConfig']['S3OutputPath'].rstrip('/')}/{job.name}/output/"

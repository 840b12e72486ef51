"""The source of a script: fetched as the role of the job, unpacked to /opt/ml/code.

AWS's containers fetch it themselves. Here it needs no S3 client in the user's environment, and no
network.
"""

import hmac
import shlex

from studio import credentials
from studio.api.images import Program
from studio.container.script import job as jobs
from studio.container.script import remote
from studio.db.resources import Doc, Resource
from studio.reconcile.steps import Rejected
from studio.runners.base import RunStatus, Transfer
from studio.s3.client import Storage, parse_uri
from studio.settings import Settings

FAILURE = "ExecuteUserScriptError"
"""How AWS's toolkit begins the reason; in a container of AWS's it has said so itself."""
_FOLDER = "code"
_COMMAND = 300
"""Characters of a command that a reason has room for."""


def of_training(program: Program, spec: Doc, storage: Storage) -> tuple[Transfer, ...]:
    """The source of a training job's script, if it has one in S3. Raises Rejected."""
    given = spec.get("HyperParameters", {}).get("sagemaker_submit_directory", "")
    return _source(str(jobs.value(given)), storage) if program.scripted else ()


def of_server(program: Program, container: Doc, storage: Storage) -> tuple[Transfer, ...]:
    """The source of the `inference.py` of a model's container. Raises Rejected."""
    given = container.get("Environment", {}).get("SAGEMAKER_SUBMIT_DIRECTORY", "")
    # Version 1 of the SDK names the model, into which it has packed the source.
    carried = given == container.get("ModelDataUrl")
    return _source(given, storage) if program.framework and not carried else ()


def files(settings: Settings, job: Resource) -> dict[str, str]:
    """What the hosts of an MPI job know each other by: a key that is theirs alone."""
    wanted = job.spec.get("HyperParameters", {}).get("sagemaker_mpi_enabled", "")
    if str(jobs.value(wanted)).lower() != "true":
        return {}
    secret = credentials.load_or_create(settings.home).secret_access_key.encode()
    return {remote.KEY: hmac.new(secret, f"hosts of {job.id}".encode(), "sha256").hexdigest()}


def failure(spec: Doc, status: RunStatus, room: int) -> str:
    """Why a script failed, as AWS's toolkit says it, in at most `room` characters. Of a long
    traceback the end is what matters."""
    given = {name: jobs.value(text) for name, text in spec.get("HyperParameters", {}).items()}
    own = {name: it for name, it in given.items() if not name.startswith("sagemaker_")}
    words = ["python3", str(given["sagemaker_program"]), *jobs.arguments(own)]
    head = f'{FAILURE}:\nExitCode {status.exit_code}\nErrorMessage "{status.message}'
    tail = f'"\nCommand "{shlex.join(words)[:_COMMAND]}"'
    # Without its first line and its last, which is the message.
    frames = "".join(f"\n{line}" for line in status.traceback.splitlines()[1:-1])
    left = room - len(head) - len(tail)
    kept = frames[-left:] if left > 0 else ""
    return head[: room - len(tail)] + "".join(kept.partition("\n")[1:]) + tail


def _source(uri: str, storage: Storage) -> tuple[Transfer, ...]:
    if not uri.startswith("s3://"):
        return ()
    bucket, key = parse_uri(uri)
    found = storage.head(bucket, key)
    if found is None:
        raise Rejected(f"ClientError: Could not find the source of the script at {uri}.")
    link, url = storage.source(found)
    return (Transfer(path=_FOLDER, size=found.size, link=link, url=url),)

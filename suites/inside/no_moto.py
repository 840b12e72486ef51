"""In the place of moto's server: Studio, which runs already."""

import os
import urllib.parse

# Read now: some suites empty the environment of whatever begins with AWS_.
_ADDRESS = urllib.parse.urlsplit(os.environ["AWS_ENDPOINT_URL"])


class RunningServer:
    """What tests use of `moto.server.ThreadedMotoServer`."""

    def __init__(self, *_arguments: object, **_options: object) -> None: ...

    def get_host_and_port(self) -> tuple[str, int]:
        return _ADDRESS.hostname or "", _ADDRESS.port or 0

    def start(self) -> None: ...

    def stop(self) -> None: ...

"""boto3 clients of tests."""

import weakref
from typing import Any


def closing(client: Any) -> Any:
    """The client; its connections are closed when nobody has it any more. A socket that is
    collected open is an error of whichever test runs then."""
    weakref.finalize(client, client._endpoint.close).atexit = False
    return client

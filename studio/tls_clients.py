"""What clients need to come over https: URLs, the authority to trust, a list of endpoints."""

import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from studio import durable, tls
from studio.errors import StudioError
from studio.settings import Settings


def environment(
    values: Mapping[str, str], settings: Settings, environ: Mapping[str, str] = os.environ
) -> dict[str, str]:
    """`values` of `studio.environment`, changed so that AWS clients come over https.

    The router speaks plain HTTP; the control plane passes its requests on. Raises StudioError.
    """
    url = f"https://{settings.client_host}:{_port(settings)}"
    return {
        **values,
        "AWS_ENDPOINT_URL": url,
        "AWS_ENDPOINT_URL_SAGEMAKER_RUNTIME": url,
        "AWS_CA_BUNDLE": str(tls.write_bundle(settings.home, environ)),
    }


def write_endpoints_json(settings: Settings, path: Path) -> None:
    """Write botocore's list of endpoints with STS at the TLS listener. Raises StudioError.

    For programs that ask for STS by that list and hear no variable. Only a file of ours is
    replaced.
    """
    port, comment = _port(settings), f"STS answers at {settings.home}: written by Studio."
    try:
        present = json.loads(path.read_bytes()) if path.exists() else {"comment": comment}
    except ValueError:
        present = {}
    if "written by Studio" not in str(present.get("comment", "")):
        raise StudioError(f"{path} is another program's: move it away first.")
    data = tls.botocore_file("data/endpoints.json").read_bytes()
    document: dict[str, Any] = {"comment": comment, **json.loads(data)}
    for partition in document["partitions"]:
        sts = partition["services"].get("sts")
        if sts is None:
            continue
        here = {"hostname": f"localhost:{port}", "protocols": ["https"]}
        sts["defaults"] = here
        for endpoint in sts["endpoints"].values():
            endpoint.pop("variants", None)
            endpoint.update(here)
    path.parent.mkdir(parents=True, exist_ok=True)
    durable.write_bytes(path, json.dumps(document, indent=1).encode(), 0o644)


def _port(settings: Settings) -> int:
    port: int | None = durable.read_json(tls.port_file(settings.home))
    if port is None or settings.tls_port < 0:
        raise StudioError("Studio has no TLS listener: set tls_port to 0 or above, start it again.")
    return port

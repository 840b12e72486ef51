"""Studio in a Jupyter server: keeps a control plane running, tells the kernels where it is, and
hands the browser's requests on to it, signed. It decides nothing and stores nothing."""

from typing import Any


def _jupyter_server_extension_points() -> list[dict[str, Any]]:
    from studio.extension.app import StudioApp  # only Jupyter needs it, and it has Jupyter

    return [{"module": "studio.extension", "app": StudioApp}]

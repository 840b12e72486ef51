"""A Jupyter server as JupyterHub starts it: a token, a base URL; beside that what Galata needs."""

from pathlib import Path

import jupyterlab
from jupyterlab import commands

c = get_config()  # noqa: F821
c.ServerApp.open_browser = False
c.ServerApp.port_retries = 0
c.ServerApp.allow_root = True
c.ServerApp.base_url = "/user/ann/"
c.LabApp.expose_app_in_browser = True
c.LabApp.extra_labextensions_path = [str(Path(jupyterlab.__file__).parent / "galata")]
c.LabApp.news_url = None
c.LabApp.check_for_updates_class = "jupyterlab.NeverCheckForUpdate"
# Nothing is built here: a second of Node's to learn of Yarn's settings is for nothing.
commands._yarn_config = lambda logger: {"yarn config": {}}

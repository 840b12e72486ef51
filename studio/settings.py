"""Settings: one frozen dataclass, filled from `studio.toml` < `STUDIO_*` variables < arguments.

Every field is documented in docs/reference/settings.md (a test compares the two).
"""

import os
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any

import platformdirs

from studio.errors import StudioError


@dataclass(frozen=True)
class Settings:
    home: Path
    """Everything that Studio stores lies under this folder."""

    port: int = 0
    """Port of the control plane; 0 picks a free one once and keeps it for this home."""

    host: str = "127.0.0.1"
    """Address to listen on. Loopback unless you know why not."""

    tls_port: int = 0
    """Port of the same for https; 0 picks a free one once and keeps it; -1: no https."""

    external_url: str = ""
    """URL of a proxy through which clients come too: they sign for its host and path."""

    region: str = "us-east-1"
    """Region that ARNs, bucket names and signatures carry."""

    account: str = "000000000000"
    """Account number, 12 digits, that ARNs carry."""

    role_name: str = "StudioExecutionRole"
    """Role that `get_execution_role()` returns."""

    database_url: str = field(default="", repr=False)
    """URL of a PostgreSQL database, `postgresql+psycopg://...`; empty: SQLite in the home."""

    lease_seconds: float = 10.0
    """Time after which, on PostgreSQL, a control plane that gives no sign of life is replaced."""

    s3_endpoint: str = ""
    """URL of an external S3 (AWS, MinIO, Ceph ...); empty: the gateway in this home."""

    s3_profile: str = ""
    """Profile of the AWS configuration whose credentials the external S3 takes."""

    s3_ca_bundle: str = ""
    """File of the authorities to trust for the external S3; empty: AWS_CA_BUNDLE, or the usual."""

    cpu_slots: int = 0
    """CPUs that jobs may occupy at once; 0: all of the machine's."""

    gpu_slots: int = -1
    """GPUs that jobs may occupy at once; -1: all of the machine's."""

    job_memory_mb: int = 0
    """Memory that one job's processes may use together; 0: nine tenths of the machine's."""

    runner: str = "auto"
    """`auto`: containers for images that are not ours; `docker`: for all; `process`: for none."""

    docker_host: str = ""
    """Socket of the Docker engine, `unix:///path`; empty: DOCKER_HOST, or the usual place."""

    image_pull: str = "missing"
    """`missing`: pull images that the engine lacks; `always`: look for a newer one each time."""

    container_root: str = "read-only"
    """`read-only` or `writable`: what containers find at /; /tmp and /opt/ml can be written."""

    sandbox: str = "auto"
    """`auto`: bubblewrap where it works; `always`: refuse jobs without it; `never`."""

    job_python: str = ""
    """Interpreter whose packages scripts of jobs and endpoints find; empty: Studio's own."""

    images: str = ""
    """What image URIs run as, in front of the rows that there are: `pattern=target`, by commas."""

    job_stop_seconds: float = 120.0
    """Time between SIGTERM and SIGKILL of a job, as on AWS."""

    server_stop_seconds: float = 30.0
    """Time between SIGTERM and SIGKILL of a model server, as on AWS."""

    serverless_idle_seconds: float = 300.0
    """Time without requests after which servers of a serverless endpoint go to sleep."""

    @property
    def client_host(self) -> str:
        """The host, as URLs spell it, where programs of this machine find the control plane."""
        if self.host in ("0.0.0.0", "::", ""):
            return "127.0.0.1"
        return f"[{self.host}]" if ":" in self.host else self.host

    @property
    def ca_bundle(self) -> str:
        """The file of authorities to trust for the external S3; "" for the system's."""
        return self.s3_ca_bundle or os.environ.get("AWS_CA_BUNDLE", "")

    @property
    def database(self) -> str:
        """URL of the database; it may hold a password."""
        return self.database_url or f"sqlite:///{self.home / 'studio.db'}"

    @property
    def runs(self) -> Path:
        """One folder a run: its spec, its log, its exit."""
        return self.home / "runs"


def default_home() -> Path:
    """`STUDIO_HOME`, else the platform's folder for a user's data."""
    value = os.environ.get("STUDIO_HOME")
    return Path(value).expanduser() if value else platformdirs.user_data_path("studio")


def load_settings(
    home: Path | None = None, environ: Mapping[str, str] = os.environ, **overrides: Any
) -> Settings:
    """Settings for `home` of a program with that environment; `overrides` that are None count as
    absent.

    Raises StudioError when a file or variable holds an unknown name or a value of a wrong type.
    """
    folder = (home or default_home()).expanduser().absolute()
    values: dict[str, Any] = {}
    values |= _from_file(folder / "studio.toml")
    values |= _from_environment(environ)
    values |= {name: value for name, value in overrides.items() if value is not None}
    values["home"] = folder
    return Settings(**values)


def _from_file(path: Path) -> dict[str, Any]:
    try:
        document = tomllib.loads(path.read_text())
    except (FileNotFoundError, NotADirectoryError):
        return {}  # the folder may not exist yet
    except OSError as error:
        raise StudioError(f"{path} can't be read: {error.strerror}.") from error
    except tomllib.TOMLDecodeError as error:
        raise StudioError(f"{path} is not valid TOML: {error}") from error
    return {name: _checked(name, value, str(path)) for name, value in document.items()}


def _from_environment(environ: Mapping[str, str]) -> dict[str, Any]:
    values: dict[str, Any] = {}
    for name, kind in _types().items():
        variable = f"STUDIO_{name.upper()}"
        if name == "home" or variable not in environ:
            continue
        try:
            values[name] = kind(environ[variable])
        except ValueError as error:
            raise StudioError(f"{variable} must be of type {kind.__name__}") from error
    return values


def _checked(name: str, value: Any, source: str) -> Any:
    kind = _types().get(name)
    if kind is None or name == "home":
        raise StudioError(f"{source}: unknown setting {name!r}; see docs/reference/settings.md")
    if kind is float and isinstance(value, int):
        return float(value)
    if not isinstance(value, kind) or isinstance(value, bool):
        raise StudioError(f"{source}: {name} must be of type {kind.__name__}")
    return value


def _types() -> dict[str, type]:
    return {field.name: field.type for field in fields(Settings) if isinstance(field.type, type)}

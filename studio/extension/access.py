"""Which Studio this Jupyter server works with, and what the kernels' environment has to be for it.

Pure decisions about the environment: nothing is started here, no network is used.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field

from studio import credentials, daemon, durable, environment
from studio.credentials import Credentials
from studio.settings import Settings


@dataclass(frozen=True)
class Access:
    """Where requests go and who signs them."""

    url: str
    router_url: str
    s3_url: str
    region: str
    key: Credentials
    local: bool
    """Whether it is the home's own control plane, which may be started; else somebody runs it."""

    variables: Mapping[str, str] = field(repr=False)
    """What a kernel needs in its environment to land there."""


def find(settings: Settings, environ: Mapping[str, str]) -> Access:
    """The Studio that `environ` names with a key that is not the home's own, else the home's.

    Raises StudioError when the home can't be used.
    """
    return _remote(settings, environ) or _local(settings, environ)


def changes(access: Access, environ: Mapping[str, str]) -> dict[str, str | None] | None:
    """What to set, and with None what to remove, so that kernels land at `access`.

    The variables are one set: None when the user's own AWS_ENDPOINT_URL leads elsewhere, for
    half of each would lead nowhere.
    """
    own = environ.get("AWS_ENDPOINT_URL")
    if own and own != access.variables["AWS_ENDPOINT_URL"]:
        return None
    return dict.fromkeys(environment.REMOVED) | dict(access.variables)


def _remote(settings: Settings, environ: Mapping[str, str]) -> Access | None:
    url = environ.get("STUDIO_URL", "").rstrip("/")
    key = Credentials(
        environ.get("AWS_ACCESS_KEY_ID", ""), environ.get("AWS_SECRET_ACCESS_KEY", "")
    )
    if not (url and key.access_key_id and key.secret_access_key) or _is_own(settings, key):
        return None
    router_url = environ.get("AWS_ENDPOINT_URL_SAGEMAKER_RUNTIME", url)
    region = environ.get("AWS_DEFAULT_REGION") or environ.get("AWS_REGION") or settings.region
    variables = environment.user_environment(settings, url, router_url, key)
    variables |= {"AWS_DEFAULT_REGION": region, "AWS_REGION": region}
    variables |= environment.installed_environment(environ)
    s3_url = environ.get("AWS_ENDPOINT_URL_S3", url)
    if s3_url != url:
        variables["AWS_ENDPOINT_URL_S3"] = s3_url
    return Access(url, router_url, s3_url, region, key, False, variables)


def _local(settings: Settings, environ: Mapping[str, str]) -> Access:
    url, router_url = daemon.reserve(settings)
    key = credentials.load_or_create(settings.home)
    variables = environment.client_environment(settings, url, router_url, environ)
    s3_url = settings.s3_endpoint or url
    return Access(url, router_url, s3_url, settings.region, key, True, variables)


def _is_own(settings: Settings, key: Credentials) -> bool:
    """Whether it is the home's owner, whose shell ran `studio env`."""
    known = durable.read_json(settings.home / "credentials.json") or {}
    return bool(known.get("access_key_id") == key.access_key_id)

"""What runs may do: the role of a resource, as credentials, as a view of S3, as the router's keys.

A run gets no secret at its start, only a token with which it fetches credentials of its role
(`credentials`), for an hour at most, again and again until it ends.
"""

import hmac
import time
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import partial

from studio.db import resources
from studio.db.resources import Resource, Run
from studio.db.session import Database
from studio.environment import hook_folder
from studio.errors import ApiError
from studio.identity.authority import Ask
from studio.identity.entry import Identity
from studio.identity.keys import Session
from studio.identity.principals import Principal, service_session
from studio.reconcile.steps import Kind
from studio.s3.access import Access
from studio.s3.client import Storage
from studio.s3.guard import GuardedStorage
from studio.serving import control
from studio.serving.table import Key
from studio.settings import Settings

_SECONDS = 3600
_MOST_SESSIONS = 500  # at once, for all processes of a run


@dataclass(frozen=True)
class Grants:
    """`kinds` know whose rights the runs of a resource have; `url` is the control plane's."""

    settings: Settings
    db: Database
    identity: Identity
    access: Access
    kinds: Mapping[str, Kind]
    url: str

    def storage(self, resource: Resource, run_role: str, storage: Storage) -> Storage:
        """`storage` as the role of the run may use it."""
        role_arn, _ = self._role(resource, run_role)
        return self.storage_of(role_arn, resource.owner, storage)

    def storage_of(self, role_arn: str, owner: str, storage: Storage) -> Storage:
        """`storage` as a role at work for `owner` may use it."""
        account, default = self.settings.account, self.settings.role_name
        principal = service_session(account, default, role_arn, owner)
        return GuardedStorage(storage, partial(self.access.check, principal))

    def environment(self, resource: Resource, run_role: str, run_id: str) -> dict[str, str]:
        """Variables with which AWS's SDKs find this server, and credentials, by themselves."""
        role_arn, _ = self._role(resource, run_role)
        if not role_arn:
            return {}
        return {
            "AWS_CONTAINER_CREDENTIALS_FULL_URI": f"{self.url}/_studio/credentials/{run_id}",
            "AWS_CONTAINER_AUTHORIZATION_TOKEN": self.identity.keys.run_token(run_id),
            "AWS_DEFAULT_REGION": self.settings.region,
            "AWS_REGION": self.settings.region,
            "AWS_ENDPOINT_URL": self.url,
            "AWS_ENDPOINT_URL_SAGEMAKER_RUNTIME": control.url(self.settings.home),
            "AWS_EC2_METADATA_DISABLED": "true",
            "SAGEMAKER_SUPPRESS_V2_WARNING": "1",
            "STUDIO_URL": self.url,
            "PYTHONPATH": str(hook_folder()),
        }

    def credentials(self, run_id: str, token: str) -> Session:
        """Fresh credentials for a run that shows its token. Raises ApiError."""
        right = self.identity.keys.run_token(run_id)
        if not hmac.compare_digest(token.encode("utf-8", "replace"), right.encode()):
            raise ApiError("AccessDenied", "The token is not that of the run.", 403)
        with self.db.read() as connection:
            run = resources.get_run(connection, run_id)
            resource = resources.get(connection, run.resource_id) if run else None
        if run is None or resource is None or run.ended_at is not None:
            raise ApiError("ExpiredToken", "The run has ended.", 403)
        role_arn, principal = self._role(resource, run.role)
        if not role_arn:
            raise ApiError("AccessDenied", "The run has no role.", 403)
        if self.identity.keys.live(run_id, _now()) >= _MOST_SESSIONS:
            raise ApiError("ThrottlingException", "The run has asked too often.", 429)
        return self.identity.keys.start_session(principal, _SECONDS, _now(), run_id)

    def ended(self, runs: Iterable[Run]) -> None:
        """The credentials of these runs are worth nothing from now on."""
        self.identity.keys.end_runs((run.id for run in runs), _now())

    def sweep(self) -> None:
        """End what a crash between the end of a run and that of its credentials left over."""
        with self.db.read() as connection:
            over = [
                key.run_id
                for key in self.identity.keys.all()
                if key.run_id and key.revoked_at is None
                if (run := resources.get_run(connection, key.run_id)) and run.ended_at is not None
            ]
        self.identity.keys.end_runs(over, _now())

    def router_keys(self) -> Mapping[str, Key]:
        """Every valid key, and the endpoints that may be invoked with it."""
        now = _now()
        with self.db.read() as connection:
            endpoints = resources.of_kind(connection, "endpoint")
        return {
            key.id: Key(
                secret=key.secret,
                principal=key.principal.arn,
                token_sha256=key.token_sha256,
                expires_at=key.expires_at or 0,
                endpoints=self._invocable(key.principal, endpoints),
            )
            for key in self.identity.keys.all()
            if key.usable and not key.expired(now)
        }

    def _invocable(
        self, principal: Principal, endpoints: Iterable[Resource]
    ) -> tuple[str, ...] | None:
        if principal.kind == "owner":
            return None
        authority = self.identity.authority
        return tuple(
            each.name
            for each in endpoints
            if authority.allows(principal, Ask(_action(each), each.arn, owner=each.owner))
        )

    def _role(self, resource: Resource, run_role: str) -> tuple[str, Principal]:
        """ARN of the role of a run, and the role at work for the resource's owner."""
        role_arn, settings = self.kinds[resource.kind].role_arn(resource, run_role), self.settings
        account, default = settings.account, settings.role_name
        return role_arn, service_session(account, default, role_arn, resource.owner)


def _action(endpoint: Resource) -> str:
    """By which an endpoint is invoked: a request of the other kind is refused for what it is."""
    asynchronous = endpoint.state["Deployments"][-1].get("Async")
    return f"sagemaker:InvokeEndpoint{'Async' if asynchronous else ''}"


def _now() -> int:
    return time.time_ns() // 1_000_000

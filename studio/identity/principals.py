"""Who acts: the owner of the home, a user, or a session of a role."""

import base64
import hashlib
from dataclasses import dataclass
from typing import Literal

Kind = Literal["owner", "user", "role"]


@dataclass(frozen=True)
class Principal:
    """An identity that a request or a run has proven.

    `name` is the user's or the role's. `owner` is the person whose things it makes and may touch:
    the user, who is behind the session of a role, or "" for the owner of the home.
    `policy` is the text of the policy that narrows a session, "" without one.
    """

    kind: Kind
    name: str
    account: str
    owner: str = ""
    session: str = ""
    policy: str = ""

    @property
    def arn(self) -> str:
        """As GetCallerIdentity tells it."""
        if self.kind == "user":
            return f"arn:aws:iam::{self.account}:user/{self.name}"
        return f"arn:aws:sts::{self.account}:assumed-role/{self.name}/{self.session}"

    @property
    def source_arn(self) -> str:
        """The user or the role itself: what aws:PrincipalArn holds."""
        kind = "user" if self.kind == "user" else "role"
        return f"arn:aws:iam::{self.account}:{kind}/{self.name}"

    @property
    def user_id(self) -> str:
        """The unique id: that of a user, or `<that of the role>:<session>`."""
        if self.kind == "user":
            return unique_id("AIDA", self.source_arn)
        return f"{unique_id('AROA', self.source_arn)}:{self.session}"


def owner_of_home(account: str, role_name: str) -> Principal:
    """The owner, who may do everything. SDKs take only an assumed role for an execution role."""
    return Principal("owner", role_name, account, session="studio")


def user(account: str, name: str) -> Principal:
    return Principal("user", name, account, owner=name)


def role_session(
    account: str, name: str, session: str, owner: str = "", policy: str = ""
) -> Principal:
    """The role `name`, assumed by `owner` (or by a service on behalf of `owner`)."""
    return Principal("role", name, account, owner, session, policy)


def service_session(account: str, default: str, role_arn: str, owner: str) -> Principal:
    """SageMaker as the role, for `owner`. A role of another account stands for `default`: code
    that came from AWS names one that is not here."""
    fields = role_arn.split(":", 5)
    ours = len(fields) == 6 and fields[4] == account
    name = fields[5].rpartition("/")[2] if ours else default
    return role_session(account, name, "SageMaker", owner)


def unique_id(prefix: str, arn: str) -> str:
    """The 21 characters that AWS calls a unique id, made of what is unique about it."""
    digest = hashlib.sha256(arn.encode()).digest()
    return prefix + base64.b32encode(digest).decode()[:17]

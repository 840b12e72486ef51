"""Users, groups, roles and policies as rows, and the role that is there from the start.

A row's spec is what its creation said (AWS's spelling); its state holds `Inline`, policy name ->
document, and `Attached`, ARNs of managed policies. A user's holds `Groups`, their ids; a policy's
`Versions` and which is the `Default`, once it has more than its first. IAM is global: the region
of these rows is "".
"""

import json

from sqlalchemy import Connection

from studio.db import resources
from studio.db.resources import Doc, Resource
from studio.db.session import Database
from studio.identity import managed
from studio.identity.documents import Policy, parse
from studio.identity.principals import unique_id

USER, ROLE, POLICY, GROUP = "iam-user", "iam-role", "iam-policy", "iam-group"

_PREFIXES = {USER: "AIDA", ROLE: "AROA", POLICY: "ANPA", GROUP: "AGPA"}

SERVICE = "sagemaker.amazonaws.com"
"""The service that assumes the roles of jobs and models."""

# SDKs want a date and use it for nothing: the first role is as old as SageMaker.
_EPOCH = 1_511_913_600_000


def arn(account: str, kind: str, name: str, path: str = "/") -> str:
    """`kind` is one of USER, ROLE, POLICY, GROUP."""
    return f"arn:aws:iam::{account}:{kind.removeprefix('iam-')}{path}{name}"


def find(connection: Connection, account: str, kind: str, name: str) -> Resource | None:
    return resources.find(connection, account, "", kind, name)


def documents(connection: Connection, account: str, entity: Resource) -> list[tuple[str, str]]:
    """(name, document) of every policy of a user or role: its own, the attached ones, then those of
    its groups."""
    found = []
    for each in (entity, *groups(connection, entity)):
        found += each.state["Inline"].items()
        for policy_arn in each.state["Attached"]:
            text = managed_document(connection, account, policy_arn)
            if text is not None:
                found.append((policy_arn.rpartition("/")[2], text))
    return found


def groups(connection: Connection, entity: Resource) -> list[Resource]:
    """The groups that a user is in; a group that was deleted has no members."""
    found = (resources.get(connection, it) for it in entity.state.get("Groups", []))
    return [group for group in found if group is not None and group.deleted_at is None]


def managed_document(connection: Connection, account: str, policy_arn: str) -> str | None:
    """The document of one of AWS's policies, or of one made here; None when there is none."""
    if policy_arn in managed.POLICIES:
        return managed.POLICIES[policy_arn]
    found = find(connection, account, POLICY, policy_arn.rpartition("/")[2])
    return str(default_version(found)["Document"]) if found and found.arn == policy_arn else None


def versions(policy: Resource) -> list[Doc]:
    """VersionId, Document and CreateDate of each version of a managed policy, oldest first."""
    first = {
        "VersionId": "v1",
        "Document": policy.spec["PolicyDocument"],
        "CreateDate": policy.created_at,
    }
    return policy.state.get("Versions") or [first]


def default_version(policy: Resource) -> Doc:
    """The version of a managed policy that is in force."""
    default = policy.state.get("Default", "v1")
    return next(each for each in versions(policy) if each["VersionId"] == default)


def unique(entity: Resource) -> str:
    """What AWS calls the entity's unique id. A group keeps it under another name."""
    prefix = _PREFIXES[entity.kind]
    return unique_id(prefix, entity.id if entity.kind == GROUP else entity.arn)


def policies(connection: Connection, account: str, kind: str, name: str) -> tuple[Policy, ...]:
    """The parsed policies of a user or role; none when it does not exist."""
    entity = find(connection, account, kind, name)
    if entity is None:
        return ()
    return tuple(parse(text) for _, text in documents(connection, account, entity))


def trust(*services: str) -> str:
    """A trust policy that lets services assume the role."""
    statement = {
        "Effect": "Allow",
        "Principal": {"Service": services[0] if len(services) == 1 else list(services)},
        "Action": "sts:AssumeRole",
    }
    return json.dumps({"Version": "2012-10-17", "Statement": [statement]})


def ensure_role(db: Database, account: str, name: str) -> None:
    """Make the role of a home unless it is there."""
    with db.read() as connection:
        if find(connection, account, ROLE, name):
            return
    db.write(lambda connection: _insert_role(connection, account, name))


def _insert_role(connection: Connection, account: str, name: str) -> None:
    """What SageMaker's own role may do on AWS, S3 included, and pass itself on."""
    own = arn(account, ROLE, name)
    passing = {
        "Effect": "Allow",
        "Action": ["iam:PassRole", "iam:GetRole", "iam:SimulatePrincipalPolicy"],
        "Resource": own,
    }
    inline = json.dumps({"Version": "2012-10-17", "Statement": [passing]})
    spec: Doc = {
        "Path": "/",
        "Description": "The role of this home: its owner's jobs run with it.",
        "MaxSessionDuration": 43_200,
        "AssumeRolePolicyDocument": trust(SERVICE),
    }
    attached = [managed.SAGEMAKER_FULL_ACCESS, managed.S3_FULL_ACCESS]
    resources.insert(
        connection,
        Resource(
            account=account,
            region="",
            kind=ROLE,
            name=name,
            arn=own,
            status="",
            spec=spec,
            created_at=_EPOCH,
            modified_at=_EPOCH,
            state={"Inline": {"PassItself": inline}, "Attached": attached},
        ),
    )

"""The one role that Studio has: what runs here runs as its owner, whom AWS's SDKs call a role."""

import base64
import hashlib
import json
from urllib.parse import quote

from studio.api.registry import Context, operation
from studio.db.resources import Doc
from studio.errors import ApiError
from studio.settings import Settings

# SDKs want a date and use it for nothing: this one is as old as SageMaker.
_CREATED = 1_511_913_600_000

_TRUST = {
    "Version": "2012-10-17",
    "Statement": [
        {
            "Effect": "Allow",
            "Principal": {"Service": "sagemaker.amazonaws.com"},
            "Action": "sts:AssumeRole",
        }
    ],
}


@operation("iam", "GetRole")
def get_role(ctx: Context, request: Doc) -> Doc:
    name = ctx.settings.role_name
    if request["RoleName"] != name:
        text = f"The role with name {request['RoleName']} cannot be found."
        raise ApiError("NoSuchEntity", text, 404)
    return {
        "Role": {
            "Path": "/",
            "RoleName": name,
            "RoleId": role_id(ctx.settings),
            "Arn": role_arn(ctx.settings),
            "CreateDate": _CREATED,
            "AssumeRolePolicyDocument": quote(json.dumps(_TRUST), safe=""),
            "MaxSessionDuration": 3600,
        }
    }


def role_arn(settings: Settings) -> str:
    """What `get_execution_role()` returns."""
    return f"arn:aws:iam::{settings.account}:role/{settings.role_name}"


def role_id(settings: Settings) -> str:
    """The unique id that AWS gives a role, made of what is unique about ours."""
    digest = hashlib.sha256(role_arn(settings).encode()).digest()
    return "AROA" + base64.b32encode(digest).decode()[:17]

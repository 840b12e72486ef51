"""Who is calling: always Studio's role, in a session of its owner."""

from studio.api import iam
from studio.api.registry import Context, operation
from studio.db.resources import Doc

_SESSION = "studio"


@operation("sts", "GetCallerIdentity")
def get_caller_identity(ctx: Context, _request: Doc) -> Doc:
    """An assumed role: an SDK takes no other identity for an execution role."""
    account, role = ctx.caller.account, ctx.settings.role_name
    return {
        "UserId": f"{iam.role_id(ctx.settings)}:{_SESSION}",
        "Account": account,
        "Arn": f"arn:aws:sts::{account}:assumed-role/{role}/{_SESSION}",
    }

"""What a caller may have done: the door that every operation passes, and the reach of a caller.

Two things are decided. `authorized` asks the caller's policies for the action on what the request
names. `reaches` hides what belongs to somebody else: an operation answers for it as for what does
not exist, unless a policy names it.
"""

import re
from dataclasses import replace

from studio.api import log_names, references
from studio.api.registry import Context, Operation
from studio.db import resources
from studio.db.resources import Doc, Resource
from studio.errors import ValidationException
from studio.identity import entities
from studio.identity.authority import Ask
from studio.identity.conditions import Context as Known
from studio.identity.documents import parse
from studio.identity.policy import Question, decide

# AWS asks nobody's policy for these; AssumeRole goes by the policy of the role.
_FREE = {"sts:GetCallerIdentity", "sts:GetSessionToken", "sts:AssumeRole"}
_VERB = re.compile(
    r"(?:Associate|BatchDelete|Create|Delete|Describe|Disassociate|Get|Put|Retry|Start|Stop|Update)"
    r"(.+)"
)
_ROLES = ("RoleArn", "ExecutionRoleArn")
_ROLE_ARN = re.compile(r"arn:aws[a-z-]*:iam::(\d{12}):role/(?:[\x21-\x7e]+/)?([\w+=,.@-]+)")
# Without a name these are about the user who asks.
_OF_THE_CALLER = {"iam:GetUser"} | {
    f"iam:{verb}"
    for verb in ("CreateAccessKey", "DeleteAccessKey", "ListAccessKeys", "UpdateAccessKey")
}
_SERVICES = {"sagemaker-metrics": "sagemaker"}  # what policies call it
_IAM_NAMES = (
    ("GroupName", entities.GROUP),
    ("RoleName", entities.ROLE),
    ("UserName", entities.USER),
)
_KINDS = {
    "auto-ml-job": "automl-job",
    "auto-ml-job-v2": "automl-job",
    "trial": "experiment-trial",
    "trial-component": "experiment-trial-component",
}


def authorized(ctx: Context, operation: Operation, request: Doc) -> Context:
    """The context of an operation that the caller may have done.

    Raises Denied; ValidationException for a role that SageMaker cannot assume.
    """
    service = _SERVICES.get(operation.service, operation.service)
    ctx = replace(ctx, action=f"{service}:{operation.name}")
    principal = ctx.caller.principal
    if principal.kind != "owner" and ctx.action not in _FREE:
        arn = _arn(ctx, operation, request)
        ask = Ask(ctx.action, arn, context=_known(ctx, arn, request))
        ctx.identity.authority.check(principal, ask)
    role = _role(operation, request)
    if role:
        passed_role(ctx, role)
    if operation.service == "sagemaker":
        return references.checked(ctx, operation, request, role)
    return ctx


def reaches(ctx: Context, resource: Resource) -> bool:
    """Whether the caller's action may touch this: its own, or named by a policy that allows it."""
    principal = ctx.caller.principal
    if principal.kind == "owner" or resource.owner == principal.owner:
        return True
    tags = {f"aws:resourcetag/{it['Key'].lower()}": (it["Value"],) for it in resource.tags}
    ask = Ask(ctx.action, resource.arn, owner=resource.owner, context=tags)
    return ctx.identity.authority.allows(principal, ask)


def may(ctx: Context, arn: str, owner: str) -> bool:
    """Whether the caller's action may touch the thing at `arn`, which is `owner`'s."""
    principal = ctx.caller.principal
    if principal.kind == "owner" or owner == principal.owner:
        return True
    return ctx.identity.authority.allows(principal, Ask(ctx.action, arn, owner=owner))


def only_owner(ctx: Context) -> str | None:
    """Whose resources a list may show; None: everybody's."""
    principal = ctx.caller.principal
    everything = Ask("*", "*", owner="*")
    if principal.kind == "owner" or ctx.identity.authority.allows(principal, everything):
        return None
    return principal.owner


def passed_role(ctx: Context, role_arn: str, to: tuple[str, ...] = (entities.SERVICE,)) -> None:
    """Check that the caller may pass the role to the first of these services, and that one of them
    may assume it."""
    match = _ROLE_ARN.fullmatch(role_arn)
    if match is None:
        raise ValidationException(f"The role ARN {role_arn!r} is not valid.")
    principal = ctx.caller.principal
    foreign = match[1] != ctx.settings.account
    if foreign and principal.kind == "owner":
        return  # a notebook that came from AWS: the role of this home stands in for it
    with ctx.db.read() as connection:
        role = entities.find(connection, ctx.settings.account, entities.ROLE, match[2])
    shared = match[2] == ctx.settings.role_name
    ask = Ask(
        "iam:PassRole",
        role_arn,
        owner=None if shared or role is None else role.owner,
        context={"iam:passedtoservice": to[:1]},
    )
    ctx.identity.authority.check(principal, ask)
    if foreign or role is None or not any(_trusts(role, service) for service in to):
        raise ValidationException(
            f"Could not assume role {role_arn}. Please ensure that the role exists and allows "
            f"principal '{to[0]}' to assume the role."
        )


def _trusts(role: Resource, service: str) -> bool:
    question = Question("sts:AssumeRole", role.arn, principals=(("Service", service),))
    document = parse(role.spec["AssumeRolePolicyDocument"], "trust")
    return decide([document], question) == "allowed"


def _role(operation: Operation, request: Doc) -> str:
    """The role that a request hands to SageMaker, "" without one."""
    if operation.service != "sagemaker":
        return ""
    return next((request[name] for name in _ROLES if request.get(name)), "")


def _arn(ctx: Context, operation: Operation, request: Doc) -> str:
    """What the request names, as policies call it; `*` where it names nothing by itself."""
    if operation.service == "sagemaker":
        return _sagemaker_arn(ctx, operation, request)
    if operation.service == "sagemaker-metrics":
        name = request.get("TrialComponentName", "*")
        place = f"{ctx.settings.region}:{ctx.settings.account}"
        return f"arn:aws:sagemaker:{place}:experiment-trial-component/{name}"
    if operation.service == "logs" and (group := log_names.named(request)):
        stream = request.get("logStreamName")
        place = f"log-stream:{stream}" if stream else "*"
        return f"{log_names.arn(ctx.settings, group)}:{place}"
    if operation.service == "iam":
        return _iam_arn(ctx, request)
    if operation.service == "scheduler" and "Name" in request:
        place = f"{ctx.settings.region}:{ctx.settings.account}"
        group = request.get("GroupName", "default")
        return f"arn:aws:scheduler:{place}:schedule/{group}/{request['Name']}"
    if operation.service == "sns":
        return _topic_arn(ctx, request)
    if operation.service == "application-autoscaling":
        return _target_arn(ctx, request)
    if operation.service == "cloudwatch" and "AlarmName" in request:
        place = f"{ctx.settings.region}:{ctx.settings.account}"
        return f"arn:aws:cloudwatch:{place}:alarm:{request['AlarmName']}"
    return "*"


def _sagemaker_arn(ctx: Context, operation: Operation, request: Doc) -> str:
    if "ResourceArn" in request:
        return str(request["ResourceArn"])
    match = _VERB.fullmatch(operation.name)
    if match and f"{match[1]}Arn" in request:
        return str(request[f"{match[1]}Arn"])
    nouns = [
        member[:-4]
        for member, value in request.items()
        if match and member.endswith("Name") and match[1].startswith(member[:-4])
        if isinstance(value, str)
    ]
    if not nouns:
        return "*"
    noun = max(nouns, key=len)
    name = request[f"{noun}Name"]
    kind = re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "-", noun).lower()
    place = f"{_KINDS.get(kind, kind)}/{name}"
    settings = ctx.settings
    whole = name.startswith("arn:")
    return name if whole else f"arn:aws:sagemaker:{settings.region}:{settings.account}:{place}"


def _iam_arn(ctx: Context, request: Doc) -> str:
    for member, kind in _IAM_NAMES:
        if member in request:
            with ctx.db.read() as connection:
                account = ctx.settings.account
                found = entities.find(connection, account, kind, request[member])
            return found.arn if found else entities.arn(account, kind, request[member])
    principal = ctx.caller.principal
    if ctx.action in _OF_THE_CALLER and principal.kind == "user":
        return principal.source_arn
    return str(request.get("PolicyArn") or request.get("PolicySourceArn") or "*")


def _topic_arn(ctx: Context, request: Doc) -> str:
    """Of a topic; a subscription is reached by way of its own."""
    if "Name" in request:
        return f"arn:aws:sns:{ctx.settings.region}:{ctx.settings.account}:{request['Name']}"
    if "SubscriptionArn" in request:
        return str(request["SubscriptionArn"]).rpartition(":")[0] or "*"
    named = (request.get(member) for member in ("TopicArn", "TargetArn", "ResourceArn"))
    return next((str(arn) for arn in named if arn), "*")


def _target_arn(ctx: Context, request: Doc) -> str:
    """Of a scalable target, by its own ARN or by what it scales."""
    if not {"ResourceId", "ScalableDimension"} <= request.keys():
        return str(request.get("ResourceARN", "*"))
    name = f"{request['ResourceId']} {request['ScalableDimension']}"
    with ctx.db.read() as connection:
        place = ctx.settings.account, ctx.settings.region
        found = resources.find(connection, *place, "scalable-target", name)
    return found.arn if found else "*"


def _known(ctx: Context, arn: str, request: Doc) -> Known:
    """The context keys of a request: its tags, those of what it names, its region."""
    known: dict[str, tuple[str, ...]] = {"aws:requestedregion": (ctx.settings.region,)}
    tags = request.get("Tags")
    if isinstance(tags, list) and tags:
        known["aws:tagkeys"] = tuple(str(tag.get("Key", "")) for tag in tags)
        for tag in tags:
            known[f"aws:requesttag/{tag['Key'].lower()}"] = (tag.get("Value", ""),)
    with ctx.db.read() as connection:
        found = resources.find_arn(connection, arn)
    for tag in found.tags if found else []:
        known[f"aws:resourcetag/{tag['Key'].lower()}"] = (tag["Value"],)
    return known

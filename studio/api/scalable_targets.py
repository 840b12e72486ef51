"""Scalable targets of Application Auto Scaling: variants of endpoints, and their tags.

A target is one resource with its policies and scheduled actions in its `spec`: they come and go
with it. What becomes of it is in scaling_plan.py.
"""

import re
import uuid
from collections.abc import Callable
from dataclasses import replace
from functools import partial

from sqlalchemy import Connection

from studio.api import access, endpoints, scaling_alarms, store
from studio.api.metric_data import checked
from studio.api.registry import Context, operation
from studio.db import resources
from studio.db.resources import Doc, Resource
from studio.errors import ApiError, ValidationException
from studio.identity.authority import Ask

NAMESPACE, DIMENSION = "sagemaker", "sagemaker:variant:DesiredInstanceCount"
"""The one kind of capacity that is scaled here."""

MOST_SHOWN = 50

_RESOURCE = re.compile(r"endpoint/([a-zA-Z0-9-]{1,63})/variant/([a-zA-Z0-9-]{1,63})")
_ROLE = "AWSServiceRoleForApplicationAutoScaling_SageMakerEndpoint"
_RESIZES = "sagemaker:UpdateEndpointWeightsAndCapacities"
_SUSPENDED = (
    "DynamicScalingInSuspended",
    "DynamicScalingOutSuspended",
    "ScheduledScalingSuspended",
)
_MOST_INSTANCES = 1_000


def _missing(it: Resource) -> ApiError:
    place = _place(it.name.split(" ")[0])
    return ApiError("ObjectNotFoundException", f"No scalable target found for {place}")


def _taken(it: Resource) -> ApiError:
    text = f"The scalable target {it.name.split(' ')[0]} is registered by somebody else."
    return ApiError("ConcurrentUpdateException", text)


NOUN = store.Noun(kind="scalable-target", missing=_missing, taken=_taken)


@operation("application-autoscaling", "RegisterScalableTarget")
def register_scalable_target(ctx: Context, request: Doc) -> Doc:
    """What is not said of a target that is registered stays as it is."""
    name = key(request)
    endpoint = _endpoint(ctx, request["ResourceId"])
    if store.find(ctx, NOUN, name) is None:
        return {"ScalableTargetARN": _created(ctx, request, endpoint).arn}

    def put(target: Resource) -> Resource:
        spec = {**target.spec, **_given(request, target.spec), "EndpointId": endpoint.id}
        check_limits(spec)
        tags = store.merged(target.tags, _tags(request.get("Tags", {})))
        state = {**target.state, "Bound": bound(request)}
        return replace(target, spec=spec, tags=tags, state=state, due_at=ctx.now())

    return {"ScalableTargetARN": changed(ctx, name, put).arn}


@operation("application-autoscaling", "DeregisterScalableTarget")
def deregister_scalable_target(ctx: Context, request: Doc) -> Doc:
    """Its policies, their alarms and its scheduled actions go with it."""
    changed(ctx, key(request), lambda it: replace(it, deleted_at=ctx.now(), due_at=None))
    return {}


@operation("application-autoscaling", "DescribeScalableTargets")
def describe_scalable_targets(ctx: Context, request: Doc) -> Doc:
    wanted = request.get("ResourceIds")
    found = [
        (it.name, _described(it))
        for it in every(ctx, request)
        if not wanted or it.spec["ResourceId"] in wanted
    ]
    members = ("ServiceNamespace", "ResourceIds", "ScalableDimension")
    return page(request, members, found, "ScalableTargets")


@operation("application-autoscaling", "TagResource")
def tag_resource(ctx: Context, request: Doc) -> Doc:
    _tagged(ctx, request["ResourceARN"], lambda it: store.merged(it, _tags(request["Tags"])))
    return {}


@operation("application-autoscaling", "UntagResource")
def untag_resource(ctx: Context, request: Doc) -> Doc:
    gone = request["TagKeys"]
    _tagged(ctx, request["ResourceARN"], lambda it: [tag for tag in it if tag["Key"] not in gone])
    return {}


@operation("application-autoscaling", "ListTagsForResource")
def list_tags_for_resource(ctx: Context, request: Doc) -> Doc:
    with ctx.db.read() as connection:
        target = _of_arn(connection, ctx, request["ResourceARN"])
    return {"Tags": {tag["Key"]: tag["Value"] for tag in target.tags}}


def key(request: Doc) -> str:
    """The name of the target that a request is about. Raises ValidationException."""
    _scope(request)
    dimension = request["ScalableDimension"]
    if not _RESOURCE.fullmatch(request["ResourceId"]):
        raise ValidationException(
            f"Unsupported resource ID {request['ResourceId'][:256]}: it must be "
            "endpoint/my-endpoint/variant/my-variant"
        )
    return f"{request['ResourceId']} {dimension}"


def every(ctx: Context, request: Doc) -> list[Resource]:
    """The targets that the caller may see and the request is about, by name."""
    _scope(request)
    only = request.get("ResourceId")
    with ctx.db.read() as connection:
        found = resources.of_kind(connection, NOUN.kind)
    kept = (it for it in found if only in (None, it.spec["ResourceId"]) and access.reaches(ctx, it))
    return sorted(kept, key=lambda it: it.name)


def named(target: Resource) -> Doc:
    """The members by which AWS names a target."""
    return {
        "ServiceNamespace": NAMESPACE,
        "ResourceId": target.spec["ResourceId"],
        "ScalableDimension": DIMENSION,
    }


def unregistered(request: Doc) -> str:
    """That there is no target for a policy or a scheduled action, in AWS's words."""
    return f"No scalable target registered for {_place(request['ResourceId'])}"


def page(request: Doc, members: tuple[str, ...], found: list[tuple[str, Doc]], answer: str) -> Doc:
    """A page of what was `found`, each with a place that orders them all; `members` tell requests
    apart. Raises InvalidNextTokenException, ValidationException."""
    most = request.get("MaxResults", MOST_SHOWN)
    if not 1 <= most <= MOST_SHOWN:
        raise ValidationException(f"MaxResults must be between 1 and {MOST_SHOWN}")
    token = checked(request, members, "InvalidNextTokenException")
    left = [it for it in found if it[0] > token.position]
    shown = left[:most]
    more = token.next(shown[-1][0]) if len(left) > most else None
    return {answer: [each for _, each in shown], "NextToken": more}


def changed(ctx: Context, name: str, to: Callable[[Resource], Resource]) -> Resource:
    """Store `to(target)` together with the alarms that its policies want then.

    Raises ObjectNotFoundException.
    """
    change = _Change(ctx, to)
    target = store.change(ctx, NOUN, name, change.to, change.also)
    change.tell()
    return target


def bound(limits: Doc) -> str:
    """That a variant is to be brought within these limits, in AWS's words; "" without any."""
    said = [
        f"{word} capacity was set to {limits[member]}"
        for word, member in (("minimum", "MinCapacity"), ("maximum", "MaxCapacity"))
        if member in limits
    ]
    return " and ".join(said)


class _Change:
    """A change of a target, and of the alarms of its policies with it."""

    def __init__(self, ctx: Context, to: Callable[[Resource], Resource]) -> None:
        self._ctx = ctx
        self._to = to
        self._before: list[Resource] = []
        self._alarms: list[str] = []

    def to(self, before: Resource) -> Resource:
        self._before = [before]
        return self._to(before)

    def also(self, connection: Connection, after: Resource) -> None:
        self._alarms = scaling_alarms.sync(self._ctx, connection, self._before[0], after)

    def tell(self) -> None:
        """Of alarms that are not written yet the reconciler could learn nothing."""
        for each in self._alarms:
            self._ctx.hint(each)


def _created(ctx: Context, request: Doc, endpoint: Resource) -> Resource:
    if not {"MinCapacity", "MaxCapacity"} <= request.keys():
        text = "MinCapacity and MaxCapacity are required to register a new scalable target"
        raise ValidationException(text)
    suspended = dict.fromkeys(_SUSPENDED, False)
    fresh = {"SuspendedState": suspended, "Policies": {}, "Actions": {}}
    spec = {
        "ResourceId": request["ResourceId"],
        "EndpointId": endpoint.id,
        **fresh,
        **_given(request, fresh),
    }
    check_limits(spec)
    place = f"{ctx.settings.region}:{ctx.settings.account}"
    arn = f"arn:aws:application-autoscaling:{place}:scalable-target/{uuid.uuid4().hex}"
    columns: Doc = {
        "arn": arn,
        "owner": endpoint.owner,
        "due_at": ctx.now(),
        "status": "Registered",
    }
    state = {"Bound": bound(request), "Activities": []}
    tags = _tags(request.get("Tags", {}))
    return store.create(ctx, NOUN, key(request), {**spec, "Tags": tags}, state=state, **columns)


def _given(request: Doc, before: Doc) -> Doc:
    said: Doc = {it: request[it] for it in ("MinCapacity", "MaxCapacity") if it in request}
    suspended = {**before["SuspendedState"], **request.get("SuspendedState", {})}
    return {**said, "SuspendedState": suspended}


def check_limits(spec: Doc) -> None:
    least, most = spec["MinCapacity"], spec["MaxCapacity"]
    if least < 0 or most < 0:
        raise ValidationException("Capacities must not be negative")
    if most < least:
        raise ValidationException("Maximum capacity cannot be less than minimum capacity")
    if most > _MOST_INSTANCES:
        raise ValidationException(f"Maximum capacity cannot be more than {_MOST_INSTANCES}")


def _endpoint(ctx: Context, resource_id: str) -> Resource:
    """The endpoint of a variant, which the caller may resize. Raises ApiError."""
    match = _RESOURCE.fullmatch(resource_id)
    assert match is not None  # `key` has looked at it
    asked = replace(ctx, action=_RESIZES)
    endpoint = store.require(asked, endpoints.NOUN, match[1])
    ask = Ask(_RESIZES, endpoint.arn, owner=endpoint.owner)
    ctx.identity.authority.check(ctx.caller.principal, ask)
    variants = endpoint.state["Deployments"][-1]["Variants"]
    known = {it["VariantName"]: it for it in variants if "Shadow" not in it}
    if match[2] not in known:
        text = f'The endpoint "{match[1]}" has no production variant "{match[2]}".'
        raise ValidationException(text)
    if "ServerlessConfig" in known[match[2]]:
        raise ValidationException(
            f'The variant "{match[2]}" is serverless: it scales by itself, within MaxConcurrency.'
        )
    return endpoint


def _scope(request: Doc) -> None:
    if request["ServiceNamespace"] != NAMESPACE:
        raise ValidationException(
            f"Studio does not execute the service namespace {request['ServiceNamespace']}: "
            f"what it scales is of {NAMESPACE}."
        )
    if request.get("ScalableDimension", DIMENSION) != DIMENSION:
        raise ValidationException(
            f"Studio does not execute the scalable dimension {request['ScalableDimension']} yet: "
            f"it scales {DIMENSION}."
        )


def _place(resource_id: str) -> str:
    return (
        f"service namespace: {NAMESPACE}, resource ID: {resource_id}, "
        f"scalable dimension: {DIMENSION}"
    )


def _described(target: Resource) -> Doc:
    account = target.account
    folder = "aws-service-role/sagemaker.application-autoscaling.amazonaws.com"
    return {
        **named(target),
        "MinCapacity": target.spec["MinCapacity"],
        "MaxCapacity": target.spec["MaxCapacity"],
        "RoleARN": f"arn:aws:iam::{account}:role/{folder}/{_ROLE}",
        "CreationTime": target.created_at,
        "SuspendedState": target.spec["SuspendedState"],
        "ScalableTargetARN": target.arn,
    }


def _tags(given: dict[str, str]) -> list[Doc]:
    value = given.get(scaling_alarms.PERIOD)
    if value is not None and value not in scaling_alarms.PERIODS:
        raise ValidationException(
            f"The tag {scaling_alarms.PERIOD} must be {', '.join(scaling_alarms.PERIODS)}: the "
            "seconds of a period of the alarms."
        )
    return [{"Key": name, "Value": value} for name, value in given.items()]


def _tagged(ctx: Context, arn: str, to: Callable[[list[Doc]], list[Doc]]) -> None:
    found = partial(_of_arn, ctx=ctx, arn=arn)
    change = _Change(ctx, lambda it: replace(it, tags=to(it.tags)))
    store.change_found(ctx, arn, found, change.to, change.also)
    change.tell()


def _of_arn(connection: Connection, ctx: Context, arn: str) -> Resource:
    target = resources.find_arn(connection, arn)
    if target is None or target.kind != NOUN.kind or not access.reaches(ctx, target):
        raise ApiError("ResourceNotFoundException", f"The scalable target {arn} doesn't exist")
    return target
